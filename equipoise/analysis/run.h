#pragma once

#include "equipoise/analysis/plan.h"
#include "equipoise/data/trial_data.h"
#include "equipoise/results/results.h"

namespace equipoise::analysis {

/// Runs a plan on a trial's records: participant flow, baseline table, and every analysis with its findings as records. An
/// analysis that cannot be answered (no data, nothing estimable) keeps its place in the results with the reason; it never stops
/// the others.
results::Results run(protocol::Protocol const& protocol, Plan const& plan, data::TrialTables const& tables,
                     results::Provenance provenance);

}  // namespace equipoise::analysis

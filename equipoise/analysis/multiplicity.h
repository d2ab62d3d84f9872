#pragma once

#include "equipoise/analysis/plan.h"
#include "equipoise/data/trial_data.h"
#include "equipoise/results/results.h"

namespace equipoise::analysis {

/// Of one visit.
bool is_within_visit(At const& at);

/// How directly a place speaks of the arm against the control; nothing when it does not.
///     0 difference of means   1 a comparison of two arms alone   2 the arm's coefficient   3 the arm by itself   4 the only
///     comparison
/// Of a model of every visit the difference at the visit of the question counts, or without such a visit the one over all.
std::optional<int> speaks_of(At const& at, std::string const& arm, std::string const& control, std::string const& visit,
                             bool by_visit, bool only_comparison);

/// Makes the protocol's [multiplicity] ready: its hypotheses, its graph. Each hypothesis must be answered by one P value of its
/// analysis; what can be known of that before the data is checked here, as are the edges. After the analyses are planned.
void plan_multiplicity(protocol::Protocol const& protocol, Plan& plan, Problems& problems);

/// Collects the P value of each hypothesis among the records, adjusts them, decides at the protocol's alpha, and finds
/// simultaneous limits where some agree with the procedure (docs/methods/multiplicity.md). `results.multiplicity` gets it all;
/// beside each P value a record `adjusted_p` of the same place is added. A P value that is missing or not one is not estimable,
/// with a note.
void carry_out(PlannedMultiplicity const& planned, protocol::Protocol const& protocol, Plan const& plan,
               data::TrialTables const& tables, results::Results& results);

}  // namespace equipoise::analysis

#pragma once

#include <vector>

#include "equipoise/data/trial_data.h"
#include "equipoise/results/results.h"

namespace equipoise::analysis {

/// The participant flow, one column an arm as randomised. Every participant falls into exactly one box of each row, so the boxes
/// add up by construction: left early (by the first dated event that ends participation) or completed; in each analysis set or
/// out of it.
std::vector<results::FlowArm> participant_flow(data::TrialTables const& tables);

/// The baseline table of the protocol's [report] items among randomised participants, by arm and over all.
std::vector<results::BaselineItem> baseline_table(data::TrialTables const& tables);

/// The same of what was recorded at the visits of each intervention: numbers, codes and flags of the forms that only its visits
/// collect, visit by visit. Empty without an intervention or such a form.
std::vector<results::BaselineItem> exposure_table(data::TrialTables const& tables);

/// The rule for quartiles that the protocol's `match` asks for, in words.
std::string quartile_rule(protocol::Protocol const& protocol);

}  // namespace equipoise::analysis

#pragma once

#include <string>
#include <vector>

#include "equipoise/report/context.h"

/// What the results say of subgroups, for the table and the figure of them.
namespace equipoise::report {

/// The subgroups of one analysis: the whole first; nothing when it has none.
std::vector<results::Subgroup const*> subgroups_of(Context const& context, std::string_view analysis);

/// A level of an item in words: the label of its code, "Yes", "60 to < 70".
std::string level_in_words(Context const& context, std::string_view item, std::string const& level);

/// "hazard ratio": what the effects of these subgroups are; with what they are against.
std::string effect_in_words(Context const& context, results::AnalysisRun const& run, results::Subgroup const& whole);

/// The test of interaction for an arm: its own, else that of all arms together; null when there is none.
results::Interaction const* interaction_for(results::Subgroup const& subgroup, std::string_view arm);

/// How the tests of interaction were made, a sentence for each way.
std::vector<std::string> interaction_methods(Context const& context, std::vector<results::Subgroup const*> const& all);

}  // namespace equipoise::report

#pragma once

#include <string>
#include <vector>

#include "equipoise/report/context.h"

/// Which of an analysis's records are its answer, and how they are said. Numbers in the text are read from the same records as
/// the tables.
namespace equipoise::report {

/// A comparison with its interval: hazard_ratio at an arm's term, a difference, an estimate of an arm. A coefficient whose ratio
/// is reported beside it (Cox's log hazard ratio) is not repeated.
std::vector<results::Record const*> effects(Context const& context, results::AnalysisRun const& run);

/// The test statistics with their P values that compare the arms without an estimate: one for each comparison.
std::vector<results::Record const*> arm_tests(Context const& context, results::AnalysisRun const& run);

/// The log hazard ratio's record for a hazard ratio (and so for every X_ratio): same analysis and place, quantity "estimate".
results::Record const* on_log_scale(Context const& context, results::Record const& ratio);

/// True for the coefficient behind a ratio that is reported itself.
bool behind_a_ratio(Context const& context, results::Record const& record);

/// The record `adjusted_p` at the place of a record that has a P value, or nothing.
results::Record const* adjusted_beside(Context const& context, results::Record const& record);

/// "High dose against placebo, change in CD4": what a hypothesis of [multiplicity] is about.
std::string hypothesis_in_words(Context const& context, results::Hypothesis const& hypothesis);

/// "rIFN-g against placebo", "day 180", "Placebo": where a number was read, in words. Empty for a number of the whole analysis.
std::string place_in_words(Context const& context, results::AnalysisRun const& run, At const& at);

/// What a number is: the label of its quantity, or where a method has one quantity for several things, which of them it is.
std::string quantity_in_words(Context const& context, results::AnalysisRun const& run, Finding const& finding);

/// Level of the records' intervals ("95%"), by the records, else by the protocol.
std::string interval_level(Context const& context, results::Record const& record);

/// The cards at the head of the page and the paragraph in words.
Markup headline_cards(Context const& context);
Markup primary_in_words(Context const& context);

/// First letter in lower case unless the word is an abbreviation or a name ("CD4 count", "X-linked"): for labels inside an
/// English sentence.
std::string inside_sentence(std::string const& label);

}  // namespace equipoise::report

#pragma once

#include "equipoise/report/cells.h"
#include "equipoise/report/context.h"
#include "equipoise/report/html.h"
#include "equipoise/report/visits.h"

/// Every table of the report. A new one is a function here and a file in tables/.
namespace equipoise::report::tables {

/// The protocol in one page: objective, population, arms, endpoints, analysis sets.
Markup synopsis(Context const& context);
/// Estimands with their intercurrent-event strategies in plain words, a card each.
Markup estimands(Context const& context);
/// Forms by visits; empty without visits.
Table schedule(Context const& context);
/// One row block for each baseline item, a column for each arm and all.
Table baseline(Context const& context);
/// Randomised, left early by reason, completed, and in each analysis set, by arm; empty without a participant flow.
Table disposition(Context const& context);
/// What the analyses of a time to event or of a yes-or-no endpoint in one set say of each arm and of the arms against the
/// control, side by side; empty with fewer than two of them.
Table endpoint_summary(Context const& context, protocol::Endpoint const& endpoint, std::string const& set);
/// Every comparison that the analyses of an endpoint make, analysis by analysis; empty with fewer than two of them.
Table analyses_side_by_side(Context const& context, std::string const& endpoint);
/// What was given at the visits of interventions; empty where no form records it.
Table exposure(Context const& context);
/// The records of one analysis: arms side by side, then comparisons with estimate, interval and P together.
Table analysis(Context const& context, results::AnalysisRun const& run);
/// Arms at each visit: n, LS mean, difference from the control. `notes` gets the footnotes of its numbers but for those `of_all`.
Grid visits(Context const& context, ArmsOverVisits const& numbers, Footnotes& notes, std::vector<std::string> const& of_all);
/// Which visits participants have, with counts by arm.
Table missing_patterns(Context const& context, results::AnalysisRun const& run);
/// The hypotheses of [multiplicity] with raw and adjusted P values, decisions and simultaneous intervals; empty without it.
Table multiplicity(Context const& context);
/// Decisions in words, and how the error rate is kept, for the paragraphs of results and methods; empty without [multiplicity].
std::string decisions_in_words(Context const& context);
std::string multiplicity_methods(Context const& context);
/// What a primary analysis would have said with other choices: degrees of freedom, covariance, assumption on missing values.
/// Empty without alternatives.
Table dependence(Context const& context, results::AnalysisRun const& run);
/// The effect in each subgroup of an analysis, participants and events beside it, and the tests of interaction; empty without.
Table subgroups(Context const& context, results::AnalysisRun const& run);
/// Yes among those seen, at each visit by arm, of the first analysis of an endpoint that is asked at visits; else empty.
Table responders(Context const& context, results::AnalysisRun const& run);
/// What was computed from what.
Markup provenance(Context const& context);

}  // namespace equipoise::report::tables

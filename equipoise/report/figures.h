#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "equipoise/report/context.h"
#include "equipoise/report/figure_data.h"
#include "equipoise/report/html.h"

/// Every figure of the report. Each is the inside of a <figure>: an SVG and its notes, empty when there is nothing to draw.
namespace equipoise::report::figures {

/// Participants from randomisation to analysis, a column for each arm, boxes as large as their text.
Markup participant_flow(Context const& context);

/// One arm's curve as it is drawn, read from the results.
struct Curve {
  std::string group;  ///< arm id
  std::vector<double> time, survival, lower, upper, at_risk, censored;

  double survival_at(double day) const;  ///< right-continuous
  double at_risk_at(double day) const;   ///< participants with a time of at least `day`
};
/// The curves of an analysis in protocol order of the arms; columns that are too short or not there make a curve be left out.
std::vector<Curve> curves_of(Context const& context, std::string_view analysis);

/// Kaplan-Meier curves of one analysis: steps, pointwise bands, censoring ticks, numbers at risk under the axis.
Markup kaplan_meier(Context const& context, results::AnalysisRun const& run);

/// The Kaplan-Meier analysis of the same endpoint and analysis set, to be shown beside an interval-censored one; null if none.
results::AnalysisRun const* kaplan_meier_beside(Context const& context, results::AnalysisRun const& run);

/// Turnbull estimate of one analysis: a line where survival is determined, a box over each innermost interval with mass, in which
/// it is not, and the Kaplan-Meier estimate of the visit dates thin beside it.
Markup turnbull(Context const& context, results::AnalysisRun const& run);

/// LS means of arms over visits with intervals, participants observed under the axis; of a change from the baseline visit on.
Markup visit_means(Context const& context, results::AnalysisRun const& run);

/// Differences from the control over visits with intervals, P values under the axis.
Markup visit_differences(Context const& context, results::AnalysisRun const& run);

/// The comparison of arms that each analysis of an endpoint gives, under each other: what changes with the assumptions. Drawn for
/// the first analysis of an endpoint that is measured at several visits and of its set, when others follow.
Markup analyses_compared(Context const& context, results::AnalysisRun const& run);
bool has_analyses_compared(Context const& context, results::AnalysisRun const& run);
FigureData analyses_compared_data(Context const& context, results::AnalysisRun const& run);
/// "differences from Placebo": what they give.
std::string analyses_compared_question(Context const& context, results::AnalysisRun const& run);

/// The effect of an arm in every subgroup of an analysis; and the arms that have one.
Markup forest(Context const& context, results::AnalysisRun const& run, std::string const& arm);
std::vector<std::string> forest_arms(Context const& context, results::AnalysisRun const& run);

/// Every participant's values over visits: a panel for each arm, or for each participant where an arm has few.
Markup trajectories(Context const& context, results::AnalysisRun const& run);

/// Every participant's value at the visit of the question, or the last one, from the highest to the lowest: a panel for each arm.
/// Of endpoints that are a change.
Markup waterfall(Context const& context, results::AnalysisRun const& run);
std::string waterfall_visit(Context const& context, results::AnalysisRun const& run);  ///< the visit shown, in words
/// Keeps the rows of the visit shown.
void keep_waterfall_visit(Context const& context, results::AnalysisRun const& run, FigureData& data);

/// Every participant's values over visits as colours, a row each, or where there are many a row for some that are alike.
Markup heat_map(Context const& context, results::AnalysisRun const& run);

/// What an analysis says of each arm, or of each arm against the control, against the doses of the arms: of at least three doses
/// in one unit.
Markup dose_response(Context const& context, results::AnalysisRun const& run);
FigureData dose_response_data(Context const& context, results::AnalysisRun const& run);

/// Which visits have values: a panel for each arm, participants sorted by pattern.
Markup missing_patterns(Context const& context, results::AnalysisRun const& run);

/// Estimates and P values when imputed values are shifted: cells where both arms' values are, a line where one arm's are.
Markup tipping_point(Context const& context, results::AnalysisRun const& run);

/// Scaled residuals against fitted values and against normal quantiles.
Markup residuals(Context const& context, results::AnalysisRun const& run);

/// Correlations between visits and standard deviations from the estimated covariance; of one group's when `group` is not empty.
Markup covariance(Context const& context, results::AnalysisRun const& run, std::string const& group = {});
bool shows_covariance(Finding const& finding, std::string const& group);
/// The groups that have a covariance of their own; one empty name when all share one, nothing without covariance.
std::vector<std::string> covariance_groups(Context const& context, results::AnalysisRun const& run);

}  // namespace equipoise::report::figures

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "equipoise/report/context.h"
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

}  // namespace equipoise::report::figures

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "equipoise/report/context.h"
#include "equipoise/report/figures/curve_frame.h"
#include "equipoise/report/html.h"
#include "equipoise/report/svg.h"

/// What figures over visits have in common: where the visits stand, the axes, points with intervals.
namespace equipoise::report::figures {

/// Visits along an axis: at their study days when the protocol has them in increasing order, else evenly spaced.
struct VisitAxis {
  std::vector<std::string> visits;  ///< ids
  std::vector<double> place;        ///< days since the reference day, or 0, 1, 2, ...
  std::vector<std::string> labels;
  bool at_days = true;
  /// Of labels that differ in a whole number only ("Week 4", "Week 8"): the numbers, and what they count. Else empty.
  std::vector<std::string> numbers;
  std::string counted;

  double first() const { return place.empty() ? 0 : place.front(); }
  double last() const { return place.empty() ? 1 : place.back(); }
};
VisitAxis visit_axis(Context const& context, std::vector<std::string> const& visits);

/// Where columns of numbers stand under the axis: at the visits, moved apart where visits are near each other.
struct VisitColumns {
  std::vector<double> x;    ///< by visit
  std::vector<bool> shown;  ///< false where there is no room for so many columns
  double title = 0;         ///< baseline of the axis title
  Markup drawn;             ///< axis line, ticks, labels and title
  bool all_shown() const;
};
/// The axis below a plot. `widths` is what is to stand under each visit (may be empty), `kept` a visit that stays when there is
/// no room for all.
VisitColumns draw_visit_axis(Context const& context, Layout const& at, VisitAxis const& visits, svg::Scale const& x,
                             std::vector<double> const& widths, std::string const& kept);

/// A vertical axis with round numbers at its grid lines.
struct ValueAxis {
  std::vector<double> ticks;  ///< values; of a logarithmic axis the values themselves, not their logarithms
  std::vector<std::string> labels;
  svg::Scale scale;  ///< takes logarithms when `logarithmic`
  bool logarithmic = false;
  double operator()(double value) const;
};
/// From `low` to `high` with a little room; with `signs` positive numbers carry "+".
ValueAxis value_axis(double low, double high, double top, double bottom, bool signs, int most = 8);
/// Of ratios or geometric means: 0.5, 1, 2 lie evenly.
ValueAxis ratio_axis(double low, double high, double top, double bottom);
/// Of proportions, in percent; from 0 to 1 at most.
ValueAxis share_axis(double low, double high, double top, double bottom);
/// Grid lines and numbers; the line at `reference` is stronger.
Markup draw_value_axis(Layout const& at, ValueAxis const& y, double reference);

/// Runs over the numbers that are drawn, to find the ends of an axis; what is not finite is left out.
struct Range {
  double low = 0, high = 0;
  bool empty = true;
  void add(double value);
};

/// Band behind the visit at which the endpoint is read.
Markup primary_band(Layout const& at, double x, double width);

/// Steps by which arms are moved apart at a visit: one for each arm, in the middle around 0.
std::vector<double> dodges(std::size_t arms, VisitAxis const& visits, svg::Scale const& x);

/// A vertical interval with small caps.
Markup whisker(double x, double from, double to, ArmStyle const& style);

/// Lines through points, broken where a point is NaN.
std::string broken_line(std::vector<svg::Point> const& points);

/// "LS mean (/mm3)": what is on an axis, with its unit.
std::string with_unit(Context const& context, std::string const& what, std::string const& unit);

/// What is to be said of an axis: the band, even spacing, columns left out.
void add_axis_notes(Context const& context, VisitAxis const& visits, VisitColumns const& columns, std::string const& primary,
                    std::vector<std::string>& notes);

/// Sentences below a figure.
Markup note(Context const& context, std::vector<std::string> const& sentences);

/// The watermark of simulated data, else nothing.
std::string watermark(Context const& context);

}  // namespace equipoise::report::figures

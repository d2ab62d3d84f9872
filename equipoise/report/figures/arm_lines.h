#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/report/figures/visit_frame.h"
#include "equipoise/report/visits.h"

/// Estimates of arms over visits as points with intervals, joined by lines.
namespace equipoise::report::figures {

/// One arm: a record at each visit, null where there is none. At least one of them has a number.
struct ArmLine {
  std::string arm;
  std::vector<results::Record const*> records;
  std::size_t first = 0, last = 0;  ///< visits with a number

  double value(std::size_t visit) const;  ///< NaN without one
};

/// The arms that have a number at some visit, and the ends of all that is drawn of them.
struct ArmLines {
  std::vector<ArmLine> lines;
  Range range;
  std::string level;  ///< of the intervals, "95%"; empty without intervals

  std::vector<std::string> arms() const;
};
using ReadRecord = std::function<results::Record const*(std::string_view arm, std::string_view visit)>;
/// `positive`: of a logarithmic axis, on which nothing else can be drawn.
ArmLines arm_lines(Context const& context, std::vector<std::string> const& arms, std::vector<std::string> const& visits,
                   ReadRecord const& read, bool positive);

/// All of it in the plot: lines, intervals, markers, names of the arms; behind the grid the band at the primary visit.
struct LinesDrawn {
  Markup behind, drawn;
  std::vector<double> moved;  ///< of each arm, from the place of a visit
};
LinesDrawn draw_lines(Context const& context, Layout const& at, ArmLines const& arms,
                      std::vector<std::vector<std::string>> const& labels, VisitAxis const& visits, std::string const& primary,
                      svg::Scale const& x, ValueAxis const& y);

/// What each line ends with, for screen readers.
std::string ends_in_words(Context const& context, ArmLines const& arms, std::vector<std::string> const& visits);

/// Numbers under the axis: arms by visits, and how wide their columns are.
struct NumbersBelow {
  std::vector<std::vector<std::string>> of_arm;
  std::vector<double> widths;
  bool any = false;
  NumbersBelow(std::size_t arms, std::size_t visits) : of_arm(arms, std::vector<std::string>(visits)), widths(visits, 0) {}
  void set(std::size_t arm, std::size_t visit, std::string text);
};
/// The rows under a title, from `row` on, which is left below them.
Markup draw_numbers(Context const& context, Layout const& at, VisitColumns const& columns, Word title,
                    std::vector<std::string> const& arms, std::vector<std::vector<std::string>> const& labels,
                    NumbersBelow const& numbers, double& row);

}  // namespace equipoise::report::figures

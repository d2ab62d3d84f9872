#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "equipoise/report/context.h"
#include "equipoise/report/html.h"
#include "equipoise/report/svg.h"

/// What figures of survival over time have in common: the frame, the axes, and the names of the arms at the ends of their curves.
namespace equipoise::report::figures {

inline constexpr std::string_view ink = "#1c2430", muted = "#5b6472", grid = "#e3e7ee", axis = "#98a2b3";
inline constexpr double font = 13, line_height = 17;

struct Layout {
  double width = 940, left = 62, top = 34, plot_height = 330;
  double right = 0;    ///< of the plot area
  double bottom = 0;   ///< of the plot area
  double label_x = 0;  ///< where arm labels begin
};

/// The names of the arms in lines that fit beside the plot.
std::vector<std::vector<std::string>> label_lines(Context const& context, std::vector<std::string> const& groups);
/// The plot area that leaves room for these names.
Layout layout_beside(std::vector<std::vector<std::string>> const& labels);

/// Percentages up the left, time along the bottom, and what both are.
Markup axes(Layout const& at, Context const& context, svg::TimeAxis const& time, svg::Scale const& x, svg::Scale const& y);

/// Name and marker of an arm, centred at a height.
Markup arm_label(std::vector<std::string> const& lines, double x, double centre, ArmStyle const& style);

/// Names at the ends of the curves (end_x, end_y), pushed apart, each with a dotted leader from its end.
Markup end_labels(Context const& context, Layout const& at, std::vector<std::string> const& groups,
                  std::vector<std::vector<std::string>> const& labels, std::vector<double> const& end_x,
                  std::vector<double> const& end_y);

}  // namespace equipoise::report::figures

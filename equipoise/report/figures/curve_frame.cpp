#include "equipoise/report/figures/curve_frame.h"

#include <algorithm>

#include "equipoise/core/text.h"

namespace equipoise::report::figures {

using svg::Anchor;
using svg::Weight;

std::vector<std::vector<std::string>> label_lines(Context const& context, std::vector<std::string> const& groups) {
  std::vector<std::vector<std::string>> labels;
  for (auto const& group : groups) {
    std::vector<std::string> lines = svg::wrapped(context.arm(group), 190, font, Weight::bold);
    if (lines.size() > 3) lines = {lines[0], lines[1] + "\u2026", lines.back()};  // arms that differ often differ at the end
    labels.push_back(std::move(lines));
  }
  return labels;
}

Layout layout_beside(std::vector<std::vector<std::string>> const& labels) {
  double widest = 60;
  for (auto const& lines : labels)
    for (auto const& line : lines) widest = std::max(widest, svg::text_width(line, font, Weight::bold));
  Layout at;
  at.right = at.width - widest - 44;
  at.label_x = at.right + 38;
  at.bottom = at.top + at.plot_height;
  return at;
}

Markup axes(Layout const& at, Context const& context, svg::TimeAxis const& time, svg::Scale const& x, svg::Scale const& y) {
  Markup out;
  for (const int percent : {0, 25, 50, 75, 100}) {
    const double level = y(percent / 100.0);
    if (percent > 0) out += svg::line(at.left, level, at.right, level, percent == 50 ? "grid half" : "grid", grid);
    out += svg::text(at.left - 10, level + 4.5, std::to_string(percent) + "%",
                     {.size = font, .anchor = Anchor::end, .css = "muted", .fill = muted});
  }
  const double half = y(0.5);
  out += element("path", {{"d", std::string("M") + coordinate(at.left) + " " + coordinate(half) + "H" + coordinate(at.right)},
                          {"class", std::string("axis")},
                          {"fill", std::string("none")},
                          {"stroke", std::string(axis)},
                          {"stroke-dasharray", std::string("2 4")}});
  out += svg::line(at.left, at.bottom, at.right, at.bottom, "axis", axis);
  for (std::size_t i = 0; i < time.days.size(); ++i) {
    const double tick = x(time.days[i]);
    out += svg::line(tick, at.bottom, tick, at.bottom + 5, "axis", axis);
    out += svg::text(tick, at.bottom + 21, shortest(time.labels[i]),
                     {.size = font, .anchor = Anchor::middle, .css = "muted", .fill = muted});
  }
  const Word title = time.unit == svg::TimeAxis::Unit::days     ? Word::km_axis_days
                     : time.unit == svg::TimeAxis::Unit::months ? Word::km_axis_months
                                                                : Word::km_axis_years;
  out += svg::text((at.left + at.right) / 2, at.bottom + 44, context.words(title),
                   {.size = font, .weight = Weight::bold, .anchor = Anchor::middle, .fill = ink});
  out +=
      svg::text(at.left - 46, at.top - 16, context.words(Word::km_y_title), {.size = font, .weight = Weight::bold, .fill = ink});
  return out;
}

Markup arm_label(std::vector<std::string> const& lines, double x, double centre, ArmStyle const& style) {
  Markup out = svg::marker(style.shape, {x - 9, centre}, 4.2, std::string("mark f") + std::to_string(style.slot), style.colour);
  const std::string css = std::string("f") + std::to_string(style.slot);
  double baseline = centre - (double(lines.size()) - 1) * line_height / 2 + 4.5;
  for (auto const& text : lines) {
    out += svg::text(x, baseline, text, {.size = font, .weight = Weight::bold, .css = css, .fill = style.colour});
    baseline += line_height;
  }
  return out;
}

Markup end_labels(Context const& context, Layout const& at, std::vector<std::string> const& groups,
                  std::vector<std::vector<std::string>> const& labels, std::vector<double> const& end_x,
                  std::vector<double> const& end_y) {
  std::vector<double> heights;
  for (auto const& lines : labels) heights.push_back(double(lines.size()) * line_height + 3);
  const std::vector<double> centres = svg::pushed_apart(end_y, heights, at.top - 8, at.bottom + 8);
  Markup out;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const ArmStyle style = context.style(groups[i]);
    const std::string leader = std::string("M") + coordinate(end_x[i] + 2) + " " + coordinate(end_y[i]) + "H" +
                               coordinate(at.right + 6) + "L" + coordinate(at.label_x - 16) + " " + coordinate(centres[i]);
    out += svg::path(leader, {{"class", std::string("leader s") + std::to_string(style.slot)},
                              {"fill", std::string("none")},
                              {"stroke", std::string(style.colour)},
                              {"stroke-width", 1.0},
                              {"stroke-opacity", std::string("0.45")},
                              {"stroke-dasharray", std::string("1 3")}});
    out += arm_label(labels[i], at.label_x, centres[i], style);
  }
  return out;
}

}  // namespace equipoise::report::figures

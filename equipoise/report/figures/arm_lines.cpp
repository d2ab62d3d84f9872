#include "equipoise/report/figures/arm_lines.h"

#include <algorithm>
#include <cmath>

#include "equipoise/report/headline.h"
#include "equipoise/results/labels.h"

namespace equipoise::report::figures {

using svg::Point;
using svg::Weight;

namespace {

/// The line, its intervals and its markers, a little beside the visits.
Markup draw_line(Context const& context, ArmLine const& line, ArmStyle const& style, VisitAxis const& visits, svg::Scale const& x,
                 ValueAxis const& y, double moved) {
  std::vector<Point> points;
  Markup marks;
  const std::string slot = std::to_string(style.slot);
  for (std::size_t v = 0; v < line.records.size(); ++v) {
    const double at = x(visits.place[v]) + moved, value = line.value(v);
    points.push_back({at, std::isnan(value) ? value : y(value)});
    if (std::isnan(value)) continue;
    Finding const& f = line.records[v]->finding;
    Markup mark;
    if (f.lower && f.upper && std::isfinite(y(*f.lower)) && std::isfinite(y(*f.upper)))
      mark += whisker(at, y(*f.lower), y(*f.upper), style);
    mark += svg::marker(style.shape, points.back(), 4.8, std::string("mark f") + slot, style.colour);
    const results::Printed text = context.printed(line.records[v]->analysis, f);
    marks += svg::tip(context.arm(line.arm) + ", " + visits.labels[v] + (context.words.chinese() ? "：" : ": ") + text.value +
                          (text.interval.empty() ? "" : " (" + text.interval + ")"),
                      mark);
  }
  Attributes stroke = {{"class", std::string("curve s") + slot},
                       {"fill", std::string("none")},
                       {"stroke", std::string(style.colour)},
                       {"stroke-width", 2.0},
                       {"stroke-linejoin", std::string("round")}};
  if (!style.dash.empty()) stroke.emplace_back("stroke-dasharray", std::string(style.dash));
  return svg::path(broken_line(points), std::move(stroke)) + marks;
}

}  // namespace

double ArmLine::value(std::size_t visit) const { return records[visit] ? records[visit]->finding.value : missing_number; }

std::vector<std::string> ArmLines::arms() const {
  std::vector<std::string> names;
  for (ArmLine const& line : lines) names.push_back(line.arm);
  return names;
}

ArmLines arm_lines(Context const& context, std::vector<std::string> const& arms, std::vector<std::string> const& visits,
                   ReadRecord const& read, bool positive) {
  ArmLines all;
  const auto drawable = [&](double value) { return std::isfinite(value) && (!positive || value > 0); };
  for (auto const& arm : arms) {
    ArmLine line{.arm = arm, .records = {}, .first = visits.size(), .last = 0};
    for (std::size_t v = 0; v < visits.size(); ++v) {
      const auto* record = read(arm, visits[v]);
      line.records.push_back(record && drawable(record->finding.value) ? record : nullptr);
      if (!line.records.back()) continue;
      line.first = std::min(line.first, v), line.last = v;
      Finding const& f = record->finding;
      for (const double value : {f.value, f.lower.value_or(f.value), f.upper.value_or(f.value)})
        if (drawable(value)) all.range.add(value);
      if (f.lower && f.upper) all.level = interval_level(context, *record);
    }
    if (line.first < visits.size()) all.lines.push_back(std::move(line));
  }
  return all;
}

LinesDrawn draw_lines(Context const& context, Layout const& at, ArmLines const& arms,
                      std::vector<std::vector<std::string>> const& labels, VisitAxis const& visits, std::string const& primary,
                      svg::Scale const& x, ValueAxis const& y) {
  LinesDrawn out;
  out.moved = dodges(arms.lines.size(), visits, x);
  std::vector<double> end_x, end_y;
  for (std::size_t i = 0; i < arms.lines.size(); ++i) {
    ArmLine const& line = arms.lines[i];
    out.drawn += draw_line(context, line, context.style(line.arm), visits, x, y, out.moved[i]);
    end_x.push_back(x(visits.place[line.last]) + out.moved[i]), end_y.push_back(y(line.value(line.last)));
  }
  out.drawn += end_labels(context, at, arms.arms(), labels, end_x, end_y);
  for (std::size_t v = 0; v < visits.visits.size(); ++v)
    if (visits.visits[v] == primary) out.behind = primary_band(at, x(visits.place[v]), out.moved.back() - out.moved.front() + 26);
  return out;
}

std::string ends_in_words(Context const& context, ArmLines const& arms, std::vector<std::string> const& visits) {
  std::string text;
  for (ArmLine const& line : arms.lines) {
    const results::Printed printed = context.printed(line.records[line.last]->analysis, line.records[line.last]->finding);
    text += (text.empty() || context.words.chinese() ? "" : " ") +
            context.words(Word::visit_aria_arm, context.arm(line.arm), printed.value, context.visit(visits[line.last]));
  }
  return text;
}

void NumbersBelow::set(std::size_t arm, std::size_t visit, std::string text) {
  widths[visit] = std::max(widths[visit], svg::text_width(text, font));
  any = any || !text.empty();
  of_arm[arm][visit] = std::move(text);
}

Markup draw_numbers(Context const& context, Layout const& at, VisitColumns const& columns, Word title,
                    std::vector<std::string> const& arms, std::vector<std::vector<std::string>> const& labels,
                    NumbersBelow const& numbers, double& row) {
  if (!numbers.any) return {};
  Markup out = svg::text(at.left - 46, row, context.words(title), {.size = font, .weight = Weight::bold, .fill = ink});
  row += 24;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const ArmStyle style = context.style(arms[a]);
    const double centre = row - 4.5 + (double(labels[a].size()) - 1) * line_height / 2;
    for (std::size_t v = 0; v < columns.x.size(); ++v)
      if (columns.shown[v] && !numbers.of_arm[a][v].empty())
        out += svg::text(columns.x[v], centre + 4.5, numbers.of_arm[a][v],
                         {.size = font,
                          .anchor = svg::Anchor::middle,
                          .css = std::string("f") + std::to_string(style.slot),
                          .fill = style.colour});
    out += arm_label(labels[a], at.label_x, centre, style);
    row += double(labels[a].size()) * line_height + 5;
  }
  return out;
}

}  // namespace equipoise::report::figures

#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/report/figures.h"
#include "equipoise/report/figures/panels.h"
#include "equipoise/report/figures/visit_frame.h"
#include "equipoise/report/visits.h"

namespace equipoise::report::figures {
namespace {

using svg::Anchor;
using svg::Point;
using svg::Weight;

constexpr double most_pointed = 200;  ///< so many lines of an arm can each be pointed at
constexpr std::size_t few = 10;       ///< so many participants of an arm can have a panel each

struct Axes {
  VisitAxis const& visits;
  svg::Scale x;
  ValueAxis y;
};

std::vector<Point> points_of(Trajectories::Line const& line, Axes const& axes) {
  std::vector<Point> points;
  for (std::size_t i = 0; i < line.visit.size(); ++i)
    points.push_back({axes.x(axes.visits.place[std::size_t(line.visit[i])]), axes.y(line.value[i])});
  return points;
}

/// "Week 4: 210; Week 12: 250" of a participant.
std::string values_in_words(Trajectories::Line const& line, Axes const& axes) {
  std::string text;
  for (std::size_t i = 0; i < line.visit.size(); ++i)
    text += (i == 0 ? "" : "; ") + axes.visits.labels[std::size_t(line.visit[i])] + ": " + shortest(line.value[i]);
  return text;
}

std::vector<Point> mean_points(Trajectories const& arm, Axes const& axes) {
  std::vector<Point> points;
  for (std::size_t v = 0; v < arm.mean.size(); ++v)
    points.push_back({axes.x(axes.visits.place[v]), std::isnan(arm.mean[v]) ? missing_number : axes.y(arm.mean[v])});
  return points;
}

Attributes stroked(std::string const& css, std::string_view colour, double width) {
  return {{"class", css},
          {"fill", std::string("none")},
          {"stroke", std::string(colour)},
          {"stroke-width", width},
          {"stroke-linejoin", std::string("round")},
          {"stroke-linecap", std::string("round")}};
}

Markup grid_lines(Panel const& at, ValueAxis const& y, bool zero) {
  Markup out;
  for (std::size_t i = 0; i < y.ticks.size(); ++i) {
    const double level = y(y.ticks[i]);
    const bool strong = zero && y.ticks[i] == 0;
    out += svg::line(at.left, level, at.right, level, strong ? "axis" : "grid", strong ? axis : grid, strong ? 1.4 : 1);
    if (at.first_in_row)
      out += svg::text(at.left - 9, level + 4.5, y.labels[i], {.size = 12, .anchor = Anchor::end, .css = "muted", .fill = muted});
  }
  return out + svg::line(at.left, at.bottom, at.right, at.bottom, "axis", axis);
}

/// All participants of an arm thin, their mean bold over a pale edge.
Markup arm_panel(Trajectories const& arm, ArmStyle const& style, Axes const& axes) {
  const std::string slot = std::to_string(style.slot);
  const double n = double(arm.lines.size());
  Markup thin;
  for (auto const& line : arm.lines) {
    const std::vector<Point> points = points_of(line, axes);
    std::string d = broken_line(points);
    if (points.size() == 1) d += "h0";  // a dot, by the round cap
    const Markup drawn = element("path", {{"d", d}, {"stroke-width", points.size() == 1 ? 4.4 : 1.0}});
    thin += n <= most_pointed ? svg::tip(values_in_words(line, axes), drawn) : drawn;
  }
  Attributes group = stroked(std::string("each s") + slot, style.colour, 1);
  group.emplace_back("stroke-opacity", coordinate(std::clamp(2.6 / std::sqrt(n), 0.12, 0.55)));
  Markup out = element("g", group, thin);
  const std::vector<Point> mean = mean_points(arm, axes);
  const std::string d = broken_line(mean);
  out += svg::path(d, stroked("edge", "#ffffff", 6)) + svg::path(d, stroked(std::string("mean s") + slot, style.colour, 3));
  for (Point const& point : mean)
    if (std::isfinite(point.y)) out += svg::marker(style.shape, point, 5, std::string("mark f") + slot, style.colour);
  return out;
}

/// One participant: line, and an open circle at each value, before the arm's mean.
Markup participant_panel(Trajectories const& arm, std::size_t who, ArmStyle const& style, Axes const& axes) {
  const std::string slot = std::to_string(style.slot);
  Markup out = svg::path(broken_line(mean_points(arm, axes)), stroked("axis", "#b8c0cc", 2.2));
  const std::vector<Point> points = points_of(arm.lines[who], axes);
  out += svg::path(broken_line(points), stroked(std::string("curve s") + slot, style.colour, 1.6));
  for (Point const& point : points)
    out += element("circle", {{"cx", point.x},
                              {"cy", point.y},
                              {"r", 2.4},
                              {"class", std::string("hollow s") + slot},
                              {"fill", std::string("#ffffff")},
                              {"stroke", std::string(style.colour)},
                              {"stroke-width", 1.3}});
  return out;
}

struct Drawn {
  Markup body;
  double width = 940, height = 0;
};

Drawn by_arm(Context const& context, std::vector<Trajectories> const& arms, VisitAxis const& visits, Range const& range,
             bool change) {
  std::vector<std::string> names;
  for (auto const& arm : arms) names.push_back(arm.arm);
  const PanelGrid panels = panel_grid(context, names, {.head = 18, .height = arms.size() > 3 ? 220.0 : 270.0, .top = 34});
  Drawn out{.body = {}, .width = panels.width, .height = panels.height};
  for (std::size_t a = 0; a < arms.size(); ++a) {
    Panel const& at = panels.panels[a];
    const Axes axes{visits,
                    {visits.first(), visits.last(), at.left + 10, at.right - 10},
                    value_axis(range.low, range.high, at.top, at.bottom, change)};
    out.body += panel_head(context, arms[a].arm, std::int64_t(arms[a].lines.size()), at);
    out.body += grid_lines(at, axes.y, change) + arm_panel(arms[a], context.style(arms[a].arm), axes);
    out.body += panel_labels(context, visits, at, [&](std::size_t v) { return axes.x(visits.place[v]); });
  }
  return out;
}

/// Rows of small panels, arm after arm.
Drawn by_participant(Context const& context, std::vector<Trajectories> const& arms, VisitAxis const& visits, Range const& range,
                     bool change) {
  // Rows as full as they can be: 6 participants stand in one row, 8 in two rows of four, 10 in two of five.
  std::size_t most = 1;
  for (auto const& arm : arms) most = std::max(most, arm.lines.size());
  const auto rows = [&](std::size_t columns) { return (most + columns - 1) / columns; };
  std::size_t columns = 6;
  while (columns > 4 && rows(columns - 1) == rows(6)) --columns;
  const double left = 62, gap = 14, height = 92;
  Drawn out;
  const double wide = (out.width - left - 14 - double(columns - 1) * gap) / double(columns);
  double y = 34;
  for (auto const& arm : arms) {
    Panel head{.left = left, .right = out.width, .top = 0, .bottom = 0, .heading = y + 12, .first_in_row = true, .lines = {}};
    head.lines = svg::wrapped(context.arm(arm.arm), 700, font, Weight::bold);
    out.body += panel_head(context, arm.arm, std::int64_t(arm.lines.size()), head);
    y += 22 + double(head.lines.size() - 1) * line_height;
    for (std::size_t i = 0; i < arm.lines.size(); ++i) {
      if (i > 0 && i % columns == 0) y += height + gap;
      const double x = left + double(i % columns) * (wide + gap);
      const Panel at{.left = x,
                     .right = x + wide,
                     .top = y,
                     .bottom = y + height,
                     .heading = 0,
                     .first_in_row = i % columns == 0,
                     .lines = {}};
      const ValueAxis value = value_axis(range.low, range.high, at.top, at.bottom, change, 4);
      const Axes axes{visits, {visits.first(), visits.last(), at.left + 7, at.right - 7}, value};
      out.body += grid_lines(at, axes.y, change) + participant_panel(arm, i, context.style(arm.arm), axes);
      const bool lowest = i + columns >= arm.lines.size();
      if (lowest) out.body += panel_labels(context, visits, at, [&](std::size_t v) { return axes.x(visits.place[v]); });
    }
    y += height + 52;
  }
  out.height = y - 4;
  return out;
}

}  // namespace

Markup trajectories(Context const& context, results::AnalysisRun const& run) {
  const std::vector<Trajectories> arms = trajectories_of(context, run);
  if (arms.empty()) return {};
  auto const& words = context.words;
  const VisitAxis visits = visit_axis(context, visits_of(context, run));
  const bool change = !context.changed_since(run.endpoint).empty();
  Range range;
  std::size_t most = 0;
  std::string described;
  for (auto const& arm : arms) {
    most = std::max(most, arm.lines.size());
    for (auto const& line : arm.lines)
      for (const double value : line.value) range.add(value);
    described += (described.empty() || words.chinese() ? "" : " ") +
                 words(Word::trajectory_aria_arm, context.arm(arm.arm), arm.lines.size());
  }
  if (change) range.add(0);
  const bool each = most <= few;
  Drawn drawn = each ? by_participant(context, arms, visits, range, change) : by_arm(context, arms, visits, range, change);
  drawn.body += svg::text(16, 18, with_unit(context, context.endpoint(run.endpoint), context.endpoint_unit(run.endpoint)),
                          {.size = font, .weight = Weight::bold, .fill = ink});
  const std::string name = words(Word::trajectory_aria, context.endpoint(run.endpoint), context.set(run.set), described);
  return scrolling("plot", svg::figure(drawn.width, drawn.height, name, watermark(context), drawn.body)) +
         note(context, {words(each ? Word::trajectory_each_note : Word::trajectory_note)});
}

}  // namespace equipoise::report::figures

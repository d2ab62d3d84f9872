#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/report/figures.h"
#include "equipoise/report/figures/curve_frame.h"
#include "equipoise/results/labels.h"

namespace equipoise::report::figures {
namespace {

using svg::Point;
using svg::Weight;

/// One arm's estimate: over (from[j], to[j]] survival falls from before[j] to after[j]; between, it is level.
struct Falls {
  std::string group;
  std::vector<double> from, to, before, after;
};

/// As the results have them, in protocol order of the arms; columns that do not fit together make an arm be left out.
std::vector<Falls> falls_of(Context const& context, std::string_view analysis) {
  std::vector<Falls> all;
  for (auto const& curve : context.answer.curves) {
    if (curve.analysis != analysis || curve.series.quantity != "probability") continue;
    Falls one;
    if (const auto group = curve.series.at.find("group"); group != curve.series.at.end())
      if (const auto* id = std::get_if<std::string>(&group->second)) one.group = *id;
    for (auto const& [name, values] : curve.series.columns) {
      if (name == "from") one.from = values;
      else if (name == "to") one.to = values;
      else if (name == "survival_before") one.before = values;
      else if (name == "survival_after") one.after = values;
    }
    const std::size_t n = one.from.size();
    bool usable = one.to.size() == n && one.before.size() == n && one.after.size() == n;
    for (std::size_t j = 0; usable && j < n; ++j)
      usable = std::isfinite(one.from[j]) && one.from[j] >= (j ? one.to[j - 1] : 0) && one.to[j] >= one.from[j] &&
               one.before[j] >= one.after[j] && one.before[j] <= (j ? one.after[j - 1] : 1) + 1e-9 && one.after[j] >= 0;
    if (usable) all.push_back(std::move(one));
  }
  std::vector<std::string> order;
  for (auto const& one : all) order.push_back(one.group);
  order = in_arm_order(context.plan, order);
  std::stable_sort(all.begin(), all.end(), [&](Falls const& a, Falls const& b) {
    return std::find(order.begin(), order.end(), a.group) < std::find(order.begin(), order.end(), b.group);
  });
  return all;
}

/// The last point at which the curve is known: after the last fall, or where a fall begins that has no end.
Point known_to(Falls const& falls) {
  if (falls.from.empty()) return {0, 1};
  return std::isinf(falls.to.back()) ? Point{falls.from.back(), falls.before.back()} : Point{falls.to.back(), falls.after.back()};
}

Attributes stroked(std::string const& css, ArmStyle const& style, double width) {
  return {{"class", css + " s" + std::to_string(style.slot)},
          {"fill", std::string("none")},
          {"stroke", std::string(style.colour)},
          {"stroke-width", width}};
}

/// A box over each fall, and a thin line from where the curve was known to where it is known again: it leads the eye where the
/// boxes of several arms lie over each other.
Markup boxes(Context const& context, Falls const& falls, ArmStyle const& style, svg::Scale const& x, svg::Scale const& y) {
  Markup out;
  for (std::size_t j = 0; j < falls.from.size(); ++j) {
    if (std::isinf(falls.to[j]) || falls.to[j] == falls.from[j]) continue;
    const double left = x(falls.from[j]), top = y(falls.before[j]);
    const double width = x(falls.to[j]) - left, height = y(falls.after[j]) - top;
    out += svg::tip(context.arm(falls.group) + ", (" + shortest(falls.from[j]) + ", " + shortest(falls.to[j]) +
                        "]: " + results::percent(falls.before[j]) + " \u2192 " + results::percent(falls.after[j]),
                    svg::rectangle(left, top, width, height, 0,
                                   {{"class", std::string("band f") + std::to_string(style.slot)},
                                    {"fill", std::string(style.colour)},
                                    {"fill-opacity", std::string("0.13")}}));
    Attributes outline = stroked("box-line", style, 0.9);
    outline.emplace_back("stroke-opacity", std::string("0.55"));
    out += svg::path(std::string("M") + coordinate(left) + " " + coordinate(top) + "h" + coordinate(width) + "v" +
                         coordinate(height) + "h" + coordinate(-width) + "z",
                     outline);
    outline.emplace_back("stroke-dasharray", std::string("1 3"));
    out += svg::path(
        std::string("M") + coordinate(left) + " " + coordinate(top) + "l" + coordinate(width) + " " + coordinate(height),
        std::move(outline));
  }
  return out;
}

/// Level stretches, and the verticals of events whose time is known.
Markup levels(Falls const& falls, ArmStyle const& style, svg::Scale const& x, svg::Scale const& y) {
  std::string d = std::string("M") + coordinate(x(0)) + " " + coordinate(y(1));
  Markup marks;
  for (std::size_t j = 0; j < falls.from.size(); ++j) {
    d += std::string("H") + coordinate(x(falls.from[j]));
    if (std::isinf(falls.to[j])) break;
    const Point known{x(falls.to[j]), y(falls.after[j])};
    if (falls.to[j] == falls.from[j]) d += std::string("V") + coordinate(known.y);
    else d += std::string("M") + coordinate(known.x) + " " + coordinate(known.y);
    marks += svg::marker(style.shape, known, 4.6, std::string("mark f") + std::to_string(style.slot), style.colour);
  }
  Attributes line = stroked("curve", style, 2.4);
  line.emplace_back("stroke-linecap", std::string("round"));
  return svg::path(d, std::move(line)) + marks;
}

/// The Kaplan-Meier estimate of the visit dates, thin and dashed, up to its last time.
Markup on_visit_dates(Curve const& curve, ArmStyle const& style, svg::Scale const& x, svg::Scale const& y) {
  std::vector<Point> points{{x(0), y(1)}};
  for (std::size_t i = 0; i < curve.time.size(); ++i) points.push_back({x(curve.time[i]), y(curve.survival[i])});
  Attributes line = stroked("on-visits", style, 1.3);
  line.emplace_back("stroke-dasharray", std::string("5 3"));
  return svg::path(svg::step_path(points), std::move(line));
}

/// What a line, a box and a dashed line mean, in one row below the axis.
Markup key(Context const& context, Layout const& at, double row, bool beside) {
  const double swatch = 30, gap = 8, space = 30;
  double left = at.left;
  Markup out;
  const auto entry = [&](Markup const& sign, Word word) {
    const std::string text = context.words(word);
    out += sign + svg::text(left + swatch + gap, row + 4.5, text, {.size = font, .css = "muted", .fill = muted});
    left += swatch + gap + svg::text_width(text, font) + space;
  };
  const auto stroke = [&](double width, std::string const& dashes) {
    Attributes line{{"class", std::string("axis-ink")},
                    {"fill", std::string("none")},
                    {"stroke", std::string(muted)},
                    {"stroke-width", width}};
    if (!dashes.empty()) line.emplace_back("stroke-dasharray", dashes);
    return svg::path(std::string("M") + coordinate(left) + " " + coordinate(row) + "h" + coordinate(swatch), std::move(line));
  };
  entry(stroke(2.4, ""), Word::turnbull_key_line);
  entry(svg::rectangle(left, row - 7, swatch, 14, 0,
                       {{"class", std::string("key-box")},
                        {"fill", std::string(muted)},
                        {"fill-opacity", std::string("0.15")},
                        {"stroke", std::string(muted)},
                        {"stroke-opacity", std::string("0.6")}}),
        Word::turnbull_key_box);
  if (beside) entry(stroke(1.3, "5 3"), Word::turnbull_key_km);
  return out;
}

}  // namespace

results::AnalysisRun const* kaplan_meier_beside(Context const& context, results::AnalysisRun const& run) {
  for (auto const& other : context.answer.runs)
    if (other.method == "kaplan_meier" && !other.problem && other.endpoint == run.endpoint && other.set == run.set &&
        other.estimand == run.estimand && !curves_of(context, other.id).empty())
      return &other;
  return nullptr;
}

Markup turnbull(Context const& context, results::AnalysisRun const& run) {
  const std::vector<Falls> falls = falls_of(context, run.id);
  if (falls.empty()) return {};
  const results::AnalysisRun* beside = kaplan_meier_beside(context, run);
  const std::vector<Curve> dated = beside ? curves_of(context, beside->id) : std::vector<Curve>{};

  double horizon = 0;
  std::vector<std::string> groups;
  bool open = false;
  for (auto const& one : falls) {
    groups.push_back(one.group);
    horizon = std::max(horizon, known_to(one).x);
    open = open || (!one.to.empty() && std::isinf(one.to.back()));
  }
  for (auto const& curve : dated)
    if (!curve.time.empty()) horizon = std::max(horizon, curve.time.back());
  if (!(horizon > 0)) horizon = 1;
  const std::vector<std::vector<std::string>> labels = label_lines(context, groups);
  const Layout at = layout_beside(labels);
  const svg::Scale x{0, horizon, at.left, at.right}, y{0, 1, at.bottom, at.top};

  Markup body = axes(at, context, svg::time_axis(horizon, context.plan.conventions.month_days), x, y);
  for (auto const& one : falls) body += boxes(context, one, context.style(one.group), x, y);
  for (auto const& curve : dated)
    if (std::find(groups.begin(), groups.end(), curve.group) != groups.end())
      body += on_visit_dates(curve, context.style(curve.group), x, y);
  std::vector<double> end_x, end_y;
  std::string described;
  for (auto const& one : falls) {
    body += levels(one, context.style(one.group), x, y);
    const Point end = known_to(one);
    end_x.push_back(x(end.x)), end_y.push_back(y(end.y));
    described += (described.empty() ? "" : " ") + context.words(Word::turnbull_aria_arm, context.arm(one.group),
                                                                results::percent(end.y), results::fixed(end.x, 0));
  }
  body += end_labels(context, at, groups, labels, end_x, end_y);
  const double row = at.bottom + 74;
  body += key(context, at, row, beside != nullptr);

  const std::string title = context.words(Word::turnbull_aria, context.endpoint(run.endpoint), context.set(run.set), described);
  const std::string watermark = context.answer.provenance.simulated ? context.words(Word::simulated_mark) : std::string();
  const std::string space = context.words.chinese() ? "" : " ";
  std::string note = context.words(Word::turnbull_note);
  if (beside) note += space + context.words(Word::turnbull_note_km);
  if (open) note += space + context.words(Word::turnbull_note_open);
  return scrolling("plot", svg::figure(at.width, row + 18, title, watermark, body)) + element("p", "note", note);
}

}  // namespace equipoise::report::figures

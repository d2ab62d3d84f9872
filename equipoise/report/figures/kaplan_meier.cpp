#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/report/figures.h"
#include "equipoise/report/figures/curve_frame.h"
#include "equipoise/report/svg.h"
#include "equipoise/results/labels.h"

namespace equipoise::report::figures {
namespace {

using svg::Anchor;
using svg::Point;
using svg::Weight;

/// Steps of one column from time 0 to the end of the curve, in page coordinates. NaN is left out by the caller.
std::vector<Point> steps(std::vector<double> const& time, std::vector<double> const& value, double start, svg::Scale const& x,
                         svg::Scale const& y) {
  std::vector<Point> points{{x(0), y(start)}};
  for (std::size_t i = 0; i < time.size(); ++i) points.push_back({x(time[i]), y(value[i])});
  if (points.size() == 1) points.push_back(points.front());
  return points;
}

/// Bands where both limits exist; before the first event the limits are not estimable, and so is a band once nobody is left.
Markup band(Curve const& curve, ArmStyle const& style, svg::Scale const& x, svg::Scale const& y) {
  Markup out;
  std::vector<Point> upper, lower;
  const auto flush = [&](double until) {
    if (!upper.empty()) {
      upper.push_back({until, upper.back().y});
      lower.push_back({until, lower.back().y});
      out += svg::path(svg::step_band(upper, lower), {{"class", std::string("band f") + std::to_string(style.slot)},
                                                      {"fill", std::string(style.colour)},
                                                      {"fill-opacity", std::string("0.13")},
                                                      {"stroke", std::string("none")}});
    }
    upper.clear(), lower.clear();
  };
  for (std::size_t i = 0; i < curve.time.size(); ++i) {
    const double at = x(curve.time[i]);
    if (std::isnan(curve.lower[i]) || std::isnan(curve.upper[i])) {
      flush(at);
      continue;
    }
    upper.push_back({at, y(curve.upper[i])});
    lower.push_back({at, y(curve.lower[i])});
  }
  if (!curve.time.empty()) flush(x(curve.time.back()));
  return out;
}

/// What the script reads: day, survival, number at risk of each curve, in the order of the figure.
std::string hover_data(Context const& context, std::vector<Curve> const& curves, Layout const& at, svg::Scale const& x) {
  const auto numbers = [](std::vector<double> const& values) {  // every digit: the read-out rounds once, as the tables do
    std::string out = "[";
    for (std::size_t i = 0; i < values.size(); ++i)
      out.append(i ? "," : "").append(std::isnan(values[i]) ? std::string("null") : shortest(values[i]));
    return out + "]";
  };
  const auto quoted = [](std::string const& text) {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\', out += c;
      else if (static_cast<unsigned char>(c) < 0x20) out += ' ';
      else out += c;
    }
    return out + "\"";
  };
  std::string out = std::string("{\"left\":") + coordinate(at.left) + ",\"right\":" + coordinate(at.right) +
                    ",\"top\":" + coordinate(at.top) + ",\"bottom\":" + coordinate(at.bottom) + ",\"horizon\":" + shortest(x.to) +
                    ",\"day\":" + quoted(context.words(Word::km_hover_day)) +
                    ",\"risk\":" + quoted(context.words(Word::km_hover_at_risk)) + ",\"arms\":[";
  for (std::size_t i = 0; i < curves.size(); ++i)
    out += (i ? ",{" : "{") + std::string("\"name\":") + quoted(context.arm(curves[i].group)) +
           ",\"slot\":" + std::to_string(context.style(curves[i].group).slot) + ",\"t\":" + numbers(curves[i].time) +
           ",\"s\":" + numbers(curves[i].survival) + ",\"n\":" + numbers(curves[i].at_risk) + "}";
  return out + "]}";
}

std::vector<std::string> groups_of(std::vector<Curve> const& curves) {
  std::vector<std::string> groups;
  for (auto const& curve : curves) groups.push_back(curve.group);
  return groups;
}

/// The scale of the intervals, as the records have it: a default that the options do not name is known there.
std::string scale_name(Context const& context, std::string const& analysis) {
  const auto records = context.records(analysis);
  for (const std::string_view quantity : {"survival", "quantile"}) {
    const auto found =
        std::find_if(records.begin(), records.end(), [&](auto const* record) { return record->finding.quantity == quantity; });
    if (found == records.end()) continue;
    const Scale scale = (*found)->finding.scale;
    return scale == Scale::identity ? "plain" : std::string(results::scale_word(scale));
  }
  return "log-log";
}

}  // namespace

double Curve::survival_at(double day) const {
  const auto after = std::upper_bound(time.begin(), time.end(), day);
  return after == time.begin() ? 1.0 : survival[std::size_t(after - time.begin()) - 1];
}

double Curve::at_risk_at(double day) const {
  const auto from = std::lower_bound(time.begin(), time.end(), day);
  return from == time.end() ? 0.0 : at_risk[std::size_t(from - time.begin())];
}

std::vector<Curve> curves_of(Context const& context, std::string_view analysis) {
  std::vector<Curve> curves;
  for (auto const& curve : context.answer.curves) {
    if (curve.analysis != analysis || curve.series.quantity != "survival") continue;
    Curve drawn;
    if (const auto group = curve.series.at.find("group"); group != curve.series.at.end())
      if (const auto* id = std::get_if<std::string>(&group->second)) drawn.group = *id;
    for (auto const& [name, values] : curve.series.columns) {
      if (name == "time") drawn.time = values;
      else if (name == "survival") drawn.survival = values;
      else if (name == "lower") drawn.lower = values;
      else if (name == "upper") drawn.upper = values;
      else if (name == "n_at_risk") drawn.at_risk = values;
      else if (name == "n_censored") drawn.censored = values;
    }
    const std::size_t n = drawn.time.size();
    drawn.lower.resize(n, missing_number), drawn.upper.resize(n, missing_number), drawn.censored.resize(n, 0);
    const bool usable = drawn.survival.size() == n && drawn.at_risk.size() == n &&
                        std::is_sorted(drawn.time.begin(), drawn.time.end()) &&
                        std::all_of(drawn.time.begin(), drawn.time.end(), [](double t) { return std::isfinite(t) && t >= 0; }) &&
                        std::all_of(drawn.survival.begin(), drawn.survival.end(), [](double s) { return s >= 0 && s <= 1; });
    if (usable) curves.push_back(std::move(drawn));
  }
  std::vector<std::string> order;
  for (auto const& c : curves) order.push_back(c.group);
  order = in_arm_order(context.plan, order);
  std::stable_sort(curves.begin(), curves.end(), [&](Curve const& a, Curve const& b) {
    return std::find(order.begin(), order.end(), a.group) < std::find(order.begin(), order.end(), b.group);
  });
  return curves;
}

Markup kaplan_meier(Context const& context, results::AnalysisRun const& run) {
  const std::vector<Curve> curves = curves_of(context, run.id);
  if (curves.empty()) return {};

  double horizon = 0;
  for (auto const& curve : curves)
    if (!curve.time.empty()) horizon = std::max(horizon, curve.time.back());
  if (!(horizon > 0)) horizon = 1;
  const std::vector<std::string> groups = groups_of(curves);
  const std::vector<std::vector<std::string>> labels = label_lines(context, groups);
  const Layout at = layout_beside(labels);
  const svg::Scale x{0, horizon, at.left, at.right}, y{0, 1, at.bottom, at.top};
  const svg::TimeAxis time = svg::time_axis(horizon, context.plan.conventions.month_days);

  Markup body = axes(at, context, time, x, y);
  for (auto const& curve : curves) body += band(curve, context.style(curve.group), x, y);
  std::vector<double> ends, end_x;
  std::string described;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    Curve const& curve = curves[i];
    const ArmStyle style = context.style(curve.group);
    const std::string slot = std::to_string(style.slot);
    body += svg::path(svg::step_path(steps(curve.time, curve.survival, 1, x, y)), {{"class", std::string("curve s") + slot},
                                                                                   {"fill", std::string("none")},
                                                                                   {"stroke", std::string(style.colour)},
                                                                                   {"stroke-width", 2.0},
                                                                                   {"stroke-linejoin", std::string("round")}});
    std::string censored;
    for (std::size_t k = 0; k < curve.time.size(); ++k)
      if (curve.censored[k] > 0)
        censored += std::string("M") + coordinate(x(curve.time[k])) + " " + coordinate(y(curve.survival[k]) - 4.5) + "v9";
    if (!censored.empty())
      body += svg::path(censored, {{"class", std::string("censored s") + slot},
                                   {"fill", std::string("none")},
                                   {"stroke", std::string(style.colour)},
                                   {"stroke-width", 1.1}});
    for (const double day : time.days)
      if (day > 0 && !curve.time.empty() && day <= curve.time.back())
        body += svg::marker(style.shape, {x(day), y(curve.survival_at(day))}, 4.6, std::string("mark f") + slot, style.colour);
    ends.push_back(curve.time.empty() ? y(1) : y(curve.survival.back()));
    end_x.push_back(curve.time.empty() ? x(0) : x(curve.time.back()));
    const double last = curve.time.empty() ? 0 : curve.time.back();
    described += (described.empty() ? "" : " ") +
                 context.words(Word::km_aria_arm, context.arm(curve.group), results::fixed(curve.at_risk_at(0), 0),
                               results::percent(curve.time.empty() ? 1 : curve.survival.back()), results::fixed(last, 0));
  }
  body += end_labels(context, at, groups, labels, end_x, ends);

  double row = at.bottom + 74;
  body += svg::text(at.left - 46, row, context.words(Word::km_at_risk), {.size = font, .weight = Weight::bold, .fill = ink});
  row += 24;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const ArmStyle style = context.style(curves[i].group);
    const double height = double(labels[i].size()) * line_height;
    const double centre = row - 4.5 + (height - line_height) / 2;
    for (const double day : time.days)
      body += svg::text(
          x(day), centre + 4.5, results::fixed(curves[i].at_risk_at(day), 0),
          {.size = font, .anchor = Anchor::middle, .css = std::string("f") + std::to_string(style.slot), .fill = style.colour});
    body += arm_label(labels[i], at.label_x, centre, style);
    row += height + 5;
  }
  const std::string title = context.words(Word::km_aria, context.endpoint(run.endpoint), context.set(run.set), described);
  const std::string watermark = context.answer.provenance.simulated ? context.words(Word::simulated_mark) : std::string();
  const Markup image = svg::figure(at.width, row - 8, title, watermark, body);
  const std::string note = context.words(Word::km_note, context.confidence(), scale_name(context, run.id)) +
                           (context.words.chinese() ? "" : " ") + context.words(Word::km_note_read);
  return element(
             "div",
             {{"class", std::string("plot km")}, {"tabindex", std::string("0")}, {"data-km", hover_data(context, curves, at, x)}},
             image) +
         element("p", "note", note);
}

}  // namespace equipoise::report::figures

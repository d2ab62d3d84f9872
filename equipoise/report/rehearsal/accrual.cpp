#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/report/rehearsal/frame.h"

namespace equipoise::report::rehearsal::figures {
namespace {

using svg::Anchor;
using svg::Weight;

bool drawable(results::AccrualFan const& fan) {
  return !fan.randomised.empty() && fan.days.size() == results::AccrualFan::quantiles.size() &&
         std::ranges::all_of(fan.days, [&](std::vector<double> const& days) {
           return days.size() == fan.randomised.size() &&
                  std::ranges::all_of(days, [](double d) { return std::isfinite(d) && d >= 0 && d < 1e7; });
         });
}

struct Panel {
  std::vector<std::size_t> scenarios;
  results::AccrualFan const* fan;
};

/// Line through the marks of one quantile, from nobody on the first day.
std::string curve(std::vector<double> const& days, std::vector<std::int64_t> const& n, svg::Scale const& x, svg::Scale const& y,
                  bool back) {
  std::string d;
  if (!back) d = "M" + coordinate(x(0)) + " " + coordinate(y(0));
  for (std::size_t i = 0; i < days.size(); ++i) {
    const std::size_t k = back ? days.size() - 1 - i : i;
    d += "L" + coordinate(x(days[k])) + " " + coordinate(y(double(n[k])));
  }
  return d;
}

}  // namespace

Markup accrual(Names const& names, std::string const& title) {
  std::vector<Panel> panels;
  auto const& scenarios = names.rehearsal.scenarios;
  double last = 0;
  std::int64_t most = 1;
  for (std::size_t s = 0; s < scenarios.size(); ++s) {
    auto const& fan = scenarios[s].accrual;
    if (!drawable(fan)) continue;
    const auto same = std::ranges::find_if(
        panels, [&](Panel const& p) { return p.fan->days == fan.days && p.fan->randomised == fan.randomised; });
    if (same != panels.end()) {
      same->scenarios.push_back(s);
      continue;
    }
    panels.push_back({{s}, &fan});
    for (auto const& days : fan.days) last = std::max(last, *std::ranges::max_element(days));
    most = std::max(most, *std::ranges::max_element(fan.randomised));
  }
  if (panels.empty()) return {};
  constexpr double width = 940, left_room = 62, gap = 30, height = 240;
  const std::size_t columns = std::min<std::size_t>(panels.size(), 3);
  const double wide = (width - left_room - 24 - gap * double(columns - 1)) / double(columns);
  const svg::TimeAxis time = svg::time_axis(std::max(last, 1.0), names.plan.conventions.month_days);
  const Term unit = time.unit == svg::TimeAxis::Unit::days     ? Term::accrual_axis_days
                    : time.unit == svg::TimeAxis::Unit::months ? Term::accrual_axis_months
                                                               : Term::accrual_axis_years;
  Markup out;
  // Key.
  double key = 16;
  for (const auto& [term, opacity] : {std::pair{Term::accrual_most, "0.16"}, std::pair{Term::accrual_half, "0.36"}}) {
    out += svg::rectangle(
        key, 8, 24, 13, 2,
        {{"class", std::string("f2")}, {"fill", std::string(palette(2, false))}, {"fill-opacity", std::string(opacity)}});
    out += svg::text(key + 31, 19, names(term), {.size = 12, .css = "muted", .fill = muted});
    key += 31 + svg::text_width(names(term), 12) + 24;
  }
  out += svg::line(key, 14.5, key + 24, 14.5, "s2", palette(2, false), 2.4);
  out += svg::text(key + 31, 19, names(Term::accrual_median), {.size = 12, .css = "muted", .fill = muted});
  double y0 = 40;
  for (std::size_t begin = 0; begin < panels.size(); begin += columns) {
    const std::size_t end = std::min(panels.size(), begin + columns);
    std::vector<std::vector<std::string>> heads;
    std::size_t head_lines = 1;
    for (std::size_t k = begin; k < end; ++k) {
      std::vector<std::string> ids;
      for (const std::size_t s : panels[k].scenarios) ids.push_back(names.scenario(s));
      heads.push_back(clipped(names.list(ids), wide - 8, 13, 3, Weight::bold));
      head_lines = std::max(head_lines, heads.back().size());
    }
    const double top = y0 + 17 * double(head_lines) + 8, bottom = top + height;
    const svg::Scale y{.from = 0, .to = double(most) * 1.03, .start = bottom, .end = top};
    for (std::size_t k = begin; k < end; ++k) {
      const double left = left_room + double(k - begin) * (wide + gap), right = left + wide;
      const svg::Scale x{.from = 0, .to = std::max(last, 1.0) * 1.02, .start = left, .end = right};
      double baseline = y0 + 13;
      for (auto const& line : heads[k - begin]) {
        out += svg::text(left, baseline, line, {.size = 13, .weight = Weight::bold, .fill = ink});
        baseline += 17;
      }
      for (const double tick : svg::ticks_between(0, double(most), 6)) {
        if (tick != std::round(tick)) continue;
        out += svg::line(left, y(tick), right, y(tick), tick == 0 ? "axis" : "grid", tick == 0 ? axis : grid);
        if (k == begin)
          out += svg::text(left - 8, y(tick) + 4, grouped(std::int64_t(tick)),
                           {.size = 12, .anchor = Anchor::end, .css = "muted", .fill = muted});
      }
      double free_from = -1e9;
      for (std::size_t i = 0; i < time.days.size(); ++i) {
        const std::string text = shortest(time.labels[i]);
        const double at = x(time.days[i]), half = svg::text_width(text, 12) / 2;
        out += svg::line(at, bottom, at, bottom + 5, "axis", axis);
        if (at - half < free_from) continue;
        out += svg::text(at, bottom + 19, text, {.size = 12, .anchor = Anchor::middle, .css = "muted", .fill = muted});
        free_from = at + half + 8;
      }
      out += svg::text((left + right) / 2, bottom + 41, names(unit), {.size = 12.5, .anchor = Anchor::middle, .fill = ink});
      auto const& fan = *panels[k].fan;
      for (const auto& [low, high, opacity] : {std::tuple{0, 4, "0.16"}, std::tuple{1, 3, "0.3"}})
        out += svg::path(
            curve(fan.days[std::size_t(low)], fan.randomised, x, y, false) +
                curve(fan.days[std::size_t(high)], fan.randomised, x, y, true) + "Z",
            {{"class", std::string("f2")}, {"fill", std::string(palette(2, false))}, {"fill-opacity", std::string(opacity)}});
      out += svg::path(curve(fan.days[2], fan.randomised, x, y, false), {{"class", std::string("s2")},
                                                                         {"fill", std::string("none")},
                                                                         {"stroke", std::string(palette(2, false))},
                                                                         {"stroke-width", 2.4}});
    }
    out += element("g", {{"transform", std::string("rotate(-90 18 ") + coordinate((top + bottom) / 2) + ")"}},
                   svg::text(18, (top + bottom) / 2, names(Term::accrual_randomised),
                             {.size = 12.5, .anchor = Anchor::middle, .fill = ink}));
    y0 = bottom + 62;
  }
  return framed(names, width, y0 - 8, title, out);
}

}  // namespace equipoise::report::rehearsal::figures

#include <algorithm>
#include <array>
#include <cmath>

#include "equipoise/report/figures.h"
#include "equipoise/report/figures/panels.h"
#include "equipoise/report/figures/visit_frame.h"
#include "equipoise/report/tables/parts.h"
#include "equipoise/report/visits.h"
#include "equipoise/results/labels.h"

namespace equipoise::report::figures {
namespace {

using svg::Anchor;
using svg::Weight;

constexpr std::size_t most_rows = 60;  ///< of an arm; more participants share rows

/// Participants that share a row, their mean at each visit; NaN where none was seen.
struct HeatRow {
  std::vector<double> value;
  std::size_t participants = 1;
};

using Colour = std::array<double, 3>;
constexpr Colour paper{0xf7, 0xf7, 0xf4}, pale{0xfb, 0xf1, 0xd6}, above{0xa0, 0x4a, 0x00}, below{0x1f, 0x5f, 0xa8},
    dark{0x0b, 0x4f, 0x66};

constexpr std::string_view nothing = "#c9ced6";  ///< where there is no value

/// Of a change: white at 0, one hue above and one below. Else from pale to dark over the range.
struct Shades {
  bool change = false;
  double low = 0, high = 1;

  std::string operator()(double value) const {
    Colour start = pale, end = dark;
    double share = high > low ? (value - low) / (high - low) : 0.5;
    if (change) {
      const double reach = std::max(std::fabs(low), std::fabs(high));
      share = reach > 0 ? std::fabs(value) / reach : 0;
      start = paper, end = value > 0 ? above : below;
    }
    share = std::clamp(share, 0.0, 1.0);
    char text[8];
    const auto mix = [&](std::size_t i) { return int(std::lround(start[i] + share * (end[i] - start[i]))); };
    std::snprintf(text, sizeof text, "#%02x%02x%02x", mix(0), mix(1), mix(2));
    return text;
  }
};

/// Participants in the order of their value at the visit that sorts (those without one by their last), then put together.
std::vector<HeatRow> rows_of(Trajectories const& arm, std::size_t visits, std::size_t sorting) {
  std::vector<std::vector<double>> people;
  for (auto const& line : arm.lines) {
    std::vector<double>& values = people.emplace_back(visits, missing_number);
    for (std::size_t i = 0; i < line.visit.size(); ++i) values[std::size_t(line.visit[i])] = line.value[i];
  }
  const auto key = [&](std::vector<double> const& values) {
    if (!std::isnan(values[sorting])) return values[sorting];
    for (std::size_t v = visits; v-- > 0;)
      if (!std::isnan(values[v])) return values[v];
    return missing_number;
  };
  std::ranges::stable_sort(people, [&](auto const& a, auto const& b) { return key(a) > key(b); });
  const std::size_t rows = std::min(people.size(), most_rows);
  std::vector<HeatRow> out;
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t first = r * people.size() / rows, end = (r + 1) * people.size() / rows;
    HeatRow row{.value = std::vector<double>(visits, missing_number), .participants = end - first};
    for (std::size_t v = 0; v < visits; ++v) {
      double sum = 0, n = 0;
      for (std::size_t i = first; i < end; ++i)
        if (!std::isnan(people[i][v])) sum += people[i][v], ++n;
      if (n > 0) row.value[v] = sum / n;
    }
    out.push_back(std::move(row));
  }
  return out;
}

Markup legend(Context const& context, Shades const& shades, double y, std::string const& title) {
  constexpr double left = 62, wide = 220, high = 12;
  constexpr int steps = 44;
  Markup out = svg::text(16, 18, title, {.size = font, .weight = Weight::bold, .fill = ink});
  for (int i = 0; i < steps; ++i) {
    const double value = shades.low + (shades.high - shades.low) * (i + 0.5) / steps;
    out += svg::rectangle(left + wide * i / steps, y, wide / steps + 0.3, high, 0, {{"fill", shades(value)}});
  }
  const svg::Scale x{shades.low, shades.high, left, left + wide};
  const ValueAxis axis_of = value_axis(shades.low, shades.high, 0, 1, shades.change, 5);
  for (std::size_t i = 0; i < axis_of.ticks.size(); ++i)
    if (const double tick = axis_of.ticks[i]; tick >= shades.low && tick <= shades.high)
      out += svg::text(x(tick), y + high + 15, axis_of.labels[i],
                       {.size = 12, .anchor = Anchor::middle, .css = "muted", .fill = muted});
  const double box = left + wide + 48;
  out += svg::rectangle(box, y, 18, high, 0, {{"fill", std::string(nothing)}});
  return out +
         svg::text(box + 26, y + 10.5, tables::said(context, "no value", "无值"), {.size = 12, .css = "muted", .fill = muted});
}

}  // namespace

Markup heat_map(Context const& context, results::AnalysisRun const& run) {
  const std::vector<std::string> visits = visits_of(context, run);
  const std::vector<Trajectories> arms = trajectories_of(context, run);
  if (arms.empty() || visits.size() < 3) return {};
  const auto* endpoint = context.plan.endpoint(run.endpoint);
  const auto asked = endpoint ? std::ranges::find(visits, endpoint->at) : visits.end();
  const std::size_t sorting = std::size_t((asked == visits.end() ? visits.end() - 1 : asked) - visits.begin());
  std::vector<std::vector<HeatRow>> rows;
  std::vector<std::string> names;
  std::vector<double> all;
  std::size_t most = 0, shared = 1;
  for (Trajectories const& arm : arms) {
    names.push_back(arm.arm);
    rows.push_back(rows_of(arm, visits.size(), sorting));
    most = std::max(most, rows.back().size());
    for (HeatRow const& row : rows.back()) {
      shared = std::max(shared, row.participants);
      for (const double value : row.value)
        if (std::isfinite(value)) all.push_back(value);
    }
  }
  if (all.size() < 2 || most < 2) return {};
  // The few most extreme values do not take the colours from all others: the ends are the 2nd and 98th percentiles.
  std::ranges::sort(all);
  const auto share = [&](double p) { return all[std::size_t(std::lround(p * double(all.size() - 1)))]; };
  Shades shades{.change = !context.changed_since(run.endpoint).empty(), .low = share(0.02), .high = share(0.98)};
  if (shades.change) {
    const double reach = std::max(std::fabs(shades.low), std::fabs(shades.high));
    shades.low = -reach, shades.high = reach;
  }
  if (!(shades.high > shades.low)) return {};
  const double height = std::clamp(double(most) * 7, 120.0, 300.0);
  const PanelGrid panels = panel_grid(context, names, {.left = 30, .head = 14, .height = height, .foot = 58, .top = 74});
  const VisitAxis axis_of_visits = visit_axis(context, visits);
  const int decimals = results::decimals_for(std::max(std::fabs(shades.low), std::fabs(shades.high)), {});
  Markup body =
      legend(context, shades, 32, with_unit(context, context.endpoint(run.endpoint), context.endpoint_unit(run.endpoint)));
  for (std::size_t a = 0; a < arms.size(); ++a) {
    Panel const& at = panels.panels[a];
    const double wide = (at.right - at.left) / double(visits.size()), high = (at.bottom - at.top) / double(rows[a].size());
    body += panel_head(context, arms[a].arm, std::int64_t(arms[a].lines.size()), at);
    body += svg::rectangle(at.left, at.top, at.right - at.left, at.bottom - at.top, 0, {{"fill", std::string(nothing)}});
    for (std::size_t r = 0; r < rows[a].size(); ++r)
      for (std::size_t v = 0; v < visits.size(); ++v) {
        const double value = rows[a][r].value[v];
        if (!std::isfinite(value)) continue;
        body += svg::tip(axis_of_visits.labels[v] + (context.words.chinese() ? "：" : ": ") + results::fixed(value, decimals),
                         svg::rectangle(at.left + double(v) * wide, at.top + double(r) * high, wide, high + 0.2, 0,
                                        {{"fill", shades(value)}}));
      }
    body += panel_labels(context, axis_of_visits, at, [&](std::size_t v) { return at.left + (double(v) + 0.5) * wide; });
  }
  const std::string name = tables::said(context, "Heat map of every participant's values over visits: ", "各受试者随访值热图：") +
                           context.endpoint(run.endpoint);
  std::vector<std::string> notes{
      shared == 1 ? tables::said(context, "Each row is one participant", "每行为一名受试者")
                  : fmt::format(fmt::runtime(tables::said(
                                    context, "Each row is the mean of up to {} participants next to each other in this order",
                                    "每行为按此顺序相邻的至多{}名受试者的均值")),
                                shared)};
  notes.back() += tables::said(context, ", sorted by the value at ", "，按此访视值排序：") + context.visit(visits[sorting]) +
                  tables::said(context, " or the last one seen. Colours end at the 2nd and 98th percentiles.",
                               "（缺失时用最后观察值）。颜色范围止于第2与第98百分位数。");
  return scrolling("plot", svg::figure(panels.width, panels.height, name, watermark(context), body)) + note(context, notes);
}

}  // namespace equipoise::report::figures

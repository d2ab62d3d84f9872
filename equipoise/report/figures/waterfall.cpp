#include <algorithm>
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

constexpr std::size_t pointed = 300;  ///< so many bars of an arm can each be pointed at

/// One arm's values at the visit, from the highest to the lowest.
struct Bars {
  std::string arm;
  std::vector<double> value;
  std::size_t without = 0;  ///< participants seen at other visits only
};

/// The visit of the question, else the last one; its place among the visits.
std::size_t visit_shown(Context const& context, results::AnalysisRun const& run, std::vector<std::string> const& visits) {
  const auto* endpoint = context.plan.endpoint(run.endpoint);
  const auto found = endpoint ? std::ranges::find(visits, endpoint->at) : visits.end();
  return std::size_t((found == visits.end() ? visits.end() - 1 : found) - visits.begin());
}

std::vector<Bars> bars_of(Context const& context, results::AnalysisRun const& run, std::size_t visit) {
  std::vector<Bars> arms;
  for (Trajectories const& one : trajectories_of(context, run)) {
    Bars bars{.arm = one.arm, .value = {}};
    for (auto const& line : one.lines) {
      const auto at = std::ranges::find(line.visit, int(visit));
      if (at == line.visit.end()) ++bars.without;
      else bars.value.push_back(line.value[std::size_t(at - line.visit.begin())]);
    }
    std::ranges::sort(bars.value, std::greater());
    if (!bars.value.empty()) arms.push_back(std::move(bars));
  }
  return arms;
}

/// Decimals, three at most, that the values need.
int decimals_of(std::vector<Bars> const& arms) {
  int decimals = 0;
  for (Bars const& bars : arms)
    for (const double value : bars.value)
      for (; decimals < 3; ++decimals)
        if (std::fabs(value * std::pow(10.0, decimals) - std::round(value * std::pow(10.0, decimals))) < 1e-6) break;
  return decimals;
}

Markup panel(Context const& context, Bars const& bars, Panel const& at, ValueAxis const& y, int decimals) {
  const ArmStyle style = context.style(bars.arm);
  const std::string css = "f" + std::to_string(style.slot);
  const double left = at.left + 4, wide = (at.right - at.left - 8) / double(bars.value.size());
  const double gap = wide > 4 ? 1 : wide > 1.5 ? 0.3 : 0, zero = y(0);
  Markup out;
  std::string all;
  for (std::size_t i = 0; i < bars.value.size(); ++i) {
    const double x = left + double(i) * wide + gap / 2, top = y(bars.value[i]);
    const std::string d = "M" + coordinate(x) + " " + coordinate(zero) + "V" + coordinate(top) + "h" + coordinate(wide - gap) +
                          "V" + coordinate(zero) + "Z";
    if (bars.value.size() <= pointed)
      out +=
          svg::tip(results::fixed(bars.value[i], decimals), svg::path(d, {{"class", css}, {"fill", std::string(style.colour)}}));
    else all += d;
  }
  if (!all.empty()) out += svg::path(all, {{"class", css}, {"fill", std::string(style.colour)}});
  return out;
}

}  // namespace

std::string waterfall_visit(Context const& context, results::AnalysisRun const& run) {
  const std::vector<std::string> visits = visits_of(context, run);
  return visits.empty() ? std::string() : context.visit(visits[visit_shown(context, run, visits)]);
}

void keep_waterfall_visit(Context const& context, results::AnalysisRun const& run, FigureData& data) {
  const std::vector<std::string> visits = visits_of(context, run);
  const auto column = std::ranges::find(data.columns, "visit");
  if (visits.empty() || column == data.columns.end()) return;
  std::string const& shown = visits[visit_shown(context, run, visits)];
  std::erase_if(data.rows, [&](auto const& row) { return row[std::size_t(column - data.columns.begin())] != shown; });
}

Markup waterfall(Context const& context, results::AnalysisRun const& run) {
  const std::vector<std::string> visits = visits_of(context, run);
  if (visits.empty() || context.changed_since(run.endpoint).empty()) return {};
  const std::vector<Bars> arms = bars_of(context, run, visit_shown(context, run, visits));
  if (arms.empty()) return {};
  Range range;
  range.add(0);
  std::vector<std::string> names;
  std::string described;
  std::size_t without = 0;
  for (Bars const& bars : arms) {
    names.push_back(bars.arm), without += bars.without;
    for (const double value : bars.value) range.add(value);
  }
  const int decimals = context.recorded_decimals(run.id).value_or(decimals_of(arms));
  const PanelGrid panels =
      panel_grid(context, names, {.head = 18, .height = arms.size() > 3 ? 210.0 : 250.0, .foot = 48, .top = 34});
  Markup body;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    Panel const& at = panels.panels[a];
    const ValueAxis y = value_axis(range.low, range.high, at.top, at.bottom, true);
    body += panel_head(context, arms[a].arm, std::int64_t(arms[a].value.size()), at);
    for (std::size_t i = 0; i < y.ticks.size(); ++i) {
      const double level = y(y.ticks[i]);
      body += svg::line(at.left, level, at.right, level, "grid", grid);
      if (at.first_in_row)
        body +=
            svg::text(at.left - 9, level + 4.5, y.labels[i], {.size = 12, .anchor = Anchor::end, .css = "muted", .fill = muted});
    }
    body += panel(context, arms[a], at, y, decimals) + svg::line(at.left, y(0), at.right, y(0), "axis", axis, 1.4);
    const auto higher = std::int64_t(std::ranges::count_if(arms[a].value, [](double v) { return v > 0; }));
    const std::string share =
        fmt::format(fmt::runtime(tables::said(context, "{} of {} above 0", "{}/{}高于0")), higher, arms[a].value.size());
    body += svg::text((at.left + at.right) / 2, at.bottom + 20, share,
                      {.size = 12, .anchor = Anchor::middle, .css = "muted", .fill = muted});
    described += (described.empty() ? "" : context.words.chinese() ? "；" : "; ") + context.arm(arms[a].arm) + ": " + share;
  }
  body += svg::text(16, 18, with_unit(context, context.endpoint(run.endpoint), context.endpoint_unit(run.endpoint)),
                    {.size = font, .weight = Weight::bold, .fill = ink});
  const std::string name =
      tables::said(context, "Waterfall plot: ", "瀑布图：") + context.endpoint(run.endpoint) + ". " + described;
  std::vector<std::string> notes{tables::said(context, "Each bar is one participant, from the highest value to the lowest.",
                                              "每条柱为一名受试者，由高到低排列。")};
  if (without > 0)
    notes.push_back(fmt::format(fmt::runtime(tables::said(context, "{} participant{} without a value at this visit not shown.",
                                                          "{}名受试者在该访视无值，未显示。")),
                                without, without == 1 ? "" : "s"));
  return scrolling("plot", svg::figure(panels.width, panels.height, name, watermark(context), body)) + note(context, notes);
}

}  // namespace equipoise::report::figures

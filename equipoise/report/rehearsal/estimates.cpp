#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "equipoise/core/text.h"
#include "equipoise/report/rehearsal/frame.h"

namespace equipoise::report::rehearsal::figures {
namespace {

using results::StatementCharacteristics;
using svg::Anchor;
using svg::Weight;

constexpr double width = 940;
constexpr std::size_t most_columns = 5;

struct Panel {
  std::size_t scenario;
  StatementCharacteristics const* one;
};

/// The panels of an analysis: for each arm its scenarios.
template <class Wanted>
std::vector<std::vector<Panel>> panels_of(Names const& names, std::string const& analysis, Wanted const& wanted) {
  std::vector<std::vector<Panel>> arms;
  auto const& scenarios = names.rehearsal.scenarios;
  for (std::size_t s = 0; s < scenarios.size(); ++s)
    for (auto const& one : scenarios[s].statements) {
      if (one.analysis != analysis || !wanted(one)) continue;
      const auto same = [&](std::vector<Panel> const& row) {
        return row.front().one->arm == one.arm && row.front().one->against == one.against;
      };
      const auto found = std::ranges::find_if(arms, same);
      if (found == arms.end()) arms.push_back({{s, &one}});
      else found->push_back({s, &one});
    }
  return arms;
}

/// Rows of at most five panels, with a heading above the panels of each arm.
struct Grid {
  double panel_width, gap = 22;
  std::size_t columns;
  explicit Grid(std::vector<std::vector<Panel>> const& arms, double left) {
    columns = 1;
    for (auto const& row : arms) columns = std::max(columns, std::min(row.size(), most_columns));
    panel_width = std::min(420.0, (width - left - 16 - gap * double(columns - 1)) / double(columns));
  }
};

Markup panel_head(Names const& names, Panel const& panel, double x, double y, double room) {
  return scenario_marker(names, panel.scenario, {x + 6, y - 4.5}) +
         svg::text(x + 16, y, clipped(names.scenario(panel.scenario), room - 16, 13, 1, Weight::bold).front(),
                   {.size = 13, .weight = Weight::bold, .fill = ink});
}

struct Ends {
  double low = 0, high = 0;
  bool any = false;
  void add(double value) {
    if (!std::isfinite(value)) return;
    low = any ? std::min(low, value) : value, high = any ? std::max(high, value) : value, any = true;
  }
  /// With a little room; never empty.
  svg::Scale scale(double start, double end) const {
    double from = low, to = high;
    if (!(to > from)) from -= std::max(1e-9, std::fabs(from) * 0.1 + 0.5), to += std::max(1e-9, std::fabs(to) * 0.1 + 0.5);
    const double room = 0.04 * (to - from);
    return {.from = from - room, .to = to + room, .start = start, .end = end};
  }
};

/// Ticks under a panel.
Markup value_ticks(svg::Scale const& x, double bottom) {
  Markup out = svg::line(x.start, bottom, x.end, bottom, "axis", axis);
  double free_from = -1e9;
  const std::vector<double> at = svg::ticks_between(x.from, x.to, std::max(2, int((x.end - x.start) / 48)));
  for (const double tick : at) {
    std::string text = shortest(tick);
    if (text.starts_with('-')) text.replace(0, 1, "\u2212");
    const double half = svg::text_width(text, 11) / 2;
    out += svg::line(x(tick), bottom, x(tick), bottom + 4, "axis", axis);
    if (x(tick) - half < free_from) continue;
    out += svg::text(x(tick), bottom + 17, text, {.size = 11, .anchor = Anchor::middle, .css = "muted", .fill = muted});
    free_from = x(tick) + half + 6;
  }
  return out;
}

Markup vertical(double x, double top, double bottom, bool dashed) {
  Attributes attributes = {{"class", std::string("ink-line")},
                           {"fill", std::string("none")},
                           {"stroke", std::string(ink)},
                           {"stroke-width", dashed ? 1.2 : 1.8}};
  if (dashed) attributes.emplace_back("stroke-dasharray", std::string("3 3"));
  return svg::path("M" + coordinate(x) + " " + coordinate(top) + "V" + coordinate(bottom), attributes);
}

bool usable(double value) { return std::isfinite(value) && std::fabs(value) < 1e150; }

}  // namespace

Markup distributions(Names const& names, std::string const& title, std::string const& analysis) {
  const auto arms =
      panels_of(names, analysis, [](StatementCharacteristics const& one) { return std::ranges::any_of(one.estimates, usable); });
  if (arms.empty()) return {};
  constexpr double height = 110;
  const Grid layout(arms, 16);
  Markup out;
  double y = 10;
  for (auto const& row : arms) {
    Ends ends;
    bool ratio = false;
    for (Panel const& panel : row) {
      for (const double value : panel.one->estimates)
        if (usable(value)) ends.add(value);
      if (panel.one->truth && usable(panel.one->truth->value)) ends.add(panel.one->truth->value);
      ratio = ratio || panel.one->ratio;
    }
    if (arms.size() > 1 || !row.front().one->arm.empty()) {
      out += svg::text(
          16, y + 14,
          clipped(names.statement(row.front().one->arm, row.front().one->against), width - 32, 14, 1, Weight::bold).front(),
          {.size = 14, .weight = Weight::bold, .fill = ink});
      y += 26;
    }
    // The same bins in every panel of the row; 2 n^(1/3) of them by the longest list (Rice's rule).
    std::size_t most = 1;
    for (Panel const& panel : row) most = std::max(most, panel.one->estimates.size());
    const svg::Scale span = ends.scale(0, 1);
    const auto bins =
        std::clamp<std::size_t>(std::size_t(std::ceil(2.0 * double(layout.columns) * std::cbrt(double(most)))), 8, 44);
    std::vector<std::vector<std::size_t>> counts;
    double tallest = 0;
    for (Panel const& panel : row) {
      std::vector<std::size_t> in(bins, 0);
      std::size_t n = 0;
      for (const double value : panel.one->estimates)
        if (usable(value)) ++in[std::min(bins - 1, std::size_t(std::clamp(span(value), 0.0, 1.0) * double(bins)))], ++n;
      for (const std::size_t count : in) tallest = std::max(tallest, double(count) / double(std::max<std::size_t>(n, 1)));
      counts.push_back(std::move(in));
    }
    for (std::size_t k = 0; k < row.size(); ++k) {
      const std::size_t column = k % layout.columns;
      if (k > 0 && column == 0) y += height + 62;
      const double left = 16 + double(column) * (layout.panel_width + layout.gap), right = left + layout.panel_width;
      const double top = y + 26, bottom = top + height;
      Panel const& panel = row[k];
      ArmStyle const& style = names.styles[panel.scenario];
      const svg::Scale x{.from = span.from, .to = span.to, .start = left, .end = right};
      std::size_t n = std::accumulate(counts[k].begin(), counts[k].end(), std::size_t{0});
      out += panel_head(names, panel, left, y + 14, layout.panel_width - 60);
      out += svg::text(right, y + 14, names(Term::distribution_n, grouped(std::int64_t(n))),
                       {.size = 11.5, .anchor = Anchor::end, .css = "muted", .fill = muted});
      std::string d = "M" + coordinate(left) + " " + coordinate(bottom);
      for (std::size_t b = 0; b < bins; ++b) {
        const double share = double(counts[k][b]) / double(std::max<std::size_t>(n, 1));
        d += "V" + coordinate(bottom - share / std::max(tallest, 1e-12) * (height - 6)) + "H" +
             coordinate(left + (right - left) * double(b + 1) / double(bins));
      }
      out += svg::path(
          d + "V" + coordinate(bottom) + "Z",
          {{"class", class_of('f', style.slot)}, {"fill", std::string(style.colour)}, {"fill-opacity", std::string("0.5")}});
      out += value_ticks(x, bottom);
      if (panel.one->mean && usable(panel.one->mean->value)) {
        const double at = x(panel.one->mean->value);
        if (at >= left && at <= right) out += vertical(at, top - 2, bottom, true);
      }
      if (panel.one->truth && usable(panel.one->truth->value))
        out += vertical(x(panel.one->truth->value), top - 6, bottom, false);
      const std::size_t lost = panel.one->estimates.size() - n;
      if (lost > 0)
        out += svg::text(right, top + 8, names(Term::distribution_left_out, lost),
                         {.size = 11, .anchor = Anchor::end, .css = "muted", .fill = muted});
    }
    y += 26 + height + 40;
    out += svg::text(16 + (layout.panel_width * double(layout.columns) + layout.gap * double(layout.columns - 1)) / 2, y,
                     names(ratio ? Term::distribution_axis_log : Term::distribution_axis),
                     {.size = 12.5, .anchor = Anchor::middle, .fill = ink});
    y += 22;
  }
  return framed(names, width, y, title, out);
}

Markup zip(Names const& names, std::string const& title, std::string const& analysis) {
  struct Interval {
    double lower, upper, far;
  };
  const auto intervals_of = [](StatementCharacteristics const& one) {
    std::vector<Interval> all;
    const std::size_t n = std::min({one.estimates.size(), one.lower.size(), one.upper.size()});
    for (std::size_t i = 0; i < n && one.truth; ++i) {
      const double wide = one.upper[i] - one.lower[i];
      if (usable(one.estimates[i]) && usable(one.lower[i]) && usable(one.upper[i]) && wide > 0)
        all.push_back({one.lower[i], one.upper[i], std::fabs(one.estimates[i] - one.truth->value) / wide});
    }
    std::ranges::stable_sort(all, {}, &Interval::far);
    return all;
  };
  const auto arms = panels_of(names, analysis, [&](StatementCharacteristics const& one) {
    return one.truth && usable(one.truth->value) && intervals_of(one).size() > 1;
  });
  if (arms.empty()) return {};
  constexpr double height = 250, left_room = 54;
  const Grid layout(arms, left_room);
  Markup out;
  double y = 10;
  for (auto const& row : arms) {
    out += svg::text(
        16, y + 14,
        clipped(names.statement(row.front().one->arm, row.front().one->against), width - 32, 14, 1, Weight::bold).front(),
        {.size = 14, .weight = Weight::bold, .fill = ink});
    y += 26;
    for (std::size_t k = 0; k < row.size(); ++k) {
      const std::size_t column = k % layout.columns;
      if (k > 0 && column == 0) y += height + 76;
      const double left = left_room + double(column) * (layout.panel_width + layout.gap), right = left + layout.panel_width;
      const double top = y + 44, bottom = top + height;
      Panel const& panel = row[k];
      const double truth = panel.one->truth->value;
      const std::vector<Interval> all = intervals_of(*panel.one);
      Ends ends;
      ends.add(truth);
      for (Interval const& one : all) ends.add(one.lower), ends.add(one.upper);
      const svg::Scale x = ends.scale(left, right), rank{.from = 0, .to = double(all.size()), .start = bottom, .end = top};
      std::string hits, misses;
      std::size_t missed = 0;
      for (std::size_t i = 0; i < all.size(); ++i) {
        const bool miss = all[i].lower > truth || all[i].upper < truth;
        missed += miss;
        (miss ? misses : hits) +=
            "M" + coordinate(x(all[i].lower)) + " " + coordinate(rank(double(i) + 0.5)) + "H" + coordinate(x(all[i].upper));
      }
      out += panel_head(names, panel, left, y + 14, layout.panel_width);
      out += svg::text(left + 16, y + 32, names(Term::zip_missed, missed, all.size()),
                       {.size = 11.5, .css = "muted", .fill = muted});
      const double thick = std::clamp(height / double(all.size()) * 0.7, 0.35, 3.0);
      if (!hits.empty())
        out += svg::path(hits, {{"class", std::string("s0")},
                                {"stroke", std::string(palette(0, false))},
                                {"stroke-opacity", std::string("0.55")},
                                {"stroke-width", thick}});
      if (!misses.empty())
        out += svg::path(
            misses,
            {{"class", std::string("s6")}, {"stroke", std::string(palette(6, false))}, {"stroke-width", std::max(thick, 1.6)}});
      out += vertical(x(truth), top - 4, bottom, false);
      const double level = names.rehearsal.level;
      if (level > 0 && level < 1)
        out += element(
            "path", {{"d", "M" + coordinate(left) + " " + coordinate(rank(level * double(all.size()))) + "H" + coordinate(right)},
                     {"class", std::string("ink-line")},
                     {"fill", std::string("none")},
                     {"stroke", std::string(ink)},
                     {"stroke-dasharray", std::string("4 3")}});
      for (const int per_cent : {0, 25, 50, 75, 100}) {
        const double at = rank(per_cent / 100.0 * double(all.size()));
        out += svg::line(left - 4, at, left, at, "axis", axis);
        if (column == 0)
          out += svg::text(left - 8, at + 4, std::to_string(per_cent),
                           {.size = 11, .anchor = Anchor::end, .css = "muted", .fill = muted});
      }
      out += svg::line(left, top, left, bottom, "axis", axis) + value_ticks(x, bottom);
    }
    y += 44 + height + 40;
  }
  out += svg::text(16, y + 4, names(Term::zip_axis), {.size = 12, .css = "muted", .fill = muted});
  return framed(names, width, y + 18, title, out);
}

}  // namespace equipoise::report::rehearsal::figures

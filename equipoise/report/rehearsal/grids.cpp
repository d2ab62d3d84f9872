#include <algorithm>
#include <cmath>
#include <numeric>

#include "equipoise/core/text.h"
#include "equipoise/report/rehearsal/frame.h"
#include "equipoise/report/rehearsal/ratio.h"

namespace equipoise::report::rehearsal::figures {
namespace {

using svg::Anchor;
using svg::Point;
using svg::Weight;

constexpr std::array<int, 6> slots = {2, 6, 4, 3, 7, 0};
constexpr std::array<std::string_view, 6> dashes = {"", "8 3.5", "2.5 3", "9 3 2 3", "14 4", "5 3 1.5 3 1.5 3"};
constexpr std::size_t together = 6;  // lines in one plot

template <class Find>
void add_series(std::vector<GridSeries>& out, results::Grid const& grid, std::string label, Find const& find) {
  GridSeries series{.label = std::move(label), .cells = {}};
  for (auto const& cell : grid.cells) series.cells.push_back(find(cell));
  if (std::ranges::any_of(series.cells, [](Share const& s) { return s.of > 0; })) out.push_back(std::move(series));
}

std::string plain(double value) { return std::isfinite(value) ? shortest(value) : std::string(results::not_estimable); }

/// Places of the values along a line: at their values when these are finite and increase, else evenly.
std::vector<double> places(std::vector<double> const& values, double from, double to) {
  const std::size_t n = values.size();
  bool increasing = n > 1 && std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
  for (std::size_t i = 1; i < n && increasing; ++i) increasing = values[i] > values[i - 1];
  increasing = increasing && std::isfinite(values.back() - values.front());
  std::vector<double> at;
  for (std::size_t i = 0; i < n; ++i) {
    const double share = n == 1       ? 0.5
                         : increasing ? (values[i] - values.front()) / (values.back() - values.front())
                                      : double(i) / double(n - 1);
    at.push_back(from + share * (to - from));
  }
  return at;
}

/// One plot of at most six lines.
Markup plot(Names const& names, std::string const& title, results::Grid::Axis const& along,
            std::vector<GridSeries> const& series) {
  constexpr double width = 940, left = 62, top = 26, bottom = 356, label_x = 690, right = 660;
  const std::vector<double> x = places(along.values, left + 14, right - 14);
  const svg::Scale y{.from = 0, .to = 1, .start = bottom, .end = top};
  Markup out;
  for (const double share : {0.0, 0.2, 0.4, 0.6, 0.8, 1.0}) {
    out += svg::line(left, y(share), right, y(share), share == 0 ? "axis" : "grid", share == 0 ? axis : grid);
    out += svg::text(left - 8, y(share) + 4, names.percent(share),
                     {.size = 12, .anchor = Anchor::end, .css = "muted", .fill = muted});
  }
  const double alpha = names.rehearsal.alpha;
  if (alpha > 0 && alpha < 1) {
    out += element("path", {{"d", std::string("M") + coordinate(left) + " " + coordinate(y(alpha)) + "H" + coordinate(right)},
                            {"class", std::string("ink-line")},
                            {"fill", std::string("none")},
                            {"stroke", std::string(ink)},
                            {"stroke-dasharray", std::string("4 3")}});
    out += svg::text(right, y(alpha) - 5, names(Term::legend_nominal, names.percent(alpha)),
                     {.size = 11.5, .anchor = Anchor::end, .css = "muted", .fill = muted});
  }
  double free_from = -1e9;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::string text = plain(along.values[i]);
    const double half = svg::text_width(text, 12) / 2;
    out += svg::line(x[i], bottom, x[i], bottom + 5, "axis", axis);
    if (x[i] - half < free_from) continue;
    out += svg::text(x[i], bottom + 20, text, {.size = 12, .anchor = Anchor::middle, .css = "muted", .fill = muted});
    free_from = x[i] + half + 8;
  }
  out += svg::text((left + right) / 2, bottom + 44,
                   clipped(along.label.empty() ? join(along.keys, ", ") : along.label, right - left, 13, 1, Weight::bold).front(),
                   {.size = 13, .weight = Weight::bold, .anchor = Anchor::middle, .fill = ink});

  Markup bands, lines, marks, labels;
  std::vector<double> ends, wanted, heights;
  std::vector<std::vector<std::string>> texts;
  for (std::size_t k = 0; k < series.size(); ++k) {
    const std::string_view colour = palette(slots[k], false);
    std::string d, band_up, band_down;
    double last = y(0), last_x = right - 8;
    bool pen = false;
    const auto close = [&] {
      if (!band_up.empty())
        bands += svg::path(
            "M" + band_up.substr(1) + band_down + "Z",
            {{"class", "band " + class_of('f', slots[k])}, {"fill", std::string(colour)}, {"fill-opacity", std::string("0.14")}});
      band_up.clear(), band_down.clear(), pen = false;
    };
    for (std::size_t i = 0; i < x.size() && i < series[k].cells.size(); ++i) {
      Share const& share = series[k].cells[i];
      if (share.of <= 0) {
        close();
        continue;
      }
      const Limits limits = wilson_limits(share);
      const std::string px = coordinate(x[i]) + " ";
      d += (pen ? "L" : "M") + px + coordinate(y(share.value()));
      band_up += "L" + px + coordinate(y(limits.upper));
      band_down = "L" + px + coordinate(y(limits.lower)) + band_down;
      marks += svg::line(x[i], y(limits.lower), x[i], y(limits.upper), class_of('s', slots[k]), colour, 1.4);
      marks += svg::marker(int(k), {x[i], y(share.value())}, 4.4, "mark " + class_of('f', slots[k]), colour);
      last = y(share.value()), last_x = x[i], pen = true;
    }
    close();
    Attributes stroke = {{"class", class_of('s', slots[k])},
                         {"fill", std::string("none")},
                         {"stroke", std::string(colour)},
                         {"stroke-width", 2.0}};
    if (!dashes[k].empty()) stroke.emplace_back("stroke-dasharray", std::string(dashes[k]));
    if (!d.empty()) lines += svg::path(d, stroke);
    texts.push_back(clipped(series[k].label, width - label_x - 30, 12.5, 4));
    ends.push_back(last_x + 6), wanted.push_back(last), heights.push_back(16 * double(texts.back().size()) + 8);
  }
  const std::vector<double> centres = svg::pushed_apart(wanted, heights, top - 10, bottom + 40);
  double lowest = bottom + 54;
  for (std::size_t k = 0; k < series.size(); ++k) {
    const std::string_view colour = palette(slots[k], false);
    labels += element("path", {{"d", std::string("M") + coordinate(ends[k]) + " " + coordinate(wanted[k]) + "L" +
                                         coordinate(label_x - 4) + " " + coordinate(centres[k])},
                               {"class", class_of('s', slots[k])},
                               {"fill", std::string("none")},
                               {"stroke", std::string(colour)},
                               {"stroke-width", 1.0},
                               {"stroke-dasharray", std::string("1.5 3")}});
    labels += svg::marker(int(k), {label_x + 4, centres[k]}, 4.4, "mark " + class_of('f', slots[k]), colour);
    double baseline = centres[k] - 8 * double(texts[k].size()) + 12;
    for (auto const& text : texts[k]) {
      labels += svg::text(label_x + 16, baseline, text, {.size = 12.5, .fill = ink});
      baseline += 16;
    }
    lowest = std::max(lowest, baseline);
  }
  return framed(names, width, lowest, title, out + bands + lines + marks + labels);
}

/// Values of the axes before the last two, of the slice that begins at `cell`.
std::string slice_label(results::Grid const& of, std::size_t cell) {
  std::string text;
  std::size_t below = of.cells.size();
  for (std::size_t a = 0; a + 2 < of.axes.size(); ++a) {
    below /= of.axes[a].values.size();
    const std::size_t at = cell / below % of.axes[a].values.size();
    text += (text.empty() ? "" : ", ") + of.axes[a].label + " " + plain(of.axes[a].values[at]);
  }
  return text;
}

}  // namespace

std::vector<GridSeries> tests_of(Names const& names, results::Grid const& of) {
  std::vector<GridSeries> out;
  if (of.cells.empty()) return out;
  auto const& first = of.cells.front();
  std::size_t analyses = 0;
  std::string last;
  for (auto const& one : first.statements) analyses += names.primary(one) && one.analysis != last, last = one.analysis;
  for (auto const& one : first.statements) {
    if (!names.primary(one)) continue;
    const std::string label = (analyses > 1 ? one.analysis + ": " : "") + names.statement(one.arm, one.against);
    add_series(out, of, label.empty() ? one.analysis : label, [&](results::ScenarioCharacteristics const& cell) -> Share {
      for (auto const& other : cell.statements)
        if (other.analysis == one.analysis && other.arm == one.arm && other.against == one.against) return other.rejected;
      return {};
    });
  }
  add_series(out, of, names(Term::any_hypothesis), [](auto const& cell) { return cell.any_rejected.value_or(Share{}); });
  add_series(out, of, names(Term::every_hypothesis), [](auto const& cell) { return cell.all_rejected.value_or(Share{}); });
  add_series(out, of, names(Term::family_series), [](auto const& cell) { return cell.family_wise_error.value_or(Share{}); });
  return out;
}

std::vector<GridSeries> claims_of(Names const& names, results::Grid const& of) {
  std::vector<GridSeries> out;
  if (of.cells.empty()) return out;
  for (auto const& claim : of.cells.front().claims)
    add_series(out, of, names.claim(claim), [&](results::ScenarioCharacteristics const& cell) -> Share {
      for (auto const& other : cell.claims)
        if (other.id == claim.id) return other.holds;
      return {};
    });
  return out;
}

Markup power_curves(Names const& names, std::string const& title, results::Grid::Axis const& axis_of,
                    std::vector<GridSeries> const& series) {
  Markup out;
  if (axis_of.values.empty()) return out;
  for (std::size_t from = 0; from < series.size(); from += together) {
    const std::size_t to = std::min(series.size(), from + together);
    out += plot(names, title, axis_of, {series.begin() + std::ptrdiff_t(from), series.begin() + std::ptrdiff_t(to)});
  }
  return out;
}

Shade shade(double share) {
  // Lightness falls steadily, so that the order shows in grey print and without colour vision.
  struct Rgb {
    double r, g, b;
  };
  constexpr std::array<Rgb, 3> stops = {{{246, 249, 251}, {126, 184, 206}, {8, 64, 84}}};
  const double at = std::clamp(std::isnan(share) ? 0.0 : share, 0.0, 1.0) * 2;
  const std::size_t k = at >= 1 ? 1 : 0;
  const auto mix = [&](double Rgb::*part) {
    return int(std::lround(std::lerp(stops[k].*part, stops[k + 1].*part, at - double(k))));
  };
  return {fmt::format("#{:02x}{:02x}{:02x}", mix(&Rgb::r), mix(&Rgb::g), mix(&Rgb::b)), share > 0.66 ? "#ffffff" : "#12202b"};
}

Markup heat_maps(Names const& names, std::string const& title, results::Grid const& of, std::vector<GridSeries> const& series) {
  if (of.axes.size() < 2 || series.empty() || of.cells.empty()) return {};
  auto const& up = of.axes[of.axes.size() - 2];
  auto const& across = of.axes.back();
  const std::size_t rows = up.values.size(), columns = across.values.size(), size = rows * columns;
  constexpr double width = 940, gap = 34;
  double label_room = 24;
  for (const double value : up.values) label_room = std::max(label_room, svg::text_width(plain(value), 12) + 12);
  const double left_room = label_room + 22;
  // As many panels side by side as leave the numbers room.
  std::size_t per_row = 3;
  const auto cell_room = [&](std::size_t panels) {
    return ((width - 32 - gap * double(panels - 1)) / double(panels) - left_room) / double(columns);
  };
  while (per_row > 1 && cell_room(per_row) < 62) --per_row;
  const double cell_width = std::clamp(cell_room(per_row), 46.0, 110.0);
  const double cell_height = 40, panel = left_room + cell_width * double(columns);
  const double whole = std::max(width, panel + 32);

  Markup out;
  // Key: shades from 0 to 100 %.
  for (int i = 0; i <= 10; ++i)
    out += svg::rectangle(16 + 22.0 * i, 10, 22, 12, 0, {{"class", std::string("cell")}, {"fill", shade(i / 10.0).fill}});
  out += svg::text(16, 38, "0%", {.size = 11.5, .css = "muted", .fill = muted});
  out += svg::text(16 + 242, 38, "100%", {.size = 11.5, .anchor = Anchor::end, .css = "muted", .fill = muted});
  out += svg::text(272, 21, names(Term::per_cent_of_trials), {.size = 12, .css = "muted", .fill = muted});

  struct Tile {
    std::vector<std::string> head;
    GridSeries const* series;
    std::size_t first;
  };
  std::vector<Tile> tiles;
  for (auto const& one : series)
    for (std::size_t first = 0; first < of.cells.size(); first += size) {
      const std::string slice = slice_label(of, first);
      tiles.push_back(
          {clipped(one.label + (slice.empty() ? "" : " (" + slice + ")"), panel - 8, 13, 4, Weight::bold), &one, first});
    }
  double y = 56;
  for (std::size_t begin = 0; begin < tiles.size(); begin += per_row) {
    const std::size_t end = std::min(tiles.size(), begin + per_row);
    std::size_t head_lines = 1;
    for (std::size_t t = begin; t < end; ++t) head_lines = std::max(head_lines, tiles[t].head.size());
    const double top = y + 17 * double(head_lines) + 6, bottom = top + cell_height * double(rows);
    for (std::size_t t = begin; t < end; ++t) {
      const double x0 = 16 + double(t - begin) * (panel + gap), left = x0 + left_room;
      double baseline = y + 13 + 17 * double(head_lines - tiles[t].head.size());
      for (auto const& text : tiles[t].head) {
        out += svg::text(x0, baseline, text, {.size = 13, .weight = Weight::bold, .fill = ink});
        baseline += 17;
      }
      for (std::size_t r = 0; r < rows; ++r) {
        const double row_top = bottom - cell_height * double(r + 1);
        out += svg::text(left - 8, row_top + cell_height / 2 + 4, plain(up.values[r]),
                         {.size = 12, .anchor = Anchor::end, .css = "muted", .fill = muted});
        for (std::size_t c = 0; c < columns; ++c) {
          Share const& share = tiles[t].series->cells[tiles[t].first + r * columns + c];
          const Printed text = printed(share);
          const Shade paint = shade(share.value());
          const double cell_left = left + cell_width * double(c), middle = cell_left + cell_width / 2;
          out += svg::rectangle(cell_left + 0.75, row_top + 0.75, cell_width - 1.5, cell_height - 1.5, 2,
                                {{"class", std::string("cell")},
                                 {"fill", share.of > 0 ? paint.fill : std::string("#ffffff")},
                                 {"stroke", std::string("#c3cad6")},
                                 {"stroke-width", 0.6}});
          out += svg::text(middle, row_top + (text.se.empty() ? 24 : 18), text.value,
                           {.size = 13, .weight = Weight::bold, .anchor = Anchor::middle, .css = "cell-ink", .fill = paint.ink});
          if (!text.se.empty())
            out += svg::text(middle, row_top + 32, "(" + text.se + ")",
                             {.size = 10.5, .anchor = Anchor::middle, .css = "cell-ink", .fill = paint.ink});
        }
      }
      for (std::size_t c = 0; c < columns; ++c)
        out += svg::text(left + cell_width * (double(c) + 0.5), bottom + 16, plain(across.values[c]),
                         {.size = 12, .anchor = Anchor::middle, .css = "muted", .fill = muted});
      const auto name = [](results::Grid::Axis const& a) { return a.label.empty() ? join(a.keys, ", ") : a.label; };
      out += svg::text(left + cell_width * double(columns) / 2, bottom + 36,
                       clipped(name(across), panel + gap - 20, 12.5, 1).front(),
                       {.size = 12.5, .anchor = Anchor::middle, .fill = ink});
      out += element(
          "g", {{"transform", std::string("rotate(-90 ") + coordinate(x0 + 10) + " " + coordinate((top + bottom) / 2) + ")"}},
          svg::text(x0 + 10, (top + bottom) / 2, clipped(name(up), std::max(80.0, bottom - top + 40), 12.5, 1).front(),
                    {.size = 12.5, .anchor = Anchor::middle, .fill = ink}));
    }
    y = bottom + 62;
  }
  return framed(names, whole, y - 10, title, out);
}

}  // namespace equipoise::report::rehearsal::figures

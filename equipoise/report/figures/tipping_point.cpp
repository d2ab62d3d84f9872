#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>

#include "equipoise/core/text.h"
#include "equipoise/report/figures.h"
#include "equipoise/report/figures/visit_frame.h"
#include "equipoise/report/headline.h"
#include "equipoise/report/visits.h"
#include "equipoise/results/labels.h"

namespace equipoise::report::figures {
namespace {

using svg::Anchor;
using svg::Point;
using svg::Weight;

struct Shifted {
  double delta, delta_reference, estimate, lower, upper, p;
};

/// One comparison and what becomes of it when imputed values are shifted.
struct Comparison {
  std::string arm, against;
  std::vector<double> deltas, deltas_reference;  ///< increasing, each once
  std::vector<Shifted> points;
  std::vector<int> places;  ///< of the points, row by row of `deltas_reference`; -1 where there is none

  Shifted const* at(std::size_t i, std::size_t j) const {
    const int place = places[j * deltas.size() + i];
    return place < 0 ? nullptr : &points[std::size_t(place)];
  }
  /// Both arms shifted, each by itself: cells. Both by one shift, or one arm only: a line.
  bool both() const {
    return deltas.size() > 1 && deltas_reference.size() > 1 && points.size() > std::max(deltas.size(), deltas_reference.size());
  }
};

std::vector<double> each_once(std::vector<double> values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::vector<Comparison> comparisons_of(Context const& context, results::AnalysisRun const& run) {
  std::vector<Comparison> all;
  for (const Series* series : series_of(context, run.id, "tipping_point")) {
    Comparison one;
    if (const auto found = series->at.find("difference"); found != series->at.end())
      if (const auto* levels = std::get_if<LevelDifference>(&found->second)) one.arm = levels->level, one.against = levels->minus;
    const auto read = [&](std::string_view name) {
      const auto* values = column(*series, name);
      return values ? *values : std::vector<double>();
    };
    const std::vector<double> delta = read("delta"), estimate = read("estimate"), p = read("p");
    std::vector<double> reference = read("delta_reference"), lower = read("lower"), upper = read("upper");
    const std::size_t n = delta.size();
    if (reference.empty()) reference.assign(n, 0);
    lower.resize(n, missing_number), upper.resize(n, missing_number);
    const auto finite = [](std::vector<double> const& values) {
      return std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
    };
    if (n == 0 || reference.size() != n || estimate.size() != n || p.size() != n || !finite(delta) || !finite(reference))
      continue;
    for (std::size_t i = 0; i < n; ++i) one.points.push_back({delta[i], reference[i], estimate[i], lower[i], upper[i], p[i]});
    one.deltas = each_once(delta), one.deltas_reference = each_once(reference);
    if (one.both()) one.places.assign(one.deltas.size() * one.deltas_reference.size(), -1);
    const auto place = [](std::vector<double> const& sorted, double value) {
      return std::size_t(std::ranges::lower_bound(sorted, value) - sorted.begin());
    };
    for (std::size_t i = n; i-- > 0 && one.both();)  // of two at one place the first
      one.places[place(one.deltas_reference, reference[i]) * one.deltas.size() + place(one.deltas, delta[i])] = int(i);
    all.push_back(std::move(one));
  }
  return all;
}

/// Classes of P around alpha; each a shade, so that they differ in print.
struct Shade {
  double below;  ///< times alpha
  std::string_view fill, ink;
};
constexpr std::array<Shade, 6> shades = {{{0.02, "#0b4f66", "#ffffff"},
                                          {0.2, "#2b7f9c", "#ffffff"},
                                          {1, "#8cc3d6", "#12202b"},
                                          {2, "#e4e9ef", "#12202b"},
                                          {6, "#f1f4f7", "#12202b"},
                                          {1e9, "#fbfcfd", "#12202b"}}};

/// The same where the control is the better one: another hue, as dark.
constexpr std::array<Shade, 3> control_shades = {
    {{0.02, "#6b3a05", "#ffffff"}, {0.2, "#a8621a", "#ffffff"}, {1, "#eec692", "#12202b"}}};

/// Whether an estimate speaks for the control; nothing where the protocol does not say which end is the good one.
bool for_control(protocol::Endpoint const* endpoint, double estimate) {
  if (!endpoint) return false;
  return (endpoint->benefit == protocol::Benefit::higher && estimate < 0) ||
         (endpoint->benefit == protocol::Benefit::lower && estimate > 0);
}

std::size_t shade_of(double p, double alpha) {
  std::size_t i = 0;
  while (i + 1 < shades.size() && !(p < shades[i].below * alpha)) ++i;
  return i;
}

std::string shift(double delta) { return (delta > 0 ? "+" : "") + results::fixed(delta, delta == std::round(delta) ? 0 : 2); }

/// "+7.5", "+10": all with the decimals that the finest needs.
std::vector<std::string> shifts(std::vector<double> const& deltas) {
  std::size_t decimals = 0;
  for (const double delta : deltas) {
    const std::string text = shortest(delta);
    if (const auto point = text.find('.'); point != std::string::npos)
      decimals = std::max(decimals, std::min<std::size_t>(3, text.size() - point - 1));
  }
  std::vector<std::string> out;
  for (const double delta : deltas) out.push_back((delta > 0 ? "+" : "") + results::fixed(delta, int(decimals)));
  return out;
}

int decimals_of(Comparison const& one) {
  int decimals = 0;
  for (Shifted const& point : one.points)
    if (std::isfinite(point.upper) && std::isfinite(point.lower) && point.upper > point.lower)
      return results::decimals_for(point.estimate, (point.upper - point.lower) / 3.92);
    else decimals = std::max(decimals, results::decimals_for(point.estimate, {}));
  return decimals;
}

struct Box {
  double left, top, width, height;
};

/// Where P passes alpha: the edges between cells on its two sides.
std::string boundary(Comparison const& one, Box const& at, double alpha) {
  const double w = at.width / double(one.deltas.size()), h = at.height / double(one.deltas_reference.size());
  const auto below = [&](std::size_t i, std::size_t j) -> std::optional<bool> {
    const Shifted* cell = one.at(i, j);
    return cell && !std::isnan(cell->p) ? std::optional(cell->p < alpha) : std::nullopt;
  };
  std::string d;
  for (std::size_t j = 0; j < one.deltas_reference.size(); ++j)
    for (std::size_t i = 0; i < one.deltas.size(); ++i) {
      const auto here = below(i, j);
      if (!here) continue;
      // rows upwards: the first shift of the reference stands at the bottom
      const double left = at.left + double(i) * w, bottom = at.top + at.height - double(j) * h;
      if (i + 1 < one.deltas.size())
        if (const auto right = below(i + 1, j); right && *right != *here)
          d += std::string("M") + coordinate(left + w) + " " + coordinate(bottom) + "v" + coordinate(-h);
      if (j + 1 < one.deltas_reference.size())
        if (const auto up = below(i, j + 1); up && *up != *here)
          d += std::string("M") + coordinate(left) + " " + coordinate(bottom - h) + "h" + coordinate(w);
    }
  return d;
}

/// Numbers are printed where every cell has room for its own.
bool with_numbers(Comparison const& one, Box const& at, double alpha) {
  double widest = 0;
  for (Shifted const& point : one.points)
    widest = std::max({widest, svg::text_width(results::fixed(point.estimate, decimals_of(one)), 12.5, Weight::bold),
                       svg::text_width(results::p_value(point.p, alpha), 11)});
  return widest + 8 <= at.width / double(one.deltas.size()) && at.height / double(one.deltas_reference.size()) >= 34;
}

Markup cells(Comparison const& one, Box const& at, double alpha, protocol::Endpoint const* endpoint) {
  const double w = at.width / double(one.deltas.size()), h = at.height / double(one.deltas_reference.size());
  const int decimals = decimals_of(one);
  const bool printed = with_numbers(one, at, alpha);
  const double inset = std::min({4.0, w / 6, h / 6});  // of the ring
  const double gap = std::min({1.5, w / 14, h / 14});  // between cells
  Markup fills, texts;
  for (std::size_t j = 0; j < one.deltas_reference.size(); ++j)
    for (std::size_t i = 0; i < one.deltas.size(); ++i) {
      const Shifted* cell = one.at(i, j);
      const double left = at.left + double(i) * w, top = at.top + at.height - double(j + 1) * h;
      if (!cell) continue;
      const bool ne = std::isnan(cell->p);
      const std::size_t which = ne ? shades.size() - 1 : shade_of(cell->p, alpha);
      const Shade& shade =
          which < control_shades.size() && for_control(endpoint, cell->estimate) ? control_shades[which] : shades[which];
      fills += svg::tip(shift(cell->delta) + " / " + shift(cell->delta_reference) + ": " +
                            results::fixed(cell->estimate, decimals) + ", " + results::p_statement(cell->p, alpha),
                        svg::rectangle(left + gap / 2, top + gap / 2, w - gap, h - gap, gap > 1 ? 2 : 0,
                                       {{"class", std::string("cell")},
                                        {"fill", std::string(shade.fill)},
                                        {"stroke", std::string("#d5dce6")},
                                        {"stroke-width", gap > 1 ? 0.6 : 0.2}}));
      if (printed || ne) {
        const std::string css = "cell-ink";
        texts += svg::text(left + w / 2, top + h / 2 + (printed ? -2 : 4), results::fixed(cell->estimate, decimals),
                           {.size = 12.5, .weight = Weight::bold, .anchor = Anchor::middle, .css = css, .fill = shade.ink});
        if (printed)
          texts += svg::text(left + w / 2, top + h / 2 + 13, results::p_value(cell->p, alpha),
                             {.size = 11, .anchor = Anchor::middle, .css = css, .fill = shade.ink});
      }
      if (cell->delta == 0 && cell->delta_reference == 0)
        texts += element("rect", {{"x", left + inset},
                                  {"y", top + inset},
                                  {"width", w - 2 * inset},
                                  {"height", h - 2 * inset},
                                  {"rx", std::min(14.0, h / 2 - inset)},
                                  {"class", std::string("cell-ring")},
                                  {"fill", std::string("none")},
                                  {"stroke", std::string(shade.ink)},
                                  {"stroke-width", 1.6}});
    }
  Markup out = fills + texts;
  if (const std::string d = boundary(one, at, alpha); !d.empty()) {
    const Attributes round = {{"fill", std::string("none")}, {"stroke-linecap", std::string("round")}};
    Attributes edge = round, line = round;
    edge.insert(edge.begin(), {{"class", std::string("edge")}, {"stroke", std::string("#ffffff")}, {"stroke-width", 6.0}});
    line.insert(line.begin(), {{"class", std::string("boundary")}, {"stroke", std::string(ink)}, {"stroke-width", 3.2}});
    out += svg::path(d, edge) + svg::path(d, line);
  }
  return out;
}

/// What the shades mean; `whom` says for which arm such an answer speaks, up to alpha.
Markup key(Context const& context, double left, double y, double alpha, std::span<const Shade> of, std::string const& whom) {
  const auto limit = [&](std::size_t i) {  // 0.2 * 0.05 is 0.01
    std::string text = results::significant(of[i].below * alpha, 3);
    while (text.back() == '0' && text.find('.') != std::string::npos) text.pop_back();
    return text;
  };
  double x = left;
  Markup out = svg::text(x, y + 11, context.words(Word::column_p), {.size = 12, .weight = Weight::bold, .fill = ink});
  x += 18;
  for (std::size_t i = 0; i < of.size(); ++i) {
    std::string text;
    if (i == 0) text = "< " + limit(0);
    else if (i + 1 == shades.size()) text = "\u2265 " + limit(i - 1);
    else text = results::interval(limit(i - 1), limit(i), context.language());
    if (i > 0 && of[i - 1].below == 1)  // alpha lies between these two
      out += svg::line(x - 5, y - 3, x - 5, y + 17, "ink-line", ink, 3);
    out += svg::rectangle(x, y, 22, 14, 2,
                          {{"class", std::string("cell")},
                           {"fill", std::string(of[i].fill)},
                           {"stroke", std::string("#98a2b3")},
                           {"stroke-width", 0.6}});
    out += svg::text(x + 28, y + 11, text, {.size = 12, .css = "muted", .fill = muted});
    x += 28 + svg::text_width(text, 12) + 18;
    if (of[i].below == 1 && !whom.empty()) {
      out += svg::text(x - 8, y + 11, whom, {.size = 12, .css = "muted", .fill = muted});
      x += svg::text_width(whom, 12) + 18;
    }
  }
  return out;
}

/// Labels of one axis, as many as have room, that of no shift among them.
std::vector<bool> with_room(std::vector<double> const& deltas, std::vector<std::string> const& labels, double step, bool across) {
  double widest = 14;
  if (across)
    for (auto const& label : labels) widest = std::max(widest, svg::text_width(label, 12) + 8);
  const std::size_t n = labels.size(), every = std::max<std::size_t>(1, std::size_t(std::ceil(widest / step)));
  const std::size_t none = std::size_t(std::ranges::find(deltas, 0.0) - deltas.begin()) % n;
  std::vector<bool> shown(n);
  for (std::size_t i = 0; i < n; ++i) shown[i] = (i + every * n - none) % every == 0;
  return shown;
}

std::string heading(Context const& context, Comparison const& one) {
  return context.words(Word::compared_with, context.arm(one.arm), context.arm(one.against));
}

/// In words where the result turns.
std::string turning(Context const& context, Comparison const& one, double alpha) {
  auto const& words = context.words;
  const std::string limit = shortest(alpha);
  std::int64_t below = 0, tried = 0;
  for (Shifted const& point : one.points) {
    if (std::isnan(point.p)) continue;
    ++tried, below += point.p < alpha;
  }
  if (below == tried) return words(Word::tipping_all_below, limit);
  if (below == 0) return words(Word::tipping_none_below, limit);
  if (one.both()) return words(Word::tipping_some_below, limit, below, tried);
  std::vector<Shifted> line = one.points;
  const bool active = one.deltas.size() > 1;
  const auto moved = [&](Shifted const& s) { return active ? s.delta : s.delta_reference; };
  std::ranges::stable_sort(line, {}, moved);
  std::string text;
  for (std::size_t i = 0; i + 1 < line.size(); ++i)
    if (!std::isnan(line[i].p) && !std::isnan(line[i + 1].p) && (line[i].p < alpha) != (line[i + 1].p < alpha))
      text += (text.empty() || words.chinese() ? "" : " ") +
              words(Word::tipping_crossed, limit, shift(moved(line[i])), shift(moved(line[i + 1])));
  return text.empty() ? words(Word::tipping_some_below, limit, below, tried) : text;
}

struct Part {
  Markup body;
  double height = 0;
  bool numbers = false;  ///< in the cells
};

Part heat(Context const& context, Comparison const& one, protocol::Endpoint const* endpoint, std::string const& unit, double top,
          double width) {
  const double alpha = context.alpha();
  const std::vector<std::string> across = shifts(one.deltas), up = shifts(one.deltas_reference);
  double label_room = 30;
  for (auto const& label : up) label_room = std::max(label_room, svg::text_width(label, 12));
  const double left = 44 + label_room, room = width - left - 20;
  const double w = std::min(84.0, room / double(one.deltas.size()));
  const double h = std::clamp(360.0 / double(one.deltas_reference.size()), 8.0, 46.0);
  const Box at{left, top + 52, w * double(one.deltas.size()), h * double(one.deltas_reference.size())};
  Part part;
  part.body += svg::text(16, top + 14, heading(context, one), {.size = font, .weight = Weight::bold, .fill = ink});
  part.body += cells(one, at, alpha, endpoint);
  part.numbers = with_numbers(one, at, alpha);
  const std::vector<bool> shown_across = with_room(one.deltas, across, w, true),
                          shown_up = with_room(one.deltas_reference, up, h, false);
  for (std::size_t i = 0; i < across.size(); ++i)
    if (shown_across[i])
      part.body += svg::text(at.left + (double(i) + 0.5) * w, at.top + at.height + 18, across[i],
                             {.size = 12, .anchor = Anchor::middle, .css = "muted", .fill = muted});
  for (std::size_t j = 0; j < up.size(); ++j)
    if (shown_up[j])
      part.body += svg::text(at.left - 8, at.top + at.height - (double(j) + 0.5) * h + 4, up[j],
                             {.size = 12, .anchor = Anchor::end, .css = "muted", .fill = muted});
  const auto title = [&](std::string const& arm) {
    return with_unit(context, context.words(Word::tipping_delta, context.arm(arm)), unit);
  };
  const double middle = at.left + at.width / 2;
  const std::string below = title(one.arm);
  const double half = svg::text_width(below, font, Weight::bold) / 2;
  part.body += svg::text(std::clamp(middle, std::min(16 + half, width - 16 - half), width - 16 - half), at.top + at.height + 40,
                         below, {.size = font, .weight = Weight::bold, .anchor = Anchor::middle, .fill = ink});
  // The vertical title lies above the cells: turned, it would be longer than few rows are high.
  part.body += svg::text(16, top + 38, "\u2191 " + title(one.against), {.size = font, .weight = Weight::bold, .fill = ink});
  part.height = at.top + at.height + 46 - top;
  return part;
}

/// Estimates with intervals along the shift of one arm.
Part along(Context const& context, Comparison const& one, std::string const& unit, double top) {
  const double alpha = context.alpha();
  const bool active = one.deltas.size() > 1 || one.deltas_reference.size() <= 1;
  std::vector<Shifted> line = one.points;
  const auto moved = [&](Shifted const& s) { return active ? s.delta : s.delta_reference; };
  std::ranges::stable_sort(line, {}, moved);
  Range range;
  range.add(0);
  for (Shifted const& s : line)
    for (const double value : {s.estimate, s.lower, s.upper}) range.add(value);
  Layout at;
  at.top = top + 48, at.plot_height = 260, at.bottom = at.top + at.plot_height, at.right = at.width - 60;
  const svg::Scale x{moved(line.front()), moved(line.back()), at.left + 30, at.right - 20};
  const ValueAxis y = value_axis(range.low, range.high, at.top, at.bottom, true);
  const ArmStyle style = context.style(one.arm);
  const std::string slot = std::to_string(style.slot);

  Part part;
  part.body += svg::text(16, top + 14, heading(context, one), {.size = font, .weight = Weight::bold, .fill = ink});
  part.body += draw_value_axis(at, y, 0);
  part.body += svg::line(at.left, at.bottom, at.right, at.bottom, "axis", axis);
  if (moved(line.front()) <= 0 && moved(line.back()) >= 0)
    part.body += svg::path(std::string("M") + coordinate(x(0)) + " " + coordinate(at.top) + "V" + coordinate(at.bottom),
                           {{"class", std::string("axis")},
                            {"fill", std::string("none")},
                            {"stroke", std::string(axis)},
                            {"stroke-dasharray", std::string("3 3")}});
  std::vector<Point> points;
  Markup marks;
  for (Shifted const& s : line) {
    points.push_back({x(moved(s)), std::isfinite(s.estimate) ? y(s.estimate) : missing_number});
    if (!std::isfinite(s.estimate)) continue;
    Markup mark;
    if (std::isfinite(s.lower) && std::isfinite(s.upper)) mark += whisker(points.back().x, y(s.lower), y(s.upper), style);
    if (s.p < alpha) mark += svg::marker(style.shape, points.back(), 5, std::string("mark f") + slot, style.colour);
    else mark += svg::hollow_marker(style.shape, points.back(), 4.6, std::string("hollow s") + slot, style.colour);
    marks += svg::tip(shift(moved(s)) + ": " + results::fixed(s.estimate, results::decimals_for(s.estimate, {})) + ", " +
                          results::p_statement(s.p, alpha),
                      mark);
  }
  part.body += svg::path(broken_line(points), {{"class", std::string("curve s") + slot},
                                               {"fill", std::string("none")},
                                               {"stroke", std::string(style.colour)},
                                               {"stroke-width", 1.8}}) +
               marks;
  std::vector<double> deltas = active ? one.deltas : one.deltas_reference;
  const std::vector<std::string> labels = shifts(deltas);
  std::vector<std::string> p;
  double widest = 0;
  for (std::size_t i = 0; i < line.size() && line.size() == deltas.size(); ++i) {
    p.push_back(results::p_value(line[i].p, alpha));
    widest = std::max({widest, svg::text_width(p.back(), 12), svg::text_width(labels[i], 12)});
  }
  const double step = deltas.size() > 1 ? (x.end - x.start) / double(deltas.size() - 1) : 100;
  const std::size_t every = std::max<std::size_t>(1, std::size_t(std::ceil((widest + 10) / step)));
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    part.body += svg::line(x(deltas[i]), at.bottom, x(deltas[i]), at.bottom + 5, "axis", axis);
    if ((deltas.size() - 1 - i) % every != 0) continue;
    part.body +=
        svg::text(x(deltas[i]), at.bottom + 20, labels[i], {.size = 12, .anchor = Anchor::middle, .css = "muted", .fill = muted});
    if (!p.empty())
      part.body +=
          svg::text(x(deltas[i]), at.bottom + 68, p[i], {.size = 12, .anchor = Anchor::middle, .css = "ink", .fill = ink});
  }
  if (!p.empty())
    part.body += svg::text(16, at.bottom + 68, context.words(Word::column_p), {.size = 12, .weight = Weight::bold, .fill = ink});
  part.body +=
      svg::text(16, at.top - 14, with_unit(context, context.words(Word::visit_difference_from, context.arm(one.against)), unit),
                {.size = 12, .css = "muted", .fill = muted});
  const bool alike = one.deltas.size() > 1 && one.deltas_reference.size() > 1;
  const std::string shifted = alike ? context.words(Word::tipping_delta_all)
                                    : context.words(Word::tipping_delta, context.arm(active ? one.arm : one.against));
  part.body += svg::text((at.left + at.right) / 2, at.bottom + 42, with_unit(context, shifted, unit),
                         {.size = font, .weight = Weight::bold, .anchor = Anchor::middle, .fill = ink});
  part.height = at.bottom + 84 - top;
  return part;
}

}  // namespace

Markup tipping_point(Context const& context, results::AnalysisRun const& run) {
  const std::vector<Comparison> all = comparisons_of(context, run);
  if (all.empty()) return {};
  auto const& words = context.words;
  const double alpha = context.alpha(), width = 940;
  const std::string unit = context.endpoint_unit(run.endpoint);
  const protocol::Endpoint* endpoint = context.plan.endpoint(run.endpoint);
  Markup body;
  double top = 6;
  bool some_cells = false, some_lines = false, some_numbers = false;
  std::vector<std::string> turns;
  for (Comparison const& one : all) {
    Part part = one.both() ? heat(context, one, endpoint, unit, top, width) : along(context, one, unit, top);
    (one.both() ? some_cells : some_lines) = true;
    some_numbers = some_numbers || part.numbers;
    body += part.body;
    top += part.height + 26;
    const std::string separator = words.chinese() ? "：" : ": ";
    turns.push_back(heading(context, one) + separator + turning(context, one, alpha));
  }
  if (some_cells) {
    // Where both arms come out ahead somewhere, each has a row of the key.
    bool of_active = false, of_control = false;
    for (Comparison const& one : all)
      for (Shifted const& point : one.points)
        if (one.both() && point.p < alpha) (for_control(endpoint, point.estimate) ? of_control : of_active) = true;
    const std::string active = all.size() == 1 ? context.arm(all.front().arm) : words(Word::tipping_other_arm);
    const bool directed = of_control;
    body += key(context, 16, top - 8, alpha, shades, directed ? words(Word::tipping_favours, active) : std::string());
    if (directed)
      top += 24, body +=
                 key(context, 16, top - 8, alpha, control_shades, words(Word::tipping_favours, context.arm(all.front().against)));
    top += 32;
  }
  std::vector<std::string> notes;
  if (some_numbers) notes.push_back(words(Word::tipping_note_cells));
  if (some_cells) notes.push_back(words(Word::tipping_note_boundary, shortest(alpha)));
  if (some_lines) notes.push_back(words(Word::tipping_note_line, shortest(alpha)));
  notes.insert(notes.end(), turns.begin(), turns.end());
  const std::string name =
      words(Word::tipping_aria, context.analysis(run), context.set(run.set), join(turns, words.chinese() ? "" : " "));
  return scrolling("plot", svg::figure(width, top - 16, name, watermark(context), body)) + note(context, notes);
}

}  // namespace equipoise::report::figures

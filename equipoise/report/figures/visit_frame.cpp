#include "equipoise/report/figures/visit_frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/results/labels.h"

namespace equipoise::report::figures {

using svg::Anchor;
using svg::Weight;

namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

/// Start and length of the only run of digits; nothing when there are none, or several.
std::optional<std::pair<std::size_t, std::size_t>> only_number(std::string const& text) {
  const auto first = std::ranges::find_if(text, digit);
  const auto end = std::find_if_not(first, text.end(), digit);
  if (first == text.end() || std::find_if(end, text.end(), digit) != text.end()) return {};
  return std::pair(std::size_t(first - text.begin()), std::size_t(end - first));
}

/// "Week 4", "Week 8" are the numbers 4, 8 of "Week"; of "第4周" they count "周". The baseline may have a name of its own.
void count_labels(VisitAxis& visits) {
  std::string before, after;
  std::size_t counted = 0;
  std::vector<std::string> numbers;
  for (std::size_t i = 0; i < visits.labels.size(); ++i) {
    std::string const& label = visits.labels[i];
    const auto found = only_number(label);
    if (!found && i == 0 && visits.labels.size() > 2) {
      numbers.push_back("0");  // the reference day, when it is
      if (!visits.at_days || visits.place[0] != 0) return;
      continue;
    }
    if (!found) return;
    const std::string head = label.substr(0, found->first), tail = label.substr(found->first + found->second);
    if (counted++ == 0) before = head, after = tail;
    if (head != before || tail != after) return;
    numbers.push_back(label.substr(found->first, found->second));
  }
  std::string name = after.empty() ? before : after;
  while (!name.empty() && name.back() == ' ') name.pop_back();
  while (!name.empty() && name.front() == ' ') name.erase(name.begin());
  if (counted < 2 || name.size() < 2) return;  // "V1", "V2": the letter says nothing by itself
  visits.numbers = std::move(numbers), visits.counted = std::move(name);
}

/// With as many decimals as their step needs.
std::vector<std::string> tick_labels(std::vector<double> const& ticks, bool signs) {
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 1;
  const int decimals = std::clamp(-int(std::floor(std::log10(step) + 1e-9)), 0, 8);
  std::vector<std::string> labels;
  for (const double tick : ticks) labels.push_back((signs && tick > 0 ? "+" : "") + results::fixed(tick, decimals));
  return labels;
}

std::vector<std::string> labels_of(VisitAxis const& visits, bool numbers) { return numbers ? visits.numbers : visits.labels; }

}  // namespace

VisitAxis visit_axis(Context const& context, std::vector<std::string> const& visits) {
  VisitAxis out;
  out.visits = visits;
  for (auto const& id : visits) {
    const auto* visit = context.plan.visit(id);
    const double day = visit ? visit->day.offset() : 0;
    out.at_days = out.at_days && visit && (out.place.empty() || day > out.place.back());
    out.place.push_back(day);
    out.labels.push_back(context.visit(id));
  }
  if (!out.at_days)
    for (std::size_t i = 0; i < visits.size(); ++i) out.place[i] = double(i);
  count_labels(out);
  return out;
}

bool VisitColumns::all_shown() const {
  return std::ranges::all_of(shown, [](bool one) { return one; });
}

VisitColumns draw_visit_axis(Context const& context, Layout const& at, VisitAxis const& visits, svg::Scale const& x,
                             std::vector<double> const& widths, std::string const& kept) {
  const std::size_t n = visits.visits.size();
  VisitColumns out;
  out.x.resize(n), out.shown.assign(n, true);
  const double room = at.right - at.left + 70, gap = 9;
  const auto needed = [&](std::vector<std::string> const& labels) {
    std::vector<double> room_for(n);
    for (std::size_t i = 0; i < n; ++i)
      room_for[i] = std::max(svg::text_width(labels[i], font), widths.empty() ? 0.0 : widths[i]) + gap;
    return room_for;
  };
  const auto overlap = [&](std::vector<double> const& wide) {
    for (std::size_t i = 0; i + 1 < n; ++i)
      if (x(visits.place[i]) + wide[i] / 2 > x(visits.place[i + 1]) - wide[i + 1] / 2) return true;
    return false;
  };
  bool numbers = false;
  std::vector<double> wide = needed(visits.labels);
  if (!visits.numbers.empty() && overlap(wide)) numbers = true, wide = needed(visits.numbers);
  const std::vector<std::string> labels = labels_of(visits, numbers);

  // Too many: every second, third, ... visit, counted back from the last one, and the one that is to be kept.
  const auto total = [&] {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i)
      if (out.shown[i]) sum += wide[i];
    return sum;
  };
  for (std::size_t every = 2; total() > room && every < n; ++every)
    for (std::size_t i = 0; i < n; ++i) out.shown[i] = (n - 1 - i) % every == 0 || visits.visits[i] == kept;

  std::vector<double> wanted, heights;
  for (std::size_t i = 0; i < n; ++i) {
    out.x[i] = x(visits.place[i]);
    if (out.shown[i]) wanted.push_back(out.x[i]), heights.push_back(wide[i]);
  }
  // Visits in a crowd push their columns to the right only; the second pass from the right spreads them to both sides.
  std::vector<double> placed = svg::pushed_apart(wanted, heights, at.left - 35, at.right + 35);
  std::vector<double> mirrored(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) mirrored[i] = -wanted[i];
  const std::vector<double> other = svg::pushed_apart(mirrored, heights, -at.right - 35, -at.left + 35);
  bool moved = false;
  for (std::size_t i = 0, k = 0; i < n; ++i) {
    if (!out.shown[i]) continue;
    const double true_x = out.x[i];
    out.x[i] = (placed[k] - other[k]) / 2;
    moved = moved || std::fabs(out.x[i] - true_x) > 1;
    ++k;
  }

  out.drawn += svg::line(at.left, at.bottom, at.right, at.bottom, "axis", axis);
  const double label_y = at.bottom + (moved ? 31 : 21);
  for (std::size_t i = 0; i < n; ++i) {
    const double tick = x(visits.place[i]);
    out.drawn += svg::line(tick, at.bottom, tick, at.bottom + 5, "axis", axis);
    if (!out.shown[i]) continue;
    if (moved) out.drawn += svg::line(tick, at.bottom + 5, out.x[i], label_y - 13, "axis", axis);
    const bool bold = visits.visits[i] == kept;
    out.drawn += svg::text(out.x[i], label_y, labels[i],
                           {.size = font,
                            .weight = bold ? Weight::bold : Weight::regular,
                            .anchor = Anchor::middle,
                            .css = bold ? "ink" : "muted",
                            .fill = bold ? ink : muted});
  }
  out.title = label_y + 23;
  out.drawn += svg::text((at.left + at.right) / 2, out.title, numbers ? visits.counted : context.words(Word::visit_axis),
                         {.size = font, .weight = Weight::bold, .anchor = Anchor::middle, .fill = ink});
  return out;
}

double ValueAxis::operator()(double value) const { return scale(logarithmic ? std::log(value) : value); }

ValueAxis value_axis(double low, double high, double top, double bottom, bool signs, int most) {
  if (!(high > low)) {
    const double size = std::max(1.0, std::fabs(low));
    low -= size / 2, high += size / 2;
  }
  const double room = 0.04 * (high - low);
  low -= room, high += room;
  ValueAxis y;
  y.scale = {low, high, bottom, top};
  y.ticks = svg::ticks_between(low, high, most);
  y.labels = tick_labels(y.ticks, signs);
  return y;
}

ValueAxis ratio_axis(double low, double high, double top, double bottom) {
  if (!(high > low)) low /= 1.5, high *= 1.5;
  const double room = std::pow(high / low, 0.05);
  low /= room, high *= room;
  ValueAxis y;
  y.logarithmic = true;
  y.scale = {std::log(low), std::log(high), bottom, top};
  // Round numbers of each power of ten, the coarsest list that gives at least three lines; over a short range even steps.
  const std::vector<std::vector<double>> lists = {{1}, {1, 2, 5}, {1, 1.5, 2, 3, 5, 7}};
  for (auto const& list : lists) {
    y.ticks.clear();
    for (int power = int(std::floor(std::log10(low))); power <= int(std::ceil(std::log10(high))); ++power)
      for (const double digit : list)
        if (const double tick = digit * std::pow(10.0, power); tick >= low && tick <= high) y.ticks.push_back(tick);
    if (y.ticks.size() >= 3) break;
  }
  if (y.ticks.size() < 3) {
    y.ticks = svg::ticks_between(low, high, 7);
    y.labels = tick_labels(y.ticks, false);
    return y;
  }
  for (const double tick : y.ticks) y.labels.push_back(shortest(std::stod(fmt::format("{:.3g}", tick))));
  return y;
}

ValueAxis share_axis(double low, double high, double top, double bottom) {
  const double room = std::max(0.04 * (high - low), 0.005);
  ValueAxis y;
  y.scale = {std::max(0.0, low - room), std::min(1.0, high + room), bottom, top};
  std::vector<double> percent = svg::ticks_between(100 * y.scale.from, 100 * y.scale.to, 8);
  for (std::string const& label : tick_labels(percent, false)) y.labels.push_back(label + "%");
  for (const double tick : percent) y.ticks.push_back(tick / 100);
  return y;
}

Markup draw_value_axis(Layout const& at, ValueAxis const& y, double reference) {
  Markup out;
  for (std::size_t i = 0; i < y.ticks.size(); ++i) {
    const double level = y(y.ticks[i]);
    if (y.ticks[i] != reference && std::fabs(level - at.bottom) > 1)
      out += svg::line(at.left, level, at.right, level, "grid", grid);
    out +=
        svg::text(at.left - 10, level + 4.5, y.labels[i], {.size = font, .anchor = Anchor::end, .css = "muted", .fill = muted});
  }
  const double level = y(reference);
  if (std::isfinite(level) && level >= at.top && level <= at.bottom)
    out += svg::line(at.left, level, at.right, level, "axis", axis, 1.4);
  return out;
}

void Range::add(double value) {
  if (!std::isfinite(value)) return;
  if (empty) low = high = value;
  low = std::min(low, value), high = std::max(high, value), empty = false;
}

Markup primary_band(Layout const& at, double x, double width) {
  return svg::rectangle(x - width / 2, at.top - 4, width, at.bottom - at.top + 4, 4,
                        {{"class", std::string("here")}, {"fill", std::string("#eef2f8")}});
}

std::vector<double> dodges(std::size_t arms, VisitAxis const& visits, svg::Scale const& x) {
  double nearest = x.end - x.start;
  for (std::size_t i = 0; i + 1 < visits.place.size(); ++i)
    nearest = std::min(nearest, x(visits.place[i + 1]) - x(visits.place[i]));
  const double step = arms > 1 ? std::min(9.0, 0.55 * nearest / double(arms - 1)) : 0;
  std::vector<double> moved;
  for (std::size_t i = 0; i < arms; ++i) moved.push_back(step * (double(i) - (double(arms) - 1) / 2));
  return moved;
}

Markup whisker(double x, double from, double to, ArmStyle const& style) {
  const double cap = 3.2;
  const std::string d = std::string("M") + coordinate(x) + " " + coordinate(from) + "V" + coordinate(to) + "M" +
                        coordinate(x - cap) + " " + coordinate(from) + "h" + coordinate(2 * cap) + "M" + coordinate(x - cap) +
                        " " + coordinate(to) + "h" + coordinate(2 * cap);
  return svg::path(d, {{"class", std::string("whisker s") + std::to_string(style.slot)},
                       {"fill", std::string("none")},
                       {"stroke", std::string(style.colour)},
                       {"stroke-width", 1.4}});
}

std::string broken_line(std::vector<svg::Point> const& points) {
  std::string d;
  bool down = false;
  for (auto const& point : points) {
    if (!std::isfinite(point.x) || !std::isfinite(point.y)) {
      down = false;
      continue;
    }
    d.append(down ? "L" : "M").append(coordinate(point.x)).append(" ").append(coordinate(point.y));
    down = true;
  }
  return d;
}

std::string with_unit(Context const& context, std::string const& what, std::string const& unit) {
  if (unit.empty()) return what;
  return context.words.chinese() ? what + "\uff08" + unit + "\uff09" : what + " (" + unit + ")";
}

void add_axis_notes(Context const& context, VisitAxis const& visits, VisitColumns const& columns, std::string const& primary,
                    std::vector<std::string>& notes) {
  if (!primary.empty()) notes.push_back(context.words(Word::visit_primary_note, context.visit(primary)));
  if (!visits.at_days) notes.push_back(context.words(Word::visit_even_note));
  if (!columns.all_shown()) notes.push_back(context.words(Word::visit_some_note));
}

Markup note(Context const& context, std::vector<std::string> const& sentences) {
  return element("p", "note", join(sentences, context.words.chinese() ? "" : " "));
}

std::string watermark(Context const& context) {
  return context.answer.provenance.simulated ? context.words(Word::simulated_mark) : std::string();
}

}  // namespace equipoise::report::figures

#include <algorithm>
#include <array>

#include "equipoise/report/figures.h"
#include "equipoise/report/svg.h"

namespace equipoise::report::figures {
namespace {

using svg::Anchor;
using svg::Weight;

constexpr std::string_view ink = "#1c2430", muted = "#5b6472", border = "#c3cad6", box_fill = "#f6f8fb", plain_fill = "#ffffff",
                           arrow = "#98a2b3";
constexpr double font = 12.5, line_height = 18, padding = 12;

/// A line of a box: words to the left, a count to the right; wrapped words carry the count on their last line.
struct Line {
  std::string words, count;
  bool bold = false;
};
struct Box {
  std::vector<Line> lines;
};

void add(Box& box, std::string const& words, std::string const& count, double width, bool bold, double indent = 0) {
  const Weight weight = bold ? Weight::bold : Weight::regular;
  const double room = width - 2 * padding - indent - (count.empty() ? 0 : svg::text_width(count, font, Weight::bold) + 10);
  const std::vector<std::string> wrapped = svg::wrapped(words, std::max(40.0, room), font, weight);
  for (std::size_t i = 0; i < wrapped.size(); ++i) box.lines.push_back({wrapped[i], i + 1 == wrapped.size() ? count : "", bold});
}

double height(Box const& box) { return double(box.lines.size()) * line_height + 2 * padding - 4; }

Markup draw(Box const& box, double x, double y, double width, double full_height, std::string_view fill) {
  Markup out = svg::rectangle(x, y, width, full_height, 7,
                              {{"class", std::string(fill == plain_fill ? "box" : "box tint")},
                               {"fill", std::string(fill)},
                               {"stroke", std::string(border)},
                               {"stroke-width", 1.0}});
  double baseline = y + padding + 11;
  for (auto const& line : box.lines) {
    const Weight weight = line.bold ? Weight::bold : Weight::regular;
    const std::string_view css = line.bold ? "ink" : "muted", colour = line.bold ? ink : muted;
    out += svg::text(x + padding, baseline, line.words, {.size = font, .weight = weight, .css = css, .fill = colour});
    if (!line.count.empty())
      out += svg::text(x + width - padding, baseline, line.count,
                       {.size = font, .weight = weight, .anchor = Anchor::end, .css = css, .fill = colour});
    baseline += line_height;
  }
  return out;
}

Markup arrow_down(double x, double from, double to) {
  return svg::path(std::string("M") + coordinate(x) + " " + coordinate(from) + "V" + coordinate(to - 5),
                   {{"class", std::string("arrow")},
                    {"fill", std::string("none")},
                    {"stroke", std::string(arrow)},
                    {"stroke-width", 1.3}}) +
         svg::path(std::string("M") + coordinate(x - 4) + " " + coordinate(to - 7) + "L" + coordinate(x + 4) + " " +
                       coordinate(to - 7) + "L" + coordinate(x) + " " + coordinate(to) + "Z",
                   {{"class", std::string("arrowhead")}, {"fill", std::string(arrow)}});
}

}  // namespace

Markup participant_flow(Context const& context) {
  auto const& words = context.words;
  auto const& columns = context.answer.flow;
  if (columns.empty()) return element("p", "note", words(Word::flow_nobody));
  const Word followed = context.answer.provenance.cutoff ? Word::flow_at_cutoff : Word::flow_completed;

  const double gap = 22, least = 168, margin = 4;
  const double count = double(columns.size());
  const double width = std::max(940.0, 2 * margin + count * least + (count - 1) * gap);
  const double column_width = std::min(300.0, (width - 2 * margin - (count - 1) * gap) / count);
  const double used = count * column_width + (count - 1) * gap;
  const auto column_x = [&](std::size_t i) { return (width - used) / 2 + double(i) * (column_width + gap); };

  // Rows: allocated, left early, followed to the end, one for each analysis set. A row is as high as its highest box.
  std::vector<std::string> sets;
  for (auto const& column : columns)
    for (auto const& set : column.sets)
      if (std::find(sets.begin(), sets.end(), set.id) == sets.end()) sets.push_back(set.id);
  std::vector<std::vector<Box>> rows(3 + sets.size(), std::vector<Box>(columns.size()));
  std::string described;
  const auto number = [](std::int64_t n) { return std::to_string(n); };
  for (std::size_t i = 0; i < columns.size(); ++i) {
    results::FlowArm const& column = columns[i];
    const std::string name = context.arm(column.arm);
    add(rows[0][i], name, "", column_width, true);
    if (const auto* arm = context.plan.arm(column.arm); arm && arm->dose)
      add(rows[0][i], results::amount_label(arm->dose->amount, arm->dose->unit, context.language()), "", column_width, false);
    add(rows[0][i], words(Word::flow_allocated), number(column.randomised), column_width, false);
    std::int64_t left = 0;
    for (auto const& reason : column.left) left += reason.n;
    add(rows[1][i], words(Word::flow_left), number(left), column_width, true);
    for (auto const& reason : column.left) add(rows[1][i], reason.label, number(reason.n), column_width, false);
    add(rows[2][i], words(followed), number(column.completed), column_width, true);
    for (auto const& set : column.sets) {
      Box& box = rows[3 + std::size_t(std::find(sets.begin(), sets.end(), set.id) - sets.begin())][i];
      add(box, context.set(set.id), number(set.n), column_width, true);
      for (auto const& reason : set.excluded) add(box, reason.label, number(reason.n), column_width, false);
    }
    described += (described.empty() ? "" : "; ") + name + ": " + words(Word::flow_allocated) + " " + number(column.randomised) +
                 ", " + words(Word::flow_left) + " " + number(left) + ", " + words(followed) + " " + number(column.completed);
  }

  Box top;
  const double top_width = 210;
  add(top, words(Word::flow_randomised), number(context.randomised()), top_width, true);
  Markup body = draw(top, (width - top_width) / 2, 4, top_width, height(top), plain_fill);
  double y = 4 + height(top);
  const double rail = y + 16;
  const double middle = width / 2;
  body += svg::line(middle, y, middle, rail, "arrow", arrow, 1.3);
  if (columns.size() > 1)
    body += svg::line(column_x(0) + column_width / 2, rail, column_x(columns.size() - 1) + column_width / 2, rail, "arrow", arrow,
                      1.3);
  y = rail;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    double row_height = 0;
    for (auto const& box : rows[r]) row_height = std::max(row_height, height(box));
    const double next = y + (r == 0 ? 20 : 24);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      body += arrow_down(column_x(i) + column_width / 2, y, next);
      body += draw(rows[r][i], column_x(i), next, column_width, row_height, r == 1 ? box_fill : plain_fill);
      if (r == 0) {
        const ArmStyle style = context.style(columns[i].arm);
        body += svg::rectangle(column_x(i), next - 1, column_width, 4, 2,
                               {{"class", std::string("f") + std::to_string(style.slot)}, {"fill", std::string(style.colour)}});
      }
    }
    y = next + row_height;
  }
  const std::string watermark = context.answer.provenance.simulated ? words(Word::simulated_mark) : std::string();
  const std::string title = words(Word::flow_aria, context.randomised(), described);
  return scrolling("plot", svg::figure(width, y + 6, title, watermark, body)) + element("p", "note", words(Word::flow_note));
}

}  // namespace equipoise::report::figures

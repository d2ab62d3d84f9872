#include <cmath>

#include "equipoise/report/tables.h"

namespace equipoise::report::tables {
namespace {

using Cell = results::BaselineItem::Cell;

std::string level_label(Context const& context, std::string_view item_id, std::string const& level) {
  if (const auto* item = context.plan.item(item_id.substr(0, item_id.find('@'))))
    for (auto const& code : item->codes)
      if (code.id == level) return context.label(code.label, level);
  if (level == "true") return context.words(Word::yes);
  if (level == "false") return context.words(Word::no);
  return level;
}

/// One more decimal than the data for the mean, as customary; the data's own decimals are read off the extremes and the median.
int decimals_of(results::BaselineItem const& item) {
  int decimals = 0;
  for (auto const& cell : item.cells)
    for (const double value : {cell.min, cell.max})
      for (; decimals < 3 && std::isfinite(value); ++decimals)
        if (std::fabs(value * std::pow(10.0, decimals) - std::round(value * std::pow(10.0, decimals))) < 1e-6) break;
  return decimals;
}

template <class Write>
Markup row(std::string const& head, std::vector<Cell> const& cells, Write write) {
  Markup out = element("th", {{"scope", std::string("row")}, {"class", std::string("sub")}}, head);
  for (auto const& cell : cells) out += element("td", write(cell));
  return element("tr", out);
}

}  // namespace

Markup baseline(Context const& context) {
  auto const& words = context.words;
  auto const& answer = context.answer;
  if (answer.baseline.empty()) return {};
  Footnotes notes;
  Markup head = element("th", {{"scope", std::string("col")}}, words(Word::baseline_characteristic));
  for (auto const& arm : context.plan.arms) {
    const auto* column = context.flow(arm.id);
    head += element("th", {{"scope", std::string("col")}, {"class", std::string("num")}},
                    Markup(context.arm(arm.id)) +
                        (column ? element("span", "heading-n", words(Word::n_equals, column->randomised)) : Markup()));
  }
  head += element("th", {{"scope", std::string("col")}, {"class", std::string("num")}},
                  Markup(words(Word::baseline_all)) + element("span", "heading-n", words(Word::n_equals, context.randomised())));

  Markup groups;
  const std::size_t columns = context.plan.arms.size() + 1;
  bool some_ne = false;
  const auto number = [&](double value, int decimals) {
    some_ne = some_ne || std::isnan(value);
    return results::fixed(value, decimals);
  };
  for (auto const& item : answer.baseline) {
    std::vector<Cell> cells = item.cells;
    cells.resize(columns);
    Markup title = Markup(context.item(item.item));
    if (item.categorical)
      title += std::string(", ") + words(Word::baseline_percent) + notes.mark(words(Word::baseline_denominator));
    else if (!answer.quartile_rule.empty()) title += notes.mark(answer.quartile_rule);
    for (std::string const& note : item.notes) title += notes.mark(note);
    Markup rows = element("tr", "item",
                          element("th", {{"scope", std::string("rowgroup")}, {"colspan", std::to_string(columns + 1)}}, title));
    bool missing = false, bounded = false;
    for (auto const& cell : cells) missing = missing || cell.missing > 0, bounded = bounded || cell.bounded > 0;
    rows += row(words(Word::baseline_n), cells, [](Cell const& c) { return std::to_string(c.n); });
    if (item.categorical) {
      for (std::size_t l = 0; l < item.levels.size(); ++l)
        rows += row(level_label(context, item.item, item.levels[l]), cells, [&](Cell const& c) {
          const std::int64_t n = l < c.counts.size() ? c.counts[l] : 0;
          return std::to_string(n) + (c.n > 0 ? std::string(" (") + results::percent(double(n) / double(c.n)) + ")" : "");
        });
    } else {
      const int d = decimals_of(item);
      rows += row(words(Word::baseline_mean), cells,
                  [&](Cell const& c) { return number(c.mean, d + 1) + " (" + number(c.sd, d + 1) + ")"; });
      rows += row(words(Word::baseline_median), cells, [&](Cell const& c) {
        return number(c.median, d) + " (" +
               results::interval(number(c.lower_quartile, d), number(c.upper_quartile, d), context.language()) + ")";
      });
      rows += row(words(Word::baseline_range), cells,
                  [&](Cell const& c) { return results::interval(number(c.min, d), number(c.max, d), context.language()); });
    }
    if (bounded) rows += row(words(Word::baseline_bounded), cells, [](Cell const& c) { return std::to_string(c.bounded); });
    if (missing) rows += row(words(Word::baseline_missing), cells, [](Cell const& c) { return std::to_string(c.missing); });
    groups += element("tbody", rows);
  }
  notes.mark(words(Word::baseline_no_p));
  Markup footer = notes.list();
  if (some_ne) footer += element("p", "note", words(Word::ne_note));
  return element("div", "scroll", element("table", "data baseline", element("thead", element("tr", head)) + groups)) + footer;
}

}  // namespace equipoise::report::tables

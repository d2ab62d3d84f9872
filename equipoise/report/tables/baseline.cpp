#include <cmath>

#include "equipoise/report/subgroups.h"
#include "equipoise/report/tables.h"
#include "equipoise/report/tables/parts.h"

namespace equipoise::report::tables {
namespace {

using Summary = results::BaselineItem::Cell;

/// Decimals, three at most, that these numbers need.
int decimals_of(std::initializer_list<double> values, int decimals = 0) {
  for (const double value : values)
    for (; decimals < 3 && std::isfinite(value); ++decimals)
      if (std::fabs(value * std::pow(10.0, decimals) - std::round(value * std::pow(10.0, decimals))) < 1e-6) break;
  return decimals;
}

/// Decimals of the statistics of an item: those of [report]; else, as customary, the extremes as the data, means and deviations
/// one more, and medians and quartiles one more where one of them lies between two values of the data.
struct Decimals {
  int mean, sd, median, range;
};
Decimals decimals_of(Context const& context, results::BaselineItem const& item) {
  int data = 0, middle = 0;
  for (auto const& cell : item.cells) data = decimals_of({cell.min, cell.max}, data);
  for (auto const& cell : item.cells) middle = decimals_of({cell.median, cell.lower_quartile, cell.upper_quartile}, middle);
  protocol::TableDecimals const& asked = context.plan.report.decimals;
  return {.mean = asked.mean.value_or(data + 1),
          .sd = asked.sd.value_or(data + 1),
          .median = asked.median.value_or(middle > data ? data + 1 : data),
          .range = asked.range.value_or(data)};
}

/// A column for each arm and one for all, with the participants in it.
Column column_of(Context const& context, std::string const& name, std::optional<std::int64_t> n) {
  Column column{.name = Cell(name)};
  if (n) column.name.pieces.push_back({Piece::Kind::n, context.words(Word::n_equals, *n), {value::count("N", *n)}});
  return column;
}

template <class Write>
Row row(std::string const& head, std::vector<Summary> const& summaries, Write write) {
  Row out{.head = Cell(head), .indent = 1};
  for (auto const& one : summaries) out.cells.push_back(Cell(write(one)));
  return out;
}

/// The items' rows under a column for each arm and one for all; `notes` gets their footnotes. NE is said below.
Grid grid_of(Context const& context, std::vector<results::BaselineItem> const& items, bool say_visit, Footnotes& notes,
             bool& some_ne) {
  auto const& words = context.words;
  auto const& answer = context.answer;
  Grid grid{.look = Grid::Look::baseline,
            .columns = {{.name = Cell(words(Word::baseline_characteristic)), .align = Column::Align::left}}};
  for (auto const& arm : context.plan.arms) {
    const auto* flow = context.flow(arm.id);
    grid.columns.push_back(column_of(context, context.arm(arm.id), flow ? std::optional(flow->randomised) : std::nullopt));
  }
  const bool several = context.plan.arms.size() > 1;
  if (several) grid.columns.push_back(column_of(context, words(Word::baseline_all), context.randomised()));

  const std::size_t columns = context.plan.arms.size() + several;
  const std::string between = results::interval("{}", "{}", context.language());
  for (auto const& item : items) {
    std::vector<Summary> cells = item.cells;
    cells.resize(columns);
    const auto* asked = context.plan.item(item.item.substr(0, item.item.find('@')));  // none of a derivation or the site
    const auto number = [&](std::string statistic, double raw, int decimals) {
      some_ne = some_ne || std::isnan(raw);
      return value::fixed(std::move(statistic), raw, decimals, asked ? asked->unit : std::string());
    };
    const auto at = item.item.find('@');
    const std::string visit = say_visit && at != std::string::npos ? context.visit(item.item.substr(at + 1)) + ": " : "";
    Cell title(visit + context.item(item.item) + (item.categorical ? ", " + words(Word::baseline_percent) : ""));
    if (item.categorical) title.pieces.push_back(notes.mark(words(Word::baseline_denominator)));
    else if (!answer.quartile_rule.empty()) title.pieces.push_back(notes.mark(answer.quartile_rule));
    for (std::string const& note : item.notes) title.pieces.push_back(notes.mark(note));
    RowGroup group{.rows = {{.head = title, .kind = Row::Kind::item}}};
    const auto add = [&](std::string const& head, auto write) { group.rows.push_back(row(head, cells, write)); };
    bool missing = false, bounded = false;
    for (auto const& cell : cells) missing = missing || cell.missing > 0, bounded = bounded || cell.bounded > 0;
    add(words(Word::baseline_n), [](Summary const& c) { return of_value(value::count("n", c.n)); });
    if (item.categorical) {
      for (std::size_t l = 0; l < item.levels.size(); ++l)
        add(level_in_words(context, item.item, item.levels[l]), [&](Summary const& c) {
          const std::int64_t n = l < c.counts.size() ? c.counts[l] : 0;
          return count_of(n, c.n, percent_decimals(context));
        });
    } else {
      const Decimals d = decimals_of(context, item);
      add(words(Word::baseline_mean), [&](Summary const& c) {
        return of_values(Piece::Kind::plain, "{} ({})", {number("mean", c.mean, d.mean), number("sd", c.sd, d.sd)});
      });
      add(words(Word::baseline_median), [&](Summary const& c) {
        return of_values(Piece::Kind::plain, "{} (" + between + ")",
                         {number("median", c.median, d.median), number("lower_quartile", c.lower_quartile, d.median),
                          number("upper_quartile", c.upper_quartile, d.median)});
      });
      add(words(Word::baseline_range), [&](Summary const& c) {
        return of_values(Piece::Kind::plain, between, {number("min", c.min, d.range), number("max", c.max, d.range)});
      });
    }
    if (bounded)
      add(words(Word::baseline_bounded), [](Summary const& c) { return of_value(value::count("bounded", c.bounded)); });
    if (missing)
      add(words(Word::baseline_missing), [](Summary const& c) { return of_value(value::count("missing", c.missing)); });
    grid.groups.push_back(std::move(group));
  }
  return grid;
}

}  // namespace

Table baseline(Context const& context) {
  auto const& words = context.words;
  if (context.answer.baseline.empty()) return {};
  Table table{.id = "demography",
              .caption = words(Word::baseline_caption),
              .chapter = Table::Chapter::population,
              .population = {},
              .n = context.randomised()};
  Footnotes notes;
  bool some_ne = false;
  table.parts.emplace_back(grid_of(context, context.answer.baseline, false, notes, some_ne));
  notes.mark(words(Word::baseline_no_p));
  table.footnotes = notes.sentences();
  if (some_ne) table.remarks.push_back(words(Word::ne_note));
  return table;
}

Table exposure(Context const& context) {
  if (context.answer.exposure.empty()) return {};
  Table table{.id = "exposure",
              .caption = said(context, "Exposure: what was given at each visit, by arm", "暴露：各组各次访视的给药情况"),
              .chapter = Table::Chapter::population,
              .population = said(context, "All randomised participants", "全部随机受试者"),
              .n = context.randomised()};
  Footnotes notes;
  bool some_ne = false;
  table.parts.emplace_back(grid_of(context, context.answer.exposure, true, notes, some_ne));
  table.footnotes = notes.sentences();
  if (some_ne) table.remarks.push_back(context.words(Word::ne_note));
  return table;
}

}  // namespace equipoise::report::tables

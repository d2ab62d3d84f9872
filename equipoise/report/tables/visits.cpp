#include "equipoise/report/visits.h"

#include <algorithm>
#include <cmath>

#include "equipoise/report/headline.h"
#include "equipoise/report/tables.h"

namespace equipoise::report::tables {
namespace {

using results::Record;

/// Which columns the numbers need.
struct Columns {
  bool n = false, mean_interval = false, compared = false, df = false, p = false, adjusted = false;
  std::string level;
  bool whole_df = true;
  int decimals = 0;  ///< of all estimates, so that a column reads as one; ratios have their own form
};

Columns columns_of(Context const& context, ArmsOverVisits const& numbers) {
  Columns has;
  for (auto const& cell : numbers.means) {
    Finding const& f = cell.record->finding;
    if (std::isfinite(f.value)) has.decimals = std::max(has.decimals, results::decimals_for(f.value, f.se));
    has.n = has.n || f.n, has.mean_interval = has.mean_interval || (f.lower && f.upper);
    if (f.lower) has.level = interval_level(context, *cell.record);
  }
  for (auto const& cell : numbers.differences) {
    Finding const& f = cell.record->finding;
    if (std::isfinite(f.value)) has.decimals = std::max(has.decimals, results::decimals_for(f.value, f.se));
    has.whole_df = has.whole_df && (!f.df || *f.df == std::round(*f.df));
    has.compared = true, has.df = has.df || f.df, has.p = has.p || f.p;
    has.adjusted = has.adjusted || adjusted_beside(context, *cell.record);
    if (f.lower) has.level = interval_level(context, *cell.record);
  }
  for (auto const* list : {&numbers.means, &numbers.differences})
    if (!list->empty())
      if (const auto recorded = context.recorded_decimals(list->front().record->analysis)) has.decimals = *recorded + 1;
  return has;
}

std::vector<Column> head(Context const& context, ArmsOverVisits const& numbers, Columns const& has) {
  auto const& words = context.words;
  std::vector<Column> out{{.name = Cell(words(Word::column_arm)), .align = Column::Align::left}};
  const auto column = [&](std::string const& name) { out.push_back({.name = Cell(name)}); };
  if (has.n) column(words(Word::baseline_n));
  column(numbers.ratio() ? mean_in_words(context, numbers) : words(Word::visit_table_mean));
  if (has.mean_interval) column(words(Word::column_interval, has.level));
  if (has.compared) {
    column(numbers.ratio() ? comparison_in_words(context, numbers)
                           : words(Word::visit_table_difference, context.arm(numbers.control)));
    column(words(Word::column_interval, has.level));
    if (has.df) column(words(Word::column_df));
    if (has.p) out.push_back({.name = Cell(Piece{Piece::Kind::italic, words(Word::column_p)})});
    if (has.adjusted) column(words(Word::family_adjusted));
  }
  return out;
}

class Rows {
 public:
  Rows(Context const& context, ArmsOverVisits const& numbers, Columns const& has, Footnotes& notes,
       std::vector<std::string> const& of_all)
      : context_(context), numbers_(numbers), has_(has), notes_(notes), of_all_(of_all) {}

  /// The arms at one visit; without a visit, over all of them.
  RowGroup block(std::string const& visit) {
    Cell title(visit.empty() ? context_.words(Word::visit_table_average) : context_.visit(visit));
    const bool primary = !visit.empty() && visit == numbers_.primary;
    if (primary) title.pieces.push_back({Piece::Kind::tag, context_.words(Word::visit_table_primary)});
    RowGroup group{.rows = {{.head = title, .kind = Row::Kind::visit}}, .here = primary};
    for (auto const& arm : numbers_.arms) {
      const Record *mean = numbers_.mean(arm, visit), *difference = numbers_.difference(arm, visit);
      if (!mean && !difference) continue;
      group.rows.push_back(common_baseline(visit, arm) ? shared_mean(arm) : row(arm, mean, difference, visit.empty()));
    }
    return group;
  }
  bool ne() const { return ne_; }

 private:
  std::size_t width() const {
    return 2u + has_.n + has_.mean_interval + (has_.compared ? 2u + has_.df + has_.p + has_.adjusted : 0u);
  }

  Cell numbers_of(std::string_view pattern, std::vector<Value> values) {
    for (Value const& one : values) ne_ = ne_ || one.printed == results::not_estimable;
    return values.empty() ? Cell() : Cell(of_values(Piece::Kind::plain, pattern, std::move(values)));
  }
  Cell interval(Record const* record, results::Printed const& text) {
    if (text.interval.empty()) return {};
    return numbers_of(results::interval("{}", "{}", context_.language()), value::limits(record->finding, text));
  }

  /// "12.3 (4.1)"
  Cell estimate(Record const& record, results::Printed const& text) {
    ne_ = ne_ || text.ne;
    Cell out(of_value(value::estimate(record.finding, text), Piece::Kind::main));
    if (!text.se.empty()) out.pieces.push_back(of_values(Piece::Kind::plain, " ({})", {value::se(record.finding, text)}));
    for (auto const& footnote : record.footnotes)
      if (std::ranges::find(of_all_, footnote) == of_all_.end()) out.pieces.push_back(notes_.mark(context_.note(footnote)));
    return out;
  }

  /// A constrained baseline has one mean, which stands in the row of the control; the other arms have nobody of their own there.
  bool common_baseline(std::string const& visit, std::string const& arm) const {
    return numbers_.constrained && !visit.empty() && visit == numbers_.visits.front() && arm != numbers_.control;
  }
  Row shared_mean(std::string const& arm) const {
    Cell all(context_.words(Word::visit_table_one_mean, context_.arm(numbers_.control)));
    all.span = width() - 1, all.look = Cell::Look::same;
    return {.head = Cell(context_.arm(arm)), .cells = {all}, .indent = 1};
  }

  Row row(std::string const& arm, Record const* mean, Record const* difference, bool over_visits) {
    const auto printed = [&](Record const* record) {
      if (!record) return results::Printed();
      Finding const& f = record->finding;
      results::Printed text = context_.printed(record->analysis, f);
      if (f.df && !has_.whole_df) text.df = results::fixed(*f.df, 1);
      if (numbers_.ratio()) return text;
      text.value = results::fixed(f.value, has_.decimals);
      if (f.se) text.se = results::fixed(*f.se, has_.decimals + 1);
      if (f.lower && f.upper) {
        text.lower = results::fixed(*f.lower, has_.decimals), text.upper = results::fixed(*f.upper, has_.decimals);
        text.interval = results::interval(text.lower, text.upper, context_.language());
      }
      return text;
    };
    const results::Printed of_mean = printed(mean), of_difference = printed(difference);
    Row out{.head = Cell(context_.arm(arm)), .indent = 1};
    const auto add = [&](Cell cell) { out.cells.push_back(std::move(cell)); };
    // Over visits the method counts values, and the column counts participants.
    if (has_.n) add(mean && mean->finding.n && !over_visits ? Cell(value::count("n", *mean->finding.n)) : Cell());
    add(mean ? estimate(*mean, of_mean) : Cell());
    if (has_.mean_interval) add(interval(mean, of_mean));
    if (!has_.compared) return out;
    add(difference ? estimate(*difference, of_difference) : Cell());
    add(interval(difference, of_difference));
    if (has_.df)
      add(of_difference.df.empty() ? Cell()
                                   : numbers_of("{}", {value::as_printed("df", *difference->finding.df, of_difference.df)}));
    if (has_.p)
      add(of_difference.p.empty() ? Cell() : numbers_of("{}", {value::p("p", *difference->finding.p, context_.alpha())}));
    if (has_.adjusted) {
      const Record* beside = difference ? adjusted_beside(context_, *difference) : nullptr;
      add(beside ? numbers_of("{}", {value::p("adjusted_p", beside->finding.value, context_.alpha())}) : Cell());
    }
    return out;
  }

  Context const& context_;
  ArmsOverVisits const& numbers_;
  Columns const& has_;
  Footnotes& notes_;
  std::vector<std::string> const& of_all_;
  bool ne_ = false;
};

}  // namespace

Grid visits(Context const& context, ArmsOverVisits const& numbers, Footnotes& notes, std::vector<std::string> const& of_all) {
  const Columns has = columns_of(context, numbers);
  Rows rows(context, numbers, has, notes, of_all);
  Grid grid{.look = Grid::Look::by_visit, .columns = head(context, numbers, has)};
  for (auto const& visit : numbers.visits) grid.groups.push_back(rows.block(visit));
  // With a constrained baseline the average over all visits is no arm's.
  if (!numbers.constrained && std::ranges::any_of(numbers.arms, [&](std::string const& arm) {
        return numbers.mean_over_visits(arm) || numbers.difference_over_visits(arm);
      }))
    grid.groups.push_back(rows.block({}));
  if (has.n) notes.mark(context.words(numbers.imputed ? Word::visit_table_n_imputed : Word::visit_table_n));
  const bool said = std::ranges::any_of(  // by the method
      of_all, [](std::string const& note) { return note.find("not adjusted for multiplicity") != std::string::npos; });
  if (has.compared && !has.adjusted && !said) notes.mark(context.words(Word::visit_table_unadjusted));
  if (rows.ne()) notes.mark(context.words(Word::ne_note));
  return grid;
}

}  // namespace equipoise::report::tables

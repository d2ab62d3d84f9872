#include <algorithm>

#include "equipoise/report/headline.h"
#include "equipoise/report/tables.h"
#include "equipoise/report/tables/parts.h"
#include "equipoise/report/visits.h"

namespace equipoise::report::tables {
namespace {

using Pattern = MissingPatterns::Pattern;

constexpr std::size_t most_rows = 24;

std::string name_of(Context const& context, MissingPatterns const& all, Pattern const& pattern) {
  switch (pattern.kind()) {
    case MissingPatterns::Kind::complete:
      return context.words(Word::missing_complete);
    case MissingPatterns::Kind::stopped:
      return context.words(Word::missing_stopped, context.visit(all.visits[pattern.last()]));
    case MissingPatterns::Kind::gaps:
      return context.words(Word::missing_gaps);
    case MissingPatterns::Kind::nothing:
      break;
  }
  return context.words(Word::missing_nothing);
}

Cell count(Context const& context, std::int64_t n, std::int64_t of) {
  if (n == 0) return Cell(value::count("n", 0));
  Cell out(of_value(value::count("n", n), Piece::Kind::main));
  if (of > 0) out.pieces.push_back(of_values(Piece::Kind::plain, " ({})", {percent_of(n, of, percent_decimals(context))}));
  return out;
}

/// One visit of one pattern, in words for those who do not see squares.
Cell square(Context const& context, bool observed) {
  return {Piece{observed ? Piece::Kind::seen : Piece::Kind::unseen, context.words(observed ? Word::yes : Word::no)},
          Cell::Look::square};
}

Cell blank(std::size_t span) {
  Cell out;
  out.span = span, out.look = Cell::Look::blank;
  return out;
}

}  // namespace

Table missing_patterns(Context const& context, results::AnalysisRun const& run) {
  const MissingPatterns all = missing_patterns_of(context, run);
  if (all.patterns.empty()) return {};
  auto const& words = context.words;
  Table table{
      .id = "missing_" + run.endpoint,
      .caption = words(Word::missing_table_caption, context.endpoint(run.endpoint), inside_sentence(context.set(run.set))),
      .chapter = Table::Chapter::efficacy,
      .population = context.set(run.set),
      .n = run.n};

  // With more patterns than a page holds, those that most participants have are listed, in their order.
  std::vector<Pattern const*> listed;
  for (Pattern const& pattern : all.patterns) listed.push_back(&pattern);
  std::vector<std::int64_t> others(all.arms.size(), 0);
  std::size_t left_out = 0;
  if (listed.size() > most_rows) {
    std::vector<std::int64_t> sizes;
    for (const auto* pattern : listed) sizes.push_back(pattern->participants());
    std::ranges::sort(sizes, std::greater<>());
    const std::int64_t least = sizes[most_rows - 1];
    std::vector<Pattern const*> kept;
    std::int64_t ties = std::int64_t(most_rows) - std::ranges::count_if(sizes, [&](std::int64_t n) { return n > least; });
    for (const auto* pattern : listed) {
      if (pattern->participants() > least || (pattern->participants() == least && ties-- > 0)) {
        kept.push_back(pattern);
        continue;
      }
      ++left_out;
      for (std::size_t a = 0; a < all.arms.size(); ++a) others[a] += pattern->of_arm[a];
    }
    listed = std::move(kept);
  }

  Grid grid{.look = Grid::Look::patterns,
            .columns = {{.name = Cell(words(Word::missing_pattern)), .align = Column::Align::left}}};
  for (auto const& visit : all.visits)
    grid.columns.push_back({.name = Cell(context.visit(visit)), .align = Column::Align::square});
  const auto column = [&](std::string const& name, std::int64_t n) {
    Column out{.name = Cell(name)};
    out.name.pieces.push_back({Piece::Kind::n, words(Word::n_equals, n), {value::count("N", n)}});
    grid.columns.push_back(std::move(out));
  };
  std::int64_t everybody = 0;
  for (std::size_t a = 0; a < all.arms.size(); ++a)
    column(context.arm(all.arms[a]), all.participants(a)), everybody += all.participants(a);
  column(words(Word::baseline_all), everybody);

  const auto add_counts = [&](Row& row, std::vector<std::int64_t> const& of_arm) {
    std::int64_t sum = 0;
    for (std::size_t a = 0; a < all.arms.size(); ++a)
      row.cells.push_back(count(context, of_arm[a], all.participants(a))), sum += of_arm[a];
    row.cells.push_back(count(context, sum, everybody));
  };
  for (const auto* pattern : listed) {
    Row row{.head = Cell(name_of(context, all, *pattern))};
    for (const bool observed : pattern->observed) row.cells.push_back(square(context, observed));
    add_counts(row, pattern->of_arm);
    grid.add(std::move(row));
  }
  if (left_out > 0) {
    Row row{.head = Cell(words(Word::missing_others, left_out)), .cells = {blank(all.visits.size())}};
    add_counts(row, others);
    grid.add(std::move(row));
  }
  Row foot{.head = Cell(words(Word::missing_with_value)), .kind = Row::Kind::total};
  for (std::size_t v = 0; v < all.visits.size(); ++v) {
    std::int64_t n = 0;
    for (std::size_t a = 0; a < all.arms.size(); ++a) n += all.observed(a, v);
    foot.cells.push_back({of_value(value::count("n", n)), Cell::Look::square});
  }
  foot.cells.push_back(blank(all.arms.size() + 1));
  grid.add(std::move(foot));
  table.parts.emplace_back(std::move(grid));
  table.remarks.push_back(words(Word::missing_note));
  return table;
}

}  // namespace equipoise::report::tables

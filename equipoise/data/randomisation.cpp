#include "equipoise/data/randomisation.h"

#include <algorithm>

#include "equipoise/data/recipe.h"
#include "equipoise/protocol/factors.h"

namespace equipoise::data {
namespace {

/// Place of each participant of the rows in the order of randomisation, from 1: by date, then by the source's own order, then as
/// in the data.
std::vector<double> places(TrialRecords const& records, std::span<const std::size_t> rows, std::vector<std::string>& notes) {
  std::vector<double> const& given = records.randomisation_order;
  const auto before = [&](std::size_t i) { return std::pair(records.randomisation.low[i], given.empty() ? 0.0 : given[i]); };
  std::vector<std::size_t> order(rows.begin(), rows.end());
  std::ranges::sort(order);
  std::ranges::stable_sort(order, {}, before);
  std::vector<double> place(records.participants.size(), missing_number);
  std::int64_t together = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    place[order[k]] = double(k + 1);
    const auto same = [&](std::size_t other) { return before(order[other]) == before(order[k]); };
    together += (k > 0 && same(k - 1)) || (k + 1 < order.size() && same(k + 1));
  }
  if (together > 0)
    notes.push_back(
        fmt::format("{} participants were randomised on a day with others, in an order that the data do not say: it is taken to "
                    "be that of the data.",
                    together));
  std::vector<double> of_rows;
  for (const std::size_t i : rows) of_rows.push_back(place[i]);
  return of_rows;
}

/// The level of a participant; missing_level when the data do not say it.
std::int32_t level_of(expression::Column const& column, std::vector<std::string> const& levels, std::size_t i) {
  if (column.type == expression::Type::truth)
    return column.truth[i] == expression::is_unknown ? missing_level : std::int32_t(column.truth[i] == expression::is_true);
  if (i >= column.code.size() || column.code[i] == missing_level) return missing_level;
  const auto level = std::ranges::find(levels, column.levels[std::size_t(column.code[i])]);
  return level == levels.end() ? missing_level : std::int32_t(level - levels.begin());
}

}  // namespace

Expected<std::vector<TypedColumn>> randomisation_columns(TrialTables const& tables, std::span<const std::size_t> rows,
                                                         std::vector<std::string>& notes) {
  TrialRecords const& records = tables.records();
  if (!records.calendar && records.randomisation_order.empty())
    return fail(
        Code::missing_column,
        "the randomisation is replayed in the order in which participants came, and the data do not say it: [source] names "
        "neither 'randomised' (dates) nor 'randomisation_order' (1, 2, 3, ...)");
  std::vector<TypedColumn> columns;
  columns.push_back({.name = "randomisation_order", .numbers = places(records, rows, notes)});
  for (protocol::RandomisationFactor const& factor : tables.protocol().randomisation_factors) {
    const expression::Column column = factor.rule ? expression::evaluate(*factor.rule, tables) : records.site;
    TypedColumn made{
        .name = factor_column(factor.id), .kind = Kind::code, .levels = protocol::levels_of(tables.protocol(), factor)};
    for (const std::size_t i : rows) {
      made.codes.push_back(level_of(column, made.levels, i));
      if (made.codes.back() == missing_level)
        return fail(Code::inconsistent, "participant '{}' was randomised, and the data do not say the factor '{}'",
                    records.participants[i], factor.id);
    }
    columns.push_back(std::move(made));
  }
  return columns;
}

}  // namespace equipoise::data

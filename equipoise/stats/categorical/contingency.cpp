#include "equipoise/stats/categorical/contingency.h"

namespace equipoise::stats {
namespace {

/// The new number of each level: levels that no row has get -1.
std::vector<std::int32_t> numbered(CategoriesView const& category, std::vector<std::string>& names) {
  std::vector<std::int32_t> number(category.levels.size(), -1);
  for (const std::int32_t code : category.codes) number[std::size_t(code)] = 0;
  for (std::size_t level = 0; level < number.size(); ++level) {
    if (number[level] < 0) continue;
    number[level] = std::int32_t(names.size());
    names.push_back(category.levels[level]);
  }
  return number;
}

}  // namespace

Contingency cross_table(CategoriesView const& rows, CategoriesView const& columns) {
  Contingency table;
  const std::vector<std::int32_t> row = numbered(rows, table.rows), column = numbered(columns, table.columns);
  table.count.assign(table.rows.size() * table.columns.size(), 0);
  for (std::size_t i = 0; i < rows.size(); ++i)
    ++table.count[std::size_t(row[std::size_t(rows.codes[i])]) * table.columns.size() +
                  std::size_t(column[std::size_t(columns.codes[i])])];
  return table;
}

std::vector<std::int64_t> Contingency::row_sums() const {
  std::vector<std::int64_t> sums(rows.size(), 0);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < columns.size(); ++j) sums[i] += at(i, j);
  return sums;
}

std::vector<std::int64_t> Contingency::column_sums() const {
  std::vector<std::int64_t> sums(columns.size(), 0);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < columns.size(); ++j) sums[j] += at(i, j);
  return sums;
}

std::int64_t Contingency::total() const {
  std::int64_t n = 0;
  for (const std::int64_t c : count) n += c;
  return n;
}

}  // namespace equipoise::stats

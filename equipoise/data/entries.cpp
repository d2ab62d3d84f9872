#include "equipoise/data/entries.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace equipoise::data {

using expression::Column;
using expression::Type;

expression::Entries joined(expression::Entries const& a, expression::Entries const& b) {
  struct Row {
    std::size_t participant;
    double day;
    expression::Entries const* from;
    std::size_t row;
  };
  std::vector<Row> rows;
  for (expression::Entries const* from : {&a, &b})
    for (std::size_t i = 0; i < from->participant.size(); ++i) {
      const double day = from->date.low[i];
      rows.push_back({from->participant[i], std::isnan(day) ? std::numeric_limits<double>::infinity() : day, from, i});
    }
  std::ranges::stable_sort(rows, {}, [](Row const& row) { return std::pair(row.participant, row.day); });
  expression::Entries all;
  all.date = Column::of_missing(Type::date, rows.size());
  for (auto const& [id, column] : a.items) {
    Column made = Column::of_missing(column.type, rows.size());
    made.levels = column.levels;
    all.items.emplace(id, std::move(made));
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    all.participant.push_back(rows[i].participant);
    expression::copy_row(all.date, i, rows[i].from->date, rows[i].row, {});
    for (auto& [id, column] : all.items) {
      std::vector<std::int32_t> same(column.levels.size());
      for (std::size_t l = 0; l < same.size(); ++l) same[l] = std::int32_t(l);
      expression::copy_row(column, i, rows[i].from->items.at(id), rows[i].row, same);
    }
  }
  return all;
}

}  // namespace equipoise::data

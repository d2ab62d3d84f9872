#include "equipoise/expression/column.h"

#include <algorithm>
#include <cmath>

namespace equipoise::expression {

Column Column::of_numbers(std::vector<double> values, Type type) {
  Column column{.type = type};
  column.low = std::move(values);
  return column;
}

Column Column::of_intervals(std::vector<Interval> const& rows, Type type) {
  Column column = of_missing(type, rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) column.set(i, rows[i]);
  return column;
}

Column Column::of_truths(std::vector<std::uint8_t> values) {
  Column column{.type = Type::truth};
  column.truth = std::move(values);
  return column;
}

Column Column::of_codes(std::vector<std::int32_t> values, std::vector<std::string> levels) {
  Column column{.type = Type::code};
  column.code = std::move(values);
  column.levels = std::move(levels);
  return column;
}

Column Column::of_texts(std::vector<std::optional<std::string>> values) {
  Column column{.type = Type::text};
  column.text = std::move(values);
  return column;
}

Column Column::of_missing(Type type, std::size_t rows) {
  Column column{.type = type};
  if (is_numeric(type)) column.low.assign(rows, missing_number);
  else if (type == Type::truth) column.truth.assign(rows, is_unknown);
  else if (type == Type::code) column.code.assign(rows, missing_level);
  else column.text.resize(rows);
  return column;
}

std::size_t Column::size() const {
  if (is_numeric(type)) return low.size();
  if (type == Type::truth) return truth.size();
  return type == Type::code ? code.size() : text.size();
}

bool Column::missing(std::size_t row) const {
  if (is_numeric(type)) return std::isnan(low[row]);
  if (type == Type::truth) return truth[row] == is_unknown;
  return type == Type::code ? code[row] == missing_level : !text[row];
}

Interval Column::interval(std::size_t row) const {
  if (exact()) return Interval::exactly(low[row]);
  return {low[row], high[row], (open[row] & 1) != 0, (open[row] & 2) != 0};
}

void Column::set(std::size_t row, Interval const& value) {
  if (exact() && !value.missing() && !value.exact()) {  // the first row that is not: from here on the column has bounds
    high = low;
    open.assign(low.size(), 0);
  }
  low[row] = value.low;
  if (exact()) return;
  high[row] = value.high;
  open[row] = std::uint8_t((value.low_open ? 1 : 0) | (value.high_open ? 2 : 0));
}

void copy_row(Column& to, std::size_t to_row, Column const& from, std::size_t from_row,
              std::vector<std::int32_t> const& level_map) {
  if (is_numeric(to.type)) return to.set(to_row, from.interval(from_row));
  if (to.type == Type::truth) to.truth[to_row] = from.truth[from_row];
  else if (to.type == Type::text) to.text[to_row] = from.text[from_row];
  else to.code[to_row] = from.code[from_row] == missing_level ? missing_level : level_map[std::size_t(from.code[from_row])];
}

std::vector<std::int32_t> adopt_levels(Column& to, Column const& from) {
  std::vector<std::int32_t> places;
  for (std::string const& level : from.levels) {
    const auto found = std::ranges::find(to.levels, level);
    places.push_back(std::int32_t(found - to.levels.begin()));
    if (found == to.levels.end()) to.levels.push_back(level);
  }
  return places;
}

Column gathered(Column const& from, std::vector<std::size_t> const& rows) {
  Column column = Column::of_missing(from.type, rows.size());
  column.levels = from.levels;
  const auto places = adopt_levels(column, from);
  for (std::size_t i = 0; i < rows.size(); ++i) copy_row(column, i, from, rows[i], places);
  return column;
}

Column sound(Column column, Type wanted, std::size_t rows) {
  expects(column.type == wanted ||
              (is_numeric(column.type) && is_numeric(wanted) && wanted != Type::number && column.type != Type::number),
          "a table gives a column of the declared type");
  column.type = wanted;
  expects(column.size() == rows, "a table gives one value a row");
  if (is_numeric(wanted)) {
    expects(column.exact() ? column.open.empty() : column.high.size() == rows && column.open.size() == rows,
            "bounds stand beside every row");
    if (column.exact()) {
      for (double& value : column.low)
        if (!std::isfinite(value)) value = missing_number;
    } else {
      for (std::size_t i = 0; i < rows; ++i) column.set(i, settled(column.interval(i)));
    }
  }
  for (std::uint8_t& value : column.truth)
    if (value > is_unknown) value = is_unknown;
  for (std::int32_t& value : column.code)
    if (value < 0 || std::size_t(value) >= column.levels.size()) value = missing_level;
  return column;
}

}  // namespace equipoise::expression

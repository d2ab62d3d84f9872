#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/expression/expression.h"
#include "equipoise/expression/interval.h"

namespace equipoise::expression {

/// One value for each participant (or entry), of one type; of the vectors below, those of its type are filled.
struct Column {
  Type type = Type::number;
  std::vector<double> low{};          ///< numbers; dates and moments as days since 1970-01-01; NaN is missing
  std::vector<double> high{};         ///< empty when every row is exact, else as long as `low`
  std::vector<std::uint8_t> open{};   ///< with `high`: bit 0 the lower, bit 1 the upper bound is not included
  std::vector<std::uint8_t> truth{};  ///< is_false, is_true, is_unknown
  std::vector<std::int32_t> code{};   ///< places in `levels`, or `missing_level`
  std::vector<std::string> levels{};
  std::vector<std::optional<std::string>> text{};

  /// Of numbers, dates or moments, all exact or missing.
  static Column of_numbers(std::vector<double> values, Type type = Type::number);
  static Column of_intervals(std::vector<Interval> const& rows, Type type = Type::number);
  static Column of_truths(std::vector<std::uint8_t> values);
  static Column of_codes(std::vector<std::int32_t> values, std::vector<std::string> levels);
  static Column of_texts(std::vector<std::optional<std::string>> values);
  /// Every row missing or unknown.
  static Column of_missing(Type type, std::size_t rows);

  std::size_t size() const;
  bool exact() const { return high.empty(); }
  bool missing(std::size_t row) const;
  /// Of numbers, dates and moments.
  Interval interval(std::size_t row) const;
  void set(std::size_t row, Interval const& value);
};

/// Numbers, dates and moments are all stored as numbers.
inline bool is_numeric(Type type) { return type == Type::number || type == Type::date || type == Type::moment; }

/// Copies a row between columns of one type; `levels` of `to` must hold those of `from` (see adopt_levels).
void copy_row(Column& to, std::size_t to_row, Column const& from, std::size_t from_row,
              std::vector<std::int32_t> const& level_map);
/// Adds the levels of `from` that `to` lacks; returns where each level of `from` stands in `to`.
std::vector<std::int32_t> adopt_levels(Column& to, Column const& from);
/// The rows of `from` at the given places.
Column gathered(Column const& from, std::vector<std::size_t> const& rows);
/// The column with unsound cells (infinite numbers, empty intervals, levels out of range, truths above 2) made missing.
/// Throws ContractViolation when vectors of its type have other lengths than `rows`, or its type is not of the kind wanted.
Column sound(Column column, Type wanted, std::size_t rows);

}  // namespace equipoise::expression

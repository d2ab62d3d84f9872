#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace equipoise {

/// What a missing number holds in a column of doubles. Test with std::isnan.
inline constexpr double missing_number = std::numeric_limits<double>::quiet_NaN();
/// What a missing category holds in a column of level numbers.
inline constexpr std::int32_t missing_level = -1;

/// A look at numbers (also flags as 0/1, dates as days since 1970-01-01); NaN is missing.
using NumbersView = std::span<const double>;

/// A look at categories: level numbers from 0 into `levels`, or `missing_level`.
struct CategoriesView {
  std::span<const std::int32_t> codes;
  std::span<const std::string> levels;

  std::size_t size() const { return codes.size(); }
};

struct ColumnView {
  std::string_view name;
  std::variant<NumbersView, CategoriesView> cells;

  bool numeric() const { return std::holds_alternative<NumbersView>(cells); }
  NumbersView numbers() const { return std::get<NumbersView>(cells); }
  CategoriesView const& categories() const { return std::get<CategoriesView>(cells); }
  std::size_t size() const {
    return std::visit([](auto const& c) { return c.size(); }, cells);
  }
};

/// Where real and simulated trials meet: spans over typed columns that somebody else owns (a Dataset, or a simulator's
/// workspace).
struct DatasetView {
  std::size_t rows = 0;
  std::span<const ColumnView> columns;
};

/// Name and type of a column, known before any data are: what a plan is compiled against.
struct ColumnSchema {
  std::string name;
  bool numeric = true;
  std::vector<std::string> levels{};  ///< of a category, in their order; empty = known only with the data

  friend bool operator==(ColumnSchema const&, ColumnSchema const&) = default;
};
using Schema = std::vector<ColumnSchema>;

}  // namespace equipoise

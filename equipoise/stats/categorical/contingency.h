#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// Counts of an R x C table by rows, with the levels that rows and columns stand for.
struct Contingency {
  std::vector<std::string> rows, columns;
  std::vector<std::int64_t> count;  ///< rows.size() x columns.size(), row by row

  std::int64_t at(std::size_t row, std::size_t column) const { return count[row * columns.size() + column]; }
  std::vector<std::int64_t> row_sums() const;
  std::vector<std::int64_t> column_sums() const;
  std::int64_t total() const;
};

/// Groups by responses; levels without any row are left out, so that no margin is 0.
Contingency cross_table(CategoriesView const& rows, CategoriesView const& columns);

}  // namespace equipoise::stats

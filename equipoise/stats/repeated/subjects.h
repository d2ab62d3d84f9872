#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "equipoise/core/columns.h"
#include "equipoise/core/expected.h"

namespace equipoise::stats {

/// The rows of a long data set participant by participant: those with a row, in the order of the levels of `subject`; the rows of one
/// by visit, else in the order of the data.
struct Subjects {
  std::vector<std::size_t> rows;    ///< row numbers, shape n
  std::vector<std::size_t> first;   ///< of each participant in `rows`, and n after the last: shape K + 1
  std::vector<std::int32_t> visit;  ///< level number of the visit of each of `rows`; empty without visits
  std::size_t visits = 0;           ///< levels of the visit

  std::size_t count() const { return first.size() - 1; }
  std::size_t size(std::size_t k) const { return first[k + 1] - first[k]; }
  std::size_t largest() const;
};

/// errors   inconsistent, when a participant has two rows at one visit
/// checked  gee_test.cpp
Expected<Subjects> by_subject(CategoriesView const& subject, std::string_view subject_column, CategoriesView const* visit = nullptr,
                              std::string_view visit_column = {});

}  // namespace equipoise::stats

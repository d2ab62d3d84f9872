#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "equipoise/numerics/uninitialised.h"

namespace equipoise::stats {

/// Reads many long columns in another order of their rows: what is wanted of a column is values(column)[order()[place]], place by
/// place. A long column is not looked up all over: it is first dealt out, in one sequential pass, to parts of the order that fit
/// the second level of the cache, and read from there. So two cheap accesses take the place of one that waits for memory.
///
/// rows     of each place, below data_rows, none twice; they must outlive this
/// checked  staged_gather_test.cpp
class StagedGather {
 public:
  StagedGather(std::span<const std::uint32_t> rows, std::size_t data_rows, std::size_t columns);

  std::span<const std::uint32_t> order() const { return where_.empty() ? rows_ : std::span<const std::uint32_t>(where_); }
  /// Until the next call, or as long as the column.
  double const* values(std::span<const double> column);
  /// What will be read of those values a part after `place`, one behind the other: for prefetching.
  double const* ahead(std::size_t place) const {
    return where_.empty() ? nullptr : staged_.data() + std::min(place + part_size_, staged_.size());
  }

 private:
  std::span<const std::uint32_t> rows_;
  std::size_t part_size_ = 0;
  numerics::Column<std::uint32_t> arrival_, where_;  ///< of a row, of a place, in staged_
  numerics::Numbers staged_;
};

}  // namespace equipoise::stats

#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "equipoise/numerics/uninitialised.h"
#include "equipoise/stats/method.h"
#include "equipoise/stats/survival/rows.h"

namespace equipoise::stats {

/// What a curve or a rank test needs of its rows: time, class (its group, or its group and stratum) and event, in increasing time.
/// No row number is kept, so that a million rows are a million words in order and nothing is looked up.
///
/// Whole numbers that are not large (recorded days, weeks) are counted, not sorted: a table of rows by time and class. Other times
/// are words of time, class and event, sorted by `numerics::radix_sort`. Where these do not fit into 64 bits (times that span more
/// than 2^64, with many classes) the rows are sorted as SurvivalRows and read by number.
///
/// errors   those of survival_rows without a start
/// checked  ordered_times_test.cpp (against SurvivalRows), and with the methods that use it
class OrderedTimes {
 public:
  /// `classes` of each row, below `count`.
  static Expected<OrderedTimes> of(Frame const& frame, std::string_view time, std::string_view event,
                                   std::span<const std::int32_t> classes, std::size_t count, NearTies near_ties);

  std::span<const std::int64_t> class_rows() const { return class_rows_; }  ///< rows of each class
  std::size_t near() const { return near_; }  ///< distinct values within `same_time` of an earlier one
  double last() const { return last_; }       ///< the largest time; 0 without rows

  /// Calls at(time, class, events, rows) in increasing time, several times at one time; rows includes the events and is at least
  /// 1. Times that are one have exactly one value.
  template <class At>
  void forward(At&& at) const;

 private:
  void sort_words(NumbersView times, NumbersView events, std::span<const std::int32_t> classes, std::uint64_t smallest,
                  NearTies near_ties);

  std::vector<std::int64_t> class_rows_;
  std::size_t near_ = 0;
  double last_ = 0;

  // Counted: rows and events at time i of class c are counts_[(i * classes + c) * 2] and the one after it.
  std::vector<std::uint32_t> counts_;
  // Sorted: (time - smallest + 1, or 0 for the time 0), class, event from the high bits down.
  numerics::Words words_;
  unsigned class_bits_ = 0;
  std::uint64_t smallest_ = 0;
  // By row.
  SurvivalRows by_row_;
  std::vector<std::int32_t> row_class_;
};

template <class At>
void OrderedTimes::forward(At&& at) const {
  const std::size_t classes = class_rows_.size();
  for (std::size_t i = 0; i < counts_.size(); i += 2)
    if (counts_[i] > 0) at(double(i / 2 / classes), std::uint32_t(i / 2 % classes), counts_[i + 1], counts_[i]);
  const std::uint64_t of_class = (std::uint64_t(1) << class_bits_) - 1;
  for (const std::uint64_t word : words_) {
    const std::uint64_t key = word >> (class_bits_ + 1);
    at(key == 0 ? 0.0 : std::bit_cast<double>(key - 1 + smallest_), std::uint32_t((word >> 1) & of_class), std::uint32_t(word & 1),
       std::uint32_t(1));
  }
  for (const std::uint32_t row : by_row_.by_time)
    at(by_row_.time[row], std::uint32_t(row_class_[row]), std::uint32_t(by_row_.event[row]), std::uint32_t(1));
}

}  // namespace equipoise::stats

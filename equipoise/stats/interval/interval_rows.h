#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/finding.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// Times known to lie in (left, right], checked, near-tied ends made equal. left = right is an exact time; an infinite right is a
/// time of which only is known that it is after left.
struct IntervalRows {
  std::vector<double> left, right;
  std::size_t merged = 0;  ///< distinct values that took the value of a near neighbour

  std::size_t size() const { return left.size(); }
  bool exact(std::size_t row) const { return left[row] == right[row]; }
};

/// Reads the roles `left` and `right` of a frame; a missing right is infinity. Of values within `same_time` (survival/rows.h) of
/// the smallest of them all become that smallest one, left and right together.
///
/// errors   out_of_range: a left that is infinite or negative; a right before its left; more than 2^31 rows
/// checked  interval_rows_test.cpp
Expected<IntervalRows> interval_rows(Frame const& frame, std::string_view left, std::string_view right);

/// The sentence about merged times for an answer's notes, or "" when nothing was merged.
std::string merged_note(IntervalRows const& rows);

/// The innermost intervals of some rows: those (from, to] that begin at a left end and end at a right end, with no other end
/// between. Only they can hold mass of the maximum likelihood distribution. An exact time t is the closed interval [t, t], here
/// from = to = t.
///
/// Row i covers the innermost intervals first[i] to last[i], at least one and without gaps.
///
/// source   Peto (1973), Appl. Stat. 22, 86-91; Turnbull (1976), J. R. Stat. Soc. B 38, 290-295
/// checked  interval_rows_test.cpp, tests/independent/interval_test.cpp
struct InnermostIntervals {
  std::vector<TimeInterval> cells;         ///< in increasing time, disjoint
  std::vector<std::uint32_t> first, last;  ///< of each of the rows given, in their order

  std::size_t size() const { return cells.size(); }
};
InnermostIntervals innermost_intervals(IntervalRows const& data, std::span<const std::uint32_t> rows);

/// 0, 1, ..., n - 1: all rows.
std::vector<std::uint32_t> all_rows(std::size_t n);

}  // namespace equipoise::stats

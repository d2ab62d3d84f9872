#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/numerics/uninitialised.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// Two times are one when they differ by no more than this part of the larger: 365.25/30.4375 computed in two ways must not
/// decide which of two events came first. Far above rounding (1e-16 a step), far below any unit in which time is measured.
inline constexpr double same_time = 1e-9;

/// What happens to two different times within `same_time`.
enum class NearTies { merge, keep };

/// Option `near_ties`: "merge" (the default) or "keep".
NearTies parse_near_ties(Section& options);
inline constexpr OptionCard near_ties_card{"near_ties", "merge | keep",
                                           "whether times within a relative 1e-9 are one time (merge) or differ (keep)"};

/// Times to event, ready for one pass: checked, near-tied times made equal, sorted.
struct SurvivalRows {
  numerics::Numbers time;                   ///< of each row
  numerics::Numbers start;                  ///< of each row; empty when everybody is at risk from the beginning
  numerics::Column<std::uint8_t> event;     ///< 1 event, 0 censored
  numerics::Column<std::uint32_t> by_time;  ///< rows in increasing time; among equal times in increasing row
  numerics::Column<std::uint8_t>
      in_order;          ///< of each place of by_time: has_event, and begins_time where the time before is another
  std::size_t near = 0;  ///< distinct values within `same_time` of an earlier one: merged into it, or kept
  NearTies near_ties = NearTies::merge;

  std::size_t size() const { return time.size(); }

  static constexpr std::uint8_t has_event = 1, begins_time = 2;
};

/// Reads the roles `time`, `event` and `start` ("" = none) of a frame. Of values within `same_time` of the smallest of them all
/// become that smallest one (unless kept); starts and times are merged together.
///
/// errors   out_of_range: a time that is infinite, or negative without a start; start not before time; more than 2^31 rows
///          bad_cell: an event that is neither 0 nor 1
/// checked  rows_test.cpp
Expected<SurvivalRows> survival_rows(Frame const& frame, std::string_view time, std::string_view event,
                                     std::string_view start = {}, NearTies near_ties = NearTies::merge);

/// The same errors without the rows, for times without a start.
Expected<void> check_times(Frame const& frame, std::string_view time, std::string_view event);

/// The sentence about near ties for an answer's notes, or "" when there are none.
std::string near_ties_note(std::size_t near, NearTies near_ties);
inline std::string merged_note(SurvivalRows const& rows) { return near_ties_note(rows.near, rows.near_ties); }

/// How many rows are of each class.
std::vector<std::int64_t> class_counts(std::span<const std::int32_t> classes, std::size_t count);

/// Positions of the values, which are no NaN, in increasing value; of equal ones in increasing position.
numerics::Column<std::uint32_t> increasing_order(std::span<const double> values);

/// Rows in `order` dealt out to classes, each class keeping the order: class c has rows[begin[c]] to rows[begin[c + 1]].
struct Partition {
  std::vector<std::uint32_t> rows;
  std::vector<std::uint32_t> begin;

  std::span<const std::uint32_t> of(std::size_t c) const { return std::span(rows).subspan(begin[c], begin[c + 1] - begin[c]); }
};
Partition partition(std::span<const std::uint32_t> order, std::span<const std::int32_t> classes, std::size_t count);

}  // namespace equipoise::stats

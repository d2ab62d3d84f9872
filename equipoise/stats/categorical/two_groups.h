#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {

/// A 2 x 2 table, rows and columns in the order of the comparison:
///
///                first column   second column
///     first row       a               b
///     second row      c               d
///
/// With a difference the rows are `level` and `minus`, the columns response 1 and 0.
struct TwoByTwo {
  std::int64_t a = 0, b = 0, c = 0, d = 0;

  std::int64_t first() const { return a + b; }
  std::int64_t second() const { return c + d; }
  std::int64_t total() const { return a + b + c + d; }
  double first_share() const { return double(a) / double(first()); }     ///< NaN of nobody
  double second_share() const { return double(c) / double(second()); }  ///< NaN of nobody
  bool has_both() const { return first() > 0 && second() > 0; }
};

/// The tables added up, cell by cell.
TwoByTwo pooled(std::vector<TwoByTwo> const& tables);

/// What methods that compare two groups by a response of 1 or 0 share: roles, `difference`, `level`, and the counts.
struct TwoGroups {
  std::string response, group;
  std::vector<std::string> strata;  ///< columns; none = one table
  Difference difference;

  /// Reports every problem and returns nothing then.
  static std::optional<TwoGroups> parse(MethodCard const& card, Roles const& roles, Section& options);

  std::vector<ColumnNeed> const& needs() const { return needs_; }

  /// One table for each stratum in which somebody of the two groups is, in the order of the strata; without strata always one.
  /// errors   unresolved (a group that the column does not have), bad_cell (a response that is neither 1 nor 0)
  Expected<std::vector<TwoByTwo>> count(Frame const& frame) const;

  /// Size and events of both groups, for the end of an answer.
  void add_counts(Answer& answer, TwoByTwo const& table) const;

  /// A sentence when a group has nobody: nothing can be estimated.
  std::optional<std::string> nobody_note(TwoByTwo const& table) const;

 private:
  std::vector<ColumnNeed> needs_;
};

/// Drops the tables in which one of the groups has nobody: they carry nothing about the difference. Adds a note when there are any.
std::vector<TwoByTwo> informative(std::vector<TwoByTwo> tables, std::vector<std::string>& notes);

}  // namespace equipoise::stats

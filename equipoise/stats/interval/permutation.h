#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace equipoise::stats {

/// Scores of one stratum and how its rows fall into groups. Under the hypothesis every arrangement of its scores over its rows is
/// equally likely.
struct ScoredStratum {
  std::vector<double> score;
  std::vector<std::int32_t> group;  ///< below `groups`
};

/// Sums of scores by group, less what a permutation expects, with their covariance over all permutations within strata:
///
///     U_g = sum_{i in g} (c_i - mean c),   V_gh = sum (c_i - mean c)^2 / (n - 1) (n_g [g = h] - n_g n_h / n)
///
/// added over strata. A stratum of one row adds nothing.
struct PermutationSums {
  std::vector<double> excess;      ///< U, one a group
  std::vector<double> covariance;  ///< V, groups x groups
  std::vector<double> rows;        ///< n_g
};
PermutationSums permutation_sums(std::span<const ScoredStratum> strata, std::size_t groups);

/// P(|U| >= |observed U|) over all arrangements of rows between two groups, U that of group `level` as above.
struct ExactP {
  double p = 1;
  bool rounded = false;  ///< the scores were rounded to a grid, as their sums were too many
};

/// Counts arrangements by their sums, row by row; equal sums are one. Sums are whole numbers of a unit, 2^-50 of the sum of
/// |c - mean c|. Sums equal up to 1e-8 of it count as equal: the scores come from masses known to about 1e-10, which must not
/// split what is equal. When more than `most_sums` different sums come up the unit is coarser, so that no more than that can be,
/// and the answer says so: p is exact for the rounded scores. Nothing comes when rounding would take more than a hundredth of the
/// standard deviation of the sum away (from about 250 rows of different scores on), or the counting more than 1e9 steps.
///
/// most_sums  at least 1000; time is rows * most_sums
/// source     Streitberg & Roehmel (1986), Stat. Software Newsl. 12, 10-17
/// checked    permutation_test.cpp, tests/independent/interval_test.cpp
std::optional<ExactP> exact_two_sided(std::span<const ScoredStratum> strata, std::int32_t level, std::size_t most_sums);

}  // namespace equipoise::stats

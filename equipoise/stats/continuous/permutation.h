#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/continuous/ranks.h"
#include "equipoise/stats/continuous/reference_set.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

enum class PermutationScore {
  mean_difference,  ///< values around the mean of their stratum
  rank_sum,         ///< midranks within the stratum around their mean, over N_h + 1: van Elteren's
  log_rank          ///< events less cumulative hazard within the stratum: observed less expected events
};

/// Test of two groups by re-allocation within strata. Page: docs/methods/permutation_test.md
/// (The file is not called permutation_test, which the build would take for a test.)
///
/// The statistic is the sum of the scores of `level`. Scores add up to 0 within each stratum, so its mean over the reference set
/// is 0.
struct PermutationTest {
  std::string response, time, event, group;
  std::vector<std::string> strata;
  Difference difference;
  PermutationScore score = PermutationScore::mean_difference;
  Tail tail = Tail::two_sided;
  std::optional<bool> exact;  ///< absent: exact up to 100000 allocations
  std::uint64_t reallocations = 10000;
  std::uint64_t seed = 1;

  static MethodCard const& card();
  static std::optional<PermutationTest> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<PermutationTest>);

}  // namespace equipoise::stats

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "equipoise/simulate/statements.h"

namespace equipoise::simulate {

/// Count, mean and sum of squares about it. Merging in a fixed order gives the same digits whoever did the counting.
///
/// source  Chan, Golub & LeVeque (1983), Am. Stat. 37, 242-247
struct Moments {
  std::int64_t n = 0;
  double mean = 0, squares = 0;

  void add(double value);
  void merge(Moments const& other);
  double variance() const { return n > 1 ? squares / double(n - 1) : missing_number; }
  double standard_error() const;  ///< of the mean
};

/// What is counted of one statement.
struct StatementTally {
  std::int64_t answered = 0, rejected = 0, rejected_better = 0;  ///< at the protocol's alpha, not adjusted
  std::int64_t intervals = 0, covered = 0, missed_below = 0;     ///< of intervals: hold the truth; lie wholly below it
  Moments estimate{}, se{}, se_squared{};

  void merge(StatementTally const& other);
};

/// What is counted of a fixed block of replicates: reduced in the order of the blocks, whatever the threads or shards.
struct Tally {
  std::int64_t replicates = 0;
  std::vector<StatementTally> statements{};
  std::vector<std::int64_t> claims{};      ///< how often each holds
  std::vector<std::int64_t> unknown{};     ///< how often it cannot be said of each, for want of an answer
  std::vector<std::int64_t> hypotheses{};  ///< rejected by the procedure of [multiplicity]
  std::int64_t any_hypothesis = 0, all_hypotheses = 0;
  std::int64_t any_true = 0;                        ///< some hypothesis that is true was rejected: a family-wise error
  std::vector<std::int64_t> failed{}, fell_back{};  ///< of each analysis of the plan
  Moments accrual_days{}, trial_days{}, screened{}, imbalance{}, guessed{}, left_early{};
  std::vector<Said> kept{};  ///< of the first replicates of the scenario: replicate by replicate

  void merge(Tally&& other);
};

}  // namespace equipoise::simulate

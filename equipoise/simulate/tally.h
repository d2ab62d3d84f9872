#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "equipoise/results/rehearsal.h"
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
  /// The mean with its error; NaN of nothing.
  results::Measured measured() const { return {n > 0 ? mean : missing_number, standard_error()}; }
};

/// What is counted of one statement.
struct StatementTally {
  std::int64_t asked = 0;                                        ///< replicates in which its analysis was run
  std::int64_t answered = 0, rejected = 0, rejected_better = 0;  ///< at the protocol's alpha, not adjusted
  std::int64_t ratios = 0;                                       ///< answers whose estimate is the logarithm of a ratio
  std::int64_t intervals = 0, covered = 0, missed_below = 0;     ///< of intervals: hold the truth; lie wholly below it
  Moments estimate{}, se{}, se_squared{};

  void merge(StatementTally const& other);

  /// Calls `visit` with the name and each field: the one list of them.
  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    visit("asked", self.asked), visit("answered", self.answered), visit("rejected", self.rejected);
    visit("rejected_better", self.rejected_better), visit("ratios", self.ratios), visit("intervals", self.intervals);
    visit("covered", self.covered), visit("missed_below", self.missed_below), visit("estimate", self.estimate);
    visit("se", self.se), visit("se_squared", self.se_squared);
  }
};

/// What is counted of one look at a statement.
struct LookTally {
  std::int64_t reached = 0, benefit = 0, futility = 0;
  Moments day{}, participants{}, events{};  ///< of the trials that reached it

  void merge(LookTally const& other);

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    visit("reached", self.reached), visit("benefit", self.benefit), visit("futility", self.futility);
    visit("day", self.day), visit("participants", self.participants), visit("events", self.events);
  }
};

/// What is counted of a fixed block of replicates: reduced in a fixed order, whatever the threads or shards (see ledger.h).
struct Tally {
  std::int64_t replicates = 0;
  std::vector<StatementTally> statements{};
  std::vector<std::int64_t> judged{};      ///< replicates in which all that a claim reads was asked
  std::vector<std::int64_t> claims{};      ///< how often each holds
  std::vector<std::int64_t> unknown{};     ///< how often it cannot be said of each, for want of an answer
  std::int64_t tested = 0;                 ///< replicates in which every hypothesis was asked
  std::vector<std::int64_t> hypotheses{};  ///< rejected by the procedure of [multiplicity]
  std::int64_t any_hypothesis = 0, all_hypotheses = 0;
  std::int64_t any_true = 0;                               ///< some hypothesis that is true was rejected: a family-wise error
  std::vector<std::int64_t> run{}, failed{}, fell_back{};  ///< of each analysis of the plan
  std::vector<LookTally> looks{};                          ///< of [monitoring]: arm by arm, and in each look by look
  std::int64_t monitored = 0;                              ///< replicates that were looked at
  std::int64_t any_monitored = 0, all_monitored = 0;       ///< some, or every, monitored comparison was rejected at a look
  std::vector<Moments> stopped{};  ///< of each monitored arm: participants, days and events when it stopped
  Moments accrual_days{}, trial_days{}, screened{}, imbalance{}, guessed{}, left_early{};
  std::vector<double> accrual{};  ///< of the first replicates: the days by which so many were randomised; see `accrual_marks`
  std::vector<Said> kept{};       ///< of the first replicates of the scenario: replicate by replicate

  /// The blocks after this one.
  void merge(Tally const& other);

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    visit("replicates", self.replicates), visit("statements", self.statements), visit("judged", self.judged);
    visit("claims", self.claims), visit("unknown", self.unknown), visit("tested", self.tested);
    visit("hypotheses", self.hypotheses), visit("any_hypothesis", self.any_hypothesis);
    visit("all_hypotheses", self.all_hypotheses), visit("any_true", self.any_true), visit("run", self.run);
    visit("failed", self.failed), visit("fell_back", self.fell_back), visit("looks", self.looks);
    visit("monitored", self.monitored), visit("any_monitored", self.any_monitored), visit("all_monitored", self.all_monitored);
    visit("stopped", self.stopped), visit("accrual_days", self.accrual_days), visit("trial_days", self.trial_days);
    visit("screened", self.screened), visit("imbalance", self.imbalance), visit("guessed", self.guessed);
    visit("left_early", self.left_early), visit("accrual", self.accrual), visit("kept", self.kept);
  }
};

}  // namespace equipoise::simulate

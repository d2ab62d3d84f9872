#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/interval/npmle.h"
#include "equipoise/stats/method.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {

/// Score c of a row; larger for an earlier event.
enum class IntervalScore {
  sun,                   ///< O - E of the log-rank test
  proportional_hazards,  ///< derivative of the likelihood in a log hazard ratio at no effect
  proportional_odds      ///< the same in a log odds ratio: Wilcoxon's ranks
};

/// The scores of rows from their common Turnbull estimate. a = S before the row's first innermost interval, b = S after its last.
///
///     sun                  (-a L(left) + b L(right)) / (a - b),  L the sum of mass / (it and all later mass) up to there
///     proportional_hazards (a log a - b log b) / (a - b)
///     proportional_odds    a + b - 1
///
/// returns  one number a row, sum 0 up to rounding
/// source   Sun (1996), Stat. Med. 15, 1387-1395; Finkelstein (1986), Biometrics 42, 845-854; Fay (1996), Biometrics 52, 811-822;
///          Fay & Shaw (2010), J. Stat. Softw. 36(2)
/// checked  interval_log_rank_test.cpp, tests/independent/interval_test.cpp, the reference cases interval_log_rank
std::vector<double> interval_scores(IntervalScore score, InnermostIntervals const& innermost, MassFit const& fit);

/// How p follows from the scores.
enum class PermutationP { asymptotic, exact };

/// Log-rank tests for interval-censored times. Page: docs/methods/interval_log_rank.md
struct IntervalLogRank {
  std::string left, right, group;
  std::vector<std::string> strata;
  IntervalScore score = IntervalScore::sun;
  PermutationP p = PermutationP::asymptotic;
  std::optional<Difference> difference;

  static MethodCard const& card();
  static std::optional<IntervalLogRank> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<IntervalLogRank>);

}  // namespace equipoise::stats

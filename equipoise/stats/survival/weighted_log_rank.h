#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/parts.h"
#include "equipoise/stats/survival/log_rank.h"

namespace equipoise::stats {

/// What an event counts for.
enum class RankWeight {
  gehan_breslow,      ///< n, participants at risk
  tarone_ware,        ///< the square root of n
  modified_peto_peto  ///< product over event times s <= t of 1 - d(s) / (n(s) + 1): about the survival of all together
};

/// The weight of each event time, from the participants at risk n >= 1 and the events 1 <= d <= n of all groups together.
///
/// returns  numbers above 0: n of gehan_breslow, sqrt(n), or at least 1 / (n at the first event + 1) and below 1
/// source   Gehan (1965), Biometrika 52, 203-223; Breslow (1970), Biometrika 57, 579-594; Tarone & Ware (1977), Biometrika 64,
///          156-160; Peto & Peto (1972), J. R. Stat. Soc. A 135, 185-207, as modified by Andersen et al. (1982), Int. Stat. Rev.
///          50, 219-258
/// checked  weighted_log_rank_test.cpp, tests/independent/weighted_log_rank_test.cpp, the reference cases weighted_log_rank
std::vector<double> rank_weights(RankWeight weight, PooledTimes const& times);

/// What a weighted log-rank test runs on.
struct WeightedComparison {
  std::string const &time, &event, &group;
  std::vector<std::string> const& strata;
  std::optional<Difference> const& difference;  ///< gives z
  NearTies near_ties;
  std::string_view test;                        ///< its name in notes: "weighted log-rank test"
};

/// chi_square with df and p, and z = (O - E)/sqrt(V) of `difference.level` if two groups are compared. Each stratum gets its own
/// weights; O - E and V are summed over strata. `notes` come first in the answer.
Expected<Answer> weighted_log_rank_answer(Frame const& frame, WeightedComparison const& comparison, TimeWeights const& weights,
                                          std::vector<std::string> notes);

/// Log-rank test of k groups that weights early events more, stratified or not. Page: docs/methods/weighted_log_rank.md
struct WeightedLogRank {
  std::string time, event, group;
  std::vector<std::string> strata;
  RankWeight weight = RankWeight::gehan_breslow;
  NearTies near_ties = NearTies::merge;
  std::optional<Difference> difference;

  static MethodCard const& card();
  static std::optional<WeightedLogRank> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<WeightedLogRank>);

}  // namespace equipoise::stats

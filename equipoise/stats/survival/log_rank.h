#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/survival/ordered_times.h"
#include "equipoise/stats/survival/rows.h"

namespace equipoise::stats {

/// Participants at risk and events of all groups together at each distinct event time of one stratum, in increasing time.
struct PooledTimes {
  std::vector<double> at_risk, events;
};

/// The weight of each event time of a stratum, 0 or more, from what all groups together show; the log-rank test has none.
using TimeWeights = std::function<std::vector<double>(PooledTimes const&)>;

/// Sums over the event times of all strata, w the weight of the time (1 without weights).
///
///     observed_j = sum w d_j,  expected_j = sum w d n_j / N,
///     covariance_jk = sum w^2 d (N - d) / (N - 1) n_j/N (1{j = k} - n_k/N)
struct LogRankSums {
  std::vector<double> observed, expected;  ///< shape k
  std::vector<double> covariance;          ///< k x k, row by row
};

/// group and stratum of each row, numbered below `groups` and `strata`. A stratum with one group, or without events, adds nothing
/// to observed - expected nor to the covariance.
///
/// source   Mantel (1966), Cancer Chemother. Rep. 50, 163-170; Peto & Peto (1972), J. R. Stat. Soc. A 135, 185-207; with weights
///          Tarone & Ware (1977), Biometrika 64, 156-160
/// checked  log_rank_test.cpp, tests/independent/survival_test.cpp, the reference cases log_rank and weighted_log_rank
LogRankSums log_rank_sums(SurvivalRows const& data, std::span<const std::int32_t> group, std::size_t groups,
                          std::span<const std::int32_t> stratum, std::size_t strata, TimeWeights const& weights = {});

/// The same without weights, the class of a row being stratum * groups + group. Sums run from the first time on.
///
/// checked  ordered_times_test.cpp (against the other), tests/independent/survival_test.cpp
LogRankSums log_rank_sums(OrderedTimes const& data, std::size_t groups);

/// (O - E)' V^- (O - E) with the rank of V as degrees of freedom and its chi-square p value; NaN when not estimable. `notes` gets
/// a sentence when it is not, or when the degrees of freedom are fewer than groups with anybody - 1. `test` is its name in them:
/// "log-rank test".
Finding log_rank_chi_square(LogRankSums const& sums, CategoriesView const& groups, std::string_view column, std::string_view test,
                            bool stratified, std::vector<std::string>& notes);

/// Log-rank test of k groups, stratified or not. Page: docs/methods/log_rank.md
struct LogRank {
  std::string time, event, group;
  std::vector<std::string> strata;
  NearTies near_ties = NearTies::merge;

  static MethodCard const& card();
  static std::optional<LogRank> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;
  Expected<Figures> figures(Frame const& frame, Focus const& focus) const;

 private:
  struct Counted;
  Expected<Counted> count(Frame const& frame) const;
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<LogRank>);

}  // namespace equipoise::stats

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/survival/rows.h"

namespace equipoise::stats {

/// Sums over the event times of all strata.
///
///     observed_j = sum d_j,  expected_j = sum d n_j / N,  covariance_jk = sum d (N - d) / (N - 1) n_j/N (1{j = k} - n_k/N)
struct LogRankSums {
  std::vector<double> observed, expected;  ///< shape k
  std::vector<double> covariance;          ///< k x k, row by row
};

/// group and stratum of each row, numbered below `groups` and `strata`. A stratum with one group, or without events, adds nothing to
/// observed - expected nor to the covariance.
///
/// source   Mantel (1966), Cancer Chemother. Rep. 50, 163-170; Peto & Peto (1972), J. R. Stat. Soc. A 135, 185-207
/// checked  log_rank_test.cpp, tests/independent/survival_test.cpp, the reference cases log_rank
LogRankSums log_rank_sums(SurvivalRows const& data, std::span<const std::int32_t> group, std::size_t groups,
                          std::span<const std::int32_t> stratum, std::size_t strata);

/// Log-rank test of k groups, stratified or not. Page: docs/methods/log_rank.md
struct LogRank {
  std::string time, event, group;
  std::vector<std::string> strata;

  static MethodCard const& card();
  static std::optional<LogRank> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<LogRank>);

}  // namespace equipoise::stats

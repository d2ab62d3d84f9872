#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/survival/log_rank.h"

namespace equipoise::stats {

/// Log-rank test for trend over ordered groups, stratified or not.
///
///     z = w'(O - E) / sqrt(w'V w),   chi-square = z^2 on 1 degree of freedom
///
/// w are the scores of the groups; O, E, V the sums of the log-rank test. z is positive when groups of higher score have more
/// events than expected. Adding a number to all scores, or multiplying them by one above 0, changes nothing.
/// Page: docs/methods/log_rank_trend.md
///
/// source   Tarone (1975), Biometrika 62, 679-682; Klein & Moeschberger (2003), Survival Analysis, 7.4
/// checked  log_rank_trend_test.cpp, tests/independent/rank_tests_test.cpp, the reference cases log_rank_trend
struct LogRankTrend {
  std::string time, event, group;
  std::vector<std::string> strata;
  std::map<std::string, double> scores;
  NearTies near_ties = NearTies::merge;

  static MethodCard const& card();
  static std::optional<LogRankTrend> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<LogRankTrend>);

}  // namespace equipoise::stats

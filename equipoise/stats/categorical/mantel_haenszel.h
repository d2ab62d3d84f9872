#pragma once

#include <optional>
#include <vector>

#include "equipoise/stats/categorical/two_groups.h"
#include "equipoise/stats/method.h"

/// Common odds ratio, risk difference and risk ratio of 2 x 2 tables in strata. Page: docs/methods/mantel_haenszel.md
///
/// Tables a, b / c, d with n1 = a + b, n0 = c + d, N = n1 + n0, one a stratum, both groups in each.
///
/// source   Mantel & Haenszel (1959), J. Natl. Cancer Inst. 22, 719-748; Robins, Breslow & Greenland (1986), Biometrics 42,
///          311-323; Greenland & Robins (1985), Biometrics 41, 55-68; Sato (1989), Biometrics 45, 1323-1324
/// checked  strata_test.cpp, tests/independent/strata_test.cpp, the reference cases mantel_haenszel_*
namespace equipoise::stats {

/// An estimate and its variance: of the logarithm for ratios. NaN where not estimable; a ratio may be infinite.
struct CommonEffect {
  double estimate, variance;
};

/// sum(a d / N) / sum(b c / N), variance of Robins, Breslow and Greenland
CommonEffect mantel_haenszel_odds_ratio(std::vector<TwoByTwo> const& tables);
/// sum(a n0 / N) / sum(c n1 / N), variance of Greenland and Robins
CommonEffect mantel_haenszel_risk_ratio(std::vector<TwoByTwo> const& tables);

enum class RiskDifferenceVariance { sato, greenland_robins };
/// sum w (a/n1 - c/n0) / sum w, w = n1 n0 / N
CommonEffect mantel_haenszel_risk_difference(std::vector<TwoByTwo> const& tables, RiskDifferenceVariance kind);

/// (sum a - sum E a) / sqrt(sum V a), hypergeometric, no correction: the root of the Cochran-Mantel-Haenszel chi-square. NaN when no
/// table has both responses.
double mantel_haenszel_z(std::vector<TwoByTwo> const& tables);

struct MantelHaenszelOddsRatio {
  TwoGroups groups;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<MantelHaenszelOddsRatio> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return groups.needs(); }
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<MantelHaenszelOddsRatio>);

struct MantelHaenszelRiskRatio {
  TwoGroups groups;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<MantelHaenszelRiskRatio> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return groups.needs(); }
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<MantelHaenszelRiskRatio>);

struct MantelHaenszelRiskDifference {
  TwoGroups groups;
  RiskDifferenceVariance variance = RiskDifferenceVariance::sato;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<MantelHaenszelRiskDifference> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return groups.needs(); }
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<MantelHaenszelRiskDifference>);

}  // namespace equipoise::stats

#pragma once

#include <optional>
#include <vector>

#include "equipoise/stats/categorical/two_groups.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

struct Homogeneity {
  double chi_square, df;  ///< NaN, 0 when not estimable
  std::size_t used;       ///< strata with both groups and both responses
};

/// Whether the strata share one odds ratio. With e_j the expected count of a at the Mantel-Haenszel odds ratio, given the margins,
///
///     sum (a_j - e_j)^2 / V_j,  1/V_j = 1/e + 1/(n1 - e) + 1/(m - e) + 1/(n0 - m + e);   Tarone: - (sum (a_j - e_j))^2 / sum V_j
///
/// tables   one a stratum, both groups in each; those of one response only are not counted
/// source   Breslow & Day (1980), Statistical Methods in Cancer Research I, 142-146; Tarone (1985), Biometrika 72, 91-95
/// checked  strata_test.cpp, tests/independent/strata_test.cpp, the reference cases breslow_day
Homogeneity breslow_day(std::vector<TwoByTwo> const& tables, bool tarone);

/// Breslow-Day test of homogeneous odds ratios. Page: docs/methods/breslow_day.md
struct BreslowDay {
  TwoGroups groups;
  bool tarone = false;

  static MethodCard const& card();
  static std::optional<BreslowDay> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return groups.needs(); }
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<BreslowDay>);

}  // namespace equipoise::stats

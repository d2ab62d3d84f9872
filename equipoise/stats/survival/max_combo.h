#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/parts.h"
#include "equipoise/stats/survival/fleming_harrington.h"
#include "equipoise/stats/survival/rows.h"

namespace equipoise::stats {

/// Standardised Fleming-Harrington statistics of two groups and their correlation.
///
///     z_a = U_a / sqrt(V_aa),   U_a = sum w_a (d_1 - d n_1/n),   V_ab = sum w_a w_b d (n - d)/(n - 1) n_1/n (1 - n_1/n)
///
/// over the event times of all strata, each stratum with its own weights.
struct FlemingHarringtonFamily {
  std::vector<double> z;            ///< m; NaN when the variance is 0
  std::vector<double> correlation;  ///< m x m, row by row
};

/// in_first  1 for rows of the group whose excess of events is positive z, 0 for the other
/// source    Karrison (2016), Stata J. 16, 678-690; Lin et al. (2020), Stat. Biopharm. Res. 12, 187-198
/// checked   max_combo_test.cpp, tests/independent/rank_tests_test.cpp, the reference cases max_combo
FlemingHarringtonFamily fleming_harrington_family(SurvivalRows const& data, std::span<const std::int32_t> in_first,
                                                  std::span<const std::int32_t> stratum, std::size_t strata,
                                                  std::span<const RhoGamma> weights);

/// MaxCombo test: the largest of several Fleming-Harrington statistics. Page: docs/methods/max_combo.md
struct MaxCombo {
  std::string time, event, group;
  std::vector<std::string> strata;
  std::vector<RhoGamma> weights;
  Difference difference;
  NearTies near_ties = NearTies::merge;

  static MethodCard const& card();
  static std::optional<MaxCombo> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<MaxCombo>);

}  // namespace equipoise::stats

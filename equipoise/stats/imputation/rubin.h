#pragma once

#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// One estimate from several imputed data sets. NaN = not estimable.
struct Pooled {
  double estimate = missing_number;
  double within = missing_number;           ///< W, mean of the variances
  double between = missing_number;          ///< B, variance of the estimates, divisor m - 1
  double se = missing_number;               ///< sqrt(T)
  double lambda = missing_number;           ///< share of T that is due to the missing values
  double df_large_sample = missing_number;  ///< Rubin (1987); infinite when B is 0
  double df = missing_number;               ///< Barnard and Rubin (1999); infinite when B is 0 and complete_df is infinite
};

/// Rubin's rules for m >= 2 imputed data sets.
///
///     q = mean of q_i,  W = mean of u_i,  B = sum (q_i - q)^2 / (m - 1),  T = W + (1 + 1/m) B
///     lambda = (1 + 1/m) B / T,  df_large_sample = (m - 1) / lambda^2
///     observed = (nu + 1) / (nu + 3) * nu * (1 - lambda),  1/df = 1/df_large_sample + 1/observed
///
/// estimates    q_i, one of each imputed data set              shape m
/// variances    u_i, their squared standard errors, >= 0       shape m
/// complete_df  nu > 0, degrees of freedom without missing values; infinite: df is df_large_sample
/// returns      all NaN when an estimate or a variance is, or when they are too large to square; lambda and df NaN when T is 0
/// errors       size_mismatch; out_of_range for fewer than two data sets, a negative variance, complete_df not above 0
/// source       Rubin (1987), Multiple Imputation for Nonresponse in Surveys, section 3.3; Barnard & Rubin (1999), Biometrika 86,
///              948-955
/// checked      rubin_test.cpp, tests/independent/rubin_test.cpp, tests/reference/rubin
Expected<Pooled> pool(std::span<const double> estimates, std::span<const double> variances,
                      double complete_df = std::numeric_limits<double>::infinity());

/// Rubin's rules on given numbers. Page: docs/methods/rubin.md
struct Rubin {
  std::vector<double> estimates, variances;
  std::optional<double> complete_data_df;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<Rubin> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return {}; }
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<Rubin>);

}  // namespace equipoise::stats

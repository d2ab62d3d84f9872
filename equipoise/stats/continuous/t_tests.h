#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {

enum class TVariance { pooled, welch, paired, one_sample };

/// A mean, or a difference of means, with what its t test needs. NaN where the data do not determine it.
struct MeanEstimate {
  double estimate, se, df;
};

///     pooled   s^2 = ((n_1 - 1) s_1^2 + (n_2 - 1) s_2^2) / (n_1 + n_2 - 2),  se^2 = s^2 (1/n_1 + 1/n_2),  df = n_1 + n_2 - 2
///     welch    se^2 = s_1^2/n_1 + s_2^2/n_2,  df = se^4 / ((s_1^2/n_1)^2/(n_1 - 1) + (s_2^2/n_2)^2/(n_2 - 1))
///
/// estimate mean(first) - mean(second)
/// source   Student (1908), Biometrika 6, 1-25; Welch (1947), Biometrika 34, 28-35; Satterthwaite (1946), Biometrics Bull. 2,
/// 110-114 checked  t_tests_test.cpp, the reference cases t_test
MeanEstimate mean_difference(std::span<const double> first, std::span<const double> second, bool pooled);
/// Mean, s / sqrt n, n - 1.
MeanEstimate one_mean(std::span<const double> values);

/// Student's, Welch's, paired and one-sample t test. Page: docs/methods/t_test.md
/// (The file is not called t_test, which the build would take for a test.)
struct TTest {
  TVariance variance = TVariance::welch;
  std::string response, group, first, second;
  std::optional<Difference> difference;
  double mu = 0.0;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<TTest> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<TTest>);

}  // namespace equipoise::stats

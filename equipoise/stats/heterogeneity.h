#pragma once

#include <span>

#include "equipoise/core/columns.h"

namespace equipoise::stats {

/// A statistic that is chi-square distributed when there is nothing to find. NaN = not estimable.
struct ChiSquareTest {
  double value = missing_number, df = missing_number, p = missing_number;
};

/// An estimate that is independent of the others, with its standard error.
struct IndependentEstimate {
  double value = missing_number, se = missing_number;
};

/// Cochran's Q of independent estimates of one quantity: with w = 1/se^2 and m their mean weighted by w,
///
///     Q = sum w (estimate - m)^2,  degrees of freedom: estimates less 1
///
/// Estimates that are not finite, or without a standard error above 0, do not count; with fewer than two NaN.
/// source  Cochran (1954), Biometrics 10, 101-129
/// checked heterogeneity_test.cpp, tests/integration/subgroups_test.cpp
ChiSquareTest cochran_q(std::span<const IndependentEstimate> estimates);

/// Standard error of the logarithm of a ratio from its limits, which are symmetric about it: log(upper/lower)/(2 z).
/// level  of the interval, two-sided
double error_of_ratio(double lower, double upper, double level);

/// Twice the difference of the log likelihoods of nested models, at the difference of their ranks. NaN when a log likelihood is,
/// or the larger model has no higher rank.
ChiSquareTest likelihood_ratio_test(double smaller, double larger, double df);

}  // namespace equipoise::stats

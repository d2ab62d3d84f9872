#pragma once

#include <cstddef>
#include <span>

namespace equipoise::numerics {

/// Independent components that `multivariate_normal_rectangle` integrates over, at most.
inline constexpr std::size_t most_normal_components = 4;

/// A probability with the rank of the correlation matrix. NaN when it was not computed: see `rank`.
struct RectangleProbability {
  double probability;
  std::size_t rank;  ///< above `most_normal_components`: too many components for quadrature
};

/// P(lower_i < Z_i < upper_i for all i), or the probability of the complement, Z normal with means 0, variances 1 and the given
/// correlation, which may be singular or nearly so: a Monte Carlo or a lattice rule over m components is then off by percents.
///
///     Z = L X,   L the pivoted Cholesky factor (m x r), r the rank, X independent standard normal
///
/// and the probability is an iterated integral over x_1 to x_r, the last in closed form, the others by adaptive Gauss-Kronrod
/// rules; the one before the last is cut where its bounds change from one row of L to another. Of the complement every part is
/// positive (the first violated bound and what is left inside it), so that a small tail probability keeps its digits.
///
/// correlation  m x m, row by row, ones on the diagonal; lower, upper  shape m, infinite allowed
/// accuracy  inside: absolute error below 1e-9; outside: relative error below 1e-8. A row whose residual variance given the rows
///           before it is below 1e-13 counts as their combination, which is what rounding leaves of an exact one.
/// returns   0 inside (1 outside) when a lower limit is not below its upper one, NaN when a limit is NaN or r > 4
/// source    iterated integrals over the factor: Genz & Bretz (2009), Computation of Multivariate Normal and t Probabilities,
///           sections 4.1 and 5.1 (singular case); the rule: Piessens et al. (1983), QUADPACK, table of the 21-point rule
/// checked   multivariate_normal_test.cpp (closed forms in one and two dimensions, orthants, product forms, duplicates),
///           tests/independent/rank_tests_test.cpp (Monte Carlo)
RectangleProbability multivariate_normal_inside(std::span<const double> correlation, std::span<const double> lower,
                                                std::span<const double> upper);
RectangleProbability multivariate_normal_outside(std::span<const double> correlation, std::span<const double> lower,
                                                 std::span<const double> upper);

}  // namespace equipoise::numerics

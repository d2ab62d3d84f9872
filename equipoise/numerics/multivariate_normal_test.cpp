#include "equipoise/numerics/multivariate_normal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "equipoise/numerics/distributions.h"

namespace equipoise::numerics {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const double pi = std::acos(-1.0);

double inside(std::vector<double> const& r, std::vector<double> const& lower, std::vector<double> const& upper) {
  return multivariate_normal_inside(r, lower, upper).probability;
}
double outside(std::vector<double> const& r, double c) {
  const auto m = std::size_t(std::lround(std::sqrt(double(r.size()))));
  return multivariate_normal_outside(r, std::vector<double>(m, -c), std::vector<double>(m, c)).probability;
}
std::vector<double> equal(std::size_t m, double r) {
  std::vector<double> matrix(m * m, r);
  for (std::size_t i = 0; i < m; ++i) matrix[i * m + i] = 1;
  return matrix;
}

TEST(MultivariateNormal, IsTheNormalDistributionInOneDimension) {
  EXPECT_NEAR(inside({1}, {-1}, {2}), normal_cdf(2) - normal_cdf(-1), 1e-15);
  EXPECT_NEAR(outside({1}, 8) / normal_two_sided(8), 1, 1e-14);
  EXPECT_EQ(inside({1}, {2}, {1}), 0);
  EXPECT_EQ(outside({1}, -1), 1);
}

// Orthants: 1/4 + asin(r)/(2 pi) (Sheppard 1899), 1/8 + (asin a + asin b + asin c)/(4 pi); four with equal 1/2: 1/5 (5
// exchangeable).
TEST(MultivariateNormal, ReproducesOrthants) {
  for (const double r : {-0.999999, -0.5, 0.0, 0.3, 0.9, 0.9999999})
    EXPECT_NEAR(inside({1, r, r, 1}, {0, 0}, {infinity, infinity}), 0.25 + std::asin(r) / (2 * pi), 1e-9) << r;
  const double a = 0.2, b = -0.4, c = 0.6;
  EXPECT_NEAR(inside({1, a, b, a, 1, c, b, c, 1}, {0, 0, 0}, {infinity, infinity, infinity}),
              0.125 + (std::asin(a) + std::asin(b) + std::asin(c)) / (4 * pi), 1e-9);
  EXPECT_NEAR(inside(equal(4, 0.5), {0, 0, 0, 0}, {infinity, infinity, infinity, infinity}), 0.2, 1e-9);
}

TEST(MultivariateNormal, FactorsWithoutCorrelation) {
  for (const double c : {0.5, 2.0, 6.0}) {
    const double tail = normal_two_sided(c);
    for (std::size_t m = 1; m <= 4; ++m)  // 1 - (1 - tail)^m, kept for small tails
      EXPECT_NEAR(outside(equal(m, 0), c) / -std::expm1(double(m) * std::log1p(-tail)), 1, 1e-9) << m << " " << c;
  }
}

/// P(max |Z_i| >= c) of equally correlated Z_i = sqrt(r) X + sqrt(1 - r) E_i: one integral over X, by the trapezoidal rule, which
/// is as exact as the double for a smooth integrand that vanishes at both ends.
double exchangeable(std::size_t m, double r, double c) {
  double total = 0;
  const double step = 1.0 / 512;
  for (double x = -12; x <= 12; x += step) {
    const double shift = std::sqrt(r) * x, scale = std::sqrt(1 - r);
    const double out = normal_upper((c - shift) / scale) + normal_cdf((-c - shift) / scale);
    total += step * std::exp(-x * x / 2) / std::sqrt(2 * pi) * -std::expm1(double(m) * std::log1p(-std::min(out, 1 - 1e-16)));
  }
  return total;
}

TEST(MultivariateNormal, AgreesWithOneIntegralForEqualCorrelations) {
  for (const std::size_t m : {2u, 3u, 4u})
    for (const double r : {0.1, 0.5, 0.9, 0.99})
      for (const double c : {0.7, 2.2, 4.5})
        EXPECT_NEAR(outside(equal(m, r), c) / exchangeable(m, r, c), 1, 1e-8) << m << " " << r << " " << c;
}

TEST(MultivariateNormal, CountsDuplicatesAndMirrorImagesOnce) {
  const double r = 0.6;
  const double two = outside({1, r, r, 1}, 2.1);
  EXPECT_NEAR(outside({1, r, 1, -r, r, 1, r, -1, 1, r, 1, -r, -r, -1, -r, 1}, 2.1) / two, 1, 1e-8);
  const auto copies = multivariate_normal_outside(equal(6, 1), std::vector<double>(6, -2.0), std::vector<double>(6, 2.0));
  EXPECT_EQ(copies.rank, 1u);
  EXPECT_NEAR(copies.probability, normal_two_sided(2), 1e-14);
}

// The third is the scaled sum of the first two: a hexagon in the plane of two independent components. For independent ones and
// r_13 = r_23 = 1/sqrt 2 the probability outside is that of the polygon, by integrating exp(-R^2/2) over the angle, R(u) = c over
// the largest |a_i'u|.
TEST(MultivariateNormal, IntegratesSingularCorrelations) {
  const double h = std::sqrt(0.5);
  for (const double c : {0.5, 1.5, 3.0, 7.0}) {
    double total = 0;
    const int n = 1 << 16;
    for (int i = 0; i < n; ++i) {
      const double angle = 2 * pi * (i + 0.5) / n, x = std::cos(angle), y = std::sin(angle);
      const double reach = c / std::max({std::abs(x), std::abs(y), std::abs(h * (x + y))});
      total += std::exp(-reach * reach / 2) / n;
    }
    // the corners of the integrand leave the midpoint rule an error of (2 pi/n)^2, about 1e-8 times c^2 of the slope
    EXPECT_NEAR(outside({1, 0, h, 0, 1, h, h, h, 1}, c) / total, 1, 1e-6) << c;
    EXPECT_EQ(multivariate_normal_outside(std::vector<double>{1, 0, h, 0, 1, h, h, h, 1}, std::vector<double>(3, -c),
                                          std::vector<double>(3, c))
                  .rank,
              2u);
  }
}

TEST(MultivariateNormal, GoesContinuouslyToASingularCorrelation) {
  const double h = std::sqrt(0.5);
  const double limit = outside({1, 0, h, 0, 1, h, h, h, 1}, 2);
  double last = 1;
  for (const double away : {1e-3, 1e-6, 1e-9, 1e-12}) {  // the residual variance of the third is about 2 h away
    const double near = h - away, gap = std::abs(outside({1, 0, near, 0, 1, near, near, near, 1}, 2) - limit);
    EXPECT_LT(gap, last) << away;
    EXPECT_LT(gap, 3 * away + 2e-9) << away;  // the accuracy of the quadrature
    last = gap + 2e-9;
  }
}

TEST(MultivariateNormal, InsideAndOutsideMakeOne) {
  const std::vector<double> r{1, 0.4, -0.3, 0.1, 0.4, 1, 0.2, 0.5, -0.3, 0.2, 1, 0.3, 0.1, 0.5, 0.3, 1};
  const std::vector<double> lower{-1, -infinity, -0.5, -2}, upper{2, 1.5, infinity, 0.7};
  EXPECT_NEAR(multivariate_normal_inside(r, lower, upper).probability + multivariate_normal_outside(r, lower, upper).probability,
              1, 2e-9);
}

TEST(MultivariateNormal, SaysWhenThereAreTooManyComponents) {
  const auto got = multivariate_normal_outside(equal(5, 0.5), std::vector<double>(5, -2), std::vector<double>(5, 2));
  EXPECT_EQ(got.rank, 5u);
  EXPECT_TRUE(std::isnan(got.probability));
  EXPECT_TRUE(std::isnan(outside({1}, std::nan(""))));
}

TEST(MultivariateNormal, StaysAboveTheLargestTailWhenThatUnderflows) {
  EXPECT_GE(outside(equal(3, 0.5), 40), 0);
  EXPECT_LE(outside(equal(3, 0.5), 40), 1e-300);
  EXPECT_NEAR(std::log(outside(equal(2, 0), 30)), std::log(2 * normal_two_sided(30)), 1e-9);
}

}  // namespace
}  // namespace equipoise::numerics

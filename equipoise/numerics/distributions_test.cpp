#include "equipoise/numerics/distributions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace equipoise::numerics {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Known to more digits than a double holds: Abramowitz & Stegun (1964), tables 26.1 to 26.2, and closed forms. Tolerances: a few
// units in the last place times the condition of the function at the argument.
TEST(Distributions, NormalHasItsTabulatedValues) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 4e-15);
  EXPECT_NEAR(normal_interval(0.95), 1.959963984540054, 4e-15);
  EXPECT_NEAR(normal_cdf(1), 0.841344746068543, 1e-15);
  EXPECT_NEAR(normal_upper(10) / 7.619853024160527e-24, 1, 1e-13);  // the far tail keeps its digits
  EXPECT_NEAR(normal_two_sided(-1.959963984540054), 0.05, 1e-15);
}

TEST(Distributions, StudentWithOneDegreeIsCauchyAndWithTwoHasAClosedForm) {
  for (const double t : {0.1, 1.0, 7.5, 300.0}) {
    EXPECT_NEAR(student_t_upper(t, 1), std::atan(1 / t) / std::acos(-1.0), 1e-15) << t;
    EXPECT_NEAR(student_t_cdf(t, 2), 0.5 + t / (2 * std::sqrt(2 + t * t)), 1e-15) << t;
    EXPECT_DOUBLE_EQ(student_t_upper(t, 7.3), student_t_cdf(-t, 7.3));
  }
  EXPECT_NEAR(student_t_interval(0.95, 10), 2.2281388519862739, 1e-14);  // R 4.2.2, qt(0.975, 10)
  EXPECT_DOUBLE_EQ(student_t_interval(0.95, infinity), normal_interval(0.95));
}

TEST(Distributions, ChiSquareWithTwoDegreesIsExponential) {
  for (const double x : {1e-8, 0.5, 5.0, 200.0, 1000.0}) EXPECT_NEAR(chi_square_upper(x, 2) / std::exp(-x / 2), 1, 1e-13) << x;
  EXPECT_NEAR(chi_square_upper(3.841458820694124, 1), 0.05, 1e-15);
  EXPECT_NEAR(chi_square_quantile(0.95, 2), -2 * std::log(0.05), 1e-14);
  EXPECT_EQ(chi_square_upper(-1, 3), 1);
  EXPECT_EQ(chi_square_upper(infinity, 3), 0);
}

TEST(Distributions, BetaWithOneShapeOfOneIsAPower) {
  EXPECT_NEAR(beta_quantile(0.025, 5, 1), std::pow(0.025, 0.2), 1e-15);
  EXPECT_NEAR(beta_upper_quantile(0.025, 1, 10), 1 - std::pow(0.025, 0.1), 1e-15);
  EXPECT_NEAR(beta_cdf(0.3, 1, 4), 1 - std::pow(0.7, 4), 1e-15);
}

TEST(Distributions, AnswerNaNOutsideTheirDomainAndNeverThrow) {
  for (const double bad : {nan, -1.0, 1.5}) {
    EXPECT_TRUE(std::isnan(normal_quantile(bad)));
    EXPECT_TRUE(std::isnan(beta_quantile(bad, 1, 1)));
    EXPECT_TRUE(std::isnan(chi_square_quantile(bad, 1)));
  }
  for (const double df : {nan, 0.0, -2.0}) {
    EXPECT_TRUE(std::isnan(student_t_cdf(1, df)));
    EXPECT_TRUE(std::isnan(chi_square_upper(1, df)));
    EXPECT_TRUE(std::isnan(beta_quantile(0.5, df, 1)));
  }
  EXPECT_TRUE(std::isnan(student_t_cdf(nan, 3)));
  EXPECT_TRUE(std::isnan(chi_square_upper(nan, 3)));
  EXPECT_TRUE(std::isnan(normal_interval(1)));
  EXPECT_EQ(student_t_two_sided(infinity, 3), 0);
}

}  // namespace
}  // namespace equipoise::numerics

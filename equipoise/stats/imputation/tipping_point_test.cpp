#include "equipoise/stats/imputation/tipping_point.h"

#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/numerics/distributions.h"

namespace equipoise::stats {
namespace {

constexpr double z = 1.959963984540054;  // of 0.975

/// estimate a + s delta with variance v + 2 c delta + w delta^2.
Shifted line(double a, double s, double v, double c, double w) {
  return [=](double delta, double) {
    return Uncertain{.estimate = a + s * delta, .se = std::sqrt(v + 2 * c * delta + w * delta * delta)};
  };
}

// (a + s d)^2 = z^2 (v + 2 c d + w d^2)
TEST(TippingDelta, IsTheNearestRootOfTheQuadratic) {
  for (const double a : {-3.0, 2.5, -0.4})
    for (const double s : {0.3, -0.2})
      for (const double c : {0.0, 0.02}) {
        const double v = 1, w = 0.001;
        const double q2 = s * s - z * z * w, q1 = a * s - z * z * c, q0 = a * a - z * z * v;
        const double root = std::sqrt(q1 * q1 - q2 * q0), one = (-q1 - root) / q2, other = (-q1 + root) / q2;
        const double expected = std::abs(one) < std::abs(other) ? one : other;
        const auto got = tipping_delta(line(a, s, v, c, w), s, 0.05);
        ASSERT_TRUE(got) << a << s << c;
        EXPECT_NEAR(*got, expected, 1e-9 * std::abs(expected)) << a << s << c;  // p near 0.05 is flat to 1e-15 / 0.02
      }
}

TEST(TippingDelta, IsNothingWhereNoShiftChangesTheConclusion) {
  EXPECT_FALSE(tipping_delta(line(-3, 0, 1, 0, 0), 0, 0.05)) << "nothing to shift";
  EXPECT_FALSE(tipping_delta(line(-0.5, 0.1, 1, 0, 0.01), 0.1, 0.05)) << "the error grows as fast as the estimate";
  EXPECT_FALSE(tipping_delta(line(missing_number, 0.1, 1, 0, 0), 0.1, 0.05));
  EXPECT_FALSE(tipping_delta(line(-3, 0.1, 0, 0, 0), 0.1, 0.05)) << "no error";
}

TEST(Uncertain, UsesTheNormalDistributionUnlessItHasDegreesOfFreedom) {
  EXPECT_NEAR((Uncertain{.estimate = z, .se = 1}.p()), 0.05, 1e-15);
  EXPECT_NEAR((Uncertain{.estimate = 2, .se = 1, .df = 9}.p()), numerics::student_t_two_sided(2, 9), 0);
  EXPECT_NEAR((Uncertain{.estimate = 2, .se = 3}.half_width(0.95)), 3 * z, 1e-14);
  EXPECT_TRUE(std::isnan(Uncertain{}.p()));
}

}  // namespace
}  // namespace equipoise::stats

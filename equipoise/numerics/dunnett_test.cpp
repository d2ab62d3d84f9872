#include "equipoise/numerics/dunnett.h"

#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/fast_normal.h"

namespace equipoise::numerics {
namespace {

TEST(NormalTable, IsTheNormalDistribution) {
  NormalTable const& table = NormalTable::get();
  for (double x = -12; x <= 12; x += 0.0007) EXPECT_NEAR(table.cdf(x), normal_cdf(x), 2.5e-16) << x;
  for (double x = -2; x <= 2; x += 0.0007) EXPECT_NEAR(table.cdf(x) / normal_cdf(x), 1, 1e-14) << x;
  for (double x = -8; x <= -2; x += 0.0007) EXPECT_NEAR(table.cdf(x) / normal_cdf(x), 1, 2e-9) << x;
}

// R 4.2.2: nested integrate() of Dunnett's integral, rel.tol 1e-11, uniroot to 1e-12; 12 digits.
TEST(MaximumT, HasDunnettsCriticalValues) {
  const double half = std::sqrt(0.5);
  EXPECT_NEAR(MaximumT::product(std::vector<double>(2, half), 69, Sides::both).critical_value(0.05), 2.25820495486, 1e-9);
  EXPECT_NEAR(MaximumT::product(std::vector<double>(4, half), 95, Sides::both).critical_value(0.05), 2.48349384097, 1e-9);
  EXPECT_NEAR(MaximumT::product(std::vector<double>(4, half), 3, Sides::both).critical_value(0.05), 4.53824166845, 1e-8);
}

TEST(MaximumT, IsTheTDistributionOfOne) {
  for (const double df : {1.0, 2.0, 7.0, 50.0, 4000.0})
    for (const double t : {0.1, 1.0, 2.5, 6.0}) {
      const std::vector<double> one{0.6};
      EXPECT_NEAR(MaximumT::product(one, df, Sides::both).upper(t) / student_t_two_sided(t, df), 1, 1e-8) << df << ' ' << t;
      EXPECT_NEAR(MaximumT::product(one, df, Sides::upper).upper(t) / student_t_upper(t, df), 1, 1e-8) << df << ' ' << t;
    }
}

TEST(MaximumT, IsAPowerOfTheNormalWithoutCorrelation) {
  const std::vector<double> none(3, 0.0);
  const double infinity = INFINITY;
  for (const double t : {0.5, 2.0, 3.5}) {
    EXPECT_NEAR(MaximumT::product(none, infinity, Sides::both).upper(t), 1 - std::pow(1 - normal_two_sided(t), 3), 1e-10);
    EXPECT_NEAR(MaximumT::product(none, infinity, Sides::upper).upper(t), 1 - std::pow(normal_cdf(t), 3), 1e-10);
  }
}

TEST(MaximumT, ApproachesOneStatisticAsTheCorrelationGrows) {
  const std::vector<double> equal(3, std::sqrt(1 - 1e-6));
  EXPECT_NEAR(MaximumT::product(equal, 20, Sides::both).upper(2.0), student_t_two_sided(2.0, 20),
              2e-4);  // density 0.06 times 0.85 sigma is 5e-5
}

// R 4.2.2, mvtnorm 1.1-3: pmvnorm(algorithm = Miwa(steps = 4096)) style values are in tests/independent; here the general form
// must agree with the product form that it is near to, and with itself after a change of order.
TEST(MaximumT, TakesCorrelationsThatAreNoProduct) {
  const std::vector<double> r{1, 0.5, 0.45, 0.52, 0.5, 1, 0.55, 0.5, 0.45, 0.55, 1, 0.48, 0.52, 0.5, 0.48, 1};
  const std::vector<double> s{1, 0.5, 0.48, 0.52, 0.5, 1, 0.55, 0.5, 0.48, 0.55, 1, 0.45, 0.52, 0.5, 0.45, 1};
  const auto a = MaximumT::general(r, 30, Sides::both), b = MaximumT::general(s, 30, Sides::both);
  ASSERT_TRUE(a && b);
  EXPECT_FALSE(a->is_product());
  EXPECT_NEAR(a->upper(2.4), MaximumT::product(std::vector<double>(4, std::sqrt(0.5)), 30, Sides::both).upper(2.4), 1e-4);
  const std::vector<double> singular{1, 1, 1, 1};
  EXPECT_FALSE(MaximumT::general(singular, 30, Sides::both));
}

}  // namespace
}  // namespace equipoise::numerics

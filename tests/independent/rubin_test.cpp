#include "equipoise/stats/imputation/rubin.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "brute_force.h"
#include "equipoise/stats/testing.h"

// A second derivation of Rubin's rules: the variance between from squared differences of all pairs, the degrees of freedom from
// the relative increase of variance r instead of lambda, and the tail of the t distribution by Simpson's rule on its density.
namespace equipoise::independent {
namespace {

using Real = long double;

/// P(|T| > |t|) with density proportional to (1 + x^2/df)^(-(df + 1)/2); x = tan u, so that the interval is finite.
Real two_sided(Real t, Real df) {
  const Real half_pi = std::acos(Real(0));
  const auto density = [&](Real u) {  // of u: (1 + x^2/df)^(-(df+1)/2) dx/du with x = sqrt(df) tan u is cos^(df-1) u
    return std::pow(std::cos(u), df - 1);
  };
  const auto area = [&](Real from, Real to) {
    const int steps = 4000;
    Real total = density(from) + density(to);
    for (int i = 1; i < steps; ++i) total += (i % 2 ? 4 : 2) * density(from + (to - from) * i / steps);
    return total * (to - from) / steps / 3;
  };
  const Real at = std::atan(std::fabs(t) / std::sqrt(df)), nearly = half_pi * (1 - 1e-12L);
  return area(at, nearly) / area(0, nearly);
}

TEST(RubinByPairs, AgreesOnRandomNumbers) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Bits bits(seed);
    const int m = 2 + bits.below(30);
    std::vector<double> q, u;
    for (int i = 0; i < m; ++i) {
      q.push_back(bits.below(200) * 0.01 - 0.5);
      u.push_back(0.05 + bits.below(100) * 0.001);
    }
    if (std::all_of(q.begin(), q.end(), [&](double one) { return one == q[0]; })) continue;
    const double complete = 8 + bits.below(200) * 0.5;
    Real mean = 0, within = 0, pairs = 0;
    for (int i = 0; i < m; ++i) {
      mean += Real(q[std::size_t(i)]) / m, within += Real(u[std::size_t(i)]) / m;
      for (int j = 0; j < i; ++j)
        pairs += (Real(q[std::size_t(i)]) - q[std::size_t(j)]) * (Real(q[std::size_t(i)]) - q[std::size_t(j)]);
    }
    const Real between = pairs / (Real(m) * (m - 1));  // sum over i < j of (q_i - q_j)^2 is m times the squares around the mean
    const Real increase = (1 + 1 / Real(m)) * between / within;
    const Real large = (m - 1) * (1 + 1 / increase) * (1 + 1 / increase);
    const Real observed = complete * (complete + 1) / (complete + 3) / (1 + increase);
    const Real df = large * observed / (large + observed), se = std::sqrt(within * (1 + increase));

    const auto got = stats::pool(q, u, complete);
    ASSERT_TRUE(got);
    const double rounding = 1e-12;  // relative; differences of two-digit numbers around their mean
    EXPECT_NEAR(got->estimate, double(mean), rounding);
    EXPECT_NEAR(got->se, double(se), rounding * double(se));
    EXPECT_NEAR(got->lambda, double(increase / (1 + increase)), rounding);
    EXPECT_NEAR(got->df_large_sample, double(large), rounding * double(large));
    EXPECT_NEAR(got->df, double(df), rounding * double(df));
    const auto answer = stats::testing::answer<stats::Rubin>(stats::Frame{}, {},
                                                             {{"estimates", stats::testing::numbers(q)},
                                                              {"variances", stats::testing::numbers(u)},
                                                              {"complete_data_df", stats::testing::number(complete)}});
    if (df > 5) {  // below, Simpson's rule is slow at the end of cos^(df - 1)
      EXPECT_NEAR(stats::testing::read(answer, "p"), double(two_sided(mean / se, df)), 1e-9) << seed;
    }
  }
}

}  // namespace
}  // namespace equipoise::independent

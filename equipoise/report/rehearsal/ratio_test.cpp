#include "equipoise/report/rehearsal/ratio.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace equipoise::report::rehearsal {
namespace {

using results::Share;

// Wilson's limits of 81 of 263 and 0 of 20 are printed by Newcombe (1998), Stat. Med. 17, 857-872, table I, method 3.
TEST(Ratio, GivesNewcombesWilsonLimits) {
  const double printed = 5e-5;  // half the last digit
  EXPECT_NEAR(wilson_limits({81, 263}).lower, 0.2553, printed);
  EXPECT_NEAR(wilson_limits({81, 263}).upper, 0.3662, printed);
  EXPECT_EQ(wilson_limits({0, 20}).lower, 0);
  EXPECT_NEAR(wilson_limits({0, 20}).upper, 0.1611, printed);
  EXPECT_EQ(wilson_limits({20, 20}).upper, 1);
  EXPECT_NEAR(wilson_limits({1, 29}).lower, 0.0061, printed);
  EXPECT_NEAR(wilson_limits({1, 29}).upper, 0.1718, printed);
}

/// The formula as Newcombe writes it, with the subtraction.
double first_form(Share a, Share b) {
  const double pa = a.value(), pb = b.value(), l = wilson_limits(a).lower, u = wilson_limits(b).upper;
  return (pa * pb - std::sqrt(pa * pa * pb * pb - l * u * (2 * pa - l) * (2 * pb - u))) / (u * (2 * pb - u));
}

TEST(Ratio, IsNewcombesFormulaWrittenAnotherWay) {
  for (const Share a : {Share{320, 1000}, Share{47, 1000}, Share{5, 40}, Share{39, 40}})
    for (const Share b : {Share{47, 1000}, Share{310, 1000}, Share{30, 40}}) {
      const Ratio r = ratio_of(a, b);
      EXPECT_NEAR(r.lower, first_form(a, b), 1e-10 * r.lower);  // what the subtraction loses
      EXPECT_NEAR(r.upper, 1 / first_form(b, a), 1e-10 * r.upper);
      EXPECT_LT(r.lower, r.value);
      EXPECT_LT(r.value, r.upper);
    }
}

TEST(Ratio, SaysAtLeastOfWhatNeverHappensElsewhere) {
  const Ratio r = ratio_of({500, 1000}, {0, 1000});
  EXPECT_TRUE(std::isinf(r.value));
  EXPECT_TRUE(std::isinf(r.upper));
  // sqrt(l (2 p - l)) / u with Wilson's limits l of 500 and u of 0 in 1,000, worked by hand: l = 0.46907, u = 0.0038268
  EXPECT_NEAR(r.lower, std::sqrt(0.4690654 * (1 - 0.4690654)) / 0.00382683, 0.01);
  const Ratio inverse = ratio_of({0, 1000}, {500, 1000});
  EXPECT_EQ(inverse.value, 0);
  EXPECT_EQ(inverse.lower, 0);
  EXPECT_NEAR(inverse.upper, 1 / r.lower, 1e-12);
}

TEST(Ratio, KnowsNothingOfWhatNeverHappens) {
  for (const Ratio r : {ratio_of({0, 100}, {0, 100}), ratio_of({0, 0}, {5, 10}), ratio_of({5, 10}, {0, 0})}) {
    EXPECT_TRUE(std::isnan(r.value));
    EXPECT_EQ(r.lower, 0);
    EXPECT_TRUE(std::isinf(r.upper));
  }
}

TEST(Ratio, BoundsWhatWasNeverSeen) {
  // P(none in n) = (1 - p)^n is 5 % at the bound.
  for (const double n : {1.0, 20.0, 1e6}) EXPECT_NEAR(n * std::log1p(-none_in(n)), std::log(0.05), 1e-9);
  EXPECT_EQ(none_in(0), 1);
}

// All pairs of counts of two samples: how often the interval holds the ratio. Newcombe (2016) reports coverage that is on average
// near nominal; single points of discrete samples go below.
TEST(Ratio, CoversTheRatioInEnumeratedSamples) {
  const int n = 60;
  const auto binomial = [&](int k, double p) {
    return std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) + k * std::log(p) +
                    (n - k) * std::log1p(-p));
  };
  double sum = 0, least = 1;
  int points = 0;
  for (const double pa : {0.1, 0.3, 0.5, 0.9})
    for (const double pb : {0.05, 0.2, 0.5, 0.8}) {
      double covered = 0;
      for (int i = 0; i <= n; ++i)
        for (int j = 0; j <= n; ++j) {
          const Ratio r = ratio_of({i, n}, {j, n});
          if (r.lower <= pa / pb && pa / pb <= r.upper) covered += binomial(i, pa) * binomial(j, pb);
        }
      sum += covered, least = std::min(least, covered), ++points;
    }
  EXPECT_NEAR(sum / points, 0.95, 0.01);
  EXPECT_GT(least, 0.92);
}

}  // namespace
}  // namespace equipoise::report::rehearsal

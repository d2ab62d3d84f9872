#include "equipoise/random/variates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "equipoise/numerics/distributions.h"

namespace equipoise::random {
namespace {

/// Largest distance of the empirical distribution from F, times sqrt(n): above 1.95 once in 1000 seeds (Kolmogorov), and these
/// seeds are fixed.
template <class F>
double kolmogorov(std::vector<double> x, F distribution) {
  std::sort(x.begin(), x.end());
  double distance = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double p = distribution(x[i]), n = double(x.size());
    distance = std::max({distance, std::abs(p - double(i) / n), std::abs(p - double(i + 1) / n)});
  }
  return distance * std::sqrt(double(x.size()));
}

template <class Draw>
std::vector<double> drawn(std::uint64_t seed, Draw draw) {
  Stream stream({seed, Purpose::posterior}, 0);
  std::vector<double> x;
  for (int i = 0; i < 20000; ++i) x.push_back(draw(stream));
  return x;
}

TEST(Variates, UniformFillsTheUnitIntervalWithoutItsEnds) {
  const std::vector<double> x = drawn(1, [](Stream& s) { return uniform(s); });
  EXPECT_LT(kolmogorov(x, [](double u) { return u; }), 1.95);
  for (const double u : x) ASSERT_TRUE(u > 0 && u < 1);
}

TEST(Variates, NormalHasItsDistribution) {
  EXPECT_LT(kolmogorov(drawn(2, [](Stream& s) { return normal(s); }), [](double z) { return numerics::normal_cdf(z); }), 1.95);
}

TEST(Variates, ChiSquareHasItsDistributionAlsoBelowTwoDegrees) {
  for (const double df : {0.4, 1.0, 2.0, 5.0, 37.5})
    EXPECT_LT(kolmogorov(drawn(3, [&](Stream& s) { return chi_square(s, df); }),
                         [&](double x) { return 1 - numerics::chi_square_upper(x, df); }),
              1.95)
        << df;
}

TEST(Variates, AreAFunctionOfTheStream) {
  EXPECT_EQ(drawn(4, [](Stream& s) { return chi_square(s, 3); }), drawn(4, [](Stream& s) { return chi_square(s, 3); }));
  EXPECT_NE(drawn(4, [](Stream& s) { return normal(s); }), drawn(5, [](Stream& s) { return normal(s); }));
}

}  // namespace
}  // namespace equipoise::random

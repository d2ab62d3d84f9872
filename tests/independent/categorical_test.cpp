// Fisher's exact test and the Clopper-Pearson interval derived again: all tables with whole-number binomials, tails of the
// binomial distribution added up and inverted by bisection.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "brute_force.h"
#include "equipoise/stats/categorical/clopper_pearson.h"
#include "equipoise/stats/categorical/fisher_exact.h"

namespace equipoise::independent {
namespace {

/// n over k, exact: Pascal's triangle. Below 2^63 up to n = 60.
std::int64_t binomial(std::int64_t n, std::int64_t k) {
  if (k < 0 || k > n) return 0;
  std::vector<std::int64_t> row(std::size_t(n) + 1, 0);
  row[0] = 1;
  for (std::int64_t i = 1; i <= n; ++i)
    for (std::int64_t j = i; j > 0; --j) row[std::size_t(j)] += row[std::size_t(j - 1)];
  return row[std::size_t(k)];
}

TEST(FisherByEnumeration, AgreesOnAllSmallTables) {
  for (std::int64_t a = 0; a <= 5; ++a)
    for (std::int64_t b = 0; b <= 5; ++b)
      for (std::int64_t c = 0; c <= 5; ++c)
        for (std::int64_t d = 0; d <= 5; ++d) {
          const std::int64_t r = a + b, s = c + d, k = a + c;
          // Whole numbers compare exactly, so equally probable tables need no tolerance here.
          std::int64_t all = 0, as_rare = 0, more = 0, less = 0;
          const std::int64_t here = binomial(r, a) * binomial(s, c);
          for (std::int64_t x = 0; x <= k; ++x) {
            const std::int64_t ways = binomial(r, x) * binomial(s, k - x);
            all += ways;
            if (ways <= here) as_rare += ways;
            if (x >= a) more += ways;
            if (x <= a) less += ways;
          }
          const stats::TwoByTwo table{a, b, c, d};
          const auto p = [&](stats::Alternative alternative) { return stats::fisher_exact(table, alternative).p; };
          ASSERT_NEAR(p(stats::Alternative::two_sided), double(as_rare) / double(all), 1e-14) << a << b << c << d;
          ASSERT_NEAR(p(stats::Alternative::greater), double(more) / double(all), 1e-14) << a << b << c << d;
          ASSERT_NEAR(p(stats::Alternative::less), double(less) / double(all), 1e-14) << a << b << c << d;
        }
}

TEST(FisherByEnumeration, FindsTheOddsRatioThatMakesTheTableExpected) {
  Bits bits(7);
  for (int trial = 0; trial < 200; ++trial) {
    const stats::TwoByTwo t{1 + bits.below(12), 1 + bits.below(12), 1 + bits.below(12), 1 + bits.below(12)};
    const double w = stats::fisher_exact(t, stats::Alternative::two_sided).odds_ratio;
    const std::int64_t r = t.a + t.b, s = t.c + t.d, k = t.a + t.c;
    double total = 0, first = 0;
    for (std::int64_t x = 0; x <= k; ++x) {
      const double weight = double(binomial(r, x)) * double(binomial(s, k - x)) * std::pow(w, double(x));
      total += weight, first += weight * double(x);
    }
    EXPECT_NEAR(first / total, double(t.a), 1e-12 * double(k)) << t.a << ' ' << t.b << ' ' << t.c << ' ' << t.d;
  }
}

/// P(X <= x) of a binomial distribution, term by term from exact coefficients.
double binomial_tail(std::int64_t x, std::int64_t n, double p) {
  double tail = 0;
  for (std::int64_t i = 0; i <= x; ++i) tail += double(binomial(n, i)) * std::pow(p, double(i)) * std::pow(1 - p, double(n - i));
  return tail;
}

double bisect(auto&& increasing, double target) {
  double low = 0, high = 1;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (increasing(middle) < target ? low : high) = middle;
  }
  return (low + high) / 2;
}

TEST(ClopperPearsonByBisection, AgreesOnAllSmallSamples) {
  for (const double level : {0.8, 0.95, 0.99})
    for (std::int64_t n = 1; n <= 25; ++n)
      for (std::int64_t x = 0; x <= n; ++x) {
        const double tail = (1 - level) / 2;
        const auto got = stats::clopper_pearson(double(x), double(n), level);
        const double lower = x == 0 ? 0 : bisect([&](double p) { return 1 - binomial_tail(x - 1, n, p); }, tail);
        const double upper = x == n ? 1 : bisect([&](double p) { return 1 - binomial_tail(x, n, p); }, 1 - tail);
        // The tails have absolute rounding of about 25 units; at level 0.99 the slope at the limit is about 0.05.
        ASSERT_NEAR(got.lower, lower, 1e-12) << x << " of " << n;
        ASSERT_NEAR(got.upper, upper, 1e-12) << x << " of " << n;
      }
}

}  // namespace
}  // namespace equipoise::independent

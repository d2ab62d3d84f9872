// Intervals of proportions derived again: Wilson by bisection of its inequality; Miettinen and Nurminen with the constrained shares
// by search of the likelihood's maximum and the limits by bisection of the statistic.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "brute_force.h"
#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/categorical/newcombe.h"
#include "equipoise/stats/categorical/score_interval.h"
#include "equipoise/stats/categorical/wilson.h"

namespace equipoise::independent {
namespace {

using stats::Measure, stats::StratumWeights, stats::TwoByTwo;
using Real = long double;

const Real z95 = 1.959963984540054235524594L;  // R: sprintf("%.21f", qnorm(0.975)), as far as tables of the normal distribution go

Real crossing(std::function<Real(Real)> const& decreasing, Real low, Real high) {
  for (int i = 0; i < 70; ++i) {
    const Real middle = (low + high) / 2;
    (decreasing(middle) > 0 ? low : high) = middle;
  }
  return (low + high) / 2;
}

TEST(WilsonByBisection, AgreesOnAllSmallSamples) {
  for (int n = 1; n <= 30; ++n)
    for (int x = 0; x <= n; ++x) {
      const Real share = Real(x) / n;
      const auto inside = [&](Real p) { return (share - p) * (share - p) - z95 * z95 * p * (1 - p) / n; };  // <= 0 inside
      const auto got = stats::wilson(x, n, 0.95);
      // The inequality is exact at 0 of 0 events and at 1 of n; else one crossing on each side of the share.
      const Real lower = x == 0 ? 0 : crossing(inside, 0, share), upper = x == n ? 1 : crossing([&](Real p) { return -inside(p); }, share, 1);
      ASSERT_NEAR(got.lower, double(lower), 2e-15) << x << " of " << n;
      ASSERT_NEAR(got.upper, double(upper), 2e-15) << x << " of " << n;
    }
}

/// p1 of the first group when the second has p2 and the measure the value.
Real first_share(Measure measure, Real value, Real p2) {
  if (measure == Measure::difference) return p2 + value;
  if (measure == Measure::risk_ratio) return p2 * value;
  return value * p2 / (1 - p2 + value * p2);
}

/// The p2 of the largest likelihood: golden sections would stop at the square root of the rounding, so its slope is bisected; the
/// slope is taken by differences of the logarithms term by term, with no algebra of the measure.
Real best_second(TwoByTwo const& t, Measure measure, Real value) {
  Real low = 0, high = 1;
  if (measure == Measure::difference) low = std::max<Real>(0, -value), high = std::min<Real>(1, 1 - value);
  if (measure == Measure::risk_ratio) high = std::min<Real>(1, 1 / value);
  const auto slope = [&](Real p2) {
    const Real step = 1e-6L * std::min(p2 - low, high - p2);
    const auto change = [&](std::int64_t count, auto const& share) {
      return count == 0 ? Real(0) : count * std::log1p((share(p2 + step) - share(p2 - step)) / share(p2 - step));
    };
    return (change(t.a, [&](Real p) { return first_share(measure, value, p); }) +
            change(t.b, [&](Real p) { return 1 - first_share(measure, value, p); }) + change(t.c, [](Real p) { return p; }) +
            change(t.d, [](Real p) { return 1 - p; })) /
           (2 * step);
  };
  const Real width = high - low;
  return crossing(slope, low + 1e-15L * width, high - 1e-15L * width);
}

Real statistic(std::vector<TwoByTwo> const& tables, Measure measure, Real value) {
  std::vector<Real> p1, p2, w;
  for (TwoByTwo const& t : tables) {
    p2.push_back(best_second(t, measure, value));
    p1.push_back(first_share(measure, value, p2.back()));
    w.push_back(Real(t.first()) * t.second() / t.total());
  }
  const bool ratio = measure == Measure::risk_ratio;
  for (int round = 0; round < 60 && tables.size() > 1; ++round) {
    Real sum = 0, r1 = 0, r2 = 0;
    for (std::size_t j = 0; j < w.size(); ++j) sum += w[j], r1 += w[j] * p1[j], r2 += w[j] * p2[j];
    r1 /= sum, r2 /= sum;
    for (std::size_t j = 0; j < w.size(); ++j) {
      const Real n1 = tables[j].first(), n2 = tables[j].second();
      w[j] = ratio ? 1 / ((1 - r1) / (1 - r2) / n1 + value / n2) : 1 / (r1 * (1 - r1) / (r2 * (1 - r2)) / n1 + 1 / n2);
    }
  }
  Real excess = 0, variance = 0;
  for (std::size_t j = 0; j < tables.size(); ++j) {
    const Real n1 = tables[j].first(), n2 = tables[j].second(), n = n1 + n2, s1 = p1[j] * (1 - p1[j]), s2 = p2[j] * (1 - p2[j]);
    if (measure == Measure::odds_ratio) {
      excess += tables[j].a - n1 * p1[j];
      variance += n / (n - 1) / (1 / (n1 * s1) + 1 / (n2 * s2));
    } else {
      const Real d1 = tables[j].a / n1, d2 = tables[j].c / n2, scale = ratio ? value : 1;
      excess += w[j] * (d1 - (ratio ? value * d2 : d2 + value));
      variance += w[j] * w[j] * (s1 / n1 + scale * scale * s2 / n2) * n / (n - 1);
    }
  }
  return excess / std::sqrt(variance);
}

void expect_limits(std::vector<TwoByTwo> const& tables, Measure measure, std::string const& what) {
  const auto got = stats::score_interval(tables, measure, StratumWeights::miettinen_nurminen, 0.95);
  const bool difference = measure == Measure::difference;
  const auto value = [&](Real t) { return difference ? t : std::exp(t); };
  const Real least = difference ? -1 + 1e-9L : -14, most = difference ? 1 - 1e-9L : 14;
  // The slope by differences has a relative error of (1e-6)^2, times z 1e-12; the likelihood's flatness costs a factor of 1e3.
  const double near = 1e-8;
  for (const int side : {1, -1}) {
    const double limit = side > 0 ? got.lower : got.upper;
    const auto f = [&](Real t) { return statistic(tables, measure, value(t)) - side * z95; };
    if (f(least) > 0 && f(most) < 0) {
      const double brute = double(value(crossing(f, least, most)));
      EXPECT_NEAR(limit, brute, near * std::max(1.0, brute)) << what << (side > 0 ? " lower" : " upper");
    } else if (f(least) <= 0) {
      EXPECT_EQ(limit, difference ? -1.0 : 0.0) << what;
    } else {
      EXPECT_EQ(limit, difference ? 1.0 : std::numeric_limits<double>::infinity()) << what;
    }
  }
}

std::string cells(TwoByTwo const& t, int measure) {
  return std::to_string(t.a) + " " + std::to_string(t.b) + " / " + std::to_string(t.c) + " " + std::to_string(t.d) + " measure " +
         std::to_string(measure);
}

TEST(MiettinenNurminenBySearch, FindsTheSameLimits) {
  Bits bits(31);
  for (int trial = 0; trial < 60; ++trial) {
    const std::int64_t n1 = 1 + bits.below(15), n2 = 1 + bits.below(15), a = bits.below(int(n1) + 1), c = bits.below(int(n2) + 1);
    const TwoByTwo t{a, n1 - a, c, n2 - c};
    for (int measure = 0; measure < 3; ++measure) expect_limits({t}, Measure(measure), cells(t, measure));
  }
}

TEST(MiettinenNurminenBySearch, FindsTheSameLimitsInStrata) {
  Bits bits(32);
  for (int trial = 0; trial < 12; ++trial) {
    std::vector<TwoByTwo> tables;
    for (int j = 0; j < 3; ++j)
      tables.push_back({1 + bits.below(8), 1 + bits.below(8), 1 + bits.below(8), 1 + bits.below(8)});
    for (int measure = 0; measure < 3; ++measure) expect_limits(tables, Measure(measure), cells(tables[0], measure));
  }
}

TEST(MiettinenNurminen, IsTheCmhTestAtEquality) {
  Bits bits(33);
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<TwoByTwo> tables;
    Real excess = 0, variance = 0;
    for (int j = 0; j < 1 + trial % 4; ++j) {
      const TwoByTwo t{1 + bits.below(9), bits.below(9), 1 + bits.below(9), 1 + bits.below(9)};
      const Real n = t.total(), m = t.a + t.c;
      excess += t.a - t.first() * m / n;
      variance += t.first() * t.second() * m * (n - m) / (n * n * (n - 1));  // hypergeometric
      tables.push_back(t);
    }
    for (int measure = 0; measure < 3; ++measure)
      EXPECT_NEAR(stats::score_interval(tables, Measure(measure), StratumWeights::miettinen_nurminen, 0.95).z,
                  double(excess / std::sqrt(variance)), 1e-12);
  }
}

TEST(IntervalsOfADifference, TurnAroundWithTheGroups) {
  Bits bits(34);
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<TwoByTwo> tables, swapped;
    for (int j = 0; j < 1 + trial % 3; ++j) {
      const TwoByTwo t{bits.below(9), 1 + bits.below(9), bits.below(9), 1 + bits.below(9)};
      tables.push_back(t), swapped.push_back({t.c, t.d, t.a, t.b});
    }
    const auto one = stats::stratified_newcombe(tables, 0.9), other = stats::stratified_newcombe(swapped, 0.9);
    EXPECT_NEAR(one.lower, -other.upper, 1e-14);
    EXPECT_NEAR(one.estimate, -other.estimate, 1e-14);
    if (tables.size() == 1) {
      const auto plain = stats::newcombe(tables.front(), 0.9);
      EXPECT_NEAR(one.lower, plain.lower, 1e-14);
      EXPECT_NEAR(one.upper, plain.upper, 1e-14);
    }
    // Miettinen and Nurminen's weights are those of the groups as named: with Mantel-Haenszel weights the interval turns exactly.
    const auto mn = stats::score_interval(tables, Measure::difference, StratumWeights::mantel_haenszel, 0.9);
    const auto turned = stats::score_interval(swapped, Measure::difference, StratumWeights::mantel_haenszel, 0.9);
    EXPECT_NEAR(mn.lower, -turned.upper, 1e-12);
    const auto odds = stats::score_interval(tables, Measure::odds_ratio, StratumWeights::mantel_haenszel, 0.9);
    const auto inverse = stats::score_interval(swapped, Measure::odds_ratio, StratumWeights::mantel_haenszel, 0.9);
    if (odds.lower > 0 && std::isfinite(inverse.upper)) {
      EXPECT_NEAR(odds.lower * inverse.upper, 1, 1e-10);
    }
  }
}

}  // namespace
}  // namespace equipoise::independent

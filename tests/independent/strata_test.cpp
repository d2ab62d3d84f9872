// Stratified tests derived again: means and covariances of the Cochran-Mantel-Haenszel sums from every order of the responses in
// every stratum; Breslow and Day's expected counts by their quadratic equation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "brute_force.h"
#include "equipoise/stats/categorical/breslow_day.h"
#include "equipoise/stats/categorical/cmh.h"
#include "equipoise/stats/categorical/mantel_haenszel.h"

namespace equipoise::independent {
namespace {

struct Sample {
  std::vector<std::int32_t> group, response, stratum;
  std::vector<double> score;
  stats::Strata strata;
};

Sample sample(std::uint64_t seed, int strata) {
  Bits bits(seed);
  Sample made;
  made.strata.count = std::size_t(strata);
  for (int h = 0; h < strata; ++h)
    for (int i = 0, n = 1 + bits.below(6); i < n; ++i) {
      made.group.push_back(bits.below(3)), made.response.push_back(bits.below(3)), made.stratum.push_back(h);
      made.score.push_back(made.response.back() * made.response.back() - 1.5);
    }
  made.strata.code = made.stratum;
  return made;
}

/// Moments of `sums(order)` over every order of the responses within the strata, strata being independent. m numbers.
struct Moments {
  std::vector<double> mean, covariance;
};
template <class Sums>
Moments over_all_orders(Sample const& data, std::size_t m, Sums const& sums) {
  Moments total{std::vector<double>(m, 0), std::vector<double>(m * m, 0)};
  for (std::size_t h = 0; h < data.strata.count; ++h) {
    std::vector<std::size_t> rows, order;
    for (std::size_t i = 0; i < data.group.size(); ++i)
      if (data.stratum[i] == std::int32_t(h)) rows.push_back(i);
    order = rows;
    std::vector<std::vector<double>> seen;
    do seen.push_back(sums(rows, order));
    while (std::next_permutation(order.begin(), order.end()));
    std::vector<double> mean(m, 0);
    for (auto const& one : seen)
      for (std::size_t i = 0; i < m; ++i) mean[i] += one[i] / double(seen.size());
    for (std::size_t i = 0; i < m; ++i) {
      total.mean[i] += mean[i];
      for (std::size_t k = 0; k < m; ++k)
        for (auto const& one : seen)
          total.covariance[i * m + k] += (one[i] - mean[i]) * (one[k] - mean[k]) / double(seen.size());
    }
  }
  return total;
}

void expect_moments(stats::CmhSums const& got, Moments const& moments, std::vector<double> const& observed) {
  for (std::size_t i = 0; i < observed.size(); ++i)
    EXPECT_NEAR(got.deviation[i], observed[i] - moments.mean[i], 1e-12);  // sums of 720 orders
  for (std::size_t i = 0; i < moments.covariance.size(); ++i) EXPECT_NEAR(got.covariance[i], moments.covariance[i], 1e-11);
}

const std::vector<std::string> three{"a", "b", "c"};

TEST(CmhByPermutation, HasTheMomentsOfTheScores) {
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    const Sample data = sample(seed, 3);
    const auto sums = [&](std::vector<std::size_t> const& rows, std::vector<std::size_t> const& order) {
      std::vector<double> sum(3, 0);
      for (std::size_t i = 0; i < rows.size(); ++i) sum[std::size_t(data.group[rows[i]])] += data.score[order[i]];
      return sum;
    };
    std::vector<double> observed(3, 0);
    for (std::size_t i = 0; i < data.group.size(); ++i) observed[std::size_t(data.group[i])] += data.score[i];
    expect_moments(stats::cmh_score_sums(data.score, {data.group, three}, data.strata), over_all_orders(data, 3, sums), observed);
  }
}

TEST(CmhByPermutation, HasTheMomentsOfTheCounts) {
  for (std::uint64_t seed = 100; seed < 115; ++seed) {
    const Sample data = sample(seed, 2);
    const auto sums = [&](std::vector<std::size_t> const& rows, std::vector<std::size_t> const& order) {
      std::vector<double> count(9, 0);
      for (std::size_t i = 0; i < rows.size(); ++i) ++count[std::size_t(data.group[rows[i]] * 3 + data.response[order[i]])];
      return count;
    };
    std::vector<double> observed(9, 0);
    for (std::size_t i = 0; i < data.group.size(); ++i) ++observed[std::size_t(data.group[i] * 3 + data.response[i])];
    expect_moments(stats::cmh_count_sums({data.response, three}, {data.group, three}, data.strata),
                   over_all_orders(data, 9, sums), observed);
  }
}

std::vector<stats::TwoByTwo> tables(std::uint64_t seed, int strata) {
  Bits bits(seed);
  std::vector<stats::TwoByTwo> made;
  for (int j = 0; j < strata; ++j) made.push_back({1 + bits.below(12), 1 + bits.below(12), 1 + bits.below(12), 1 + bits.below(12)});
  return made;
}

TEST(BreslowDayByQuadratics, Agrees) {
  for (std::uint64_t seed = 200; seed < 260; ++seed) {
    const auto strata = tables(seed, 2 + int(seed % 4));
    double r = 0, s = 0;
    for (auto const& t : strata) r += double(t.a * t.d) / double(t.total()), s += double(t.b * t.c) / double(t.total());
    const double psi = r / s;
    double sum = 0, excess = 0, variance = 0;
    for (auto const& t : strata) {
      // e (n0 - m + e) = psi (n1 - e)(m - e)
      const double n1 = double(t.first()), n0 = double(t.second()), m = double(t.a + t.c);
      const double a = 1 - psi, b = n0 - m + psi * (n1 + m), c = -psi * n1 * m;
      double e = -1;
      if (std::abs(a) < 1e-12) e = -c / b;
      else
        for (const int sign : {1, -1}) {
          const double root = (-b + sign * std::sqrt(b * b - 4 * a * c)) / (2 * a);
          if (root > std::max(0.0, m - n0) && root < std::min(n1, m)) e = root;
        }
      ASSERT_GT(e, 0);
      const double v = 1 / (1 / e + 1 / (n1 - e) + 1 / (m - e) + 1 / (n0 - m + e));
      sum += (double(t.a) - e) * (double(t.a) - e) / v, excess += double(t.a) - e, variance += v;
    }
    EXPECT_NEAR(stats::breslow_day(strata, false).chi_square, sum, 1e-10 * std::max(1.0, sum));
    EXPECT_NEAR(stats::breslow_day(strata, true).chi_square, sum - excess * excess / variance, 1e-10 * std::max(1.0, sum));
  }
}

TEST(MantelHaenszel, IsTheCrudeEffectInOneStratum) {
  for (std::uint64_t seed = 300; seed < 340; ++seed) {
    const auto one = tables(seed, 1);
    const double a = double(one[0].a), b = double(one[0].b), c = double(one[0].c), d = double(one[0].d), n1 = a + b, n0 = c + d;
    const auto odds = stats::mantel_haenszel_odds_ratio(one);
    EXPECT_NEAR(odds.estimate / (a * d / (b * c)), 1, 1e-14);
    EXPECT_NEAR(odds.variance, 1 / a + 1 / b + 1 / c + 1 / d, 1e-13);  // Woolf's
    const auto risk = stats::mantel_haenszel_risk_ratio(one);
    EXPECT_NEAR(risk.estimate / (a / n1 / (c / n0)), 1, 1e-14);
    EXPECT_NEAR(risk.variance, 1 / a - 1 / n1 + 1 / c - 1 / n0, 1e-13);  // Katz's
    const auto wald = stats::mantel_haenszel_risk_difference(one, stats::RiskDifferenceVariance::greenland_robins);
    EXPECT_NEAR(wald.estimate, a / n1 - c / n0, 1e-14);
    EXPECT_NEAR(wald.variance, a * b / (n1 * n1 * n1) + c * d / (n0 * n0 * n0), 1e-14);
  }
}

TEST(MantelHaenszel, TurnsAroundWithTheGroups) {
  for (std::uint64_t seed = 400; seed < 440; ++seed) {
    auto strata = tables(seed, 3), swapped = strata;
    for (auto& t : swapped) t = {t.c, t.d, t.a, t.b};
    EXPECT_NEAR(stats::mantel_haenszel_odds_ratio(strata).estimate * stats::mantel_haenszel_odds_ratio(swapped).estimate, 1, 1e-13);
    EXPECT_NEAR(stats::mantel_haenszel_z(strata), -stats::mantel_haenszel_z(swapped), 1e-13);
    for (const auto kind : {stats::RiskDifferenceVariance::sato, stats::RiskDifferenceVariance::greenland_robins}) {
      const auto one = stats::mantel_haenszel_risk_difference(strata, kind), other = stats::mantel_haenszel_risk_difference(swapped, kind);
      EXPECT_NEAR(one.estimate, -other.estimate, 1e-14);
      EXPECT_NEAR(one.variance, other.variance, 1e-14);
    }
    std::reverse(strata.begin(), strata.end());
    EXPECT_NEAR(stats::breslow_day(strata, false).chi_square, stats::breslow_day(swapped, false).chi_square, 1e-9);
  }
}

}  // namespace
}  // namespace equipoise::independent

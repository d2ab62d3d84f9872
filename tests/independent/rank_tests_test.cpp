// Rank tests derived again. Fleming-Harrington: mean and variance of each 2 x 2 table by listing its hypergeometric distribution,
// S by counting people. Trend: mean and variance of the sum of scores of those with the event by listing every set of people who
// might have had it. MaxCombo: the same tables, and its P value by drawing from them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <set>

#include "brute_force.h"
#include "equipoise/stats/survival/fleming_harrington.h"
#include "equipoise/stats/survival/log_rank_trend.h"
#include "equipoise/stats/survival/max_combo.h"
#include "equipoise/stats/testing.h"

namespace equipoise::independent {
namespace {

using stats::testing::number, stats::testing::numbers, stats::testing::read, stats::testing::Table;

double choose(int n, int k) {
  if (k < 0 || k > n) return 0;
  double ways = 1;
  for (int i = 1; i <= k; ++i) ways = ways * (n - k + i) / i;
  return ways;
}

struct TwoByTwo {
  double excess = 0, variance = 0;  ///< events of arm 1 less their mean, and their variance, both by lot
  double survival = 1;              ///< of the stratum, just before
};

std::vector<TwoByTwo> tables(SmallTrial const& trial) {
  std::vector<TwoByTwo> out;
  for (const int stratum : std::set<std::int32_t>(trial.stratum.begin(), trial.stratum.end())) {
    double survival = 1;
    for (const double t : std::set<double>(trial.time.begin(), trial.time.end())) {
      int n[2] = {0, 0}, d[2] = {0, 0};
      for (std::size_t i = 0; i < trial.size(); ++i) {
        if (trial.stratum[i] != stratum) continue;
        n[trial.arm[i]] += trial.time[i] >= t;
        d[trial.arm[i]] += trial.time[i] == t && trial.event[i] == 1;
      }
      const int N = n[0] + n[1], D = d[0] + d[1];
      if (D == 0) continue;
      double mean = 0, square = 0;
      for (int x = 0; x <= D; ++x) {
        const double probability = choose(n[1], x) * choose(n[0], D - x) / choose(N, D);
        mean += probability * x, square += probability * x * x;
      }
      out.push_back({d[1] - mean, square - mean * mean, survival});
      survival *= 1 - double(D) / N;
    }
  }
  return out;
}

Table as_table(SmallTrial const& trial, std::vector<std::string> arms) {
  Table table;
  table.numbers("t", trial.time)
      .numbers("e", trial.event)
      .category("arm", std::move(arms), trial.arm)
      .category("stratum", {"p", "q", "r"}, trial.stratum);
  return table;
}
const stats::Roles roles{{"time", {"t"}}, {"event", {"e"}}, {"group", {"arm"}}, {"strata", {"stratum"}}};
const auto one_minus_zero = stats::testing::difference("1", "0");

TEST(FlemingHarringtonByTables, AgreesOnRandomTrials) {
  int compared = 0;
  for (std::uint64_t seed = 1000; seed < 1060; ++seed) {
    const SmallTrial trial(seed, 10 + int(seed % 21), 2, 1 + int(seed % 3), false);
    const std::vector<TwoByTwo> all = tables(trial);
    Table table = as_table(trial, {"0", "1"});
    for (const auto& [rho, gamma] : {std::pair(0.0, 0.0), {1.0, 0.0}, {0.0, 1.0}, {1.0, 1.0}, {0.5, 2.0}}) {
      double excess = 0, variance = 0;
      for (TwoByTwo const& one : all) {
        const double w = std::pow(one.survival, rho) * std::pow(1 - one.survival, gamma);
        excess += w * one.excess, variance += w * w * one.variance;
      }
      const auto got = stats::testing::answer<stats::FlemingHarrington>(
          table.frame(), roles, {{"rho", number(rho)}, {"gamma", number(gamma)}, {"difference", one_minus_zero}});
      const double z = read(got, "z");
      if (std::isnan(z)) {
        EXPECT_NEAR(variance, 0, 1e-13) << "seed " << seed;
        continue;
      }
      ++compared;
      // E x^2 - (E x)^2 loses two digits of sixteen; at most 24 tables
      EXPECT_NEAR(z, excess / std::sqrt(variance), 1e-11 * (1 + std::abs(z)))
          << "seed " << seed << ", rho " << rho << ", gamma " << gamma;
      EXPECT_NEAR(read(got, "chi_square"), z * z, 1e-11 * (1 + z * z));
    }
  }
  EXPECT_GE(compared, 295);
}

TEST(TrendByListing, AgreesOnRandomTrials) {
  const std::vector<double> scores{0, 1, 5};
  int compared = 0;
  for (std::uint64_t seed = 1100; seed < 1150; ++seed) {
    const SmallTrial trial(seed, 8 + int(seed % 9), 3, 1 + int(seed % 2), false);
    double excess = 0, variance = 0;
    for (const int stratum : {0, 1})
      for (const double t : std::set<double>(trial.time.begin(), trial.time.end())) {
        std::vector<double> at_risk;
        double sum = 0;
        int d = 0;
        for (std::size_t i = 0; i < trial.size(); ++i) {
          if (trial.stratum[i] != stratum || trial.time[i] < t) continue;
          at_risk.push_back(scores[std::size_t(trial.arm[i])]);
          if (trial.time[i] == t && trial.event[i] == 1) ++d, sum += at_risk.back();
        }
        double ways = 0, first = 0, second = 0;
        for (unsigned who = 0; d > 0 && who < 1u << at_risk.size(); ++who) {
          if (__builtin_popcount(who) != d) continue;
          double total = 0;
          for (std::size_t i = 0; i < at_risk.size(); ++i) total += (who >> i & 1) * at_risk[i];
          ++ways, first += total, second += total * total;
        }
        if (d > 0) excess += sum - first / ways, variance += second / ways - first / ways * (first / ways);
      }
    Table table = as_table(trial, {"0", "1", "2"});
    const auto got = stats::testing::answer<stats::LogRankTrend>(
        table.frame(), roles, {{"scores", stats::testing::table({{"0", number(0)}, {"1", number(1)}, {"2", number(5)}})}});
    const double z = read(got, "z");
    if (std::isnan(z)) continue;
    ++compared;
    EXPECT_NEAR(z, excess / std::sqrt(variance), 1e-11 * (1 + std::abs(z)))
        << "seed " << seed;  // second moments of sums up to 40
  }
  EXPECT_EQ(compared, 50);
}

/// Standard normals by the polar method from raw bits.
class Normals {
 public:
  explicit Normals(std::uint64_t seed) : engine_(seed) {}
  double next() {
    for (;;) {
      const double x = uniform(), y = uniform(), s = x * x + y * y;
      if (s > 0 && s < 1) return x * std::sqrt(-2 * std::log(s) / s);
    }
  }

 private:
  double uniform() { return double(engine_() >> 11) * 0x1p-52 - 1; }
  std::mt19937_64 engine_;
};

// A normal of its own variance for each table gives the joint normal of all components, singular as it is, without any factor.
TEST(MaxComboByDrawing, AgreesWithinMonteCarloError) {
  constexpr double draws = 200'000;
  const std::vector<std::pair<double, double>> exponents{{0, 0}, {1, 0}, {0, 1}, {1, 1}};
  for (std::uint64_t seed = 1200; seed < 1212; ++seed) {
    const SmallTrial trial(seed, 16 + int(seed % 15), 2, 1 + int(seed % 3), false);
    const std::vector<TwoByTwo> all = tables(trial);
    std::vector<std::vector<double>> w;
    std::vector<double> sd;
    double statistic = 0;
    for (auto const& [rho, gamma] : exponents) {
      double excess = 0, variance = 0;
      w.emplace_back();
      for (TwoByTwo const& one : all) {
        const double weight = std::pow(one.survival, rho) * std::pow(1 - one.survival, gamma);
        excess += weight * one.excess, variance += weight * weight * one.variance;
        w.back().push_back(weight * std::sqrt(std::max(one.variance, 0.0)));
      }
      sd.push_back(std::sqrt(variance));
      statistic = std::max(statistic, std::abs(excess) / sd.back());
    }
    Normals normals(seed);
    double beyond = 0;
    for (int draw = 0; draw < draws; ++draw) {
      double sums[4] = {0, 0, 0, 0};
      for (std::size_t i = 0; i < all.size(); ++i) {
        const double x = normals.next();
        for (std::size_t a = 0; a < 4; ++a) sums[a] += w[a][i] * x;
      }
      bool any = false;
      for (std::size_t a = 0; a < 4; ++a) any = any || std::abs(sums[a]) >= statistic * sd[a];
      beyond += any;
    }
    Table table = as_table(trial, {"0", "1"});
    const auto got = stats::testing::answer<stats::MaxCombo>(table.frame(), roles, {{"difference", one_minus_zero}});
    EXPECT_NEAR(read(got, "statistic"), statistic, 1e-11 * (1 + statistic)) << "seed " << seed;
    const double p = read(got, "p");
    // four standard errors of the share; twelve seeds, so that one in about 1300 such tests would fail by chance: the seeds are
    // fixed
    EXPECT_NEAR(beyond / draws, p, 4 * std::sqrt(p * (1 - p) / draws)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace equipoise::independent

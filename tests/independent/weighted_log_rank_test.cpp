// Weighted log-rank tests derived again: the excess of Gehan's weights from all pairs of people, as Gehan defined it; the
// variance of each table by listing its hypergeometric distribution; the weights by counting people at every time.
#include "equipoise/stats/survival/weighted_log_rank.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "brute_force.h"
#include "equipoise/stats/testing.h"

namespace equipoise::independent {
namespace {

using stats::testing::Table;

double choose(int n, int k) {
  if (k < 0 || k > n) return 0;
  double ways = 1;
  for (int i = 1; i <= k; ++i) ways = ways * (n - k + i) / i;
  return ways;
}

/// Who is at risk at t and who has the event at t.
struct Counts {
  int n[2] = {0, 0}, d[2] = {0, 0};
  int N() const { return n[0] + n[1]; }
  int D() const { return d[0] + d[1]; }
};
Counts count(SmallTrial const& trial, double t) {
  Counts counts;
  for (std::size_t i = 0; i < trial.size(); ++i) {
    counts.n[trial.arm[i]] += trial.time[i] >= t;
    counts.d[trial.arm[i]] += trial.time[i] == t && trial.event[i] == 1;
  }
  return counts;
}

/// Mean and variance of the events of arm 0 when D of N people, of whom n are in arm 0, have the event by lot.
std::pair<double, double> by_lot(Counts const& c) {
  double mean = 0, square = 0;
  for (int x = 0; x <= c.D(); ++x) {
    const double probability = choose(c.n[0], x) * choose(c.n[1], c.D() - x) / choose(c.N(), c.D());
    mean += probability * x, square += probability * x * x;
  }
  return {mean, square - mean * mean};
}

double weight(SmallTrial const& trial, std::string const& name, double t) {
  if (name == "gehan_breslow") return count(trial, t).N();
  if (name == "tarone_ware") return std::sqrt(count(trial, t).N());
  double product = 1;
  for (const double s : std::set<double>(trial.time.begin(), trial.time.end()))
    if (s <= t) product *= 1 - count(trial, s).D() / (count(trial, s).N() + 1.0);  // without events a factor of 1
  return product;
}

/// Pairs in which the one of arm 0 is known to have had the event first, minus those in which the one of arm 1 is.
int gehan_pairs(SmallTrial const& trial) {
  int excess = 0;
  for (std::size_t i = 0; i < trial.size(); ++i)
    for (std::size_t j = 0; j < trial.size(); ++j) {
      if (trial.arm[i] != 0 || trial.arm[j] != 1) continue;
      const double a = trial.time[i], b = trial.time[j];
      if (trial.event[i] == 1 && (a < b || (a == b && trial.event[j] == 0))) ++excess;
      if (trial.event[j] == 1 && (b < a || (b == a && trial.event[i] == 0))) --excess;
    }
  return excess;
}

TEST(WeightedLogRankByTables, AgreesOnRandomTrials) {
  int estimable = 0;
  for (std::uint64_t seed = 500; seed < 540; ++seed) {
    const SmallTrial trial(seed, 12 + int(seed % 20), 2, 1, false);
    Table table;
    table.numbers("t", trial.time).numbers("e", trial.event).category("arm", {"0", "1"}, trial.arm);
    for (const std::string name : {"gehan_breslow", "tarone_ware", "modified_peto_peto"}) {
      double excess = 0, variance = 0;
      for (const double t : std::set<double>(trial.time.begin(), trial.time.end())) {
        const Counts c = count(trial, t);
        const auto [mean, spread] = by_lot(c);
        const double w = weight(trial, name, t);
        excess += w * (c.d[0] - mean), variance += w * w * spread;
      }
      // Whole numbers on one side, at most eight tables of rounded means on the other.
      if (name == "gehan_breslow") {
        EXPECT_NEAR(excess, gehan_pairs(trial), 1e-10) << "seed " << seed;
      }
      const auto got = stats::testing::answer<stats::WeightedLogRank>(
          table.frame(), {{"time", {"t"}}, {"event", {"e"}}, {"group", {"arm"}}},
          {{"weight", stats::testing::text(name)}, {"difference", stats::testing::difference("0", "1")}});
      const double z = stats::testing::read(got, "z");
      if (std::isnan(z)) continue;
      ++estimable;
      // E x^2 - (E x)^2 loses two digits of sixteen; eight tables.
      EXPECT_NEAR(z, excess / std::sqrt(variance), 1e-12 * (1 + std::fabs(z))) << name << ", seed " << seed;
      EXPECT_NEAR(stats::testing::read(got, "chi_square"), excess * excess / variance, 1e-12 * (1 + z * z))
          << name << ", seed " << seed;
    }
  }
  EXPECT_EQ(estimable, 120);  // else the seeds prove less than they say
}

}  // namespace
}  // namespace equipoise::independent

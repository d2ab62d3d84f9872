#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "brute_force.h"
#include "equipoise/stats/survival/cox.h"
#include "equipoise/stats/testing.h"

// Exact ties: given how many of a risk set had the event at a time, the probability that it was these, among all sets of that
// size written out one by one.
namespace equipoise::independent {
namespace {

using stats::testing::Table;

double conditional_likelihood(SmallTrial const& d, int strata, double b) {
  double sum = 0;
  for (std::int32_t s = 0; s < strata; ++s) {
    std::set<double> times;
    for (std::size_t i = 0; i < d.size(); ++i)
      if (d.stratum[i] == s && d.event[i] == 1) times.insert(d.time[i]);
    for (const double t : times) {
      std::vector<double> x;
      std::size_t events = 0;
      double of_events = 0;
      for (std::size_t i = 0; i < d.size(); ++i) {
        if (d.stratum[i] != s || d.time[i] < t || !(d.start[i] < t)) continue;
        x.push_back(d.x[i]);
        if (d.time[i] == t && d.event[i] == 1) ++events, of_events += d.x[i];
      }
      double all = 0;
      for (std::uint32_t set = 0; set < (1u << x.size()); ++set) {
        if (std::size_t(__builtin_popcount(set)) != events) continue;
        double of_set = 0;
        for (std::size_t i = 0; i < x.size(); ++i) of_set += (set >> i & 1) ? x[i] : 0;
        all += std::exp(b * of_set);
      }
      sum += b * of_events - std::log(all);
    }
  }
  return sum;
}

// The maximum by thirds, which a concave function has once: 1e-6, the square root of what the values are good to. Trials whose
// maximum is at the ends of [-8, 8] are separated, and then the estimate is NE.
TEST(CoxExactTies, MaximisesTheLikelihoodOverAllSetsWrittenOut) {
  int compared = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const bool late = seed % 2 == 0;
    const SmallTrial d(seed, 8 + int(seed % 7), 2, 2, late);
    double low = -8, high = 8;
    for (int step = 0; step < 200; ++step) {
      const double a = low + (high - low) / 3, b = high - (high - low) / 3;
      if (conditional_likelihood(d, 2, a) < conditional_likelihood(d, 2, b)) low = a;
      else high = b;
    }
    Table table;
    table.numbers("t", d.time).numbers("e", d.event).numbers("s", d.start).numbers("x", d.x).category("h", {"0", "1"}, d.stratum);
    stats::Roles roles{{"time", {"t"}}, {"event", {"e"}}, {"strata", {"h"}}};
    if (late) roles["start"] = {"s"};
    const auto got = stats::testing::answer<stats::Cox>(
        table.frame(), roles, {{"formula", stats::testing::text("x")}, {"ties", stats::testing::text("exact")}});
    ASSERT_TRUE(got) << got.error().message;
    const double estimate = stats::testing::read(got, "estimate", stats::testing::term("x"));
    if (low > 7.9 || high < -7.9 || std::abs(conditional_likelihood(d, 2, 1) - conditional_likelihood(d, 2, -1)) < 1e-12)
      continue;
    ++compared;
    EXPECT_NEAR(estimate, low, 1e-6) << seed;
    EXPECT_NEAR(stats::testing::read(got, "log_likelihood"), conditional_likelihood(d, 2, low), 1e-9) << seed;
    const double h = 1e-3;
    const double curvature =
        (conditional_likelihood(d, 2, low + h) - 2 * conditional_likelihood(d, 2, low) + conditional_likelihood(d, 2, low - h)) /
        (h * h);
    // differences of a function good to 1e-14 over 1e-6, and h^2 / 12 of its fourth derivative
    EXPECT_NEAR(stats::testing::read(got, "se", stats::testing::term("x")), 1 / std::sqrt(-curvature),
                1e-4 / std::sqrt(-curvature))
        << seed;
  }
  EXPECT_GT(compared, 25);
}

}  // namespace
}  // namespace equipoise::independent

#include "equipoise/stats/survival/ordered_times.h"

#include <cmath>
#include <map>
#include <random>

#include "equipoise/stats/survival/log_rank.h"
#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::Table;

struct Made {
  std::vector<double> time, event;
  std::vector<std::int32_t> arm;
};

/// `kind` 0: days; 1: fractions with ties; 2: fractions with near ties; 3: times from 1e-300 to 1e300.
Made random_rows(int kind, int n) {
  std::mt19937_64 bits(std::uint64_t(kind) * 100 + std::uint64_t(n));
  Made made;
  for (int i = 0; i < n; ++i) {
    const double whole = double(bits() % 400);
    double t = kind == 0 ? whole : whole / 7;
    if (kind == 2) t *= 1 + 1e-11 * double(bits() % 3);
    if (kind == 3) t = std::ldexp(1 + whole, int(bits() % 1900) - 1000);
    made.time.push_back(t);
    made.event.push_back(double(bits() % 2));
    made.arm.push_back(std::int32_t(bits() % 3));
  }
  return made;
}

// SurvivalRows, with row numbers and a comparison sort, is the other derivation. Classes of one time come in any order.
TEST(OrderedTimes, AreTheRowsOfSurvivalRowsInOrder) {
  for (int kind = 0; kind < 4; ++kind)
    for (const int n : {0, 1, 2, 300, 5000})
      for (const NearTies near : {NearTies::merge, NearTies::keep}) {
        const Made made = random_rows(kind, n);
        Table table;
        table.numbers("t", made.time).numbers("e", made.event);
        const auto ordered = OrderedTimes::of(table.frame(), "t", "e", made.arm, 3, near);
        const auto rows = survival_rows(table.frame(), "t", "e", {}, near);
        ASSERT_TRUE(ordered && rows);
        std::map<std::pair<double, double>, std::pair<double, double>> got, expected;
        double last = -1;
        ordered->forward([&](double t, std::uint32_t of, std::uint32_t events, std::uint32_t count) {
          EXPECT_GE(t, last);
          last = t;
          got[{t, of}].first += events, got[{t, of}].second += count;
        });
        for (const std::uint32_t row : rows->by_time) {
          auto& cell = expected[{rows->time[row], made.arm[row]}];
          cell.first += rows->event[row], cell.second += 1;
        }
        EXPECT_EQ(got, expected) << kind << " " << n;
        EXPECT_EQ(ordered->near(), rows->near) << kind << " " << n;
      }
}

// Both forms of the log-rank sums, the one over rows and the one over ordered times; 1e-12: sums of 300 terms in another order.
TEST(LogRankSums, AreTheSameOverRowsAndOverOrderedTimes) {
  for (int kind = 0; kind < 3; ++kind) {
    const Made made = random_rows(kind, 300);
    std::vector<std::int32_t> stratum, classes;
    for (std::size_t i = 0; i < made.time.size(); ++i) {
      stratum.push_back(std::int32_t(i % 2));
      classes.push_back(stratum.back() * 3 + made.arm[i]);
    }
    Table table;
    table.numbers("t", made.time).numbers("e", made.event);
    const auto ordered = OrderedTimes::of(table.frame(), "t", "e", classes, 6, NearTies::merge);
    const auto rows = survival_rows(table.frame(), "t", "e");
    ASSERT_TRUE(ordered && rows);
    const LogRankSums a = log_rank_sums(*rows, made.arm, 3, stratum, 2), b = log_rank_sums(*ordered, 3);
    for (std::size_t j = 0; j < 3; ++j) {
      EXPECT_EQ(a.observed[j], b.observed[j]);
      EXPECT_NEAR(a.expected[j], b.expected[j], 1e-12 * a.expected[j]);
      for (std::size_t k = 0; k < 3; ++k)
        EXPECT_NEAR(a.covariance[j * 3 + k], b.covariance[j * 3 + k], 1e-12 * a.covariance[j * 3 + j]);
    }
  }
}

}  // namespace
}  // namespace equipoise::stats

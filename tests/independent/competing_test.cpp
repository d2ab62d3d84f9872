// Competing risks derived again: incidence as a product-integral of transition matrices and its standard error by changing the
// weight of one person after the other; Gray's score by the log-rank test; the Fine-Gray likelihood written out for every event.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "brute_force.h"
#include "equipoise/stats/competing/aalen_johansen.h"
#include "equipoise/stats/competing/fine_gray.h"
#include "equipoise/stats/competing/gray.h"
#include "equipoise/stats/survival/cox.h"
#include "equipoise/stats/survival/kaplan_meier.h"
#include "equipoise/stats/survival/log_rank.h"
#include "equipoise/stats/testing.h"

namespace equipoise::independent {
namespace {

using namespace stats;
using stats::testing::Table;

struct SmallCauses {
  std::vector<double> time, x;
  std::vector<std::int32_t> cause, arm;  // 0 censored, 1, 2
  SmallCauses(std::uint64_t seed, int n, int causes) {
    Bits bits(seed);
    for (int i = 0; i < n; ++i) {
      time.push_back(1 + bits.below(9));
      cause.push_back(bits.below(causes + 1));
      arm.push_back(bits.below(2));
      x.push_back(arm.back() == 1 ? 1.0 : 0.0);
    }
  }
  std::size_t size() const { return time.size(); }
  Table table() const {
    Table made;
    made.numbers("time", time).category("cause", {"0", "a", "b"}, cause).category("arm", {"x", "y"}, arm).numbers("x", x);
    return made;
  }
};

/// Probabilities of being event-free, of cause a and of cause b after t, by multiplying matrices, person i weighing w_i.
std::array<double, 3> states_after(SmallCauses const& trial, std::vector<double> const& w, double t) {
  std::array<double, 3> state{1, 0, 0};
  for (double s = 1; s <= t; ++s) {
    double n = 0, d[3] = {0, 0, 0};
    for (std::size_t i = 0; i < trial.size(); ++i) {
      if (trial.time[i] >= s) n += w[i];
      if (trial.time[i] == s) d[trial.cause[i]] += w[i];
    }
    if (n <= 0) break;
    const double matrix[3][3] = {{1 - (d[1] + d[2]) / n, d[1] / n, d[2] / n}, {0, 1, 0}, {0, 0, 1}};
    std::array<double, 3> next{};
    for (int from = 0; from < 3; ++from)
      for (int to = 0; to < 3; ++to) next[std::size_t(to)] += state[std::size_t(from)] * matrix[from][to];
    state = next;
  }
  return state;
}

TEST(AalenJohansen, IsTheProductIntegralAndItsErrorTheChangeWithEachWeight) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const SmallCauses trial(seed, 4 + int(seed % 20), 2);
    Table table = trial.table();
    const auto data = cause_rows(table.frame(), "time", "cause");
    ASSERT_TRUE(data);
    const std::vector<double> ones(trial.size(), 1.0);
    const SurvivalCurve survival = product_limit(data->rows, data->rows.by_time, SurvivalInterval::plain, 0.95);
    std::vector<double> sum(survival.time.size(), 0.0);
    for (std::int32_t cause = 1; cause <= 2; ++cause) {
      const IncidenceCurve curve = cumulative_incidence(*data, data->rows.by_time, cause);
      for (std::size_t k = 0; k < curve.time.size(); ++k) {
        EXPECT_NEAR(curve.incidence[k], states_after(trial, ones, curve.time[k])[std::size_t(cause)], 1e-14) << seed;
        double squares = 0;
        for (std::size_t i = 0; i < trial.size(); ++i) {
          const double h = 1e-5;  // the difference quotient errs by h^2
          std::vector<double> more = ones, less = ones;
          more[i] += h, less[i] -= h;
          const double U = (states_after(trial, more, curve.time[k])[std::size_t(cause)] -
                            states_after(trial, less, curve.time[k])[std::size_t(cause)]) /
                           (2 * h);
          squares += U * U;
        }
        EXPECT_NEAR(curve.se[k], std::sqrt(squares), 1e-7) << seed << " at " << curve.time[k];
        sum[k] += curve.incidence[k];
      }
    }
    for (std::size_t k = 0; k < sum.size(); ++k) EXPECT_NEAR(sum[k], 1 - survival.survival[k], 1e-13) << seed;
  }
}

TEST(GrayTest, HasTheScoreOfTheLogRankTestWithoutCompetingEvents) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const SmallCauses trial(seed, 6 + int(seed % 20), 1);
    Table table = trial.table();
    const auto data = cause_rows(table.frame(), "time", "cause");
    ASSERT_TRUE(data);
    const std::vector<std::int32_t> together(trial.size(), 0);
    const GraySums gray = gray_sums(*data, 1, 0, trial.arm, 2, together, 1);
    const LogRankSums log_rank = log_rank_sums(data->rows, trial.arm, 2, together, 1);
    for (std::size_t g = 0; g < 2; ++g) EXPECT_NEAR(gray.score[g], log_rank.observed[g] - log_rank.expected[g], 1e-12) << seed;
    EXPECT_NEAR(gray.score[0] + gray.score[1], 0, 1e-12);
    EXPECT_NEAR(gray.covariance[0], gray.covariance[3], 1e-10);
    EXPECT_NEAR(gray.covariance[0], -gray.covariance[1], 1e-10);
  }
}

// Under the hypothesis the chi-square has mean 1 and exceeds 3.841 in 5 %. 2000 trials of 100: four Monte Carlo errors are
// 4 sqrt(.05 .95 / 2000) = 0.0195 and 4 sqrt(2 / 2000) = 0.127.
TEST(GrayTest, KeepsItsLevelWhenArmsDoNotDiffer) {
  int rejected = 0;
  double total = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    const SmallCauses trial(seed + 7000, 100, 2);
    Table table = trial.table();
    const auto answer = testing::answer<GrayTest>(table.frame(), {{"time", {"time"}}, {"cause", {"cause"}}, {"group", {"arm"}}},
                                                  {{"cause", testing::text("a")}});
    const double chi_square = testing::read(answer, "chi_square");
    rejected += chi_square > 3.841;
    total += chi_square;
  }
  EXPECT_NEAR(rejected / 2000.0, 0.05, 0.0195);
  EXPECT_NEAR(total / 2000, 1, 0.127);
}

/// Fine and Gray's log likelihood of one coefficient, everything counted anew at every event.
double weighted_likelihood(SmallCauses const& trial, double b) {
  const auto uncensored_before = [&](double t) {
    double G = 1;
    for (double s = 1; s < t; ++s) {
      double n = 0, c = 0;
      for (std::size_t i = 0; i < trial.size(); ++i) n += trial.time[i] >= s, c += trial.time[i] == s && trial.cause[i] == 0;
      if (n > 0) G *= 1 - c / n;
    }
    return G;
  };
  double total = 0;
  for (std::size_t i = 0; i < trial.size(); ++i) {
    if (trial.cause[i] != 1) continue;
    double sum = 0;
    for (std::size_t j = 0; j < trial.size(); ++j) {
      double w = trial.time[j] >= trial.time[i] ? 1.0 : 0.0;
      if (trial.time[j] < trial.time[i] && trial.cause[j] == 2)
        w = uncensored_before(trial.time[i]) / uncensored_before(trial.time[j]);
      sum += w * std::exp(b * trial.x[j]);
    }
    total += b * trial.x[i] - std::log(sum);
  }
  return total;
}

TEST(FineGray, IsTheMaximumOfTheWeightedLikelihood) {
  int compared = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const SmallCauses trial(seed, 8 + int(seed % 20), 2);
    Table table = trial.table();
    const auto answer = testing::answer<FineGray>(table.frame(), {{"time", {"time"}}, {"cause", {"cause"}}},
                                                  {{"cause", testing::text("a")}, {"formula", testing::text("x")}});
    ASSERT_TRUE(answer) << answer.error().message;
    const double b = testing::read(answer, "estimate", testing::term("x"));
    if (std::isnan(b)) continue;
    double low = -20, high = 20;  // thirds, on a concave function
    for (int step = 0; step < 200; ++step) {
      const double third = (high - low) / 3;
      const bool up = weighted_likelihood(trial, low + third) < weighted_likelihood(trial, high - third);
      if (up) low += third;
      else high -= third;
    }
    EXPECT_NEAR(b, low, 1e-6) << seed;  // the likelihood is flat to rounding within 1e-7
    EXPECT_NEAR(testing::read(answer, "log_likelihood"), weighted_likelihood(trial, b), 1e-11) << seed;
    ++compared;
  }
  EXPECT_GT(compared, 25);
}

TEST(FineGray, IsCoxsModelWithoutCompetingEvents) {
  int compared = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const SmallCauses trial(seed, 10 + int(seed % 20), 1);
    Table table = trial.table();
    std::vector<double> event, id;
    std::vector<std::int32_t> person;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < trial.size(); ++i) {
      event.push_back(trial.cause[i]);
      person.push_back(std::int32_t(i));
      names.push_back(std::to_string(1000 + i));
    }
    table.numbers("event", event).category("person", names, person);
    const auto fine_gray = testing::answer<FineGray>(table.frame(), {{"time", {"time"}}, {"cause", {"cause"}}},
                                                     {{"cause", testing::text("a")}, {"formula", testing::text("x")}});
    const auto cox = testing::answer<Cox>(table.frame(), {{"time", {"time"}}, {"event", {"event"}}, {"cluster", {"person"}}},
                                          {{"ties", testing::text("breslow")}, {"formula", testing::text("x")}});
    const double b = testing::read(fine_gray, "estimate", testing::term("x")),
                 other = testing::read(cox, "estimate", testing::term("x"));
    EXPECT_EQ(std::isnan(b), std::isnan(other)) << seed;
    if (std::isnan(b)) continue;
    EXPECT_NEAR(b, other, 1e-9) << seed;
    EXPECT_NEAR(testing::read(fine_gray, "robust_se", testing::term("x")), testing::read(cox, "robust_se", testing::term("x")),
                1e-9)
        << seed;
    ++compared;
  }
  EXPECT_GT(compared, 20);
}

}  // namespace
}  // namespace equipoise::independent

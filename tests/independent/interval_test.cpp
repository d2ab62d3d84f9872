// Interval-censored times derived again: innermost intervals by trying all pairs of ends, masses by self-consistency alone,
// Kaplan-Meier and the log-rank test where times are exact or right-censored, permutations listed, hazards by the binary model
// over persons and visits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "brute_force.h"
#include "equipoise/stats/interval/grouped_hazard.h"
#include "equipoise/stats/interval/interval_log_rank.h"
#include "equipoise/stats/interval/permutation.h"
#include "equipoise/stats/interval/turnbull.h"
#include "equipoise/stats/survival/kaplan_meier.h"
#include "equipoise/stats/survival/log_rank.h"
#include "equipoise/stats/testing.h"

namespace equipoise::independent {
namespace {

using namespace stats;
using stats::testing::Table;

constexpr double endless = std::numeric_limits<double>::infinity();

IntervalRows random_intervals(std::uint64_t seed, int n, bool exact_too) {
  Bits bits(seed);
  IntervalRows rows;
  for (int i = 0; i < n; ++i) {
    const double left = bits.below(6);
    const int kind = bits.below(exact_too ? 5 : 4);
    rows.left.push_back(left);
    rows.right.push_back(kind == 0 ? endless : kind == 4 ? left : left + 1 + bits.below(4));
  }
  return rows;
}

/// Whether a time of the cell surely lies in the row's interval.
bool holds(IntervalRows const& rows, std::size_t i, TimeInterval const& cell) {
  if (rows.exact(i)) return cell.from == cell.to && cell.from == rows.left[i];
  if (cell.from == cell.to) return rows.left[i] < cell.from && cell.to <= rows.right[i];
  return rows.left[i] <= cell.from && cell.to <= rows.right[i];
}

/// All pairs of a left and a right end without another end between: the definition.
std::vector<TimeInterval> cells_by_pairs(IntervalRows const& rows) {
  std::vector<TimeInterval> cells;
  const std::size_t n = rows.size();
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const double from = rows.left[i], to = rows.right[j];
      if (rows.exact(i) ? to < from : to <= from) continue;
      bool clear = true;
      for (std::size_t k = 0; k < n; ++k) {
        const bool closed = rows.exact(k);
        // a left end strictly after this one's and before `to`, or a right end before `to` and after the left end
        const bool left_between = (rows.left[k] > from || (rows.left[k] == from && rows.exact(i) && !closed)) &&
                                  (rows.left[k] < to || (rows.left[k] == to && closed));
        const bool right_between = rows.right[k] < to && (rows.right[k] > from || (rows.right[k] == from && rows.exact(i)));
        clear = clear && !left_between && !right_between;
      }
      if (clear) cells.push_back({from, to});
    }
  std::sort(cells.begin(), cells.end());
  cells.erase(std::unique(cells.begin(), cells.end()), cells.end());
  return cells;
}

double log_likelihood(IntervalRows const& rows, std::vector<TimeInterval> const& cells, std::vector<double> const& mass) {
  double total = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double P = 0;
    for (std::size_t j = 0; j < cells.size(); ++j) P += holds(rows, i, cells[j]) ? mass[j] : 0.0;
    total += std::log(P);
  }
  return total;
}

// EM rises to the maximum from a start that is positive everywhere. After 40 000 steps its likelihood is within 1e-7; being below
// the maximum by definition, it may not be above ours by more than rounding.
TEST(Turnbull, IsTheMaximumThatSelfConsistencyClimbsTo) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const IntervalRows rows = random_intervals(seed, 3 + int(seed % 12), seed % 2 == 0);
    const InnermostIntervals innermost = innermost_intervals(rows, all_rows(rows.size()));
    const std::vector<TimeInterval> cells = cells_by_pairs(rows);
    ASSERT_EQ(innermost.cells, cells) << "seed " << seed;
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (std::size_t j = 0; j < cells.size(); ++j)
        ASSERT_EQ(innermost.first[i] <= j && j <= innermost.last[i], holds(rows, i, cells[j])) << seed << ' ' << i << ' ' << j;
    const MassFit fit = fit_mass(cover_patterns(innermost), cells.size());
    ASSERT_TRUE(fit.converged) << "seed " << seed << ": " << fit.excess;
    std::vector<double> mass(cells.size(), 1.0 / double(cells.size()));
    for (int step = 0; step < 40'000; ++step) {
      std::vector<double> next(cells.size(), 0.0);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        double P = 0;
        for (std::size_t j = 0; j < cells.size(); ++j) P += holds(rows, i, cells[j]) ? mass[j] : 0.0;
        for (std::size_t j = 0; j < cells.size(); ++j)
          if (holds(rows, i, cells[j])) next[j] += mass[j] / P / double(rows.size());
      }
      mass = next;
    }
    const double climbed = log_likelihood(rows, cells, mass);
    EXPECT_NEAR(fit.log_likelihood, log_likelihood(rows, cells, fit.mass), 1e-11) << seed;
    EXPECT_GE(fit.log_likelihood, climbed - 1e-11) << seed;
    EXPECT_NEAR(fit.log_likelihood, climbed, 1e-3) << seed;  // on a flat way EM has (1/steps) n left
  }
}

// Right-censored and exact times: Kaplan and Meier's curve, and the log-rank test's O - E from Sun's scores.
TEST(Turnbull, IsKaplanMeierAndSunsScoresAreTheLogRankTestOnExactTimes) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const SmallTrial trial(seed, 6 + int(seed % 25), 2, 1, false);
    IntervalRows rows;
    for (std::size_t i = 0; i < trial.size(); ++i) {
      rows.left.push_back(trial.time[i]);
      rows.right.push_back(trial.event[i] == 1 ? trial.time[i] : endless);
    }
    const InnermostIntervals innermost = innermost_intervals(rows, all_rows(rows.size()));
    const MassFit fit = fit_mass(cover_patterns(innermost), innermost.size());
    Table table;
    table.numbers("time", trial.time).numbers("event", trial.event).category("arm", {"a", "b"}, trial.arm);
    const auto data = survival_rows(table.frame(), "time", "event");
    ASSERT_TRUE(data);
    const SurvivalCurve curve = product_limit(*data, data->by_time, SurvivalInterval::plain, 0.95);
    for (std::size_t k = 0; k < curve.time.size(); ++k) {
      const double ours = survival_beyond(innermost.cells, fit.mass, curve.time[k]);
      if (!std::isnan(ours)) {
        EXPECT_NEAR(ours, curve.survival[k], 1e-13) << seed;
      }
    }
    const std::vector<double> scores = interval_scores(IntervalScore::sun, innermost, fit);
    const std::vector<std::int32_t> together(trial.size(), 0);
    const LogRankSums sums = log_rank_sums(*data, trial.arm, 2, together, 1);
    double excess = 0;
    for (std::size_t i = 0; i < trial.size(); ++i) excess += trial.arm[i] == 0 ? scores[i] : 0.0;
    EXPECT_NEAR(excess, sums.observed[0] - sums.expected[0], 1e-12) << seed;
  }
}

/// Calls visit(sum of the scores of those in the group) for every arrangement of `size` of the scores.
template <class Visit>
void list_arrangements(std::vector<double> const& scores, int size, Visit visit) {
  const int n = int(scores.size());
  for (std::uint32_t chosen = 0; chosen < (1u << n); ++chosen) {
    if (__builtin_popcount(chosen) != size) continue;
    double sum = 0;
    for (int i = 0; i < n; ++i) sum += (chosen >> i & 1) ? scores[std::size_t(i)] : 0.0;
    visit(sum);
  }
}

TEST(IntervalLogRank, HasTheVarianceAndTheExactPOfListedPermutations) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const int n = 5 + int(seed % 8);
    const IntervalRows rows = random_intervals(seed + 100, n, seed % 3 == 0);
    const InnermostIntervals innermost = innermost_intervals(rows, all_rows(rows.size()));
    const MassFit fit = fit_mass(cover_patterns(innermost), innermost.size());
    for (const auto kind : {IntervalScore::sun, IntervalScore::proportional_hazards, IntervalScore::proportional_odds}) {
      ScoredStratum stratum{interval_scores(kind, innermost, fit), {}};
      double mean = 0;
      for (const double c : stratum.score) mean += c / n;
      EXPECT_NEAR(mean, 0, 1e-9) << "scores are derivatives at the maximum";
      int size = 0;
      for (int i = 0; i < n; ++i) stratum.group.push_back(i % 3 == 0 ? 1 : 0), size += i % 3 == 0;
      const PermutationSums sums = permutation_sums(std::span(&stratum, 1), 2);
      std::vector<double> all;
      list_arrangements(stratum.score, size, [&](double sum) { all.push_back(sum - mean * size); });
      double squares = 0, extreme = 0, range = 0;
      for (const double c : stratum.score) range += std::abs(c - mean);
      // Sums that are equal in exact arithmetic differ by what the masses are off, below 1e-10 times their number.
      for (const double u : all) squares += u * u, extreme += std::abs(u) >= std::abs(sums.excess[1]) - 1e-8 * range;
      EXPECT_NEAR(sums.covariance[3], squares / double(all.size()), 1e-11) << seed;
      const auto exact = exact_two_sided(std::span(&stratum, 1), 1, 1'000'000);
      ASSERT_TRUE(exact);
      EXPECT_FALSE(exact->rounded);
      EXPECT_NEAR(exact->p, extreme / double(all.size()), 1e-12) << seed;
      const auto coarse = exact_two_sided(std::span(&stratum, 1), 1, 1000);
      if (coarse) {
        EXPECT_NEAR(coarse->p, exact->p, 0.12) << "rounded scores";
      }
    }
  }
}

/// Score of the binary model with complementary log-log link over persons and visits, in (baseline of each visit, effect), by
/// people counted at every visit.
struct PersonVisits {
  std::vector<int> known, died;  // visits with an answer; whether the last of them was the event
  std::vector<double> x;
  double value(std::vector<double> const& gamma, double b) const {
    double total = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      for (int v = 0; v < known[i]; ++v) {
        const double hazard = std::exp(gamma[std::size_t(v)] + b * x[i]);
        total += died[i] && v + 1 == known[i] ? std::log(-std::expm1(-hazard)) : -hazard;
      }
    return total;
  }
};

// Nobody skips a visit: at our b the profile of the binary model's likelihood, each visit's baseline by bisection of its own
// score, is highest. Compared by its slope over a small step on each side.
TEST(GroupedHazard, IsTheBinaryModelOverPersonsAndVisits) {
  int compared = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Bits bits(seed + 500);
    PersonVisits people;
    Table table;
    std::vector<double> left, right;
    for (int i = 0; i < 30; ++i) {
      const int visits = 1 + bits.below(4), died = bits.below(2);
      people.x.push_back(bits.below(5) * 0.5);
      people.known.push_back(visits), people.died.push_back(died);
      left.push_back(died ? visits - 1 : visits);
      right.push_back(died ? visits : std::nan(""));
    }
    table.numbers("left", left).numbers("right", right).numbers("x", people.x);
    const auto answer = testing::answer<GroupedHazard>(table.frame(), {{"left", {"left"}}, {"right", {"right"}}},
                                                       {{"formula", testing::text("x")}});
    ASSERT_TRUE(answer) << answer.error().message;
    const double b = testing::read(answer, "estimate", testing::term("x"));
    if (std::isnan(b)) continue;
    const auto profile = [&](double at) {
      std::vector<double> gamma(4, 0.0);
      double total = 0;
      for (int v = 0; v < 4; ++v) {
        double low = -30, high = 5;
        for (int step = 0; step < 200; ++step) {  // the likelihood is concave in each baseline
          const double mid = (low + high) / 2, width = 1e-6;
          gamma[std::size_t(v)] = mid + width;
          const double above = people.value(gamma, at);
          gamma[std::size_t(v)] = mid - width;
          (above > people.value(gamma, at) ? low : high) = mid;
        }
        gamma[std::size_t(v)] = (low + high) / 2;
        total = people.value(gamma, at);
      }
      return total;
    };
    const double here = profile(b), step = 1e-3;
    EXPECT_NEAR(testing::read(answer, "log_likelihood"), here, 1e-8) << seed;
    EXPECT_NEAR(testing::read(answer, "log_likelihood_null"), profile(0), 1e-8) << seed;
    const double up = profile(b + step), down = profile(b - step), curvature = (2 * here - up - down) / (step * step);
    EXPECT_NEAR((up - down) / (2 * step) / curvature, 0, 2e-5) << "a Newton step from our estimate, seed " << seed;
    const auto se = answer->findings[1].se;
    ASSERT_TRUE(se);
    EXPECT_NEAR(*se * *se * curvature, 1, 1e-3) << "curvature of the profile, seed " << seed;
    ++compared;
  }
  EXPECT_GT(compared, 15);
}

}  // namespace
}  // namespace equipoise::independent

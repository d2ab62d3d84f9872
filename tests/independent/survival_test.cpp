// Log-rank, Cox and concordance derived again, slowly and from their definitions: tables at each time, risk sets written out, all
// pairs. Nothing here uses the sorted passes of the product.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "brute_force.h"
#include "equipoise/stats/survival/concordance.h"
#include "equipoise/stats/survival/cox_fit.h"
#include "equipoise/stats/survival/log_rank.h"
#include "equipoise/stats/testing.h"

namespace equipoise::independent {
namespace {

using stats::testing::Table;

std::vector<std::string> names(int count) {
  std::vector<std::string> levels;
  for (int i = 0; i < count; ++i) levels.push_back(std::to_string(i));
  return levels;
}

bool at_risk(SmallTrial const& d, std::size_t i, double t) { return d.start[i] < t && t <= d.time[i]; }

std::set<double> event_times(SmallTrial const& d, std::int32_t stratum) {
  std::set<double> times;
  for (std::size_t i = 0; i < d.size(); ++i)
    if (d.event[i] == 1 && d.stratum[i] == stratum) times.insert(d.time[i]);
  return times;
}

/// The two-sample statistic from 2 x 2 tables: (sum O - E)^2 / sum V, with V of the hypergeometric distribution.
double two_sample_log_rank(SmallTrial const& d, int strata) {
  double difference = 0, variance = 0;
  for (std::int32_t s = 0; s < strata; ++s)
    for (const double t : event_times(d, s)) {
      double n0 = 0, n1 = 0, d0 = 0, d1 = 0;
      for (std::size_t i = 0; i < d.size(); ++i) {
        if (d.stratum[i] != s || !at_risk(d, i, t)) continue;
        const bool dies = d.event[i] == 1 && d.time[i] == t;
        (d.arm[i] == 0 ? n0 : n1) += 1;
        (d.arm[i] == 0 ? d0 : d1) += dies;
      }
      const double n = n0 + n1, m = d0 + d1;
      difference += d0 - m * n0 / n;
      if (n > 1) variance += m * (n - m) * n0 * n1 / (n * n * (n - 1));
    }
  return difference * difference / variance;
}

TEST(LogRankByTables, AgreesOnRandomTrials) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const SmallTrial d(seed, 12 + int(seed % 20), 2, 3, false);
    Table table;
    table.numbers("t", d.time).numbers("e", d.event).category("arm", names(2), d.arm).category("s", names(3), d.stratum);
    const auto got = stats::testing::answer<stats::LogRank>(
        table.frame(), {{"time", {"t"}}, {"event", {"e"}}, {"group", {"arm"}}, {"strata", {"s"}}});
    const double expected = two_sample_log_rank(d, 3);
    // Sums of at most 30 tables of small whole numbers.
    EXPECT_NEAR(stats::testing::read(got, "chi_square"), expected, 1e-12 * (1 + expected)) << "seed " << seed;
  }
}

/// k groups: the covariance built table by table, and the statistic by Cramer's rule on the first two of three groups.
TEST(LogRankByTables, AgreesForThreeGroups) {
  for (std::uint64_t seed = 100; seed < 120; ++seed) {
    const SmallTrial d(seed, 30, 3, 1, false);
    double u[2] = {0, 0}, v[2][2] = {{0, 0}, {0, 0}};
    for (const double t : event_times(d, 0)) {
      double n[3] = {0, 0, 0}, m[3] = {0, 0, 0};
      for (std::size_t i = 0; i < d.size(); ++i)
        if (at_risk(d, i, t)) n[d.arm[i]] += 1, m[d.arm[i]] += d.event[i] == 1 && d.time[i] == t;
      const double N = n[0] + n[1] + n[2], D = m[0] + m[1] + m[2];
      for (int j = 0; j < 2; ++j) {
        u[j] += m[j] - D * n[j] / N;
        for (int k = 0; k < 2; ++k)
          if (N > 1) v[j][k] += D * (N - D) / (N - 1) * (n[j] / N) * ((j == k) - n[k] / N);
      }
    }
    const double determinant = v[0][0] * v[1][1] - v[0][1] * v[1][0];
    const double expected = (u[0] * u[0] * v[1][1] - 2 * u[0] * u[1] * v[0][1] + u[1] * u[1] * v[0][0]) / determinant;
    Table table;
    table.numbers("t", d.time).numbers("e", d.event).category("arm", names(3), d.arm);
    const auto got =
        stats::testing::answer<stats::LogRank>(table.frame(), {{"time", {"t"}}, {"event", {"e"}}, {"group", {"arm"}}});
    EXPECT_NEAR(stats::testing::read(got, "chi_square"), expected, 1e-11 * (1 + expected)) << "seed " << seed;
    EXPECT_EQ(stats::testing::read(got, "df"), 2);
  }
}

/// The log partial likelihood as in the books: for each event time its risk set, for Efron each of the d steps.
double partial_likelihood(SmallTrial const& d, int strata, bool efron, double b_arm, double b_x) {
  const auto predictor = [&](std::size_t i) { return b_arm * d.arm[i] + b_x * d.x[i]; };
  double log_likelihood = 0;
  for (std::int32_t s = 0; s < strata; ++s)
    for (const double t : event_times(d, s)) {
      double risk = 0, dying = 0, deaths = 0;
      for (std::size_t i = 0; i < d.size(); ++i) {
        if (d.stratum[i] != s || !at_risk(d, i, t)) continue;
        risk += std::exp(predictor(i));
        if (d.event[i] != 1 || d.time[i] != t) continue;
        dying += std::exp(predictor(i)), deaths += 1;
        log_likelihood += predictor(i);
      }
      for (int l = 0; l < int(deaths); ++l) log_likelihood -= std::log(risk - (efron ? l / deaths * dying : 0));
    }
  return log_likelihood;
}

/// Maximum of a concave function of two variables: a grid around the best point so far, refined until it is finer than 1e-9.
std::pair<double, double> climb(auto&& f) {
  double a = 0, b = 0, best = f(0, 0);
  for (double step = 1; step > 1e-9;) {
    bool better = false;
    for (const double da : {-step, 0.0, step})
      for (const double db : {-step, 0.0, step})
        if (const double here = f(a + da, b + db); here > best) {
          best = here, a += da, b += db, better = true;
          break;
        }
    if (!better) step /= 2;
  }
  return {a, b};
}

struct Setting {
  int strata;
  bool late_entry, efron;
};
class CoxByRiskSets : public ::testing::TestWithParam<Setting> {};

TEST_P(CoxByRiskSets, AgreesOnRandomTrials) {
  const auto [strata, late_entry, efron] = GetParam();
  int finite = 0;
  for (std::uint64_t seed = 200; seed < 212; ++seed) {
    const SmallTrial d(seed, 24, 2, strata, late_entry);
    std::vector<double> arm(d.arm.begin(), d.arm.end());
    Table table;
    table.numbers("start", d.start).numbers("t", d.time).numbers("e", d.event).numbers("arm", arm).numbers("x", d.x);
    const auto rows = stats::survival_rows(table.frame(), "t", "e", late_entry ? "start" : "");
    ASSERT_TRUE(rows);
    const auto design = stats::build_design(table.frame(), *stats::parse_formula("arm + x"));
    stats::PartialLikelihood likelihood(*rows, d.stratum, std::size_t(strata), *design,
                                        efron ? stats::Ties::efron : stats::Ties::breslow);
    const stats::CoxFit fit = stats::fit_cox(likelihood, d.size(), {}, 0);
    if (fit.status[0] != stats::Coefficient::estimated || fit.status[1] != stats::Coefficient::estimated) continue;
    ++finite;
    ASSERT_TRUE(fit.converged) << "seed " << seed;
    const auto naive = [&](double a, double b) { return partial_likelihood(d, strata, efron, a, b); };
    EXPECT_NEAR(fit.log_likelihood_null, naive(0, 0), 1e-12) << "seed " << seed;
    EXPECT_NEAR(fit.log_likelihood, naive(fit.beta[0], fit.beta[1]), 1e-12) << "seed " << seed;
    // A search by values sees a maximum no closer than the square root of the rounding of the likelihood: sqrt(30 * 2e-16) /
    // curvature.
    const auto [a, b] = climb(naive);
    EXPECT_NEAR(fit.beta[0], a, 2e-6) << "seed " << seed;
    EXPECT_NEAR(fit.beta[1], b, 2e-6) << "seed " << seed;
    // Information by second differences, step h: error about h^2 and rounding / h^2, both near 1e-6.
    const double h = 1e-3, c = naive(fit.beta[0], fit.beta[1]);
    const auto at = [&](double i, double j) { return naive(fit.beta[0] + i * h, fit.beta[1] + j * h); };
    const double aa = -(at(1, 0) - 2 * c + at(-1, 0)) / (h * h), bb = -(at(0, 1) - 2 * c + at(0, -1)) / (h * h);
    const double ab = -(at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4 * h * h);
    const double determinant = aa * bb - ab * ab;
    EXPECT_NEAR(fit.variance[0] / (bb / determinant), 1, 1e-4) << "seed " << seed;
    EXPECT_NEAR(fit.variance[3] / (aa / determinant), 1, 1e-4) << "seed " << seed;
    EXPECT_NEAR(fit.variance[1] + ab / determinant, 0, 1e-4 * std::sqrt(fit.variance[0] * fit.variance[3])) << "seed " << seed;
  }
  EXPECT_GE(finite, 8);  // else the seeds prove nothing
}

INSTANTIATE_TEST_SUITE_P(Settings, CoxByRiskSets,
                         ::testing::Values(Setting{1, false, true}, Setting{1, false, false}, Setting{2, true, true},
                                           Setting{2, true, false}));

/// The robust variance from its meaning: the derivative of the estimate with respect to each row's weight, by refitting with the
/// row's weight changed a little. Weighted likelihoods need no code of the product: Newton on second differences of the naive
/// one.
double weighted_likelihood(SmallTrial const& d, std::vector<double> const& weight, double b) {
  // One covariate, Breslow, which is the same with weights whichever way ties are taken.
  double log_likelihood = 0;
  for (const double t : event_times(d, 0)) {
    double risk = 0, deaths = 0;
    for (std::size_t i = 0; i < d.size(); ++i) {
      if (!at_risk(d, i, t)) continue;
      risk += weight[i] * std::exp(b * d.x[i]);
      if (d.event[i] == 1 && d.time[i] == t) deaths += weight[i], log_likelihood += weight[i] * b * d.x[i];
    }
    log_likelihood -= deaths * std::log(risk);
  }
  return log_likelihood;
}

double weighted_estimate(SmallTrial const& d, std::vector<double> const& weight) {
  double b = 0;
  for (int i = 0; i < 60; ++i) {
    const double h = 1e-4, up = weighted_likelihood(d, weight, b + h), here = weighted_likelihood(d, weight, b),
                 down = weighted_likelihood(d, weight, b - h);
    b += (up - down) / 2 * h / -(up - 2 * here + down);
  }
  return b;
}

TEST(CoxRobustVariance, IsTheSumOfSquaredInfluencesOfClusters) {
  for (std::uint64_t seed = 300; seed < 306; ++seed) {
    const SmallTrial d(seed, 20, 2, 1, true);
    std::vector<double> influence(d.size() / 2, 0.0);
    const double h = 1e-3;
    for (std::size_t i = 0; i < d.size(); ++i) {
      std::vector<double> more(d.size(), 1.0), less(d.size(), 1.0);
      more[i] += h, less[i] -= h;
      influence[std::size_t(d.cluster[i])] += (weighted_estimate(d, more) - weighted_estimate(d, less)) / (2 * h);
    }
    double expected = 0;
    for (const double of_cluster : influence) expected += of_cluster * of_cluster;

    Table table;
    table.numbers("start", d.start).numbers("t", d.time).numbers("e", d.event).numbers("x", d.x);
    const auto rows = stats::survival_rows(table.frame(), "t", "e", "start");
    const auto design = stats::build_design(table.frame(), *stats::parse_formula("x"));
    stats::PartialLikelihood likelihood(*rows, d.stratum, 1, *design, stats::Ties::breslow);
    const stats::CoxFit fit = stats::fit_cox(likelihood, d.size(), d.cluster, d.size() / 2);
    ASSERT_EQ(fit.status[0], stats::Coefficient::estimated) << "seed " << seed;
    EXPECT_NEAR(fit.robust[0] / expected, 1, 1e-3) << "seed " << seed;  // differences of differences: about h^2 and 1e-12 / h
  }
}

TEST(ConcordanceByPairs, AgreesOnRandomTrials) {
  for (std::uint64_t seed = 400; seed < 440; ++seed) {
    const SmallTrial d(seed, 30, 2, 2, seed % 2 == 0);
    std::int64_t concordant = 0, discordant = 0, tied = 0;
    for (std::size_t i = 0; i < d.size(); ++i)
      for (std::size_t j = 0; j < d.size(); ++j) {
        const double t = d.time[i];
        const bool longer = d.time[j] > t || (d.time[j] == t && d.event[j] == 0);
        if (i == j || d.event[i] != 1 || d.stratum[i] != d.stratum[j] || !(d.start[j] < t) || !longer) continue;
        ++(d.x[i] > d.x[j] ? concordant : d.x[i] < d.x[j] ? discordant : tied);
      }
    Table table;
    table.numbers("start", d.start).numbers("t", d.time).numbers("e", d.event);
    const auto rows = stats::survival_rows(table.frame(), "t", "e", "start");
    const stats::Concordance got = stats::concordance(*rows, d.x, d.stratum, 2);
    EXPECT_EQ(got.concordant, concordant) << "seed " << seed;
    EXPECT_EQ(got.discordant, discordant) << "seed " << seed;
    EXPECT_EQ(got.tied, tied) << "seed " << seed;
  }
}

}  // namespace
}  // namespace equipoise::independent

// Restricted means derived again: the area of the curve by summing it over a fine grid on which every time lies, S by counting
// people at every point; the variance by the delta method, the derivative of that area in each hazard by differences. Follow-up
// by writing the reversed trial out.
#include "equipoise/stats/survival/restricted_mean.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "brute_force.h"
#include "equipoise/stats/survival/reverse_kaplan_meier.h"
#include "equipoise/stats/testing.h"

namespace equipoise::independent {
namespace {

using stats::testing::number, stats::testing::numbers, stats::testing::read, stats::testing::Table;

struct Hazards {
  std::vector<double> time, n, d;
};
Hazards hazards(SmallTrial const& trial, int arm) {
  Hazards h;
  for (const double t : std::set<double>(trial.time.begin(), trial.time.end())) {
    double n = 0, d = 0;
    for (std::size_t i = 0; i < trial.size(); ++i) {
      n += trial.arm[i] == arm && trial.time[i] >= t;
      d += trial.arm[i] == arm && trial.time[i] == t && trial.event[i] == 1;
    }
    if (d > 0) h.time.push_back(t), h.n.push_back(n), h.d.push_back(d);
  }
  return h;
}

/// Sum of S over the cells of width 1/8 from 0 to tau, S = product of 1 - hazard over the times at or before the cell.
double area(Hazards const& h, std::vector<double> const& hazard, double tau) {
  double total = 0;
  for (int cell = 0; cell / 8.0 < tau; ++cell) {
    double survival = 1;
    for (std::size_t i = 0; i < hazard.size(); ++i)
      if (h.time[i] <= cell / 8.0) survival *= 1 - hazard[i];
    total += survival / 8;
  }
  return total;
}

TEST(RestrictedMeanByGrid, AgreesOnRandomTrials) {
  int compared = 0;
  for (std::uint64_t seed = 700; seed < 760; ++seed) {
    const SmallTrial trial(seed, 6 + int(seed % 24), 2, 1, false);
    Table table;
    table.numbers("t", trial.time).numbers("e", trial.event).category("arm", {"0", "1"}, trial.arm);
    for (const double tau : {0.5, 3.0, 5.25, 8.0, 11.0}) {
      const auto got = stats::testing::answer<stats::Rmst>(table.frame(), {{"time", {"t"}}, {"event", {"e"}}, {"group", {"arm"}}},
                                                           {{"tau", number(tau)}});
      double means[2] = {missing_number, missing_number}, variances[2] = {missing_number, missing_number};
      for (const int arm : {0, 1}) {
        const At at{{"group", std::to_string(arm)}};
        const Hazards h = hazards(trial, arm);
        if (std::isnan(read(got, "estimate", at))) continue;  // nobody in the arm
        std::vector<double> hazard(h.time.size());
        for (std::size_t i = 0; i < hazard.size(); ++i) hazard[i] = h.d[i] / h.n[i];
        means[arm] = area(h, hazard, tau), variances[arm] = 0;
        for (std::size_t i = 0; i < hazard.size(); ++i) {
          std::vector<double> more = hazard, less = hazard;
          const double step = 1.0 / 1024;  // the area is linear in each hazard: any step gives the derivative
          more[i] += step, less[i] -= step;
          const double slope = (area(h, more, tau) - area(h, less, tau)) / (2 * step);
          variances[arm] += slope * slope * hazard[i] * (1 - hazard[i]) / h.n[i];
        }
        // at most 88 cells of at most 8 factors; slopes lose three digits to the step
        EXPECT_NEAR(read(got, "estimate", at), means[arm], 1e-12) << "seed " << seed << ", tau " << tau;
        EXPECT_NEAR(read(got, "se", at), std::sqrt(variances[arm]), 1e-10) << "seed " << seed << ", tau " << tau;
        ++compared;
      }
      const auto difference = stats::testing::answer<stats::RmstDifference>(
          table.frame(), {{"time", {"t"}}, {"event", {"e"}}, {"group", {"arm"}}},
          {{"tau", number(tau)}, {"difference", stats::testing::difference("1", "0")}});
      const double variance = variances[0] + variances[1], z = (means[1] - means[0]) / std::sqrt(variance);
      if (!(variance > 1e-6)) continue;
      EXPECT_NEAR(read(difference, "estimate"), means[1] - means[0], 1e-12);
      EXPECT_NEAR(read(difference, "p"), std::erfc(std::abs(z) / std::sqrt(2.0)), 1e-9) << "seed " << seed << ", tau " << tau;
      EXPECT_NEAR(read(difference, "rmst_ratio"), means[1] / means[0], 1e-12);
    }
  }
  EXPECT_EQ(compared, 595);  // one arm of one trial has nobody; else the seeds prove less than they say
}

TEST(FollowUpByHand, AgreesOnRandomTrials) {
  for (std::uint64_t seed = 800; seed < 840; ++seed) {
    const SmallTrial trial(seed, 4 + int(seed % 26), 1, 1, false);
    Table table;
    table.numbers("t", trial.time).numbers("e", trial.event);
    const auto got = stats::testing::answer<stats::ReverseKaplanMeier>(table.frame(), {{"time", {"t"}}, {"event", {"e"}}},
                                                                       {{"times", numbers({1, 2, 3, 4, 5, 6, 7, 8})}});
    double survival = 1, last = 0;
    for (const double t : trial.time) last = std::max(last, t);
    for (double t = 1; t <= last; ++t) {
      double n = 0, ended = 0;
      for (std::size_t i = 0; i < trial.size(); ++i) n += trial.time[i] >= t, ended += trial.time[i] == t && trial.event[i] == 0;
      survival *= 1 - ended / n;
      EXPECT_NEAR(read(got, "survival", {{"time", t}}), survival, 1e-13) << "seed " << seed;  // eight factors
    }
  }
}

}  // namespace
}  // namespace equipoise::independent

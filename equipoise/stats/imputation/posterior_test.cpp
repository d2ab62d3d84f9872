#include "equipoise/stats/imputation/posterior.h"

#include <gtest/gtest.h>

#include <functional>

#include "equipoise/numerics/sum.h"
#include "equipoise/stats/imputation/imputation_testing.h"

namespace equipoise::stats {
namespace {

using testing::LongTrial;

/// Two visits with means of their own, everybody at the first, the first 20 of 30 at the second too.
struct Pair {
  LongTrial trial{8, 30, 2};
  testing::Table table;
  VisitGrid grid;
  std::optional<ImputationModel> model;

  explicit Pair(std::string_view structure, std::size_t seen_twice = 20) {
    for (std::size_t i = 0; i < 30; ++i) {
      auto& person = trial.people[i];
      person.event = 2;
      if (std::isnan(person.y[1])) person.y[1] = person.y[0] - 1 + 0.1 * person.base;
      if (i >= seen_twice) person.y[1] = missing_number;
    }
    table = trial.table();
    grid = *read_grid(table.frame(), {.response = "y", .subject = "id", .visit = "visit"}, {}, {});
    auto made = ImputationModel::fit(table.frame(), grid,
                                     {.roles = {.response = "y", .subject = "id", .visit = "visit"},
                                      .formula = *parse_formula("visit"),
                                      .covariance = {*covariance_structure(structure)},
                                      .group = "",
                                      .reference = ""});
    EXPECT_TRUE(made) << made.error().message;
    model.emplace(std::move(*made));
  }

  double mean(std::vector<double> const& b, std::size_t visit) const {
    std::vector<double> l(model->data().design.names.size(), 0.0);
    l[0] = 1;
    if (visit == 1) l[1] = 1;
    const std::vector<double> ours = model->data().ours(l);
    double sum = 0;
    for (std::size_t c = 0; c < ours.size(); ++c) sum += ours[c] * b[c];
    return sum * model->data().unit;
  }
};

/// Mean of a chain with its Monte Carlo standard error, from the means of 50 stretches of it.
struct ChainMean {
  double mean, se;
};
ChainMean mean_of(std::vector<double> const& chain) {
  std::vector<double> stretches;
  const std::size_t length = chain.size() / 50;
  for (std::size_t k = 0; k < 50; ++k) stretches.push_back(numerics::sum(std::span(chain).subspan(k * length, length)) / double(length));
  const numerics::Moments moments = numerics::moments(stretches);
  return {moments.mean, moments.sd / std::sqrt(50.0)};
}

std::vector<double> chain_of(Pair& pair, PosteriorDraws::Chain chain, std::size_t draws,
                             std::function<double(ImputationParameters const&)> const& read) {
  auto started = PosteriorDraws::start(*pair.model, chain);
  EXPECT_TRUE(started) << started.error().message;
  std::vector<double> values;
  ImputationParameters drawn;
  for (std::size_t k = 0; k < draws; ++k) {
    EXPECT_TRUE(started->next(drawn));
    values.push_back(read(drawn));
  }
  return values;
}

// Monotone pair, Jeffreys' prior: sigma_11 = S_11/chi2(n - 2), mean S_11/(n - 4); of the regression of the second visit on the first
// the variance is RSS/chi2(n_2 - 1), mean RSS/(n_2 - 3), and the slope has mean that of least squares. (Schafer 1997, section 6.5:
// the prior |Sigma|^-3/2 in these parameters is sigma_11^-1/2 sigma_22.1^-3/2.)
TEST(PosteriorDraws, GibbsHasTheClosedFormOfAMonotonePair) {
  Pair pair("unstructured");
  const double unit = pair.model->data().unit;
  double mean_1 = 0, s11 = 0, x = 0, y = 0, sxx = 0, sxy = 0, rss = 0;
  for (std::size_t i = 0; i < 30; ++i) mean_1 += pair.grid.response[2 * i] / 30;
  for (std::size_t i = 0; i < 30; ++i) s11 += std::pow(pair.grid.response[2 * i] - mean_1, 2);
  for (std::size_t i = 0; i < 20; ++i) x += pair.grid.response[2 * i] / 20, y += pair.grid.response[2 * i + 1] / 20;
  for (std::size_t i = 0; i < 20; ++i) {
    const double dx = pair.grid.response[2 * i] - x, dy = pair.grid.response[2 * i + 1] - y;
    sxx += dx * dx, sxy += dx * dy;
  }
  for (std::size_t i = 0; i < 20; ++i)
    rss += std::pow(pair.grid.response[2 * i + 1] - y - sxy / sxx * (pair.grid.response[2 * i] - x), 2);
  const struct {
    char const* what;
    double expected;
    std::function<double(ImputationParameters const&)> read;
  } checks[] = {
      {"sigma_11", s11 / 26, [&](auto const& p) { return p.sigma[0] * unit * unit; }},
      {"slope", sxy / sxx, [&](auto const& p) { return p.sigma[1] / p.sigma[0]; }},
      {"sigma_22.1", rss / 17, [&](auto const& p) { return (p.sigma[2] - p.sigma[1] * p.sigma[1] / p.sigma[0]) * unit * unit; }},
      {"mean 1", mean_1, [&](auto const& p) { return pair.mean(p.b, 0); }},
      {"mean 2", y + sxy / sxx * (mean_1 - x), [&](auto const& p) { return pair.mean(p.b, 1); }},
  };
  for (auto const& check : checks) {
    const ChainMean got = mean_of(chain_of(pair, {.seed = 3, .burn_in = 100, .thin = 1}, 20000, check.read));
    EXPECT_NEAR(got.mean, check.expected, 4 * got.se) << check.what;
    EXPECT_LT(got.se, 0.03 * std::abs(check.expected) + 0.03) << check.what << ": the chain says too little to check it";
  }
}

// Complete pair, heterogeneous compound symmetry, standard deviations 1/s and correlation uniform on (-1, 1): the restricted likelihood
// is |Sigma|^-(n-1)/2 exp(-tr(Sigma^-1 S)/2), and moments follow by summing over a grid of (log s_1, log s_2, rho).
TEST(PosteriorDraws, MetropolisHasTheMomentsOfAGrid) {
  Pair pair("heterogeneous_compound_symmetry", 30);
  const double log_unit = std::log(pair.model->data().unit);
  double mean[2] = {}, s[3] = {};
  for (std::size_t i = 0; i < 30; ++i)
    for (std::size_t j = 0; j < 2; ++j) mean[j] += pair.grid.response[2 * i + j] / 30;
  for (std::size_t i = 0; i < 30; ++i) {
    const double a = pair.grid.response[2 * i] - mean[0], b = pair.grid.response[2 * i + 1] - mean[1];
    s[0] += a * a, s[1] += a * b, s[2] += b * b;
  }
  double total = 0, first = 0, first_squared = 0, rho_mean = 0, rho_squared = 0;
  const double c1 = std::log(std::sqrt(s[0] / 29)), c2 = std::log(std::sqrt(s[2] / 29));
  for (int i = -60; i <= 60; ++i)
    for (int j = -60; j <= 60; ++j)
      for (int k = -99; k <= 99; ++k) {
        const double l1 = c1 + i * 0.015, l2 = c2 + j * 0.015, rho = k * 0.01;
        const double v1 = std::exp(2 * l1), v2 = std::exp(2 * l2), rest = 1 - rho * rho;
        const double form = (s[0] / v1 - 2 * rho * s[1] / std::sqrt(v1 * v2) + s[2] / v2) / rest;
        const double density = std::exp(-29.0 / 2 * (2 * (l1 - c1) + 2 * (l2 - c2) + std::log(rest)) - form / 2 + 30);
        total += density;
        first += density * l1, first_squared += density * l1 * l1;
        rho_mean += density * rho, rho_squared += density * rho * rho;
      }
  const struct {
    char const* what;
    double expected;
    std::function<double(ImputationParameters const&)> read;
  } checks[] = {
      {"log s_1", first / total, [&](auto const& p) { return std::log(p.sigma[0]) / 2 + log_unit; }},
      {"(log s_1)^2", first_squared / total, [&](auto const& p) { return std::pow(std::log(p.sigma[0]) / 2 + log_unit, 2); }},
      {"rho", rho_mean / total, [](auto const& p) { return p.sigma[1] / std::sqrt(p.sigma[0] * p.sigma[2]); }},
      {"rho^2", rho_squared / total, [](auto const& p) { return p.sigma[1] * p.sigma[1] / p.sigma[0] / p.sigma[2]; }},
  };
  for (auto const& check : checks) {
    const ChainMean got = mean_of(chain_of(pair, {.seed = 5, .burn_in = 100, .thin = 1}, 20000, check.read));
    EXPECT_NEAR(got.mean, check.expected, 4 * got.se + 1e-4) << check.what;  // the grid: steps a tenth of a standard deviation
    EXPECT_LT(got.se, 0.01) << check.what;
  }
}

TEST(PosteriorDraws, AreAFunctionOfTheSeed) {
  for (std::string const structure : {"unstructured", "ar1"}) {
    Pair one(structure), two(structure);
    const auto read = [](ImputationParameters const& p) { return p.sigma[1] + p.b[0]; };
    const auto first = chain_of(one, {.seed = 7, .burn_in = 20, .thin = 3}, 30, read);
    EXPECT_EQ(first, chain_of(two, {.seed = 7, .burn_in = 20, .thin = 3}, 30, read));
    EXPECT_NE(first, chain_of(two, {.seed = 8, .burn_in = 20, .thin = 3}, 30, read));
  }
}

TEST(PosteriorDraws, SaysHowManyProposalsWereAccepted) {
  Pair gibbs("unstructured"), metropolis("ar1");
  EXPECT_EQ(PosteriorDraws::start(*gibbs.model, {})->acceptance(), 1.0);
  const double share = PosteriorDraws::start(*metropolis.model, {})->acceptance();
  EXPECT_GT(share, 0.5);  // two parameters, a near normal posterior
  EXPECT_LT(share, 1.0);
}

}  // namespace
}  // namespace equipoise::stats

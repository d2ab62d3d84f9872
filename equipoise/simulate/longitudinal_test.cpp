#include "equipoise/simulate/longitudinal.h"

#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/simulate/testing.h"

namespace equipoise::simulate {
namespace {

using testing::SmallTrial;
using testing::Tally;
using testing::world_of;

constexpr std::uint64_t seed = 20240612;

/// Values of cells over all participants of the replicates, each with its arm last.
std::vector<std::vector<double>> rows(World const& world, std::size_t replicates, Forced forced = {.arm = {}, .complete = true}) {
  Workspace workspace;
  VirtualTrial trial;
  std::vector<std::vector<double>> all;
  for (std::uint64_t number = 0; number < replicates; ++number) {
    world.replicate(seed, number, workspace, trial, forced);
    for (std::size_t i = 0; i < trial.n; ++i) {
      std::vector<double> row;
      for (std::size_t c = 0; c < world.layout().cells.size(); ++c) row.push_back(trial.value[c * trial.n + i]);
      row.push_back(trial.arm[i]);
      all.push_back(std::move(row));
    }
  }
  return all;
}

/// A correlation within 4 of its standard errors, (1 - r^2) / sqrt(n).
template <class X, class Y>
void expect_correlation(std::vector<std::vector<double>> const& data, X const& x, Y const& y, double r) {
  Tally a, b;
  double product = 0;
  for (auto const& row : data) a.add(x(row)), b.add(y(row)), product += x(row) * y(row);
  const double got = (product / a.n - a.mean() * b.mean()) / std::sqrt(a.variance() * b.variance());
  EXPECT_NEAR(got, r, 4 * (1 - r * r) / std::sqrt(a.n));
}

void expect_moments(std::vector<std::vector<double>> const& data, auto const& x, double mean, double sd) {
  Tally tally;
  for (auto const& row : data) tally.add(x(row));
  EXPECT_NEAR(tally.mean(), mean, 4 * sd / std::sqrt(tally.n));
  EXPECT_NEAR(tally.variance(), sd * sd, 4 * sd * sd * std::sqrt(2 / tally.n));  // of normal variables
}

TEST(Longitudinal, LevelsAndNoiseAreLogNormal) {
  SmallTrial small{.scenario = R"(model = "longitudinal"
x = { level = { median = 190, cv = 0.35 }, noise_cv = 0.18, scale = "log" }
y = { level = { mean = 700, sd = 350 }, noise_log_sd = 0, scale = "log" })"};
  const auto protocol = small.protocol();
  const auto data = rows(world_of(protocol), 200);
  const double level = std::log1p(0.35 * 0.35), noise = std::log1p(0.18 * 0.18);
  expect_moments(
      data, [](auto const& r) { return std::log(r[3]); }, std::log(190), std::sqrt(level + noise));
  expect_moments(
      data, [](auto const& r) { return std::log(r[3]) - std::log(r[1]); }, 0, std::sqrt(2 * noise));
  // Mean and SD of y, by way of its logarithm.
  expect_moments(
      data, [](auto const& r) { return std::log(r[7]); }, std::log(700) - std::log1p(0.25) / 2, std::sqrt(std::log1p(0.25)));
}

TEST(Longitudinal, LevelsSlopesAndNoiseHaveTheirCorrelations) {
  SmallTrial small{.scenario = R"(model = "longitudinal"
x = { level = { mean = 100, sd = 10 }, slope_per_year = { mean = 15, sd = 25, level_correlation = -0.4 }, noise_sd = 0, scale = "linear" }
y = { level = { mean = 0, sd = 2 }, slope_per_year = { sd = 5 }, noise_sd = 0, scale = "linear" }
correlation = { levels = 0.5, slopes = -0.3 })"};
  const auto protocol = small.protocol();
  const auto data = rows(world_of(protocol), 200);
  const auto level = [](auto const& r) { return r[1]; };                          // at day 0
  const auto slope = [](auto const& r) { return (r[5] - r[1]) / 280 * 365.25; };  // to day 280
  const auto level_y = [](auto const& r) { return r[7]; };
  const auto slope_y = [](auto const& r) { return (r[11] - r[7]) / 280 * 365.25; };
  expect_moments(data, level, 100, 10);
  expect_moments(data, slope, 15, 25);
  expect_moments(data, slope_y, 0, 5);
  expect_correlation(data, level, level_y, 0.5);
  expect_correlation(data, level, slope, -0.4);
  expect_correlation(data, slope, slope_y, -0.3);
  expect_correlation(data, level_y, slope, 0);

  SmallTrial noisy{.scenario = R"(model = "longitudinal"
x = { level = 100, noise_sd = 5, scale = "linear" }
y = { level = 50, noise_cv = 0.2, scale = "log" }
correlation = { noise = [[1, 0.6], [0.6, 1]] })"};
  const auto other = noisy.protocol();
  const auto noise = rows(world_of(other), 200);
  expect_correlation(
      noise, [](auto const& r) { return r[2]; }, [](auto const& r) { return std::log(r[8]); }, 0.6);
  expect_correlation(
      noise, [](auto const& r) { return r[2]; }, [](auto const& r) { return r[3]; }, 0);
}

TEST(Longitudinal, NoiseHasItsCovarianceBetweenVisits) {
  for (auto const& [family, near, far] :
       {std::tuple(R"({ family = "ar1", correlation = 0.7 })", 0.7, 0.343),
        std::tuple(R"({ family = "compound_symmetry", correlation = 0.4 })", 0.4, 0.4),
        std::tuple(R"({ family = "exponential", correlation = 0.6, weeks = 10 })", 0.6, 0.216),
        std::tuple(R"({ family = "toeplitz", correlations = [0.5, 0.3, 0.2, 0.1, 0] })", 0.5, 0.2)}) {
    SmallTrial small{.scenario = fmt::format(R"(model = "longitudinal"
x = {{ level = 100, noise_sd = 5, scale = "linear", noise_covariance = {} }})",
                                             family)};
    const auto protocol = small.protocol();
    const auto data = rows(world_of(protocol), 100);
    expect_moments(
        data, [](auto const& r) { return r[5]; }, 100, 5);
    expect_correlation(
        data, [](auto const& r) { return r[4]; }, [](auto const& r) { return r[5]; }, near);
    expect_correlation(
        data, [](auto const& r) { return r[2]; }, [](auto const& r) { return r[5]; }, far);
  }
}

TEST(Longitudinal, SitesDiffer) {
  SmallTrial small{.scenario = R"(model = "longitudinal"
x = { level = 100, noise_sd = 0, scale = "linear" }
site_sd = 10)"};
  const auto protocol = small.protocol();
  const World world = world_of(protocol);
  Workspace workspace;
  VirtualTrial trial;
  Tally of_site;
  for (std::uint64_t number = 0; number < 2000; ++number) {
    world.replicate(seed, number, workspace, trial);
    double effect[2] = {0, 0};
    for (std::size_t i = 0; i < trial.n; ++i) {
      double& own = effect[trial.site[i]];
      const double value = trial.value[trial.n + i] - 100;
      EXPECT_TRUE(own == 0 || own == value);
      own = value;
    }
    of_site.add(effect[0]);
  }
  EXPECT_NEAR(of_site.mean(), 0, 4 * 10 / std::sqrt(2000.0));
  EXPECT_NEAR(of_site.variance(), 100, 4 * 100 * std::sqrt(2 / 2000.0));
}

TEST(Longitudinal, EffectsRiseAndWane) {
  SmallTrial small{.scenario = R"(model = "longitudinal"
x = { level = 100, slope_per_year = 36.525, noise_log_sd = 0, scale = "log" }
effect = { x = { shape = "emax", emax = 90, ed50 = 10, onset_weeks = 20, half_life_weeks = 10 } })"};
  const auto protocol = small.protocol();
  const World world = world_of(protocol);
  Workspace workspace;
  VirtualTrial trial;
  world.replicate(seed, 0, workspace, trial);
  const double full = 90 * 20.0 / 30;                 // dose 20 mg
  const double course[] = {0, 0, 0.5, 1, 0.5, 0.25};  // days -14, 0, 70, 140, 210, 280
  const double day[] = {-14, 0, 70, 140, 210, 280};
  for (std::size_t i = 0; i < trial.n; ++i)
    for (std::size_t v = 0; v < 6; ++v)
      EXPECT_NEAR(trial.value[v * trial.n + i], 100 + 0.1 * day[v] + (trial.arm[i] ? full * course[v] : 0), 1e-12 * 200);
}

TEST(Longitudinal, LevelsNeverFallBelowTheFloor) {
  SmallTrial small{.scenario = R"(model = "longitudinal"
x = { level = 100, slope_per_year = -200, noise_log_sd = 0, scale = "log", floor = 20 })"};
  const auto protocol = small.protocol();
  const auto data = rows(world_of(protocol), 1);
  EXPECT_EQ(data[0][5], 20.0);  // 100 - 200 * 280 / 365.25 is below
  EXPECT_GT(data[0][2], 20.0);
}

// Who ever reached a rise by 30 % in a trial where nothing happens: level 170 for all, log-normal noise of median 1 on baseline
// and visits, visits evenly spread over 96 weeks. Expected: an independent simulation, printed to two digits. Tolerance: half a
// unit of the last digit, and four standard errors of 160000 participants, which are at most 0.00125 each.
struct Passage {
  double cv;
  int visits;
  double none, fifteen, thirty, fifty;  // no drift; +15 a year (SD 25); +30 (SD 35); and +50 cells under +15
};

TEST(Longitudinal, ReproducesTheShareThatEverReachesThirtyPercent) {
  const Passage table[] = {{0.150, 8, 0.38, 0.57, 0.69, 0.59},
                           {0.166, 10, 0.47, 0.64, 0.74, 0.65},
                           {0.195, 10, 0.56, 0.69, 0.77, 0.70},
                           {0.220, 12, 0.64, 0.74, 0.79, 0.76}};
  for (Passage const& row : table) {
    SmallTrial small;
    small.visits = R"({ id = "baseline", epoch = "e", day = 1, window = [0, 0], forms = ["labs"] },)";
    for (int v = 1; v <= row.visits; ++v)
      small.visits += fmt::format("\n{{ id = \"v{}\", epoch = \"e\", day = {}, window = [0, 0], forms = [\"labs\"] }},", v,
                                  1 + int(std::lround(672.0 * v / row.visits)));
    const auto share = [&](double mean, double sd, auto const& reached) {
      small.scenario = fmt::format(R"(model = "longitudinal"
x = {{ level = 170, slope_per_year = {{ mean = {}, sd = {} }}, noise_cv = {}, scale = "log" }})",
                                   mean, sd, row.cv);
      const auto protocol = small.protocol();
      Tally ever;
      for (auto const& r : rows(world_of(protocol), 800)) {
        bool hit = false;
        for (std::size_t v = 1; v <= std::size_t(row.visits); ++v) hit |= reached(r[0], r[v]);
        ever.add(hit);
      }
      return ever.mean();
    };
    const auto by_thirty_percent = [](double base, double x) { return x >= 1.3 * base; };
    EXPECT_NEAR(share(0, 0, by_thirty_percent), row.none, 0.01) << row.cv << " " << row.visits;
    EXPECT_NEAR(share(15, 25, by_thirty_percent), row.fifteen, 0.01) << row.cv << " " << row.visits;
    EXPECT_NEAR(share(30, 35, by_thirty_percent), row.thirty, 0.01) << row.cv << " " << row.visits;
    EXPECT_NEAR(share(15, 25, [](double base, double x) { return x >= base + 50; }), row.fifty, 0.01)
        << row.cv << " " << row.visits;
  }
}

}  // namespace
}  // namespace equipoise::simulate

#include <gmock/gmock.h>

#include <cmath>

#include "equipoise/simulate/testing.h"

namespace equipoise::simulate {
namespace {

using testing::SmallTrial;
using testing::Tally;
using testing::world_of;

constexpr std::uint64_t seed = 20240613;

/// A trial with a flag, a number and a time at each visit after baseline.
SmallTrial with_outcomes(std::string const& scenario) {
  SmallTrial small{.scenario = scenario};
  small.more = R"([form.diary]
well = { kind = "flag", label = "Well" }
attacks = { kind = "integer", label = "Attacks" }
relapse = { kind = "flag", label = "Relapse" }
weeks = { kind = "number", unit = "wk", label = "Weeks" })";
  for (std::size_t at = 0; (at = small.visits.find("14], forms = [\"labs\"]", at)) != std::string::npos; ++at)
    small.visits.replace(at, 20, "14], forms = [\"diary\"");
  return small;
}

TEST(Binary, HasItsProbabilitiesAndItsCorrelation) {
  const auto protocol = with_outcomes(R"(model = "binary"
outcome = { well = { probability = { control = 0.3, active = 0.5 }, correlation = 0.5 } })")
                            .protocol();
  const World world = world_of(protocol);
  Workspace workspace;
  VirtualTrial trial;
  Tally arms[2], both;
  const std::size_t v1 = *world.layout().cell("well", 2), v4 = *world.layout().cell("well", 5);
  for (std::uint64_t number = 0; number < 200; ++number) {
    world.replicate(seed, number, workspace, trial);
    for (std::size_t i = 0; i < trial.n; ++i) {
      arms[trial.arm[i]].add(trial.value[v4 * trial.n + i]);
      if (trial.arm[i] == 1) both.add(trial.value[v1 * trial.n + i] * trial.value[v4 * trial.n + i]);
    }
  }
  EXPECT_NEAR(arms[0].mean(), 0.3, 4 * arms[0].error());
  EXPECT_NEAR(arms[1].mean(), 0.5, 4 * arms[1].error());
  // Two standard normals of correlation r are both below 0 with probability 1/4 + asin(r) / (2 pi) (Sheppard 1899): 1/3 at 1/2.
  EXPECT_NEAR(both.mean(), 1.0 / 3, 4 * both.error());
}

TEST(Count, IsNegativeBinomialOverAFixedTime) {
  const auto protocol = with_outcomes(R"(model = "count"
outcome = { attacks = { per_year = { control = 6, active = 3 }, dispersion = 0.5 } })")
                            .protocol();
  const World world = world_of(protocol);
  Workspace workspace;
  VirtualTrial trial;
  Tally sum[2], none;
  for (std::uint64_t number = 0; number < 200; ++number) {
    world.replicate(seed, number, workspace, trial);
    for (std::size_t i = 0; i < trial.n; ++i) {
      double total = 0;
      for (std::size_t v = 2; v < 6; ++v) total += trial.value[*world.layout().cell("attacks", v) * trial.n + i];
      sum[trial.arm[i]].add(total);
      if (trial.arm[i] == 0) none.add(total == 0);
    }
  }
  for (std::size_t arm : {0, 1}) {
    const double mean = (arm ? 3.0 : 6.0) * 280 / 365.25, variance = mean + 0.5 * mean * mean;
    EXPECT_NEAR(sum[arm].mean(), mean, 4 * sum[arm].error());
    // The variance of a variance: (fourth central moment - variance^2) / n, here bounded by an excess of 3 (1 / shape 2, and
    // more).
    EXPECT_NEAR(sum[arm].variance(), variance, 4 * variance * std::sqrt((2 + 3.5) / sum[arm].n));
  }
  const double mean = 6 * 280 / 365.25;
  EXPECT_NEAR(none.mean(), std::pow(1 / (1 + 0.5 * mean), 2), 4 * none.error());
}

TEST(TimeToEvent, WritesDatedEventsAndTimesAtVisits) {
  const auto protocol = with_outcomes(R"(model = "time_to_event"
event = { rescue = { median_weeks = 30, shape = 1.3, hazard_ratio = { active = 0.5 } }, relapse = { time = "weeks", per_year = 1, hazard_ratio = [{ from_weeks = 0 }, { from_weeks = 20, active = 0.25 }] } })")
                            .protocol();
  const World world = world_of(protocol);
  Workspace workspace;
  VirtualTrial trial;
  Tally rescue[2], relapse[2];
  for (std::uint64_t number = 0; number < 200; ++number) {
    world.replicate(seed, number, workspace, trial);
    std::vector<double> day(trial.n, 1e9);
    for (std::size_t e = 0; e < trial.entries[0].date.size(); ++e)
      day[trial.entries[0].participant[e]] = trial.entries[0].date[e];
    for (std::size_t i = 0; i < trial.n; ++i) {
      rescue[trial.arm[i]].add(day[i] <= 210);
      const double flag = trial.value[*world.layout().cell("relapse", 5) * trial.n + i],
                   time = trial.value[*world.layout().cell("weeks", 5) * trial.n + i];
      relapse[trial.arm[i]].add(flag);
      EXPECT_TRUE(flag == 1 ? time <= 40 : time == 40) << time;
      // What the visit before knew was true then, and stays so.
      const double flag3 = trial.value[*world.layout().cell("relapse", 4) * trial.n + i],
                   time3 = trial.value[*world.layout().cell("weeks", 4) * trial.n + i];
      EXPECT_TRUE(flag3 == 0 ? time3 == 30 : time3 == time);
    }
  }
  // Half of the control arm by week 30 (day 210; rounding adds half a day); sqrt(1/2) stay without at half the hazard.
  const double more = std::log(2) * std::pow(210.5 / 210, 1.3);
  EXPECT_NEAR(rescue[0].mean(), 1 - std::exp(-more), 4 * rescue[0].error());
  EXPECT_NEAR(rescue[1].mean(), 1 - std::exp(-more / 2), 4 * rescue[1].error());
  EXPECT_NEAR(relapse[0].mean(), 1 - std::exp(-280 / 365.25), 4 * relapse[0].error());
  EXPECT_NEAR(relapse[1].mean(), 1 - std::exp(-(140 + 0.25 * 140) / 365.25), 4 * relapse[1].error());
}

TEST(Outcomes, NameWhatTheyCannotBe) {
  const auto said = [](std::string const& scenario) {
    const auto protocol = with_outcomes(scenario).protocol();
    Problems problems;
    std::vector<study::Unavailable> unavailable;
    check_scenarios(protocol, problems, unavailable);
    sort_in_file_order(problems);
    std::vector<std::string> out;
    for (Error const& error : problems) out.push_back(error.message + (error.hint.empty() ? "" : " -- " + error.hint));
    return out;
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(said("model = \"binary\"\noutcome = { wel = { probability = 1 }, attacks = { probability = 1 } }"),
              ElementsAre("'outcome' of scenario 'one' names 'wel', which is no item of the trial -- did you mean 'well'?",
                          "'outcome' of scenario 'one' names 'attacks', which is not an item of its kind at a visit -- it can be "
                          "fit, well or relapse"));
  EXPECT_THAT(said("model = \"count\"\noutcome = { attacks = { per_year = { control = 1 } } }"),
              ElementsAre(::testing::HasSubstr("'per_year' of 'attacks' of scenario 'one'")));
  EXPECT_THAT(
      said("model = \"time_to_event\"\nevent = { relapse = { per_year = 1 }, rescue = { per_year = [1, 2], from_weeks = [0] }, "
           "death = { median_weeks = 3, hazard_ratio = { nobody = 1 } } }\nevents_per_year = { rescue = 1 }"),
      ElementsAre("'event' of scenario 'one' names 'relapse', which is no dated event of the trial -- a flag at a visit is one "
                  "too, when `time` "
                  "names the item with its time",
                  "'from_weeks' in the event 'rescue' of scenario 'one' has 1 numbers for 2 pieces",
                  "the hazard ratio of the event 'death' of scenario 'one' names 'nobody', which is not an arm of the trial -- "
                  "its arms are "
                  "control, active"));
  EXPECT_THAT(said("model = \"time_to_event\"\nevent = { rescue = { per_year = 1 } }\nevents_per_year = { rescue = 1 }"),
              ElementsAre("scenario 'one' gives the event 'rescue' twice"));
  EXPECT_THAT(said("model = \"binary\"\noutcome = { well = { probability = 0.5 } }\nstudy_stop = { mechanism = \"mar\", "
                   "by_week_40 = 0.1, log_odds_per_unit = 1 }"),
              ElementsAre("'study_stop' of scenario 'one' depends on a marker, and the model has none"));
}

}  // namespace
}  // namespace equipoise::simulate

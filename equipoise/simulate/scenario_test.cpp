#include "equipoise/simulate/scenario.h"

#include <gmock/gmock.h>

#include "equipoise/simulate/merged.h"
#include "equipoise/simulate/testing.h"

namespace equipoise::simulate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::SmallTrial;

/// What `check` says of a scenario, with the lines counted from its `model`.
std::vector<std::string> problems(std::string const& scenario, SmallTrial small = {}) {
  small.scenario = scenario;
  const std::string text = small.text();
  const auto protocol = small.protocol();
  Problems found;
  std::vector<study::Unavailable> unavailable;
  check_scenarios(protocol, found, unavailable);
  sort_in_file_order(found);
  const int first = int(std::count(text.begin(), text.begin() + std::ptrdiff_t(text.find("model = ")), '\n'));
  std::vector<std::string> out;
  for (Error error : found) {
    error.place.file = "", error.place.line -= first;
    out.push_back(fmt::format("{}:{}: {}{}{}", error.place.line, error.place.column, error.message,
                              error.hint.empty() ? "" : " -- ", error.hint));
  }
  return out;
}

const std::string sound = R"(model = "longitudinal"
x = { level = { median = 100, cv = 0.3 }, noise_cv = 0.2, scale = "log" })";

TEST(Scenario, ASoundOneHasNoProblems) { EXPECT_THAT(problems(sound), IsEmpty()); }

TEST(Scenario, NamesWhatIsNotThere) {
  EXPECT_THAT(
      problems(sound + R"(
effect = { x = { actve = 5, onset_weeks = 4 }, z = { active = 5 } }
events_per_year = { deth = 0.1, rescue = { activ = 1 } }
items = { agee = 40, sex = "X", x2 = 1 }
missed_visit = { v9 = 0.1 }
study_stop = { mechanism = "mar", by_week_40 = 0.1, log_odds_per_unit = 0, marker = "y" }
accrual = { start_weeks = { s3 = 1 } }
noise = 3)"),
      ElementsAre(
          "3:18: the effect on 'x' of scenario 'one' names 'actve', which is not an arm of the trial -- did you mean 'active'?",
          "3:52: the effect of scenario 'one' names 'z', which it does not simulate -- did you mean 'x'?",
          "4:21: 'events_per_year' of scenario 'one' names 'deth', which is no dated event of the trial -- did you mean 'death'?",
          "4:44: 'rescue' of 'events_per_year' of scenario 'one' names 'activ', which is not an arm of the trial -- did you mean "
          "'active'?",
          "5:18: 'items' of scenario 'one' names 'agee', which is no item of the trial -- did you mean 'age'?",
          "5:28: 'X' is no code of 'sex': they are F, M",
          "5:38: 'items' of scenario 'one' names 'x2', which is no item of the trial -- did you mean 'x'?",
          "6:18: 'missed_visit' of scenario 'one' has no key 'v9' -- did you mean 'v1'?",
          "8:29: 'start_weeks' of the accrual of scenario 'one' has no key 's3' -- did you mean 's1'?",
          "9:1: scenario 'one' has no key 'noise' -- its keys are accrual, adverse_event, correlation, effect, events_per_year, "
          "extends, "
          "id, items, missed_visit, model, note, site_sd, study_stop, visit_day_sd and x"));
  EXPECT_THAT(problems(sound + R"(
study_stop = { mechanism = "mar", by_week_40 = 0.1, log_odds_per_unit = 0, marker = "y" }
items = { x = 3 })"),
              ElementsAre("3:85: 'study_stop' of scenario 'one' names the marker 'y', and the scenario simulates x",
                          "4:11: 'items' of scenario 'one' gives 'x', which its model makes"));
}

TEST(Scenario, NamesTheCorrelationThatIsNotPositiveDefinite) {
  const std::string two = sound + R"(
y = { level = { median = 100, cv = 0.3 }, slope_per_year = { sd = 1, level_correlation = 0.9 }, noise_cv = 0.2, scale = "log" }
)";
  EXPECT_THAT(problems(two + "correlation = { levels = [[1, 0.2], [0.3, 1]], noise = 1.0 }"),
              ElementsAre("4:26: 'levels' in the correlation of scenario 'one' must be a number, or 2 rows of 2 numbers for x, "
                          "y: 'y' with 'x' is "
                          "0.3 in one row and 0.2 in the other",
                          "4:56: 'noise' in the correlation of scenario 'one' must be above -1 and below 1, and is 1"));
  EXPECT_THAT(problems(two + "correlation = { noise = [[1, 1], [1, 1]], levels = [[1, -1], [-1, 1]] }"),
              ElementsAre("4:25: the correlation 'noise' in scenario 'one' is not positive definite: no variables have it. It "
                          "fails at 'y', given "
                          "those before",
                          "4:52: the correlation 'levels' in scenario 'one' is not positive definite: no variables have it. It "
                          "fails at 'y', given "
                          "those before"));
  // Each is one, and together they are not: the levels are nearly equal, and one goes with its slope.
  EXPECT_THAT(
      problems(two + "correlation = { levels = 0.9, slopes = -0.9 }"),
      ElementsAre(
          "4:40: the correlation of levels and slopes in scenario 'one' is not positive definite: no variables have it. It fails "
          "at the slope of 'y', given those before"));
  EXPECT_THAT(
      problems(sound + R"(
y = { level = 10, noise_sd = 1, scale = "linear", noise_covariance = { family = "compound_symmetry", correlation = -0.5 } })"),
      ElementsAre(
          "3:70: the 'noise_covariance' of 'y' in scenario 'one' is not positive definite: no variables have it. It fails at the "
          "visit 'v1', given those before"));
}

TEST(Scenario, RefusesNumbersThatContradictEachOther) {
  EXPECT_THAT(
      problems(R"(model = "longitudinal"
x = { level = { median = 100, cv = 0.3 }, noise_sd = 20, scale = "log" }
y = { level = { median = 100, cv = 0.3 }, scale = "linear" })"),
      ElementsAre(
          "2:54: 'noise_sd' in 'x' of scenario 'one' does not go with scale \"log\" -- its noise is noise_cv or noise_log_sd",
          "3:5: 'y' of scenario 'one' needs its measurement noise: noise_sd (0 for none)",
          "3:26: a level of scale \"linear\" is given by mean and sd, and the level of 'y' of scenario 'one' gives a median"));
  EXPECT_THAT(
      problems(sound + R"(
study_stop = { mechanism = "mcar", by_week_40 = 1.2, log_odds_per_unit = 1 }
adverse_event = { any = 0.1, serious = 0.2, grade = [1], related = { no = 0.5 } }
items = { sex = { F = 0.5, M = 0.6 } }
visit_day_sd = -1)"),
      ElementsAre(
          "3:49: 'by_week_40' in 'study_stop' of scenario 'one' must be at least 0 and below 1, and is 1.2",
          "3:74: 'study_stop' of scenario 'one' leaves completely at random (mcar) and has a slope on a marker",
          "4:40: a serious event is an event: in arm 'control' 'adverse_event' of scenario 'one' has 'serious' 0.2 above 'any' "
          "0.1",
          "4:53: 'grade' in 'adverse_event' of scenario 'one' must be the probabilities of grades 1 to 5, which add up to 1",
          "4:68: the probabilities of 'related' of 'adverse_event' of scenario 'one' add up to 0.5, not 1",
          "5:17: the probabilities of 'sex' of 'items' of scenario 'one' add up to 1.1, not 1",
          "6:16: 'visit_day_sd' in scenario 'one' must be at least 0 and at most 1000, and is -1"));
  SmallTrial full;
  full.sites = R"({ id = "s1", name = "One", time_zone = "Europe/Berlin", cap = 20, planned_per_month = 1 })";
  EXPECT_THAT(problems(sound, full),
              ElementsAre("-1:1: the sites of scenario 'one' take at most 20 participants together, and 200 are planned -- raise "
                          "the 'cap' of sites, or plan fewer participants"));
}

TEST(Scenario, TakesWhatItExtendsAndReplacesTheEffect) {
  SmallTrial small{.scenario = sound + R"(
effect = { x = { active = 5, onset_weeks = 4 } }
events_per_year = { death = 0.1 }
[[scenario]]
id = "two"
extends = "one"
x = { noise_cv = 0.4 }
effect = { x = { active = 9 } }
events_per_year = { rescue = 0.2 }
[[scenario]]
id = "three"
extends = "two"
model = "cd4_homeostasis"
anything = 1
[[scenario]]
id = "four"
extends = "two"
x = { noise_cv = "large" })"};
  const auto protocol = small.protocol();
  Problems found;
  const auto two = parse_scenario(protocol, 1, found);
  ASSERT_TRUE(two && found.empty());
  Marker const& x = std::get<Longitudinal>(two->model).markers()[0];
  EXPECT_DOUBLE_EQ(x.noise_sd, std::sqrt(std::log1p(0.16)));
  EXPECT_DOUBLE_EQ(x.centre, std::log(100));
  EXPECT_THAT(x.effect.full(), ElementsAre(0, 9));
  EXPECT_EQ(x.effect.course(1), 1.0);  // the onset went with the effect
  ASSERT_EQ(two->events.size(), 2u);
  EXPECT_EQ(two->events[0].event.code, "death");

  std::vector<study::Unavailable> unavailable;
  check_scenarios(protocol, found, unavailable);
  ASSERT_EQ(unavailable.size(), 1u);
  EXPECT_EQ(unavailable[0].method + " " + unavailable[0].user, "cd4_homeostasis scenario 'three'");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].message, "'noise_cv' in 'x' of scenario 'four' must be a number, and is text");
}

TEST(Scenario, AProblemIsSaidOnceWhereItWasWritten) {
  EXPECT_THAT(problems(sound + R"(
effect = { x = { nobody = 1 } }
[[scenario]]
id = "two"
extends = "one"
missed_visit = 0.1)"),
              ElementsAre("3:18: the effect on 'x' of scenario 'one' names 'nobody', which is not an arm of the trial -- its "
                          "arms are control, active"));
}

TEST(Scenario, AnyModelCanHaveTimesToEvents) {
  EXPECT_THAT(problems(sound + R"(
event = { death = { median_weeks = 300, shape = 2 } })"),
              IsEmpty());
  EXPECT_THAT(
      problems(sound + R"(
event = { fit = { per_year = 1, time = "age" } })"),
      ElementsAre("3:9: a flag with its time belongs to the model 'time_to_event', and scenario 'one' has 'longitudinal'"));
}

TEST(Scenario, KnowsItsModels) {
  EXPECT_THAT(problems("model = \"longitudnal\""),
              ElementsAre("1:9: scenario 'one' names the model 'longitudnal', which is not known -- did you mean "
                          "'longitudinal'?"));
}

}  // namespace
}  // namespace equipoise::simulate

#include "equipoise/simulate/monitoring.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "equipoise/simulate/testing.h"

namespace equipoise::simulate {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

/// A trial with an endpoint of each kind, and an analysis of each.
std::string trial(std::string const& monitoring) {
  testing::SmallTrial small;
  small.more = R"TOML([derivation]
change = { rule = "x - x@baseline", label = "Change" }
[[endpoint]]
id = "alive"
kind = "time_to_event"
level = "primary"
event = "first(events, what == 'death')"
origin = "randomisation"
benefit = "later"
[[endpoint]]
id = "gain"
kind = "continuous"
level = "secondary"
variable = "change"
visits = ["v1", "v2"]
at = "v2"
[[analysis]]
id = "survival"
endpoint = "alive"
set = "full"
role = "primary"
method = "log_rank"
[[analysis]]
id = "gained"
endpoint = "gain"
set = "full"
role = "secondary"
method = "t_test"
variance = "pooled"
[monitoring]
)TOML" + monitoring;
  small.scenario = R"(model = "longitudinal"
x = { level = { median = 100, cv = 0.2 }, noise_cv = 0.1, scale = "log" })";
  return small.text();
}

std::vector<std::string> messages(std::string const& monitoring) {
  const auto protocol = protocol::load(trial(monitoring), "t.toml");
  if (!protocol) return {protocol.error().front().message};
  Problems problems;
  Monitoring::parse(*protocol, problems);
  std::vector<std::string> all;
  for (Error const& problem : problems) all.push_back(problem.message);
  return all;
}

using Messages = std::vector<std::string>;

TEST(Monitoring, ReportsWhatIsWrong) {
  EXPECT_EQ(
      messages(
          "analysis = \"survival\"\nlook = [{ id = \"a\", events = 5, critical_value = 2.8, futility = 0 }, { id = \"b\" }]"),
      Messages{});
  EXPECT_EQ(messages("analysis = \"surviva\"\nlook = [{ id = \"a\", events = 5 }]"),
            Messages{"[monitoring] looks at the analysis 'surviva', and there is none"});
  EXPECT_EQ(messages("analysis = \"survival\"\nlook = [{ id = \"a\", events = 5 }, { id = \"b\", events = 5 }]"),
            Messages{"look 'b' has no more information than the look before it"});
  EXPECT_EQ(messages("analysis = \"survival\"\nlook = [{ id = \"a\", events = 5, completed = 3 }]"),
            Messages{"look 'a' takes place by 'events' or by 'completed', and has both"});
  EXPECT_EQ(messages("analysis = \"survival\"\nlook = [{ id = \"a\", completed = 3 }]"),
            Messages{"look 'a' waits for a visit, and endpoint 'alive' is asked at none"});
  EXPECT_EQ(messages("analysis = \"survival\"\nlook = [{ id = \"a\", events = 5, critical_value = 1, futility = 2 }]"),
            Messages{"look 'a' ends for futility below 2, which is beyond its critical value 1"});
  EXPECT_EQ(messages("analysis = \"gained\"\nlook = [{ id = \"a\", events = 5, futility = 0 }]"),
            (Messages{"look 'a' counts events, and endpoint 'gain' is none of time to event",
                      "look 'a' ends for futility, and endpoint 'gain' does not say what its benefit is"}));
  EXPECT_EQ(messages("analysis = \"gained\"\ndirection = \"better\"\nlook = [{ id = \"a\" }, { id = \"b\" }]"),
            (Messages{"[monitoring] rejects for benefit, and endpoint 'gain' does not say what its benefit is",
                      "look 'b' comes after look 'a', which is at the end of the trial"}));
}

TEST(Monitoring, ComparesTheSignedStatisticWithTheCriticalValue) {
  Monitoring monitoring;
  const Look look{.id = "a", .events = {}, .completed = {}, .critical_value = 1.959963985, .futility = 0.0, .place = {}};
  const Statement lower_is_better{.better = -1};
  const Said better{.p = 0.05, .estimate = -3, .se = 1, .sign = -1}, worse{.p = 0.05, .estimate = 3, .se = 1, .sign = 1};
  EXPECT_NEAR(monitoring.value(lower_is_better, better), 1.959963984540054, 1e-12) << "qnorm(0.975)";
  EXPECT_NEAR(monitoring.value(lower_is_better, worse), -1.959963984540054, 1e-12);
  EXPECT_TRUE(std::isnan(monitoring.value(lower_is_better, Said{})));
  EXPECT_EQ(monitoring.value({.better = 1}, {.p = 0, .sign = 1}), std::numeric_limits<double>::infinity());
  monitoring.statistic = Monitoring::Statistic::wald;
  EXPECT_EQ(monitoring.value(lower_is_better, better), 3);
  for (const bool either : {true, false}) {
    monitoring.either = either;
    EXPECT_TRUE(monitoring.rejects(look, 2));
    EXPECT_EQ(monitoring.rejects(look, -2), either);
    EXPECT_FALSE(monitoring.rejects(look, none));
    EXPECT_TRUE(monitoring.ends_for_futility(look, -0.1));
    EXPECT_FALSE(monitoring.ends_for_futility(look, none));
  }
}

TEST(Monitoring, CutsATrialOffAtADay) {
  const protocol::Protocol protocol = testing::SmallTrial{.participants = "40", .scenario = R"(model = "longitudinal"
x = { level = { median = 100, cv = 0.2 }, noise_cv = 0.1, scale = "log" }
visit_day_sd = 3
events_per_year = { rescue = 1 }
adverse_event = { any = 0.8, serious = 0.2 }
items = { age = { mean = 40, sd = 5 } })"}
                                          .protocol();
  const World world = testing::world_of(protocol);
  Workspace workspace;
  VirtualTrial whole, cut;
  world.replicate(5, 1, workspace, whole);
  Layout const& layout = world.layout();
  double end = 0;
  for (std::size_t i = 0; i < whole.n; ++i) end = std::max(end, whole.entry[i] + whole.follow_up_end[i]);
  cut_off(whole, layout, end, cut);
  EXPECT_EQ(cut.n, whole.n);
  EXPECT_EQ(cut.follow_up_end, whole.follow_up_end);
  EXPECT_EQ(cut.entries[0].date, whole.entries[0].date);

  const double day = whole.entry[20] + 40;
  cut_off(whole, layout, day, cut);
  ASSERT_LT(cut.n, whole.n);
  EXPECT_LE(cut.entry.back(), day);
  EXPECT_GT(whole.entry[cut.n], day);
  std::size_t hidden = 0, shown = 0;
  for (std::size_t c = 0; c < layout.cells.size(); ++c)
    for (std::size_t i = 0; i < cut.n; ++i) {
      const double before = whole.value[c * whole.n + i], after = cut.value[c * cut.n + i];
      const std::size_t visit = layout.cells[c].visit.value_or(0);
      const bool known = !layout.cells[c].visit || whole.entry[i] + whole.visit_day[visit * whole.n + i] <= day;
      if (known) EXPECT_TRUE(after == before || (std::isnan(after) && std::isnan(before)));
      else EXPECT_TRUE(std::isnan(after));
      if (!std::isnan(before)) ++(known ? shown : hidden);
    }
  EXPECT_GT(hidden, 20u);
  EXPECT_GT(shown, 20u);
  for (std::size_t f = 0; f < cut.entries.size(); ++f) {
    std::size_t expected = 0;
    for (std::size_t row = 0; row < whole.entries[f].date.size(); ++row)
      expected += whole.entries[f].participant[row] < cut.n &&
                  whole.entry[whole.entries[f].participant[row]] + whole.entries[f].date[row] <= day;
    EXPECT_EQ(cut.entries[f].date.size(), expected);
    for (std::size_t row = 0; row < cut.entries[f].date.size(); ++row)
      EXPECT_LE(cut.entry[cut.entries[f].participant[row]] + cut.entries[f].date[row], day);
  }
}

TEST(Monitoring, FindsTheDayOfALook) {
  auto study = study::load(trial("analysis = \"gained\"\nlook = [{ id = \"a\", completed = 30, critical_value = 2 }, { id = "
                                 "\"b\", critical_value = 2 }]"),
                           "t.toml");
  ASSERT_TRUE(study) << to_string(study.error().front());
  Problems problems;
  const auto monitoring = Monitoring::parse(study->protocol, problems);
  ASSERT_TRUE(monitoring);
  const World world = testing::world_of(study->protocol);
  Workspace workspace;
  VirtualTrial trial;
  world.replicate(5, 2, workspace, trial);
  LookDays days(*study, world.layout(), *monitoring, 1);
  ASSERT_TRUE(days.sound());
  days.take(trial);
  const auto day = days.day(monitoring->looks[0], false);
  ASSERT_TRUE(day);
  std::size_t behind = 0, just = 0;
  const std::size_t v2 = 3;  // screening, baseline, v1, v2
  for (std::size_t i = 0; i < trial.n; ++i) {
    const double at = trial.entry[i] + std::min(trial.visit_day[v2 * trial.n + i], trial.follow_up_end[i]);
    behind += at <= day->day, just += at == day->day;
  }
  EXPECT_GE(behind, 30u);
  EXPECT_LT(behind - just, 30u) << "a day earlier there were fewer";
  Look never = monitoring->looks[0];
  never.completed = 5000;
  EXPECT_FALSE(days.day(never, false));
  EXPECT_EQ(days.day(never, true)->day, days.day(monitoring->looks[1], true)->day) << "the last look takes place at the end";
}

}  // namespace
}  // namespace equipoise::simulate

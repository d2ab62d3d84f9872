#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "equipoise/analysis/run.h"
#include "equipoise/data/source.h"
#include "equipoise/report/page.h"
#include "equipoise/study/study.h"

// A response that is looked for only at visits, from the protocol to the page: the interval-censored analyses beside the
// Kaplan-Meier estimate that takes the date of a visit for the date of the event.
namespace equipoise {
namespace {

using testing::HasSubstr;

constexpr std::string_view head = R"toml(format = 1
[trial]
id = "t"
title = "Response at visits"
version = "1"
[[arm]]
id = "placebo"
role = "placebo_control"
label = "Placebo"
dose = { amount = 0, unit = "mg" }
[[arm]]
id = "low"
role = "investigational"
label = "Low dose"
dose = { amount = 2, unit = "mg" }
[[arm]]
id = "high"
role = "investigational"
label = "High dose"
dose = { amount = 10, unit = "mg" }
[schedule]
visit = [
  { id = "baseline", day = 1, window = [0, 0], forms = ["lab"] },
  { id = "w4", day = 29, window = [7, 7], forms = ["lab"] },
  { id = "w8", day = 57, window = [7, 7], forms = ["lab"] },
  { id = "w12", day = 85, window = [7, 7], forms = ["lab"] },
]
any_time = ["infection"]
[form.lab]
cells = { kind = "number", unit = "/mm3" }
[form.infection]
onset = { kind = "date" }
[derivation]
recovered = { rule = "cells >= 200" }
[analysis_set]
full = { rule = "randomised" }
[[endpoint]]
id = "response"
level = "primary"
kind = "time_to_event"
event = "first(recovered)"
observed = "at_visits"
[[endpoint]]
id = "undeclared"
level = "secondary"
kind = "time_to_event"
event = "first(recovered)"
[[endpoint]]
id = "infection"
level = "secondary"
kind = "time_to_event"
event = "first(infection)"
)toml";

constexpr std::string_view source = R"toml([source]
rows = "visits"
day = "day"
participant = "id"
arm = { column = "arm", codes = { P = "placebo", L = "low", H = "high" } }
item = [{ item = "cells", column = "cells" }]
entry = [{ form = "infection", where = [{ column = "infected", is = "1" }], items = [{ item = "onset", column = "day", days_since_randomisation = true }] }]
)toml";

// Placebo: p1, p2 never; p3 at 56; p4 at 84, not seen at 56; p5 at 28.    (84, inf) twice, (28, 56], (28, 84], (0, 28]
// Low:     l1, l2 at 28; l3, l4 at 56; l5 never.                          (0, 28] twice, (28, 56] twice, (84, inf)
// High:    h1, h2, h3 at 28; h4 at 56, not seen at 28; h5 at 84.          (0, 28] three times, (0, 56], (56, 84]
constexpr std::string_view rows =
    "id,arm,day,cells,infected\n"
    "p1,P,0,150,\np1,P,28,150,\np1,P,56,150,\np1,P,84,150,\n"
    "p2,P,0,150,\np2,P,28,150,\np2,P,56,150,\np2,P,84,150,\n"
    "p3,P,0,150,\np3,P,28,150,\np3,P,56,250,\n"
    "p4,P,0,150,\np4,P,28,150,\np4,P,84,250,\n"
    "p5,P,0,150,\np5,P,28,250,\n"
    "l1,L,0,150,\nl1,L,28,250,\nl2,L,0,150,\nl2,L,28,250,\n"
    "l3,L,0,150,\nl3,L,28,150,\nl3,L,56,250,\nl4,L,0,150,\nl4,L,28,150,\nl4,L,56,250,\n"
    "l5,L,0,150,\nl5,L,28,150,\nl5,L,56,150,\nl5,L,84,150,\n"
    "h1,H,0,150,\nh1,H,28,250,\nh2,H,0,150,\nh2,H,28,250,\nh3,H,0,150,\nh3,H,28,250,\n"
    "h4,H,0,150,\nh4,H,56,250,\n"
    "h5,H,0,150,\nh5,H,28,150,\nh5,H,56,150,\nh5,H,84,250,\n";

std::string analysis(std::string_view id, std::string_view method, std::string_view more = "",
                     std::string_view endpoint = "response") {
  return fmt::format("[[analysis]]\nid = \"{}\"\nendpoint = \"{}\"\nset = \"full\"\nrole = \"secondary\"\nmethod = \"{}\"\n{}\n",
                     id, endpoint, method, more);
}

std::string protocol(std::string const& analyses) { return std::string(head) + analyses + std::string(source); }

struct Ran {
  protocol::Protocol protocol;
  results::Results results;
};

Ran run(std::string const& analyses) {
  const auto table = data::read_csv(std::string(rows), "d.csv");
  EXPECT_TRUE(table);
  const auto study = study::load(protocol(analyses), "p.toml");
  EXPECT_TRUE(study) << (study ? "" : to_string(study.error().front()));
  if (!study || !table) return {};
  const auto records = data::read_source(study->protocol, *table);
  EXPECT_TRUE(records) << (records ? "" : to_string(records.error().front()));
  if (!records) return {};
  const data::TrialTables tables(study->protocol, *records);
  Ran ran{study->protocol, analysis::run(study->protocol, study->plan, tables, {})};
  for (results::AnalysisRun const& one : ran.results.runs) EXPECT_FALSE(one.problem) << *one.problem;
  return ran;
}

Finding const& finding(results::Results const& results, std::string_view id, std::string_view quantity, At const& at) {
  for (results::Record const& record : results.records)
    if (record.analysis == id && record.finding.quantity == quantity && record.finding.at == at) return record.finding;
  static const Finding none;
  ADD_FAILURE() << "no " << quantity << " in " << id;
  return none;
}

At of(const char* group) { return {{"group", std::string(group)}}; }
At of(const char* group, double time) { return {{"group", std::string(group)}, {"time", time}}; }
At of(const char* group, TimeInterval interval) { return {{"group", std::string(group)}, {"interval", interval}}; }
At arm(const char* level) { return {{"term", Term{Factor{"arm", std::string(level)}}}}; }
At against_placebo(const char* level) { return {{"level", std::string(level)}, {"minus", std::string("placebo")}}; }

TEST(AtVisits, GivesTheTurnbullEstimateBesideTheKaplanMeierOfVisitDates) {
  const auto [protocol, results] =
      run(analysis("km", "kaplan_meier", "times = [28, 56, 84]") + analysis("tb", "turnbull", "times = [28, 40, 56, 84]"));
  const double rounding = 1e-9;  // the masses are iterated until the Kuhn-Tucker conditions hold within 1e-10
  const double never = std::numeric_limits<double>::infinity();
  // Placebo: nobody is last seen without the event at 56, so (28, 84] adds its mass to (28, 56]: 1/5, 2/5, 2/5.
  EXPECT_NEAR(finding(results, "tb", "probability", of("placebo", TimeInterval{0, 28})).value, 0.2, rounding);
  EXPECT_NEAR(finding(results, "tb", "probability", of("placebo", TimeInterval{28, 56})).value, 0.4, rounding);
  EXPECT_NEAR(finding(results, "tb", "probability", of("placebo", TimeInterval{84, never})).value, 0.4, rounding);
  EXPECT_TRUE(std::isnan(finding(results, "tb", "survival", of("placebo", 40)).value));
  EXPECT_NEAR(finding(results, "tb", "survival", of("placebo", 56)).value, 0.4, rounding);
  EXPECT_EQ(finding(results, "tb", "n_right_censored", of("placebo")).value, 2);
  // High: (0, 56] holds (0, 28] and adds to it: 4/5, then 1/5 in (56, 84].
  EXPECT_NEAR(finding(results, "tb", "survival", of("high", 28)).value, 0.2, rounding);
  EXPECT_NEAR(finding(results, "tb", "survival", of("high", 40)).value, 0.2, rounding);
  EXPECT_NEAR(finding(results, "tb", "survival", of("high", 84)).value, 0, rounding);
  EXPECT_NEAR(finding(results, "tb", "survival", of("low", 56)).value, 0.2, rounding);
  // Kaplan-Meier: events at 28, 56, 84 in placebo, so 4/5, 4/5 3/4, 4/5 3/4 2/3: at 56 it has not yet seen p4's event.
  const double product = 1e-14;
  EXPECT_NEAR(finding(results, "km", "survival", of("placebo", 28)).value, 4.0 / 5, product);
  EXPECT_NEAR(finding(results, "km", "survival", of("placebo", 56)).value, 3.0 / 5, product);
  EXPECT_NEAR(finding(results, "km", "survival", of("placebo", 84)).value, 2.0 / 5, product);
  EXPECT_NEAR(finding(results, "km", "survival", of("high", 28)).value, 2.0 / 5, product);

  const std::string page = report::html(protocol, results, {});
  EXPECT_THAT(page, HasSubstr("interval-censored (Turnbull) estimate beside Kaplan-Meier on visit dates"));
}

TEST(AtVisits, TestsTheTimesBetweenVisits) {
  const auto [protocol, results] = run(analysis("test", "interval_log_rank"));
  // Low and placebo together: masses 3/10 in (0, 28], 4/10 in (28, 56], 3/10 beyond 84; S = 1, 7/10, 3/10. The cumulated hazards
  // of the masses are 3/10, 3/10 + 4/7 = 61/70. Sun's scores: 7/10 for (0, 28], 9/70 for (28, 56] and (28, 84], -61/70 for (84,
  // inf). U = 2 (7/10) + 2 (9/70) - 61/70 = 11/14, sum of c^2 = 267/70, V = 267/70 / 9 * (5 - 25/10) = 89/84.
  const Finding z = finding(results, "test", "z", against_placebo("low"));
  const double expected = std::sqrt(363.0 / 623);  // U^2 / V
  EXPECT_NEAR(z.value, expected, 1e-9);            // of the masses
  ASSERT_TRUE(z.p);
  EXPECT_NEAR(*z.p, std::erfc(expected / std::numbers::sqrt2), 1e-9);
  EXPECT_GT(finding(results, "test", "z", against_placebo("high")).value, 0);
}

TEST(AtVisits, ComparesTheHazardsOfThePlannedVisits) {
  const auto [protocol, results] = run(analysis("one", "grouped_hazard", "visits = [28]") + analysis("all", "grouped_hazard"));
  // With the one visit at day 28 (h4's day 56 moves to it) the model is saturated: 1/5, 2/5 and 4/5 have the event by then, and
  // the hazard ratio is log(1 - p) / log(1 - p of placebo), with var log(-log q) = p / (n q log(q)^2) in each arm.
  const double log_q = std::log(0.8), variance = 0.2 / (5 * 0.8 * log_q * log_q);
  const double z975 = 1.959963984540054;
  for (auto const& [level, p] : {std::pair("low", 0.4), std::pair("high", 0.8)}) {
    const Finding ratio = finding(results, "one", "hazard_ratio", arm(level));
    const double log_of = std::log(1 - p);
    const double expected = log_of / log_q, se = std::sqrt(variance + p / (5 * (1 - p) * log_of * log_of));
    EXPECT_NEAR(ratio.value, expected, 1e-7 * expected);  // Newton's method stops at a gradient of 1e-9 standard errors
    ASSERT_TRUE(ratio.lower && ratio.upper);
    EXPECT_NEAR(*ratio.lower, expected * std::exp(-z975 * se), 1e-6 * expected);
    EXPECT_NEAR(*ratio.upper, expected * std::exp(z975 * se), 1e-6 * *ratio.upper);
  }
  // With all planned visits 12 of 15 have the event, and higher doses have it earlier.
  EXPECT_EQ(finding(results, "all", "n_events", {}).value, 12);
  const double low = finding(results, "all", "hazard_ratio", arm("low")).value;
  EXPECT_GT(low, 1);
  EXPECT_GT(finding(results, "all", "hazard_ratio", arm("high")).value, low);
}

TEST(AtVisits, RefusesWhatTheEndpointCannotGive) {
  const auto problem = [](std::string const& analyses) {
    const auto study = study::load(protocol(analyses), "p.toml");
    return study ? std::string("none") : study.error().front().message;
  };
  for (const char* method : {"turnbull", "interval_log_rank", "grouped_hazard"}) {
    EXPECT_EQ(problem(analysis("a", method)), "none") << method;
    for (const char* endpoint : {"infection", "undeclared"})
      EXPECT_EQ(
          problem(analysis("a", method, "", endpoint)),
          fmt::format("{} needs an event that is seen only at visits, between two of which its time is not known, and endpoint "
                      "'{}' is not one",
                      method, endpoint));
  }
  for (const char* method : {"aalen_johansen", "gray_test", "fine_gray"})
    EXPECT_EQ(
        problem(analysis("a", method)),
        fmt::format("{} needs the cause of each event, and a protocol cannot yet say that an endpoint has several: its endpoints "
                    "are of one kind of event",
                    method));
}

}  // namespace
}  // namespace equipoise

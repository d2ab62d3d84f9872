#include "equipoise/stats/survival/proportional_hazards.h"

#include <cmath>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::leukaemia, testing::parse, testing::read, testing::Table,
    testing::term, testing::text, testing::texts;

const Roles roles{{"time", {"time"}}, {"event", {"event"}}};
const At global{{"global", std::string("all")}};

Keys keys(std::string transform, std::string formula = "x", std::string ties = "efron") {
  return {{"formula", text(std::move(formula))}, {"transform", text(std::move(transform))}, {"ties", text(std::move(ties))}};
}
Table small() {
  Table table;
  table.numbers("time", {1, 2, 3, 4, 5, 6, 7, 8})
      .numbers("event", {1, 1, 0, 1, 1, 1, 0, 1})
      .numbers("x", {0, 2, 1, 1, 0, 3, 2, 1});
  return table;
}

SurvivalRows rows(std::vector<double> time, std::vector<double> event, std::vector<double> start = {}) {
  Table table;
  table.numbers("time", std::move(time)).numbers("event", std::move(event));
  if (!start.empty()) table.numbers("start", std::move(start));
  const bool late = table.frame().columns.size() == 3;
  return *survival_rows(table.frame(), "time", "event", late ? "start" : "");
}

TEST(TimeFunction, ReadsTheCurveBeforeTheTimeAndMeanRanks) {
  const SurvivalRows data = rows({2, 1, 2, 3}, {1, 1, 0, 1});
  const std::vector<double> km = *time_function(TimeFunction::km, data);
  EXPECT_EQ(km[1], 0);
  EXPECT_NEAR(km[0], 1.0 / 4, 1e-15);
  EXPECT_NEAR(km[3], 1.0 / 2, 1e-15);  // 1 - 3/4 * 2/3
  EXPECT_EQ(*time_function(TimeFunction::rank, data), (std::vector<double>{2.5, 1, 2.5, 4}));
  EXPECT_EQ(*time_function(TimeFunction::identity, data), (std::vector<double>{2, 1, 2, 3}));
  EXPECT_NEAR((*time_function(TimeFunction::log, data))[3], std::log(3.0), 1e-15);
  // Entry at 1.5 of the last row: one of two at risk at 1, one of three at 2.
  const std::vector<double> late = *time_function(TimeFunction::km, rows({1, 2, 2.5, 3}, {1, 1, 0, 1}, {0, 0, 1.5, 1.5}));
  EXPECT_NEAR(late[1], 1.0 / 2, 1e-15);
  EXPECT_NEAR(late[3], 2.0 / 3, 1e-15);
  const auto zero = time_function(TimeFunction::log, rows({0, 1}, {1, 1}));
  ASSERT_FALSE(zero);
  EXPECT_EQ(zero.error().code, Code::out_of_range);
}

TEST(ProportionalHazardsTest, DoesNotDependOnUnitsOfTimeOrCovariate) {
  Table table = small(), other;
  other.numbers("time", {10, 20, 30, 40, 50, 60, 70, 80})
      .numbers("event", {1, 1, 0, 1, 1, 1, 0, 1})
      .numbers("x", {100, 300, 200, 200, 100, 400, 300, 200});
  for (const char* transform : {"km", "identity", "rank", "log"}) {
    const auto a = answer<ProportionalHazardsTest>(table.frame(), roles, keys(transform));
    const auto b = answer<ProportionalHazardsTest>(other.frame(), roles, keys(transform));
    EXPECT_NEAR(read(a, "chi_square", term("x")), read(b, "chi_square", term("x")), 1e-9)
        << transform;                                                                                  // the fit's own criterion
    EXPECT_NEAR(read(a, "chi_square", term("x")), read(a, "chi_square", global), 1e-12) << transform;  // one coefficient
  }
}

TEST(ProportionalHazardsTest, JoinsTheCoefficientsOfACategory) {
  Table table;
  table.numbers("time", {1, 2, 3, 4, 5, 6, 7, 8, 9})
      .numbers("event", {1, 1, 1, 1, 1, 1, 1, 1, 1})
      .category("g", {"a", "b", "c"}, {0, 1, 2, 0, 1, 2, 2, 1, 0});
  Keys options = keys("identity", "g");
  options.emplace_back("levels", testing::table({{"g", texts({"a", "b", "c"})}}));
  const auto got = answer<ProportionalHazardsTest>(table.frame(), roles, options);
  const At effect{{"effect", Term{{"g", std::nullopt}}}};
  EXPECT_EQ(read(got, "df", effect), 2);
  EXPECT_NEAR(read(got, "chi_square", effect), read(got, "chi_square", global), 1e-12);
  EXPECT_EQ(read(got, "df", term("g", "b")), 1);
}

TEST(ProportionalHazardsTest, SaysWhatCannotBeTested) {
  Table separated;
  separated.numbers("time", {1, 2, 3, 4, 5, 6}).numbers("event", {1, 1, 1, 0, 0, 0}).numbers("x", {1, 1, 1, 0, 0, 0});
  const auto infinite = answer<ProportionalHazardsTest>(separated.frame(), roles, keys("km"));
  EXPECT_TRUE(std::isnan(read(infinite, "chi_square", term("x"))));
  EXPECT_TRUE(std::isnan(read(infinite, "p", global)));
  EXPECT_TRUE(has_note(infinite, "x: the hazard ratio is not estimable"));

  Table constant = small();
  constant.numbers("k", std::vector<double>(8, 3.0));
  const auto aliased = answer<ProportionalHazardsTest>(constant.frame(), roles, keys("km", "x + k"));
  EXPECT_TRUE(std::isnan(read(aliased, "chi_square", term("k"))));
  EXPECT_EQ(read(aliased, "df", global), 1);
  EXPECT_NEAR(read(aliased, "chi_square", global), read(aliased, "chi_square", term("x")), 1e-12);

  Table quiet;
  quiet.numbers("time", {1, 2}).numbers("event", {0, 0}).numbers("x", {0, 1});
  EXPECT_TRUE(has_note(answer<ProportionalHazardsTest>(quiet.frame(), roles, keys("km")), "No event: nothing is estimable."));

  Table once;  // both events at one time: no change with time can show
  once.numbers("time", {1, 1, 2, 3, 4}).numbers("event", {1, 1, 0, 0, 0}).numbers("x", {0, 1, 2, 0, 1});
  const auto flat = answer<ProportionalHazardsTest>(once.frame(), roles, keys("identity"));
  EXPECT_TRUE(std::isnan(read(flat, "chi_square", term("x"))));
  EXPECT_TRUE(has_note(flat, "x: the events are at too few times"));
}

TEST(ProportionalHazardsTest, HasNothingToTestWhenEveryLevelButOneIsAbsent) {
  Table table;  // the levels come from the protocol: nobody of 'B' is left, and the model has no coefficient
  table.numbers("time", {3, 4, 5}).numbers("event", {1, 1, 0}).category("arm", {"A", "B"}, {0, 0, 0});
  for (const char* transform : {"km", "identity", "rank", "log"}) {
    Keys options = keys(transform, "arm");
    options.emplace_back("levels", testing::table({{"arm", texts({"A", "B"})}}));
    const auto all = answer<ProportionalHazardsTest>(table.frame(), roles, options);
    EXPECT_TRUE(std::isnan(read(all, "chi_square", global)));
    EXPECT_TRUE(std::isnan(read(all, "chi_square", term("arm", "B"))));
    EXPECT_TRUE(has_note(all, "nobody in it"));
  }
}

TEST(ProportionalHazardsTest, RefusesExactTiesAndIgnoresClusters) {
  const auto exact = parse<ProportionalHazardsTest>(roles, keys("km", "x", "exact"));
  ASSERT_EQ(exact.problems.size(), 1u);
  EXPECT_EQ(exact.problems.front().code, Code::not_available);
  EXPECT_EQ(parse<ProportionalHazardsTest>(roles, {{"transform", text("sqrt")}}).problems.size(), 2u);  // and no formula
  Table table = small();
  table.category("id", {"a", "b"}, {0, 0, 0, 0, 1, 1, 1, 1});
  const auto got =
      answer<ProportionalHazardsTest>(table.frame(), {{"time", {"time"}}, {"event", {"event"}}, {"cluster", {"id"}}}, keys("km"));
  EXPECT_EQ(read(got, "chi_square", global),
            read(answer<ProportionalHazardsTest>(table.frame(), roles, keys("km")), "chi_square", global));
  EXPECT_TRUE(has_note(got, "The clusters of 'id' are not used"));
}

}  // namespace
}  // namespace equipoise::stats

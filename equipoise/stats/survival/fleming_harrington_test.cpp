#include "equipoise/stats/survival/fleming_harrington.h"

#include <cmath>

#include "equipoise/stats/survival/weighted_log_rank.h"
#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::difference, testing::has_note, testing::Keys, testing::leukaemia, testing::number, testing::parse,
    testing::read, testing::Table, testing::text;

const Roles roles{{"time", {"time"}}, {"event", {"event"}}, {"group", {"arm"}}};
const Roles in_strata{{"time", {"time"}}, {"event", {"event"}}, {"group", {"arm"}}, {"strata", {"centre"}}};

Expected<Answer> test(Table& table, double rho, double gamma, Roles const& with = roles) {
  return answer<FlemingHarrington>(table.frame(), with,
                                   {{"rho", number(rho)}, {"gamma", number(gamma)}, {"difference", difference("a", "b")}});
}

/// a dies, b dies, a dies, b is censored: at risk 4, 3, 2; S just before 1, 3/4, 1/2.
Table four() {
  Table table;
  table.numbers("time", {1, 2, 3, 4}).numbers("event", {1, 1, 1, 0}).category("arm", {"a", "b"}, {0, 1, 0, 1});
  return table;
}

// By hand: d_a - d n_a/n is 1/2, -1/3, 1/2, its variance 1/4, 2/9, 1/4. Rounding: a few units in the last place.
TEST(FlemingHarrington, AgreesWithFractionsWorkedByHand) {
  Table table = four();
  const double u10 = 1.0 / 2 - 1.0 / 4 + 1.0 / 4, v10 = 1.0 / 4 + 9.0 / 16 * 2 / 9 + 1.0 / 16;
  EXPECT_NEAR(read(test(table, 1, 0), "z"), u10 / std::sqrt(v10), 1e-15);
  const double u01 = -1.0 / 12 + 1.0 / 4, v01 = 1.0 / 16 * 2 / 9 + 1.0 / 16;
  EXPECT_NEAR(read(test(table, 0, 1), "chi_square"), u01 * u01 / v01, 1e-15);
  const double u11 = -3.0 / 16 / 3 + 1.0 / 8, v11 = 9.0 / 256 * 2 / 9 + 1.0 / 64;
  EXPECT_NEAR(read(test(table, 1, 1), "z"), u11 / std::sqrt(v11), 1e-15);
}

TEST(FlemingHarrington, IsTheLogRankTestWithoutExponents) {
  Table table = leukaemia();
  const auto plain = answer<LogRank>(table.frame(), roles);
  const auto got = answer<FlemingHarrington>(table.frame(), roles, {{"rho", number(0)}, {"gamma", number(0)}});
  EXPECT_NEAR(read(got, "chi_square"), read(plain, "chi_square"), 1e-13);  // weights of exactly 1, sums in another order
  EXPECT_FALSE(got->read("z", {}));
}

TEST(FlemingHarrington, WeighsByTheCurveBeforeTheTime) {
  const PooledTimes times{.at_risk = {4, 2, 1}, .events = {1, 1, 1}};  // S before: 1, 3/4, 3/8
  EXPECT_EQ(fleming_harrington_weights({1, 0}, times), (std::vector<double>{1, 0.75, 0.375}));
  EXPECT_EQ(fleming_harrington_weights({0, 1}, times), (std::vector<double>{0, 0.25, 0.625}));
  EXPECT_EQ(fleming_harrington_weights({0, 0}, times), (std::vector<double>{1, 1, 1}));
}

// Two copies of one trial as strata: O - E and V double, so that z grows by sqrt 2. One stratum: nothing changes.
TEST(FlemingHarrington, AddsStrataEachWithItsOwnWeights) {
  Table twice;
  twice.numbers("time", {1, 2, 3, 4, 1, 2, 3, 4})
      .numbers("event", {1, 1, 1, 0, 1, 1, 1, 0})
      .category("arm", {"a", "b"}, {0, 1, 0, 1, 0, 1, 0, 1})
      .category("centre", {"p", "q"}, {0, 0, 0, 0, 1, 1, 1, 1});
  Table once = four();
  for (const double gamma : {0.0, 1.0}) {
    const auto got = test(twice, 1, gamma, in_strata);
    EXPECT_NEAR(read(got, "z"), std::sqrt(2.0) * read(test(once, 1, gamma), "z"), 1e-14);
    EXPECT_TRUE(has_note(got, "Stratified by 'centre': 2 strata."));
  }
  for (const char* weight : {"gehan_breslow", "tarone_ware", "modified_peto_peto"}) {
    const auto got = answer<WeightedLogRank>(twice.frame(), in_strata, {{"weight", text(weight)}});
    const auto one = answer<WeightedLogRank>(once.frame(), roles, {{"weight", text(weight)}});
    EXPECT_NEAR(read(got, "chi_square"), 2 * read(one, "chi_square"), 1e-14) << weight;
  }
}

TEST(FlemingHarrington, SaysWhyNothingIsEstimable) {
  Table single;  // one event time: with gamma above 0 it counts nothing
  single.numbers("time", {1, 2, 3, 4}).numbers("event", {1, 0, 0, 0}).category("arm", {"a", "b"}, {0, 1, 0, 1});
  const auto late = test(single, 0, 1);
  EXPECT_TRUE(std::isnan(read(late, "chi_square")));
  EXPECT_TRUE(std::isnan(read(late, "z")));
  EXPECT_TRUE(has_note(late, "No event has a weight above 0"));
  EXPECT_FALSE(std::isnan(read(test(single, 1, 0), "z")));
  Table quiet;
  quiet.numbers("time", {1, 2}).numbers("event", {0, 0}).category("arm", {"a", "b"}, {0, 1});
  EXPECT_TRUE(has_note(test(quiet, 1, 1), "No event: the Fleming-Harrington test is not estimable."));
}

TEST(FlemingHarrington, ReportsEveryWrongOption) {
  EXPECT_EQ(parse<FlemingHarrington>(roles).problems.size(), 2u);  // rho and gamma
  EXPECT_EQ(parse<FlemingHarrington>(roles, {{"rho", number(-1)}, {"gamma", number(11)}}).problems.size(), 2u);
}

}  // namespace
}  // namespace equipoise::stats

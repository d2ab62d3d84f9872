#include "equipoise/stats/continuous/descriptive.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

// Expected: R 4.2.2, quantile(c(1, 2, 4, 8, 16, 32, 64, 128, 256, 512), p, type = 2) and type = 7; exact in binary fractions.
TEST(Quantile, FollowsTheTwoRules) {
  const std::vector<double> x{1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
  EXPECT_EQ(quantile(x, 0.3, QuantileRule::sas_5), 6.0);  // np = 3 is whole: mean of 4 and 8
  EXPECT_EQ(quantile(x, 0.25, QuantileRule::sas_5), 4.0);
  EXPECT_EQ(quantile(x, 0.25, QuantileRule::r_7), 5.0);  // h = 2.25: 4 + 0.25 * 4
  EXPECT_EQ(quantile(x, 0.5, QuantileRule::sas_5), 24.0);
  EXPECT_EQ(quantile(x, 0.5, QuantileRule::r_7), 24.0);
  for (const auto rule : {QuantileRule::sas_5, QuantileRule::r_7}) {
    EXPECT_EQ(quantile(x, 0.0, rule), 1.0);
    EXPECT_EQ(quantile(x, 1.0, rule), 512.0);
    EXPECT_TRUE(std::isnan(quantile({}, 0.5, rule)));
    EXPECT_EQ(quantile(std::vector<double>{7.0}, 0.25, rule), 7.0);
  }
}

TEST(Summarise, DoesNotDependOnTheOrderOfRows) {
  // Mean 5, sum of squares 32 over 7: worked by hand.
  const Summary a = summarise({2, 4, 4, 4, 5, 5, 7, 9}, QuantileRule::sas_5),
                b = summarise({9, 5, 4, 2, 4, 7, 5, 4}, QuantileRule::sas_5);
  EXPECT_EQ(a.mean, 5.0);
  EXPECT_NEAR(a.sd, std::sqrt(32.0 / 7), 1e-15);  // one division and one root
  EXPECT_EQ(a.sd, b.sd);
  EXPECT_EQ(a.min, 2.0);
  EXPECT_EQ(a.lower_quartile, 4.0);
  EXPECT_EQ(a.median, 4.5);
  EXPECT_EQ(a.upper_quartile, 6.0);
  EXPECT_EQ(a.max, 9.0);
}

TEST(Summarise, SaysNothingOfNobodyAndNoSpreadOfOne) {
  EXPECT_EQ(summarise({}, QuantileRule::r_7).n, 0);
  EXPECT_TRUE(std::isnan(summarise({}, QuantileRule::r_7).mean));
  const Summary one = summarise({3.5}, QuantileRule::r_7);
  EXPECT_EQ(one.mean, 3.5);
  EXPECT_TRUE(std::isnan(one.sd));
  EXPECT_EQ(one.median, 3.5);
}

TEST(Summarise, HoldsValuesWhoseSquaresLeaveTheRange) {
  const Summary huge = summarise({1e300, 2e300, 3e300}, QuantileRule::sas_5),
                tiny = summarise({1e-300, 3e-300}, QuantileRule::sas_5);
  EXPECT_NEAR(huge.mean / 1e300, 2, 1e-15);
  EXPECT_NEAR(huge.sd / 1e300, 1, 1e-15);
  EXPECT_NEAR(tiny.sd / 1e-300, std::sqrt(2.0), 1e-15);
}

TEST(Descriptive, DescribesEachGroupAndThenAllRows) {
  testing::Table table;
  table.numbers("y", {1, 2, 4, 8, 3}).category("g", {"a", "b", "c"}, {0, 0, 0, 0, 1});
  const Roles roles{{"response", {"y"}}, {"group", {"g"}}};
  const testing::Keys keys{{"probs", testing::numbers({0.25})}, {"geometric_mean", Node(Node::Value(true))}};
  const auto got = testing::answer<Descriptive>(table.frame(), roles, keys);
  const At a{{"group", "a"}}, b{{"group", "b"}}, c{{"group", "c"}};
  EXPECT_EQ(testing::read(got, "mean", a), 3.75);
  EXPECT_EQ(testing::read(got, "mean"), 3.6);
  EXPECT_EQ(testing::read(got, "quantile", {{"group", "a"}, {"prob", 0.25}}), 1.5);
  EXPECT_NEAR(testing::read(got, "geometric_mean", a), std::pow(2.0, 1.5), 1e-14);  // 2^((0 + 1 + 2 + 3)/4)
  EXPECT_TRUE(std::isnan(testing::read(got, "sd", b)));
  EXPECT_EQ(testing::read(got, "n", c), 0);
  EXPECT_TRUE(std::isnan(testing::read(got, "median", c)));
  EXPECT_TRUE(testing::has_note(got, "'c' of 'g' has no values"));
  const auto of_r = testing::answer<Descriptive>(table.frame(), roles, keys, Match::r);
  EXPECT_EQ(testing::read(of_r, "quantile", {{"group", "a"}, {"prob", 0.25}}), 1.75);
  testing::Table hostile;
  hostile.numbers("y", {0, std::numeric_limits<double>::infinity()});
  EXPECT_EQ(testing::answer<Descriptive>(hostile.frame(), {{"response", {"y"}}}).error().code, Code::bad_cell);
  testing::Table zero;
  zero.numbers("y", {0, 2});
  EXPECT_TRUE(
      std::isnan(testing::read(testing::answer<Descriptive>(zero.frame(), {{"response", {"y"}}}, keys), "geometric_mean")));
  EXPECT_EQ(testing::parse<Descriptive>({}, {{"probs", testing::numbers({2})}}).problems.size(), 2u);
}

}  // namespace
}  // namespace equipoise::stats

#include "equipoise/stats/survival/max_combo.h"

#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::difference, testing::has_note, testing::Keys, testing::leukaemia, testing::number,
    testing::numbers, testing::parse, testing::read, testing::Table, testing::text;

const Roles roles{{"time", {"time"}}, {"event", {"event"}}, {"group", {"arm"}}};

Node pairs(std::vector<std::vector<double>> const& weights) {
  Node::Array array;
  for (auto const& pair : weights) array.push_back(numbers(pair));
  return Node(Node::Value(std::move(array)));
}
Expected<Answer> test(Table& table, std::vector<std::vector<double>> const& weights) {
  return answer<MaxCombo>(table.frame(), roles, {{"weights", pairs(weights)}, {"difference", difference("6-MP", "placebo")}});
}

TEST(MaxCombo, OfOneComponentIsThatTest) {
  Table table = leukaemia();
  for (const double gamma : {0.0, 1.0}) {
    const auto got = test(table, {{0, gamma}});
    const auto alone = answer<FlemingHarrington>(
        table.frame(), roles, {{"rho", number(0)}, {"gamma", number(gamma)}, {"difference", difference("6-MP", "placebo")}});
    EXPECT_NEAR(read(got, "statistic"), std::abs(read(alone, "z")), 1e-13);
    EXPECT_NEAR(read(got, "p"), read(alone, "p"), 1e-12 * read(alone, "p"));  // one tail of each: no integral
    EXPECT_NEAR(read(got, "z", {{"index", 1.0}}), read(alone, "z"), 1e-13);
  }
}

TEST(MaxCombo, LiesBetweenTheSmallestPAndItsBonferroniBound) {
  Table table = leukaemia();
  const auto got = answer<MaxCombo>(table.frame(), roles, {{"difference", difference("6-MP", "placebo")}});
  const double smallest = numerics::normal_two_sided(read(got, "statistic"));
  EXPECT_GT(read(got, "p"), smallest);
  EXPECT_LT(read(got, "p"), 4 * smallest);
  EXPECT_TRUE(has_note(got, "(3 independent)"));  // 1 = S + (1 - S)
  // The order of the components and which arm comes first change nothing.
  const auto turned =
      answer<MaxCombo>(table.frame(), roles,
                       {{"weights", pairs({{1, 1}, {0, 1}, {1, 0}, {0, 0}})}, {"difference", difference("placebo", "6-MP")}});
  EXPECT_NEAR(read(turned, "statistic"), read(got, "statistic"), 1e-13);
  EXPECT_NEAR(read(turned, "p"), read(got, "p"), 1e-8 * read(got, "p"));  // the accuracy of the quadrature
}

TEST(MaxCombo, LeavesOtherGroupsOut) {
  Table two, three;
  two.numbers("time", {1, 2, 3, 4, 5, 6})
      .numbers("event", {1, 1, 1, 0, 1, 1})
      .category("arm", {"6-MP", "placebo"}, {0, 1, 0, 1, 1, 0});
  three.numbers("time", {1, 2, 3, 4, 5, 6, 2, 3, 9})
      .numbers("event", {1, 1, 1, 0, 1, 1, 1, 1, 0})
      .category("arm", {"6-MP", "other", "placebo"}, {0, 2, 0, 2, 2, 0, 1, 1, 1});
  const auto a = test(two, {{0, 0}, {1, 0}}), b = test(three, {{0, 0}, {1, 0}});
  EXPECT_EQ(read(a, "statistic"), read(b, "statistic"));
  EXPECT_EQ(read(a, "p"), read(b, "p"));
}

TEST(MaxCombo, LeavesOutComponentsThatCountNothing) {
  Table single;
  single.numbers("time", {1, 2, 3, 4}).numbers("event", {1, 0, 0, 0}).category("arm", {"6-MP", "placebo"}, {0, 1, 0, 1});
  const auto got = test(single, {{0, 0}, {0, 1}});
  EXPECT_NEAR(read(got, "statistic"), 1, 1e-15);  // one table: 1 - 1/2 over 1/2
  EXPECT_NEAR(read(got, "p"), numerics::normal_two_sided(1), 1e-15);
  EXPECT_TRUE(std::isnan(read(got, "z", {{"index", 2.0}})));
  EXPECT_TRUE(has_note(got, "No event counts in the component with rho 0, gamma 1, which is left out."));
  const auto nothing = test(single, {{0, 1}});
  EXPECT_TRUE(std::isnan(read(nothing, "p")));
  EXPECT_TRUE(has_note(nothing, "not estimable"));
  Table none;
  none.numbers("time", {}).numbers("event", {}).category("arm", {"6-MP", "placebo"}, {});
  EXPECT_TRUE(std::isnan(read(test(none, {{0, 0}}), "statistic")));
}

TEST(MaxCombo, RefusesMoreIndependentComponentsThanItIntegrates) {
  Table table = leukaemia();
  const auto got = test(table, {{0, 0}, {1, 0}, {0.5, 0.5}, {3, 0}, {0, 3}, {2, 0.25}});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::out_of_range);
}

TEST(MaxCombo, ReportsEveryWrongOption) {
  const auto count = [](Keys keys) {
    keys.emplace_back("difference", difference("a", "b"));
    return parse<MaxCombo>(roles, keys).problems.size();
  };
  EXPECT_EQ(count({}), 0u);
  EXPECT_EQ(count({{"weights", number(1)}}), 1u);
  EXPECT_EQ(count({{"weights", pairs({})}}), 1u);
  EXPECT_EQ(count({{"weights", pairs({{0, 0}, {0, 0}, {1}, {-1, 0}})}}), 3u);
  EXPECT_EQ(parse<MaxCombo>(roles).problems.size(), 1u);  // no difference
}

}  // namespace
}  // namespace equipoise::stats

#include "equipoise/stats/multiplicity/limits.h"

#include <gtest/gtest.h>

#include <limits>

namespace equipoise::stats {
namespace {

constexpr double ne = std::numeric_limits<double>::quiet_NaN();

void expect_rule(LimitRule rule, double tail, bool not_past_null) {
  EXPECT_DOUBLE_EQ(rule.tail, tail);
  EXPECT_EQ(rule.not_past_null, not_past_null);
}

TEST(SimultaneousLimits, StopAtNullForTheRejectedWhileOthersStand) {
  // Holm, alpha 0.06: 0.01 * 3 <= 0.06 is rejected, 0.04 * 2 > 0.06 is not; the two left have half of alpha each.
  const auto rules = one_sided_limits(Graph::holm(3), std::vector{0.04, 0.01, 0.5}, 0.06);
  expect_rule(rules[0], 0.03, false);
  expect_rule(rules[1], 0, true);
  expect_rule(rules[2], 0.03, false);
}

TEST(SimultaneousLimits, GoBeyondNullOnceAllAreRejected) {
  for (LimitRule const& rule : one_sided_limits(Graph::holm(3), std::vector{0.01, 0.02, 0.03}, 0.06))
    expect_rule(rule, 0.02, true);
}

TEST(SimultaneousLimits, AreAbsentWithoutWeight) {
  const Graph gate(std::vector{1.0, 0.0}, {{{0, 0}, {1, 0}}, {{0, 0}, {0, 0}}});
  const auto shut = one_sided_limits(gate, std::vector{0.2, 0.001}, 0.05);
  expect_rule(shut[0], 0.05, false);
  expect_rule(shut[1], 0, false);
  const auto open = one_sided_limits(gate, std::vector{0.01, 0.001}, 0.05);
  expect_rule(open[0], 0.05, true);
  expect_rule(open[1], 0, true);
  const auto unknown = one_sided_limits(gate, std::vector{ne, 0.001}, 0.05);
  expect_rule(unknown[0], 0.05, false);
  expect_rule(unknown[1], 0, false);
}

TEST(SimultaneousLimits, SplitAlphaBetweenTheSides) {
  const auto limits = two_sided_limits(Graph::holm(2), std::vector{0.01, 0.6}, {true, false}, 0.1);
  ASSERT_TRUE(limits);
  expect_rule(limits->lower[0], 0, true);
  expect_rule(limits->lower[1], 0.05, false);   // upwards the other has all of alpha/2 now
  expect_rule(limits->upper[0], 0.025, false);  // downwards nothing is rejected
  expect_rule(limits->upper[1], 0.025, false);
}

TEST(SimultaneousLimits, AreUnknownWhenEffectsPointBothWays) {
  // 0.06 is rejected at 0.1 only because the other was, which points the other way.
  EXPECT_FALSE(two_sided_limits(Graph::holm(2), std::vector{0.01, 0.06}, {true, false}, 0.1));
  // 0.04 is rejected by itself: 0.02 <= 0.05/2 on its side.
  EXPECT_TRUE(two_sided_limits(Graph::holm(2), std::vector{0.01, 0.04}, {true, false}, 0.1));
}

TEST(SimultaneousLimits, ShareAlphaEquallyByBonferroni) {
  const TwoSidedLimits limits = bonferroni_limits(5, 0.05);
  ASSERT_EQ(limits.lower.size(), 5u);
  expect_rule(limits.lower[2], 0.005, false);
  expect_rule(limits.upper[4], 0.005, false);
}

}  // namespace
}  // namespace equipoise::stats

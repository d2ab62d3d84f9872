#include "equipoise/stats/continuous/ranks.h"

#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/stats/continuous/ordered_null.h"

namespace equipoise::stats {
namespace {

TEST(Midranks, ShareTheMeanRankAmongTies) {
  const Midranks ranks = midranks(std::vector<double>{3, 1, 3, -2, 3});
  EXPECT_EQ(ranks.rank, (std::vector<double>{4, 2, 4, 1, 4}));
  EXPECT_EQ(ranks.block, (std::vector<std::uint32_t>{1, 1, 3}));
  EXPECT_EQ(ranks.tie_sum(), 24);  // 3^3 - 3
  EXPECT_TRUE(ranks.ties());
  EXPECT_TRUE(midranks({}).block.empty());
}

TEST(Midranks, TakeValuesThatDifferByRoundingAsTied) {
  const double difference = 0.3 - 0.1;  // 0.19999999999999998
  ASSERT_NE(difference, 0.2);
  const Midranks ranks = midranks(std::vector<double>{difference, 0.2, 0.200001});
  EXPECT_EQ(ranks.rank, (std::vector<double>{1.5, 1.5, 3}));
  EXPECT_EQ(ranks.merged, 1u);
  EXPECT_EQ(merged_values_note(ranks.merged), "1 value within a relative 1e-12 of a smaller one was taken as tied with it.");
  EXPECT_EQ(midranks(std::vector<double>{-1e-300, 0, 1e-300}).merged, 0u) << "relative: tiny values are values";
}

TEST(ExactP, DoublesTheSmallerTail) {
  EXPECT_EQ(exact_p(0.1, 0.95, Tail::two_sided), 0.2);
  EXPECT_EQ(exact_p(0.6, 0.6, Tail::two_sided), 1.0);
  EXPECT_EQ(exact_p(0.1, 0.95, Tail::less), 0.1);
  EXPECT_EQ(exact_p(0.1, 0.95, Tail::greater), 0.95);
}

// Mann & Whitney (1947), Ann. Math. Stat. 18, table I: n = m = 4 without ties, P(U <= u) = 1, 2, 4, 7, 12, ... of 70.
TEST(OrderedNull, IsMannAndWhitneysTableForTwoGroups) {
  const std::uint32_t blocks[] = {1, 1, 1, 1, 1, 1, 1, 1}, sizes[] = {4, 4};
  const auto null = ordered_null(blocks, sizes);
  ASSERT_TRUE(null);
  ASSERT_EQ(null->probability.size(), 17u);
  const double of_70[] = {1, 2, 4, 7, 12};
  for (int u = 0; u < 5; ++u) {
    EXPECT_NEAR(null->lower(u), of_70[u] / 70, 1e-16);
    EXPECT_NEAR(null->upper(16 - u), of_70[u] / 70, 1e-16);
  }
}

TEST(OrderedNull, CountsTiesOneHalf) {
  const std::uint32_t one_block[] = {3}, sizes[] = {1, 2};
  const auto tied = ordered_null(one_block, sizes);  // all equal: J is always 1
  ASSERT_TRUE(tied);
  EXPECT_EQ(tied->step, 2);
  EXPECT_EQ(tied->lower(1), 1);
  EXPECT_EQ(tied->lower(0.5), 0);
  const std::uint32_t blocks[] = {2, 1};  // the first group gets one of the two equal values with 2/3: J = 3/2; else 0
  const auto mixed = ordered_null(blocks, sizes);
  EXPECT_NEAR(mixed->upper(1.5), 2.0 / 3, 1e-16);
  EXPECT_NEAR(mixed->lower(0), 1.0 / 3, 1e-16);
}

TEST(OrderedNull, RefusesWhatWouldTakeTooLong) {
  const std::vector<std::uint32_t> singles(1001, 1), hundreds(600, 1);
  const std::uint32_t two[] = {500, 501}, six[] = {100, 100, 100, 100, 100, 100};
  const auto many = ordered_null(singles, two);
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().code, Code::out_of_range);
  EXPECT_EQ(many.error().message, "the exact distribution of 1001 values in 2 groups is too large to compute");
  EXPECT_FALSE(ordered_null(hundreds, six));
}

}  // namespace
}  // namespace equipoise::stats

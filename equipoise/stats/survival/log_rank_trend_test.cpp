#include "equipoise/stats/survival/log_rank_trend.h"

#include <cmath>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::leukaemia, testing::number, testing::parse, testing::read,
    testing::Table;

const Roles roles{{"time", {"time"}}, {"event", {"event"}}, {"group", {"arm"}}};

Expected<Answer> test(Table& table, double a, double b, double c) {
  return answer<LogRankTrend>(table.frame(), roles,
                              {{"scores", testing::table({{"a", number(a)}, {"b", number(b)}, {"c", number(c)}})}});
}

/// c dies, b dies, a dies; a, b, c censored at 4.
Table six() {
  Table table;
  table.numbers("time", {1, 2, 3, 4, 4, 4})
      .numbers("event", {1, 1, 1, 0, 0, 0})
      .category("arm", {"a", "b", "c"}, {2, 1, 0, 0, 1, 2});
  return table;
}

// Scores 0, 1, 2 of those at risk: {0,0,1,1,2,2}, {0,0,1,1,2}, {0,0,1,2}; the dead have 2, 1, 0. Score of the dead minus the
// mean: 1, 1/5, -3/4; variances of the scores (divisor n) 2/3, 14/25, 11/16.
TEST(LogRankTrend, AgreesWithFractionsWorkedByHand) {
  Table table = six();
  const double u = 1 + 1.0 / 5 - 3.0 / 4, v = 2.0 / 3 + 14.0 / 25 + 11.0 / 16;
  const auto got = test(table, 0, 1, 2);
  EXPECT_NEAR(read(got, "z"), u / std::sqrt(v), 1e-15);
  EXPECT_NEAR(read(got, "chi_square"), u * u / v, 1e-15);
  EXPECT_EQ(read(got, "df"), 1);
  EXPECT_NEAR(read(got, "p"), std::erfc(u / std::sqrt(2 * v)), 1e-15);
}

TEST(LogRankTrend, DependsOnScoresUpToShiftAndScale) {
  Table table = six();
  const double z = read(test(table, 0, 1, 2), "z");
  EXPECT_NEAR(read(test(table, 5, 8, 11), "z"), z, 1e-15);
  EXPECT_NEAR(read(test(table, 1e9, 1e9 + 1, 1e9 + 2), "z"), z, 1e-15);
  EXPECT_NEAR(read(test(table, -1e308, 0, 1e308), "z"), z, 1e-15);
  EXPECT_NEAR(read(test(table, 2, 1, 0), "z"), -z, 1e-15);
}

TEST(LogRankTrend, IsTheLogRankTestOfTwoGroups) {
  Table table = leukaemia();
  const auto plain = answer<LogRank>(table.frame(), roles);
  const auto got =
      answer<LogRankTrend>(table.frame(), roles, {{"scores", testing::table({{"6-MP", number(0)}, {"placebo", number(7)}})}});
  EXPECT_NEAR(read(got, "chi_square"), read(plain, "chi_square"), 1e-13);
  EXPECT_GT(read(got, "z"), 0);
}

TEST(LogRankTrend, NeedsScoresThatDiffer) {
  Table table = six();
  const auto flat = test(table, 3, 3, 3);
  EXPECT_TRUE(std::isnan(read(flat, "chi_square")) && std::isnan(read(flat, "p")) && std::isnan(read(flat, "df")));
  EXPECT_TRUE(has_note(flat, "All groups have the same score"));
  Table apart;  // c is gone before a and b have events: among those at risk together scores are equal
  apart.numbers("time", {1, 2, 3, 4, 5}).numbers("event", {0, 1, 1, 0, 0}).category("arm", {"a", "b", "c"}, {2, 0, 1, 0, 1});
  const auto none = test(apart, 1, 1, 2);
  EXPECT_TRUE(std::isnan(read(none, "z")));
  EXPECT_TRUE(has_note(none, "At no event were groups of different scores at risk together"));
}

TEST(LogRankTrend, RefusesMissingScores) {
  EXPECT_EQ(parse<LogRankTrend>(roles).problems.size(), 1u);
  Table table = six();
  const auto got = answer<LogRankTrend>(table.frame(), roles, {{"scores", testing::table({{"a", number(1)}, {"b", number(2)}})}});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::unresolved);
}

}  // namespace
}  // namespace equipoise::stats

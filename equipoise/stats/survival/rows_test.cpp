#include "equipoise/stats/survival/rows.h"

#include <limits>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

Expected<SurvivalRows> rows(std::vector<double> time, std::vector<double> event) {
  testing::Table table;
  table.numbers("t", std::move(time)).numbers("e", std::move(event));
  return survival_rows(table.frame(), "t", "e");
}

TEST(SurvivalRows, MergeTimesThatDifferByRounding) {
  const double month = 30.4375;
  const double later = (365.25 / month) * (1 + 4e-16 * 3), far = (365.25 / month) * (1 + 1e-8);
  const auto got = rows({later, 5, 365.25 / month, far}, {1, 1, 0, 1});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->near, 1u);
  EXPECT_EQ(got->time[0], got->time[2]);
  EXPECT_NE(got->time[0], got->time[3]);                              // 1e-8 is a difference
  EXPECT_EQ(got->by_time, (numerics::Column<std::uint32_t>{1, 0, 2, 3}));  // ties by row
  EXPECT_EQ(merged_note(*got), "1 time within a relative 1e-9 of an earlier time was taken as that time.");
  EXPECT_EQ(merged_note(*rows({1, 1, 2}, {1, 1, 1})), "");
}

TEST(SurvivalRows, DoNotChainCloseTimesWithoutEnd) {
  // Steps of 0.6e-9: the second joins the first, the third is too far from the first and begins anew.
  const auto got = rows({1, 1 + 0.6e-9, 1 + 1.2e-9}, {1, 1, 1});
  EXPECT_EQ(got->time[1], 1);
  EXPECT_EQ(got->time[2], 1 + 1.2e-9);
}

TEST(SurvivalRows, RefuseWhatIsNoTime) {
  EXPECT_EQ(rows({std::numeric_limits<double>::infinity()}, {1}).error().code, Code::out_of_range);
  EXPECT_EQ(rows({-1}, {1}).error().message, "column 't' holds -1: a time cannot be negative");
  EXPECT_EQ(rows({1}, {2}).error().message, "column 'e' holds 2: an event is 1, a censored time 0");
  testing::Table table;
  table.numbers("s", {0, 4}).numbers("t", {3, 4}).numbers("e", {0, 1});
  EXPECT_EQ(survival_rows(table.frame(), "t", "e", "s").error().message,
            "an interval at risk begins at 4 and ends at 4: the start must come before the end");
}

TEST(SurvivalRows, AreNoneForNoRows) {
  const auto got = rows({}, {});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->size(), 0u);
}

}  // namespace
}  // namespace equipoise::stats

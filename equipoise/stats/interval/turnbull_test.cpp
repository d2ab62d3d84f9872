#include "equipoise/stats/interval/turnbull.h"

#include <cmath>
#include <limits>

#include "equipoise/stats/interval/grouped_hazard.h"
#include "equipoise/stats/interval/interval_log_rank.h"
#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::numbers, testing::parse, testing::read, testing::Table,
    testing::text;

const double open_end = missing_number;
const Roles bounds{{"left", {"left"}}, {"right", {"right"}}};
const Roles by_arm{{"left", {"left"}}, {"right", {"right"}}, {"group", {"arm"}}};

At interval(double from, double to) { return {{"interval", TimeInterval{from, to}}}; }
At at_time(double t) { return {{"time", t}}; }

// (0,2], (1,3], (2,4], (3,inf): innermost (1,2], (2,3] and (3,4]. With masses p, q, r the likelihood is p (p + q)(q + r) r; it is
// symmetric, so p = r = (1 - q)/2, and p^2 (1 - p)^2 is highest at p = 1/2, where q = 0.
TEST(Turnbull, AgreesWithFractionsWorkedByHand) {
  Table table;
  table.numbers("left", {0, 1, 2, 3}).numbers("right", {2, 3, 4, open_end});
  const auto got = answer<Turnbull>(table.frame(), bounds, {{"times", numbers({0, 1, 1.5, 2, 2.5, 3, 4})}});
  EXPECT_NEAR(read(got, "probability", interval(1, 2)), 0.5, 1e-9);
  EXPECT_EQ(read(got, "probability", interval(2, 3)), 0);
  EXPECT_NEAR(read(got, "probability", interval(3, 4)), 0.5, 1e-9);
  EXPECT_NEAR(read(got, "log_likelihood"), 4 * std::log(0.5), 1e-12);
  EXPECT_EQ(read(got, "survival", at_time(0)), 1);
  EXPECT_EQ(read(got, "survival", at_time(1)), 1);
  EXPECT_TRUE(std::isnan(read(got, "survival", at_time(1.5))));
  EXPECT_NEAR(read(got, "survival", at_time(2)), 0.5, 1e-9);
  EXPECT_NEAR(read(got, "survival", at_time(2.5)), 0.5, 1e-9);  // no mass there
  EXPECT_NEAR(read(got, "survival", at_time(3)), 0.5, 1e-9);
  EXPECT_TRUE(has_note(got, "Kuhn-Tucker conditions hold within 1e-10"));
  EXPECT_TRUE(has_note(got, "Strictly inside an innermost interval"));
}

TEST(Turnbull, PutsAnExactTimeIntoTheIntervalThatEndsWithIt) {
  Table table;
  table.numbers("left", {2, 1, 2}).numbers("right", {2, 2, 3});  // [2,2] lies in (1,2], not in (2,3]
  const auto got = answer<Turnbull>(table.frame(), bounds, {{"times", numbers({2})}});
  EXPECT_NEAR(read(got, "probability", interval(2, 2)), 2.0 / 3, 1e-9);
  EXPECT_NEAR(read(got, "probability", interval(2, 3)), 1.0 / 3, 1e-9);
  EXPECT_NEAR(read(got, "survival", at_time(2)), 1.0 / 3, 1e-9);
  EXPECT_EQ(read(got, "n_exact"), 1);
}

TEST(Turnbull, IsNotEstimableForNobodyAndRefusesWrongIntervals) {
  Table none;
  none.numbers("left", {}).numbers("right", {});
  EXPECT_TRUE(std::isnan(read(answer<Turnbull>(none.frame(), bounds), "log_likelihood")));
  Table unknown;  // nothing known of anybody: all mass somewhere after 0
  unknown.numbers("left", {0, 0}).numbers("right", {open_end, open_end});
  EXPECT_EQ(read(answer<Turnbull>(unknown.frame(), bounds), "log_likelihood"), 0);
  const double infinity = std::numeric_limits<double>::infinity();
  for (auto const& [left, right] : {std::pair(3.0, 2.0), std::pair(-1.0, 2.0), std::pair(infinity, infinity)}) {
    Table wrong;
    wrong.numbers("left", {left}).numbers("right", {right});
    const auto got = answer<Turnbull>(wrong.frame(), bounds);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Code::out_of_range);
  }
}

TEST(Turnbull, ReachesTheMaximumOfManyOverlappingIntervals) {
  std::vector<double> left, right;
  std::uint64_t state = 1;
  const auto next = [&] {
    return state = state * 6364136223846793005ull + 1442695040888963407ull, double(state >> 40) / 16777216.0;
  };
  for (int i = 0; i < 2000; ++i) {
    const double t = -std::log(next()), a = t * next();
    left.push_back(a);
    right.push_back(next() < 0.2 ? open_end : t + next());
  }
  Table table;
  table.numbers("left", left).numbers("right", right);
  const auto got = answer<Turnbull>(table.frame(), bounds);
  EXPECT_FALSE(std::isnan(read(got, "log_likelihood")));
}

TEST(IntervalLogRank, DoesNotMindOrderNamesOrUnits) {
  Table one, other;
  one.numbers("left", {0, 1, 2, 3, 1, 2})
      .numbers("right", {2, 3, 4, open_end, 2, open_end})
      .category("arm", {"a", "b"}, {0, 0, 0, 1, 1, 1});
  other.numbers("left", {20, 10, 30, 20, 10, 0})
      .numbers("right", {open_end, 20, open_end, 40, 30, 20})
      .category("arm", {"b", "a"}, {0, 0, 0, 1, 1, 1});
  for (const char* scores : {"sun", "proportional_hazards", "proportional_odds"}) {
    const Keys keys{{"scores", text(scores)}, {"difference", testing::difference("b", "a")}};
    const auto first = answer<IntervalLogRank>(one.frame(), by_arm, keys),
               second = answer<IntervalLogRank>(other.frame(), by_arm, keys);
    EXPECT_NEAR(read(first, "z"), read(second, "z"), 1e-8);
    const auto all = answer<IntervalLogRank>(one.frame(), by_arm, {{"scores", text(scores)}});
    EXPECT_NEAR(read(all, "chi_square"), read(first, "z") * read(first, "z"), 1e-10);
    EXPECT_EQ(read(all, "df"), 1);
    EXPECT_NEAR(read(all, "p"), read(first, "p"), 1e-12);
    auto swapped = keys;
    swapped[1].second = testing::difference("a", "b");
    EXPECT_NEAR(read(answer<IntervalLogRank>(one.frame(), by_arm, swapped), "z"), -read(first, "z"), 1e-10);
  }
}

/// Rows (i, i + 1.5] in two groups in turn, whose scores are all different.
Table ladder(int rows) {
  std::vector<double> left, right;
  std::vector<std::int32_t> group;
  for (int i = 0; i < rows; ++i) {
    left.push_back(i), right.push_back(i + 1.5);
    group.push_back(i % 7 < 3);
  }
  Table table;
  table.numbers("left", left).numbers("right", right).category("arm", {"A", "B"}, group);
  return table;
}

TEST(IntervalLogRank, RoundsScoresOnlyWhereThatChangesNothing) {
  const Keys exact{{"difference", testing::difference("B", "A")}, {"p", text("exact")}},
      normal{{"difference", testing::difference("B", "A")}};
  Table some = ladder(200), many = ladder(600);
  const auto counted = answer<IntervalLogRank>(some.frame(), by_arm, exact);
  EXPECT_TRUE(has_note(counted, "rounded to a grid"));
  // The normal approximation of a sum of 200 scores that are nowhere far out is good to about 1/200.
  EXPECT_NEAR(read(counted, "p"), read(answer<IntervalLogRank>(some.frame(), by_arm, normal), "p"), 0.005);
  const auto refused = answer<IntervalLogRank>(many.frame(), by_arm, exact);
  ASSERT_FALSE(refused);  // a unit that leaves a million sums would be a tenth of the scores
  EXPECT_EQ(refused.error().code, Code::out_of_range);
}

TEST(IntervalLogRank, IsNotEstimableWhereNothingCanBeCompared) {
  Table lonely, same;
  lonely.numbers("left", {0, 1}).numbers("right", {1, 2}).category("arm", {"a", "b"}, {0, 0});
  same.numbers("left", {0, 0, 0}).numbers("right", {2, 2, 2}).category("arm", {"a", "b"}, {0, 1, 1});
  for (Table* table : {&lonely, &same}) {
    const auto got = answer<IntervalLogRank>(table->frame(), by_arm, {{"difference", testing::difference("a", "b")}});
    EXPECT_TRUE(std::isnan(read(got, "z")));
    EXPECT_TRUE(std::isnan(read(got, "p")));
    EXPECT_TRUE(has_note(got, "not estimable"));
  }
  EXPECT_EQ(parse<IntervalLogRank>(by_arm, {{"scores", text("rank")}, {"p", text("exact")}}).problems.size(), 2u);
}

TEST(GroupedHazard, IsNotEstimableWithoutEventsInAnArmOrWithAConstant) {
  Table table;
  table.numbers("left", {0, 1, 0, 2, 2, 2, 1, 2})
      .numbers("right", {1, 2, 2, open_end, open_end, open_end, open_end, open_end})
      .category("arm", {"a", "b"}, {0, 0, 0, 0, 1, 1, 1, 1})
      .numbers("one", std::vector<double>(8, 1.0));
  const Keys keys{{"formula", text("arm + one")}, {"levels", testing::table({{"arm", testing::texts({"a", "b"})}})}};
  const auto got = answer<GroupedHazard>(table.frame(), bounds, keys);
  EXPECT_TRUE(std::isnan(read(got, "hazard_ratio", testing::term("arm", "b"))));
  EXPECT_TRUE(std::isnan(read(got, "hazard_ratio", testing::term("one"))));
  EXPECT_TRUE(has_note(got, "arm 'b': its likelihood grows for ever"));
  EXPECT_TRUE(has_note(got, "one: constant"));
}

TEST(GroupedHazard, MovesEndsToPlannedVisits) {
  const IntervalRows rows{.left = {0, 27, 31, 5, 100, 26, 29},
                          .right = {27, 60, 33, 5, 120, std::numeric_limits<double>::infinity(), 54}};
  const IntervalRows moved = on_visits(rows, {28, 56});
  EXPECT_EQ(moved.left, (std::vector<double>{0, 28, 0, 0, 56, 28, 28}));
  const double never = std::numeric_limits<double>::infinity();
  EXPECT_EQ(moved.right, (std::vector<double>{28, 56, 28, 28, never, never, 56}));
}

}  // namespace
}  // namespace equipoise::stats

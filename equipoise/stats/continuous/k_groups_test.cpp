#include "equipoise/stats/continuous/k_groups.h"

#include <limits>

#include "equipoise/stats/continuous/jonckheere_terpstra.h"
#include "equipoise/stats/continuous/t_tests.h"
#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::parse, testing::read, testing::Table, testing::text,
    testing::texts;

const Roles roles{{"response", {"y"}}, {"group", {"g"}}};
Table three(std::vector<double> const& values, std::vector<std::int32_t> const& codes) {
  Table table;
  table.numbers("y", values).category("g", {"a", "b", "c"}, codes);
  return table;
}
const Keys in_order{{"order", texts({"a", "b", "c"})}};

// Means 2, 4, 9 of three values each, all variances 1: between 3 (9 + 1 + 16) = 78 on 2, within 6 on 6; by hand.
TEST(OneWayAnova, AgreesWithSumsOfSquaresByHand) {
  Table table = three({1, 2, 3, 3, 4, 5, 8, 9, 10}, {0, 0, 0, 1, 1, 1, 2, 2, 2});
  const auto equal = answer<OneWayAnova>(table.frame(), roles);
  EXPECT_NEAR(read(equal, "f"), 39, 1e-13);
  EXPECT_EQ(read(equal, "df"), 2);
  EXPECT_EQ(read(equal, "residual_df"), 6);
  // w = 3, A = 3 (2/3)^2/2 = 2/3: F = 39/(1 + 2 (2/3)/8) = 39 6/7, df2 = 8/(3 2/3) = 4; by hand.
  const auto welch = answer<OneWayAnova>(table.frame(), roles, {{"variance", text("welch")}});
  EXPECT_NEAR(read(welch, "f"), 39 * 6.0 / 7, 1e-13);
  EXPECT_NEAR(read(welch, "residual_df"), 4, 1e-14);
}

TEST(OneWayAnova, OfTwoGroupsIsTheSquareOfTheTTest) {
  Table table = three({1.5, 2, 3.25, 3, 4, 7.5, 8}, {0, 0, 0, 1, 1, 1, 1});
  for (const auto& [anova, test] : {std::pair("equal", "pooled"), std::pair("welch", "welch")}) {
    const auto f = answer<OneWayAnova>(table.frame(), roles, {{"variance", text(anova)}});
    const auto t = answer<TTest>(table.frame(), roles, {{"variance", text(test)}, {"difference", testing::difference("a", "b")}});
    EXPECT_NEAR(read(f, "f"), read(t, "t") * read(t, "t"), 1e-13) << anova;
    EXPECT_NEAR(read(f, "residual_df"), read(t, "df"), 1e-13);
    EXPECT_NEAR(read(f, "p"), read(t, "p"), 1e-14);
  }
}

TEST(OneWayAnova, IsNotEstimableWithoutSpreadAndDoesNotDependOnTheUnit) {
  for (const char* variance : {"equal", "welch"}) {
    const Keys keys{{"variance", text(variance)}};
    const auto why = [&](std::vector<double> const& y, std::vector<std::int32_t> const& g) {
      Table table = three(y, g);
      const auto got = answer<OneWayAnova>(table.frame(), roles, keys);
      EXPECT_TRUE(std::isnan(read(got, "f")) && std::isnan(read(got, "p")));
      return got ? got->notes.front() : "";
    };
    EXPECT_EQ(why({}, {}), "There are no rows: the test is not estimable.");
    EXPECT_EQ(why({1, 2}, {1, 1}), "Only 'b' of 'g' has values: the test is not estimable.");
    why({1, 1, 0.3, 0.3}, {0, 0, 1, 1});
    why({1, 2}, {0, 1});
    Table small = three({1, 2, 4, 5, 5, 7}, {0, 0, 1, 1, 2, 2}),
          huge = three({1e300, 2e300, 4e300, 5e300, 5e300, 7e300}, {0, 0, 1, 1, 2, 2});
    EXPECT_NEAR(read(answer<OneWayAnova>(huge.frame(), roles, keys), "f"),
                read(answer<OneWayAnova>(small.frame(), roles, keys), "f"), 1e-12);
  }
  Table infinite = three({1, std::numeric_limits<double>::infinity()}, {0, 1});
  EXPECT_EQ(answer<OneWayAnova>(infinite.frame(), roles).error().code, Code::bad_cell);
  EXPECT_EQ(answer<KruskalWallis>(infinite.frame(), roles).error().code, Code::bad_cell);
  EXPECT_EQ(answer<JonckheereTerpstra>(infinite.frame(), roles, in_order).error().code, Code::bad_cell);
}

// Half-time of mucociliary clearance: Hollander & Wolfe (1973), table 6.1, as in the help of R's kruskal.test, which prints
// 0.7714.
TEST(KruskalWallis, ReproducesHollanderAndWolfesExample) {
  Table table =
      three({2.9, 3.0, 2.5, 2.6, 3.2, 3.8, 2.7, 4.0, 2.4, 2.8, 3.4, 3.7, 2.2, 2.0}, {0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2});
  const auto got = answer<KruskalWallis>(table.frame(), roles);
  // Rank sums 36, 36 (four values) and 33, by hand: 12/(14 15) (36^2/5 + 36^2/4 + 33^2/5) - 3 15 = 27/35.
  EXPECT_NEAR(read(got, "chi_square"), 27.0 / 35, 1e-13);
  EXPECT_EQ(read(got, "df"), 2);
  EXPECT_NEAR(read(got, "p"), std::exp(-27.0 / 70), 1e-14);  // two degrees of freedom
}

TEST(KruskalWallis, IsNotEstimableWithOneGroupOrEqualValues) {
  Table one = three({1, 2}, {2, 2}), equal = three({5, 5, 5}, {0, 1, 2}), none = three({}, {});
  EXPECT_TRUE(has_note(answer<KruskalWallis>(one.frame(), roles), "Only 'c' of 'g' has values"));
  for (Table* table : {&one, &equal, &none}) EXPECT_TRUE(std::isnan(read(answer<KruskalWallis>(table->frame(), roles), "p")));
  Table two = three({1, 2, 3}, {0, 2, 2});
  EXPECT_EQ(read(answer<KruskalWallis>(two.frame(), roles), "df"), 1) << "a group without values does not count";
}

TEST(JonckheereTerpstra, TurnsRoundWithTheOrderAndKnowsNoUnit) {
  Table table = three({1, 2, 2, 3, 2, 5, 4, 1, 6}, {0, 0, 0, 1, 1, 1, 2, 2, 2});
  const auto up = answer<JonckheereTerpstra>(table.frame(), roles, in_order);
  const auto down = answer<JonckheereTerpstra>(table.frame(), roles, {{"order", texts({"c", "b", "a"})}});
  EXPECT_EQ(read(up, "statistic") + read(down, "statistic"), 27);
  EXPECT_NEAR(read(up, "z"), -read(down, "z"), 1e-15);
  Table cubed = three({1, 8, 8, 27, 8, 125, 64, 1, 216}, {0, 0, 0, 1, 1, 1, 2, 2, 2});
  EXPECT_EQ(read(answer<JonckheereTerpstra>(cubed.frame(), roles, in_order), "z"), read(up, "z"));
}

TEST(JonckheereTerpstra, SaysWhatItLeavesOutAndRefusesAWrongOrder) {
  Table table = three({1, 2, 3, 9}, {0, 0, 1, 2});
  const auto two = answer<JonckheereTerpstra>(table.frame(), roles, {{"order", texts({"a", "b"})}});
  EXPECT_EQ(read(two, "statistic"), 2);
  EXPECT_TRUE(has_note(two, "1 row of groups outside the order is left out."));
  EXPECT_EQ(answer<JonckheereTerpstra>(table.frame(), roles, {{"order", texts({"a", "z"})}}).error().code, Code::unresolved);
  EXPECT_EQ(parse<JonckheereTerpstra>(roles).problems.front().code, Code::missing_key);
  EXPECT_EQ(parse<JonckheereTerpstra>(roles, {{"order", texts({"a", "a"})}}).problems.front().code, Code::duplicate);
  EXPECT_EQ(parse<JonckheereTerpstra>(roles, {{"order", texts({"a"})}}).problems.front().code, Code::out_of_range);
  Table none = three({}, {}), equal = three({1, 1, 1}, {0, 1, 2});
  EXPECT_TRUE(std::isnan(read(answer<JonckheereTerpstra>(none.frame(), roles, in_order), "statistic")));
  EXPECT_TRUE(std::isnan(read(answer<JonckheereTerpstra>(equal.frame(), roles, in_order), "z")));
  EXPECT_TRUE(has_note(answer<JonckheereTerpstra>(equal.frame(), roles, in_order), "All values are equal"));
}

}  // namespace
}  // namespace equipoise::stats

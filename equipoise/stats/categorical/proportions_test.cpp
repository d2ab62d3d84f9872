#include <cmath>

#include "equipoise/stats/categorical/miettinen_nurminen.h"
#include "equipoise/stats/categorical/newcombe.h"
#include "equipoise/stats/categorical/two_proportions.h"
#include "equipoise/stats/categorical/wilson.h"
#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::parse, testing::read, testing::Table, testing::text;

// Newcombe (1998), Stat. Med. 17, 857-872, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29; four printed digits.
TEST(Wilson, GivesNewcombesTable) {
  const auto expect = [](double x, double n, bool correction, double lower, double upper) {
    const auto got = wilson(x, n, 0.95, correction);
    EXPECT_NEAR(got.lower, lower, 5e-5) << x << " of " << n;
    EXPECT_NEAR(got.upper, upper, 5e-5) << x << " of " << n;
  };
  expect(81, 263, false, 0.2553, 0.3662);
  expect(15, 148, false, 0.0624, 0.1605);
  expect(0, 20, false, 0.0000, 0.1611);
  expect(1, 29, false, 0.0061, 0.1718);
  expect(81, 263, true, 0.2535, 0.3682);
  expect(15, 148, true, 0.0598, 0.1644);
  expect(0, 20, true, 0.0000, 0.2005);
  expect(1, 29, true, 0.0018, 0.1963);
}

TEST(Wilson, HasEdges) {
  EXPECT_EQ(wilson(0, 7, 0.95).lower, 0);
  EXPECT_EQ(wilson(7, 7, 0.95).upper, 1);
  EXPECT_EQ(wilson(7, 7, 0.95).lower, 1 - wilson(0, 7, 0.95).upper);
  EXPECT_TRUE(std::isnan(wilson(0, 0, 0.95).lower));
  Table none;
  none.numbers("y", {});
  const auto got = answer<Wilson>(none.frame(), {{"response", {"y"}}});
  EXPECT_TRUE(std::isnan(read(got, "estimate")));
  EXPECT_TRUE(has_note(got, "no rows"));
  Table bad;
  bad.numbers("y", {1, std::numeric_limits<double>::infinity()});
  EXPECT_EQ(answer<Wilson>(bad.frame(), {{"response", {"y"}}}).error().code, Code::bad_cell);
}

// Newcombe (1998), Stat. Med. 17, 873-890, table II, method 10: four printed digits.
TEST(Newcombe, GivesThePublishedIntervals) {
  const auto expect = [](TwoByTwo const& t, double lower, double upper) {
    const auto got = newcombe(t, 0.95);
    EXPECT_NEAR(got.lower, lower, 5e-5);
    EXPECT_NEAR(got.upper, upper, 5e-5);
  };
  expect({56, 14, 48, 32}, 0.0524, 0.3339);
  expect({9, 1, 3, 7}, 0.1705, 0.8090);
  expect({6, 1, 2, 5}, 0.0582, 0.8062);
  expect({5, 51, 0, 29}, -0.0381, 0.1926);
  expect({0, 10, 0, 20}, -0.1611, 0.2775);
  expect({0, 10, 0, 10}, -0.2775, 0.2775);
  expect({10, 0, 0, 20}, 0.6791, 1.0000);
  expect({10, 0, 0, 10}, 0.6075, 1.0000);
}

// The same table II, method 5 (Mee, score without N/(N - 1)) and method 6 (Miettinen and Nurminen): four printed digits.
TEST(MiettinenNurminen, GivesThePublishedIntervals) {
  const auto expect = [](TwoByTwo const& t, double lower, double upper) {
    const auto got = score_interval({t}, Measure::difference, StratumWeights::miettinen_nurminen, 0.95);
    EXPECT_NEAR(got.lower, lower, 5e-5);
    EXPECT_NEAR(got.upper, upper, 5e-5);
  };
  expect({56, 14, 48, 32}, 0.0528, 0.3382);
  expect({9, 1, 3, 7}, 0.1700, 0.8406);
  expect({6, 1, 2, 5}, 0.0342, 0.8534);
  expect({5, 51, 0, 29}, -0.0326, 0.1933);
  expect({0, 10, 0, 20}, -0.1658, 0.2844);
  expect({0, 10, 0, 10}, -0.2879, 0.2879);
  expect({10, 0, 0, 20}, 0.7156, 1.0000);
  expect({10, 0, 0, 10}, 0.6636, 1.0000);
}

const Roles roles{{"response", {"y"}}, {"group", {"arm"}}};
const Roles in_strata{{"response", {"y"}}, {"group", {"arm"}}, {"strata", {"site"}}};
const Keys pair{{"difference", testing::difference("t", "c")}};

Keys with(std::string key, Node node) {
  Keys keys = pair;
  keys.emplace_back(std::move(key), std::move(node));
  return keys;
}

/// a of n1 on t, c of n2 on c.
Table trial(int a, int n1, int c, int n2) {
  std::vector<double> y;
  std::vector<std::int32_t> arm, site;
  for (int i = 0; i < n1; ++i) y.push_back(i < a), arm.push_back(1), site.push_back(i % 2);
  for (int i = 0; i < n2; ++i) y.push_back(i < c), arm.push_back(0), site.push_back(i % 2);
  Table table;
  table.numbers("y", y).category("arm", {"c", "t", "other"}, arm).category("site", {"1", "2"}, site);
  return table;
}

TEST(MiettinenNurminen, WorksWithoutEvents) {
  Table none = trial(0, 10, 0, 10);
  const auto difference = answer<MiettinenNurminen>(none.frame(), roles, pair);
  EXPECT_EQ(read(difference, "estimate"), 0);
  EXPECT_NEAR(read(difference, "upper"), 0.2879, 5e-5);
  EXPECT_TRUE(std::isnan(read(difference, "p")));
  const auto ratio = answer<MiettinenNurminen>(none.frame(), roles, with("measure", text("risk_ratio")));
  EXPECT_TRUE(std::isnan(read(ratio, "estimate")));
  EXPECT_EQ(read(ratio, "lower"), 0);
  EXPECT_TRUE(std::isnan(read(ratio, "upper")));
  EXPECT_TRUE(has_note(ratio, "no upper limit"));
  Table few = trial(0, 10, 3, 10);
  const auto odds = answer<MiettinenNurminen>(few.frame(), roles, with("measure", text("odds_ratio")));
  EXPECT_EQ(read(odds, "estimate"), 0);
  EXPECT_EQ(read(odds, "lower"), 0);
  EXPECT_GT(read(odds, "upper"), 0);
  Table other = trial(3, 10, 0, 10);
  const auto infinite = answer<MiettinenNurminen>(other.frame(), roles, with("measure", text("odds_ratio")));
  EXPECT_TRUE(std::isnan(read(infinite, "estimate")));
  EXPECT_NEAR(read(infinite, "lower") * read(odds, "upper"), 1, 1e-10);
}

TEST(TwoProportions, SayWhatIsNotEstimable) {
  for (auto const& [a, n1, c, n2] : {std::tuple(0, 3, 0, 4), std::tuple(3, 3, 4, 4), std::tuple(0, 3, 4, 4), std::tuple(3, 3, 0, 4),
                                     std::tuple(1, 1, 0, 1), std::tuple(0, 0, 2, 3), std::tuple(0, 0, 0, 0)}) {
    Table table = trial(a, n1, c, n2);
    const auto difference = answer<RiskDifference>(table.frame(), roles, pair);
    const auto ratio = answer<RiskRatio>(table.frame(), roles, pair);
    const auto odds = answer<OddsRatio>(table.frame(), roles, pair);
    EXPECT_EQ(std::isnan(read(difference, "estimate")), n1 == 0 || n2 == 0);
    EXPECT_EQ(std::isnan(read(ratio, "estimate")), n1 == 0 || n2 == 0 || c == 0);
    EXPECT_EQ(std::isnan(read(odds, "estimate")), !(a == 0 && c > 0 && n1 > 0));
    for (auto const* one : {&difference, &ratio, &odds}) EXPECT_FALSE((*one)->notes.empty());
    for (Keys const& keys : {with("interval", text("agresti_caffo")), with("interval", text("newcombe"))})
      EXPECT_EQ(std::isnan(read(answer<RiskDifference>(table.frame(), roles, keys), "lower")), n1 == 0 || n2 == 0);
    const auto newcombe_in_strata = answer<Newcombe>(table.frame(), in_strata, pair);
    const auto mn_in_strata = answer<MiettinenNurminen>(table.frame(), in_strata, pair);
    EXPECT_EQ(std::isnan(read(newcombe_in_strata, "lower")), n1 == 0 || n2 == 0);
    EXPECT_EQ(std::isnan(read(mn_in_strata, "lower")), n1 == 0 || n2 == 0);
  }
}

TEST(TwoProportions, ReportEveryProblemAtOnce) {
  const auto got = parse<MiettinenNurminen>({{"response", {"y"}}, {"group", {"y"}}, {"dose", {"d"}}},
                                            {{"measure", text("ratio")}, {"weights", text("mantel_haenszel")}, {"level", testing::number(95)}});
  EXPECT_FALSE(got.method);
  EXPECT_EQ(got.problems.size(), 6u);  // role dose, y twice, no difference, measure, weights without strata, level
  Table table = trial(1, 3, 1, 3);
  EXPECT_EQ(answer<RiskDifference>(table.frame(), roles, {{"difference", testing::difference("t", "x")}}).error().code,
            Code::unresolved);
  EXPECT_FALSE(parse<RiskRatio>(roles, with("interval", text("wald"))).problems.empty());
  EXPECT_FALSE(parse<Newcombe>({{"response", {"y"}}, {"group", {"arm"}}, {"strata", {"arm"}}}, pair).problems.empty());
}

TEST(StrataWithOneGroup, AreLeftOutWithANote) {
  Table table;
  table.numbers("y", {1, 0, 1, 0, 0, 1, 1})
      .category("arm", {"c", "t"}, {0, 0, 1, 1, 1, 0, 0})
      .category("site", {"1", "2"}, {0, 0, 0, 0, 0, 1, 1});
  for (auto const& got : {answer<Newcombe>(table.frame(), in_strata, pair), answer<MiettinenNurminen>(table.frame(), in_strata, pair)}) {
    EXPECT_NEAR(read(got, "estimate"), 1.0 / 3 - 1.0 / 2, 1e-14);
    EXPECT_TRUE(has_note(got, "1 of 2 strata has only one of the two groups"));
  }
}

}  // namespace
}  // namespace equipoise::stats

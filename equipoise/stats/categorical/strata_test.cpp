#include <cmath>
#include <deque>

#include "equipoise/stats/categorical/breslow_day.h"
#include "equipoise/stats/categorical/cmh.h"
#include "equipoise/stats/categorical/mantel_haenszel.h"
#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::parse, testing::read, testing::Table, testing::text;

const Roles roles{{"response", {"y"}}, {"group", {"arm"}}, {"strata", {"site"}}};
const Keys pair{{"difference", testing::difference("t", "c")}};

// Two strata by hand: 1, 1 / 1, 1 and 2, 1 / 1, 2. R = 1/4 + 4/6, S = 1/4 + 1/6: odds ratio (11/12)/(5/12) = 2.2.
TEST(MantelHaenszel, AddsUpStrata) {
  const std::vector<TwoByTwo> tables{{1, 1, 1, 1}, {2, 1, 1, 2}};
  EXPECT_NEAR(mantel_haenszel_odds_ratio(tables).estimate, 2.2, 1e-14);
  // w = 1 and 3/2, differences 0 and 1/3: 1/5
  EXPECT_NEAR(mantel_haenszel_risk_difference(tables, RiskDifferenceVariance::sato).estimate, 0.2, 1e-15);
  // sum a n0/N = 1/2 + 1, sum c n1/N = 1/2 + 1/2
  EXPECT_NEAR(mantel_haenszel_risk_ratio(tables).estimate, 1.5, 1e-15);
  // excess 0 + 1/2; variances 4 4/(16 3) = 1/3 and 9 9/(36 5) = 9/20
  EXPECT_NEAR(mantel_haenszel_z(tables), 0.5 / std::sqrt(1.0 / 3 + 9.0 / 20), 1e-15);
}

Table trial(std::vector<double> y, std::vector<std::int32_t> arm, std::vector<std::int32_t> site) {
  Table table;
  table.numbers("y", std::move(y)).category("arm", {"c", "t"}, std::move(arm)).category("site", {"1", "2", "3"}, std::move(site));
  return table;
}

TEST(StratifiedMethods, SayWhatIsNotEstimable) {
  std::deque<Table> tables;  // a table that moves leaves its columns where they are; a vector would copy them
  tables.push_back(trial({}, {}, {}));                                    // nobody
  tables.push_back(trial({1}, {1}, {0}));                                 // one person
  tables.push_back(trial({1, 0, 1}, {1, 1, 1}, {0, 1, 1}));               // one group
  tables.push_back(trial({1, 0, 1, 0}, {1, 1, 0, 0}, {0, 0, 1, 1}));      // never together
  for (Table& table : tables) {
    const auto odds = answer<MantelHaenszelOddsRatio>(table.frame(), roles, pair);
    const auto risk = answer<MantelHaenszelRiskRatio>(table.frame(), roles, pair);
    const auto difference = answer<MantelHaenszelRiskDifference>(table.frame(), roles, pair);
    const auto homogeneity = answer<BreslowDay>(table.frame(), roles, pair);
    for (auto const* one : {&odds, &risk, &difference}) {
      EXPECT_TRUE(std::isnan(read(*one, "estimate")));
      EXPECT_TRUE(std::isnan(read(*one, "lower")));
      EXPECT_TRUE(std::isnan(read(*one, "p")));
      EXPECT_FALSE((*one)->notes.empty());
    }
    EXPECT_TRUE(std::isnan(read(homogeneity, "chi_square")));
    EXPECT_FALSE(homogeneity->notes.empty());
  }
}

TEST(StratifiedMethods, TakeEqualResponses) {
  Table none = trial({0, 0, 0, 0, 0}, {1, 0, 1, 0, 1}, {0, 0, 1, 1, 1});
  const auto difference = answer<MantelHaenszelRiskDifference>(none.frame(), roles, pair);
  EXPECT_EQ(read(difference, "estimate"), 0);
  EXPECT_TRUE(has_note(difference, "no width"));
  EXPECT_TRUE(std::isnan(read(answer<MantelHaenszelOddsRatio>(none.frame(), roles, pair), "estimate")));
  Table one_sided = trial({0, 0, 1, 0, 1}, {1, 1, 0, 1, 0}, {0, 0, 0, 1, 1});
  const auto zero = answer<MantelHaenszelOddsRatio>(one_sided.frame(), roles, pair);
  EXPECT_EQ(read(zero, "estimate"), 0);
  EXPECT_TRUE(std::isnan(read(zero, "lower")));
  EXPECT_TRUE(has_note(zero, "is 0"));
  EXPECT_TRUE(has_note(answer<BreslowDay>(one_sided.frame(), roles, pair), "0 or infinite"));
}

Keys statistic(std::string word) { return {{"statistic", text(std::move(word))}}; }

TEST(Cmh, ScoresMayBeMovedAndScaled) {
  const std::vector<double> y{1, 2, 3, 1, 4, 2, 3, 3, 1, 2};
  std::vector<double> huge;
  for (const double v : y) huge.push_back(v * 4e307 - 8e307);  // 8e307 is the largest, squares overflow
  const std::vector<std::int32_t> arm{0, 1, 0, 1, 1, 0, 1, 0, 0, 1}, site{0, 0, 0, 0, 0, 1, 1, 1, 1, 1};
  Table plain = trial(y, arm, site), scaled = trial(huge, arm, site);
  const double chi_square = read(answer<Cmh>(plain.frame(), roles, statistic("row_mean_scores")), "chi_square");
  EXPECT_GT(chi_square, 0);
  EXPECT_NEAR(read(answer<Cmh>(scaled.frame(), roles, statistic("row_mean_scores")), "chi_square"), chi_square, 1e-12);
  Keys correlation = statistic("nonzero_correlation");
  correlation.emplace_back("group_scores", testing::table({{"c", testing::number(0)}, {"t", testing::number(1)}}));
  EXPECT_NEAR(read(answer<Cmh>(plain.frame(), roles, correlation), "chi_square"), chi_square, 1e-12);  // two groups: the same test
  correlation.back().second = testing::table({{"c", testing::number(5)}, {"t", testing::number(5)}});
  EXPECT_TRUE(std::isnan(read(answer<Cmh>(plain.frame(), roles, correlation), "p")));
}

TEST(Cmh, SaysWhatIsNotEstimable) {
  for (Table table : {trial({}, {}, {}), trial({1}, {1}, {0}), trial({2, 2, 2}, {0, 1, 1}, {0, 0, 1}), trial({1, 2}, {0, 1}, {0, 1})}) {
    const auto got = answer<Cmh>(table.frame(), roles, statistic("row_mean_scores"));
    EXPECT_TRUE(std::isnan(read(got, "chi_square")));
    EXPECT_TRUE(has_note(got, "not estimable"));
  }
  Table infinite = trial({1, std::numeric_limits<double>::infinity()}, {0, 1}, {0, 0});
  EXPECT_EQ(answer<Cmh>(infinite.frame(), roles, statistic("row_mean_scores")).error().code, Code::bad_cell);
}

TEST(Cmh, RefusesOptionsOfAnotherStatistic) {
  EXPECT_FALSE(parse<Cmh>(roles, {}).problems.empty());
  EXPECT_FALSE(parse<Cmh>(roles, statistic("nonzero_correlation")).problems.empty());  // no scores
  Keys general = statistic("general_association");
  general.emplace_back("response_scores", text("rank"));
  general.emplace_back("group_scores", testing::table({{"c", testing::number(0)}}));
  EXPECT_EQ(parse<Cmh>(roles, general).problems.size(), 2u);
}

}  // namespace
}  // namespace equipoise::stats

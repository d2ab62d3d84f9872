#include "equipoise/stats/survival/log_rank.h"

#include <bit>
#include <cmath>
#include <random>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::leukaemia, testing::read, testing::Table;

const Roles roles{{"time", {"time"}}, {"event", {"event"}}, {"group", {"arm"}}};
const Roles stratified{{"time", {"time"}}, {"event", {"event"}}, {"group", {"arm"}}, {"strata", {"site"}}};

// Kalbfleisch & Prentice (1980), section 1.4, print 16.79 with expected 19.26 and 10.74; the digits are R 4.2.2, survival 3.5-3,
// survdiff(). Rounding: sums of 17 terms.
TEST(LogRank, ReproducesTheLeukaemiaTest) {
  Table table = leukaemia();
  const auto got = answer<LogRank>(table.frame(), roles);
  EXPECT_NEAR(read(got, "chi_square"), 16.79294098921654, 1e-12);
  EXPECT_EQ(read(got, "df"), 1);
  EXPECT_NEAR(read(got, "p"), 4.168809e-5, 5e-11);  // pchisq(16.79294098921654, 1, lower = FALSE), half the last printed digit
  EXPECT_NEAR(read(got, "expected", {{"group", "6-MP"}}), 19.25050094803113, 1e-13);
  EXPECT_NEAR(read(got, "expected", {{"group", "placebo"}}), 10.74949905196887, 1e-13);
  EXPECT_EQ(read(got, "observed", {{"group", "6-MP"}}), 9);
}

TEST(LogRank, IsTheSameWithAStratumOfOneGroupOrWithoutEventsAdded) {
  Table alone;
  alone.numbers("time", {1, 2, 3, 4, 7, 8, 2, 3})
      .numbers("event", {1, 1, 0, 1, 1, 1, 0, 0})
      .category("arm", {"a", "b"}, {0, 1, 0, 1, 0, 0, 0, 1})
      .category("site", {"1", "2", "3"}, {0, 0, 0, 0, 1, 1, 2, 2});
  Table only_first;
  only_first.numbers("time", {1, 2, 3, 4}).numbers("event", {1, 1, 0, 1}).category("arm", {"a", "b"}, {0, 1, 0, 1});
  EXPECT_NEAR(read(answer<LogRank>(alone.frame(), stratified), "chi_square"),
              read(answer<LogRank>(only_first.frame(), roles), "chi_square"), 1e-14);
}

TEST(LogRank, IsNotEstimableWithoutEventsOrWithOneGroup) {
  Table quiet;
  quiet.numbers("time", {1, 2}).numbers("event", {0, 0}).category("arm", {"a", "b"}, {0, 1});
  const auto no_events = answer<LogRank>(quiet.frame(), roles);
  EXPECT_TRUE(std::isnan(read(no_events, "chi_square")));
  EXPECT_TRUE(std::isnan(read(no_events, "p")));
  EXPECT_TRUE(has_note(no_events, "No event"));

  Table lonely;
  lonely.numbers("time", {1, 2}).numbers("event", {1, 0}).category("arm", {"a", "b"}, {0, 0});
  EXPECT_TRUE(has_note(answer<LogRank>(lonely.frame(), roles), "Only one group of 'arm' has anybody"));

  Table apart;
  apart.numbers("time", {1, 2}).numbers("event", {1, 1}).category("arm", {"a", "b"}, {0, 1}).category("site", {"1", "2"}, {0, 1});
  const auto never = answer<LogRank>(apart.frame(), stratified);
  EXPECT_TRUE(std::isnan(read(never, "chi_square")));
  EXPECT_TRUE(has_note(never, "In no stratum were two groups at risk together"));

  Table none;
  none.numbers("time", {}).numbers("event", {}).category("arm", {}, {});
  EXPECT_TRUE(std::isnan(read(answer<LogRank>(none.frame(), roles), "chi_square")));
}

TEST(LogRank, TiesOfEverybodySayNothing) {
  Table table;  // all die at once: observed is expected, and the hypergeometric variance is 0
  table.numbers("time", {3, 3, 3, 3}).numbers("event", {1, 1, 1, 1}).category("arm", {"a", "b"}, {0, 0, 1, 1});
  EXPECT_TRUE(std::isnan(read(answer<LogRank>(table.frame(), roles), "chi_square")));
}

TEST(LogRank, LeavesAGroupThatWasNeverAtRiskOutOfTheDegreesOfFreedom) {
  Table table;  // c is censored before the first event
  table.numbers("time", {2, 3, 4, 5, 1}).numbers("event", {1, 1, 1, 0, 0}).category("arm", {"a", "b", "c"}, {0, 1, 0, 1, 2});
  const auto got = answer<LogRank>(table.frame(), roles);
  EXPECT_EQ(read(got, "df"), 1);
  EXPECT_TRUE(has_note(got, "arm 'c': nobody at risk at any event"));
  Table without;
  without.numbers("time", {2, 3, 4, 5}).numbers("event", {1, 1, 1, 0}).category("arm", {"a", "b"}, {0, 1, 0, 1});
  EXPECT_DOUBLE_EQ(read(got, "chi_square"), read(answer<LogRank>(without.frame(), roles), "chi_square"));
}

TEST(LogRank, SaysNothingOfAnArmThatTheComparisonLeavesOut) {
  Table table;  // a third arm exists, and its participants are not among these rows
  table.numbers("time", {2, 3, 4, 5}).numbers("event", {1, 1, 1, 0}).category("arm", {"a", "b", "c"}, {0, 1, 0, 1});
  const auto got = answer<LogRank>(table.frame(), roles);
  EXPECT_EQ(read(got, "df"), 1);
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->notes.empty()) << got->notes.front();
}

TEST(LogRank, CountsTheDegreesThatStrataConnect) {
  Table table;  // a and b meet in one stratum, c and d in the other
  table.numbers("time", {1, 2, 3, 4, 1, 2, 3, 4})
      .numbers("event", {1, 1, 1, 1, 1, 1, 1, 1})
      .category("arm", {"a", "b", "c", "d"}, {0, 1, 0, 1, 2, 3, 3, 2})
      .category("site", {"1", "2"}, {0, 0, 0, 0, 1, 1, 1, 1});
  const auto got = answer<LogRank>(table.frame(), stratified);
  EXPECT_EQ(read(got, "df"), 2);
  EXPECT_TRUE(has_note(got, "2 degrees of freedom instead of 3"));
}

/// Random trials, with ties, empty groups, whole and other times: figures are the numbers of the answer.
TEST(LogRank, GivesInFiguresWhatItsAnswerSays) {
  std::mt19937 bits(20261128);
  const auto below = [&](unsigned bound) { return int(bits() % bound); };
  std::size_t estimable = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const int n = below(trial % 3 == 0 ? 12 : 400), groups = 2 + trial % 4;
    std::vector<std::string> levels;
    for (int g = 0; g < groups; ++g) levels.push_back(std::string(1, char('a' + g)));
    std::vector<double> time, event;
    std::vector<std::int32_t> arm, site;
    for (int i = 0; i < n; ++i) {
      time.push_back(trial % 2 == 0 ? below(700) : std::min(364.0, below(1'000'000) / 1234.5));
      event.push_back(below(3) == 0), arm.push_back(below(unsigned(groups - trial % 2))), site.push_back(below(3));
    }
    Table table;
    table.numbers("time", time).numbers("event", event).category("arm", levels, arm).category("site", {"1", "2", "3"}, site);
    for (Roles const& of : {roles, stratified}) {
      const auto method = testing::parse<LogRank>(of, {}, Match::equipoise).method;
      ASSERT_TRUE(method);
      const auto whole = method->run(table.frame());
      const std::string arm_asked = levels[std::size_t(below(unsigned(groups)))];
      const auto figures = method->figures(table.frame(), {.differences = {{.of = {"arm", arm_asked, levels[0]}}}});
      ASSERT_EQ(whole.has_value(), figures.has_value());
      if (!whole) continue;
      const double p = read(*whole, "p"), excess = read(*whole, "observed", {{"group", arm_asked}}) -
                                                   read(*whole, "expected", {{"group", arm_asked}});
      EXPECT_EQ(std::bit_cast<std::uint64_t>(figures->p), std::bit_cast<std::uint64_t>(p)) << trial;
      EXPECT_EQ(figures->excess, excess) << trial;
      estimable += !std::isnan(p);
    }
  }
  EXPECT_GT(estimable, 600u);
}

}  // namespace
}  // namespace equipoise::stats

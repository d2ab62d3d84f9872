#include "equipoise/stats/survival/weighted_log_rank.h"

#include <cmath>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::difference, testing::has_note, testing::Keys, testing::leukaemia, testing::parse, testing::read,
    testing::Table, testing::text;

const Roles roles{{"time", {"time"}}, {"event", {"event"}}, {"group", {"arm"}}};
constexpr const char* words[] = {"gehan_breslow", "tarone_ware", "modified_peto_peto"};

Expected<Answer> test(Table& table, std::string weight, Keys more = {}) {
  more.emplace_back("weight", text(std::move(weight)));
  return answer<WeightedLogRank>(table.frame(), roles, more);
}

/// a dies, b dies, a dies, b is censored: at risk 4, 3, 2, of a 2, 1, 1; one death each.
Table four() {
  Table table;
  table.numbers("time", {1, 2, 3, 4}).numbers("event", {1, 1, 1, 0}).category("arm", {"a", "b"}, {0, 1, 0, 1});
  return table;
}

// Worked by hand from the three tables: d_a - d n_a/n is 1/2, -1/3, 1/2; its variance 1/4, 2/9, 1/4. Rounding: a few units in the
// last place.
TEST(WeightedLogRank, AgreesWithFractionsWorkedByHand) {
  Table table = four();
  const Keys a_minus_b{{"difference", difference("a", "b")}};
  const auto gehan = test(table, "gehan_breslow", a_minus_b);  // 4, 3, 2: (2 - 1 + 1)^2 / (4 + 2 + 1)
  EXPECT_NEAR(read(gehan, "chi_square"), 4.0 / 7, 1e-15);
  EXPECT_NEAR(read(gehan, "z"), 2 / std::sqrt(7.0), 1e-15);
  EXPECT_EQ(read(gehan, "df"), 1);
  EXPECT_NEAR(read(gehan, "p"), std::erfc(std::sqrt(2.0 / 7)), 1e-15);  // upper tail of chi-square, 1 df: erfc(sqrt(x / 2))
  const auto tarone = test(table, "tarone_ware", a_minus_b);            // 2, sqrt 3, sqrt 2
  const double excess = 1 - 1 / std::sqrt(3.0) + 1 / std::sqrt(2.0), variance = 1 + 2.0 / 3 + 1.0 / 2;
  EXPECT_NEAR(read(tarone, "chi_square"), excess * excess / variance, 1e-15);
  EXPECT_NEAR(read(tarone, "z"), excess / std::sqrt(variance), 1e-15);
  const auto peto =
      test(table, "modified_peto_peto", a_minus_b);  // 4/5, 4/5 3/4, 4/5 3/4 2/3: without ties and censoring Gehan's over 5
  EXPECT_NEAR(read(peto, "chi_square"), 4.0 / 7, 1e-15);
}

TEST(WeightedLogRank, WeightsTiesAndCensoringByThePeopleAtRisk) {
  const PooledTimes times{.at_risk = {10, 6, 1},
                          .events = {2, 3, 1}};  // two censored between the first two times, two before the last
  EXPECT_EQ(rank_weights(RankWeight::gehan_breslow, times), (std::vector<double>{10, 6, 1}));
  EXPECT_EQ(rank_weights(RankWeight::tarone_ware, times), (std::vector<double>{std::sqrt(10.0), std::sqrt(6.0), 1}));
  const std::vector<double> peto = rank_weights(RankWeight::modified_peto_peto, times);
  EXPECT_NEAR(peto[0], 9.0 / 11, 1e-15);
  EXPECT_NEAR(peto[1], 9.0 / 11 * 4 / 7, 1e-15);
  EXPECT_NEAR(peto[2], 9.0 / 11 * 4 / 7 / 2, 1e-15);  // the last death leaves a weight: Kaplan-Meier would be 0 there
  EXPECT_TRUE(rank_weights(RankWeight::modified_peto_peto, {}).empty());
}

// Digits: R 4.2.2, the formulas of tests/reference/weighted_log_rank/make_cases.R on the same 42 times. Rounding: sums of 17
// terms.
TEST(WeightedLogRank, ReproducesTheLeukaemiaTests) {
  Table table = leukaemia();
  EXPECT_NEAR(read(test(table, "gehan_breslow"), "chi_square"), 13.457852049631065, 1e-12);
  EXPECT_NEAR(read(test(table, "tarone_ware"), "chi_square"), 15.123575301872691, 1e-12);
  EXPECT_NEAR(read(test(table, "modified_peto_peto"), "chi_square"), 14.084139866856544, 1e-12);
}

TEST(WeightedLogRank, TurnsTheSignOfZWithTheDifferenceAndGivesNoneWithoutIt) {
  Table table = leukaemia();
  for (const char* weight : words) {
    const auto one = test(table, weight, {{"difference", difference("placebo", "6-MP")}});
    const auto other = test(table, weight, {{"difference", difference("6-MP", "placebo")}});
    EXPECT_GT(read(one, "z"), 0) << weight << ": more remissions end under placebo";
    EXPECT_NEAR(read(one, "z"), -read(other, "z"), 1e-13);
    EXPECT_NEAR(read(one, "z") * read(one, "z"), read(one, "chi_square"), 1e-12);
    EXPECT_TRUE(has_note(one, "z is positive when 'placebo' has more events than expected and '6-MP' fewer"));
    const auto without = test(table, weight);
    ASSERT_TRUE(without);
    EXPECT_FALSE(without->read("z", {}));
  }
}

TEST(WeightedLogRank, IsNotEstimableWithoutEventsOrWithOneGroup) {
  for (const char* weight : words) {
    Table quiet;
    quiet.numbers("time", {1, 2}).numbers("event", {0, 0}).category("arm", {"a", "b"}, {0, 1});
    const auto no_events = test(quiet, weight, {{"difference", difference("a", "b")}});
    for (const char* quantity : {"chi_square", "df", "p", "z"}) EXPECT_TRUE(std::isnan(read(no_events, quantity))) << quantity;
    EXPECT_TRUE(has_note(no_events, "No event: the weighted log-rank test is not estimable."));
    Table lonely;
    lonely.numbers("time", {1, 2}).numbers("event", {1, 0}).category("arm", {"a", "b"}, {0, 0});
    EXPECT_TRUE(has_note(test(lonely, weight), "Only one group of 'arm' has anybody"));
    Table tied;
    tied.numbers("time", {3, 3, 3, 3}).numbers("event", {1, 1, 1, 1}).category("arm", {"a", "b"}, {0, 0, 1, 1});
    EXPECT_TRUE(std::isnan(read(test(tied, weight), "chi_square")));
    Table none;
    none.numbers("time", {}).numbers("event", {}).category("arm", {"a", "b"}, {});
    EXPECT_TRUE(std::isnan(read(test(none, weight), "p")));
  }
}

TEST(WeightedLogRank, GivesZOfTwoGroupsOnly) {
  Table three;  // c is censored before the first event, then not
  three.numbers("time", {2, 3, 4, 5, 1}).numbers("event", {1, 1, 1, 0, 0}).category("arm", {"a", "b", "c"}, {0, 1, 0, 1, 2});
  EXPECT_FALSE(std::isnan(read(test(three, "tarone_ware", {{"difference", difference("a", "b")}}), "z")))
      << "c is not at risk at any event";
  EXPECT_TRUE(std::isnan(read(test(three, "tarone_ware", {{"difference", difference("a", "c")}}), "z")));
  Table all;
  all.numbers("time", {2, 3, 4, 5, 6}).numbers("event", {1, 1, 1, 0, 0}).category("arm", {"a", "b", "c"}, {0, 1, 0, 1, 2});
  const auto got = test(all, "tarone_ware", {{"difference", difference("a", "b")}});
  EXPECT_EQ(read(got, "df"), 2);
  EXPECT_TRUE(std::isnan(read(got, "z")));
  EXPECT_TRUE(has_note(got, "z compares two groups"));
}

TEST(WeightedLogRank, ReportsEveryWrongOption) {
  const auto sentences = [](Keys const& keys, Roles const& given = roles) {
    std::vector<std::string> out;
    for (Error const& error : parse<WeightedLogRank>(given, keys).problems) out.push_back(error.message);
    return out;
  };
  EXPECT_EQ(sentences({}), std::vector<std::string>{"the test needs the key 'weight'"});
  EXPECT_EQ(sentences({{"weight", text("gehan")}, {"difference", difference("a", "a")}}).size(), 2u);
  EXPECT_EQ(sentences({{"weight", text("tarone_ware")}}, {{"time", {"t"}}, {"event", {"e"}}, {"group", {"g"}}, {"start", {"s"}}}),
            std::vector<std::string>{"weighted_log_rank has no role 'start'"});
  Table table = four();
  const auto unknown = test(table, "tarone_ware", {{"difference", difference("a", "z")}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::unresolved);
}

}  // namespace
}  // namespace equipoise::stats

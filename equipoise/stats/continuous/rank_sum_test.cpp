#include "equipoise/stats/continuous/rank_sum.h"

#include <limits>

#include "equipoise/stats/continuous/hodges_lehmann.h"
#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::number, testing::parse, testing::read, testing::Table,
    testing::text;

const Roles roles{{"response", {"y"}}, {"group", {"g"}}};
const Roles stratified{{"response", {"y"}}, {"group", {"g"}}, {"strata", {"h"}}};
const double infinity = std::numeric_limits<double>::infinity();
Node flag(bool value) { return Node(Node::Value(value)); }
Keys a_minus_b(Keys more = {}) {
  more.emplace_back("difference", testing::difference("a", "b"));
  return more;
}
Table two(std::vector<double> const& a, std::vector<double> const& b) {
  std::vector<double> values = a;
  values.insert(values.end(), b.begin(), b.end());
  std::vector<std::int32_t> codes(a.size(), 0), stratum(values.size(), 0);
  codes.resize(values.size(), 1);
  Table table;
  table.numbers("y", values).category("g", {"a", "b", "c"}, codes).category("h", {"one", "two"}, stratum);
  return table;
}

// Permeability constants of the human chorioamnion: Hollander & Wolfe (1973), table 4.1, as in the help of R's wilcox.test;
// expected: R 4.2.2, wilcox.test(x, y, alternative = "g"), W = 35, p = 0.1272.
TEST(WilcoxonRankSum, ReproducesHollanderAndWolfesExample) {
  Table table = two({0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46}, {1.15, 0.88, 0.90, 0.74, 1.21});
  const auto exact =
      answer<WilcoxonRankSum>(table.frame(), roles, a_minus_b({{"exact", flag(true)}, {"alternative", text("greater")}}));
  EXPECT_EQ(read(exact, "statistic"), 35);
  EXPECT_NEAR(read(exact, "p"), 382.0 / 3003, 1e-15);  // 0.12721 of C(15, 5) = 3003
  const auto of_r = answer<WilcoxonRankSum>(table.frame(), roles, a_minus_b(), Match::r);
  EXPECT_NEAR(read(of_r, "p"), 764.0 / 3003, 1e-15) << "exact below 50 without ties";
  const auto plain = answer<WilcoxonRankSum>(table.frame(), roles, a_minus_b());
  EXPECT_NEAR(read(plain, "z"), 10 / std::sqrt(50.0 / 12 * 16), 1e-15);  // (35 - 25)/sqrt(m n (N + 1)/12)
  const auto of_sas = answer<WilcoxonRankSum>(table.frame(), roles, a_minus_b(), Match::sas);
  EXPECT_NEAR(read(of_sas, "z"), 9.5 / std::sqrt(50.0 / 12 * 16), 1e-15) << "with continuity correction";
}

TEST(WilcoxonRankSum, TurnsRoundWithTheDifference) {
  Table table = two({1, 2, 2, 7}, {2, 3, 3, 8, 9});
  const auto one = answer<WilcoxonRankSum>(table.frame(), roles, a_minus_b());
  const auto other = answer<WilcoxonRankSum>(table.frame(), roles, {{"difference", testing::difference("b", "a")}});
  EXPECT_EQ(read(one, "statistic") + read(other, "statistic"), 20);
  EXPECT_EQ(read(one, "z"), -read(other, "z"));
  EXPECT_EQ(read(one, "p"), read(other, "p"));
}

TEST(WilcoxonRankSum, IsNotEstimableWithoutAGroupOrWithEqualValues) {
  Table empty = two({1, 2}, {});
  for (const bool exact : {false, true}) {
    const auto got = answer<WilcoxonRankSum>(empty.frame(), roles, a_minus_b({{"exact", flag(exact)}}));
    EXPECT_TRUE(std::isnan(read(got, "statistic")) && std::isnan(read(got, "p")) && std::isnan(read(got, "z")));
    EXPECT_TRUE(has_note(got, "2 values of 'a' and 0 values of 'b': the rank-sum test is not estimable."));
  }
  Table none = two({}, {});
  EXPECT_TRUE(std::isnan(read(answer<WilcoxonRankSum>(none.frame(), roles, a_minus_b()), "p")));
  EXPECT_TRUE(std::isnan(read(answer<VanElteren>(none.frame(), stratified, a_minus_b()), "z")));
  EXPECT_TRUE(std::isnan(read(answer<HodgesLehmann>(none.frame(), roles, a_minus_b()), "estimate")));
  Table equal = two({4, 4}, {4});
  EXPECT_TRUE(std::isnan(read(answer<WilcoxonRankSum>(equal.frame(), roles, a_minus_b()), "p")));
  EXPECT_EQ(read(answer<WilcoxonRankSum>(equal.frame(), roles, a_minus_b({{"exact", flag(true)}})), "p"), 1)
      << "one possible table";
  EXPECT_TRUE(has_note(answer<VanElteren>(equal.frame(), stratified, a_minus_b()), "All values within each stratum are equal"));
}

TEST(WilcoxonRankSum, RefusesInfiniteValuesUnknownGroupsAndTooLargeExactTests) {
  Table infinite = two({1, infinity}, {2});
  EXPECT_EQ(answer<WilcoxonRankSum>(infinite.frame(), roles, a_minus_b()).error().message,
            "column 'y' holds inf: a value must be finite");
  EXPECT_EQ(answer<HodgesLehmann>(infinite.frame(), roles, a_minus_b()).error().code, Code::bad_cell);
  EXPECT_EQ(answer<WilcoxonRankSum>(infinite.frame(), roles, {{"difference", testing::difference("a", "z")}}).error().code,
            Code::unresolved);
  std::vector<double> many(600);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = double(i);
  Table large = two(many, many);
  const auto refused = answer<WilcoxonRankSum>(large.frame(), roles, a_minus_b({{"exact", flag(true)}}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::out_of_range);
  EXPECT_FALSE(refused.error().hint.empty());
  EXPECT_EQ(parse<WilcoxonRankSum>(roles).problems.front().code, Code::missing_key);
  EXPECT_EQ(
      parse<WilcoxonRankSum>({{"response", {"y"}}}, {{"exact", text("yes")}, {"alternative", text("more")}}).problems.size(), 4u);
  EXPECT_EQ(parse<VanElteren>(roles, a_minus_b()).problems.size(), 1u);
}

TEST(VanElteren, LeavesOutStrataOfOneGroup) {
  Table table;
  table.numbers("y", {1, 3, 2, 5, 9, 8})
      .category("g", {"a", "b"}, {0, 1, 0, 1, 0, 0})
      .category("h", {"s", "t"}, {0, 0, 0, 0, 1, 1});
  const auto got = answer<VanElteren>(table.frame(), stratified, a_minus_b());
  EXPECT_NEAR(read(got, "z"), -2 / std::sqrt(4.0 / 12 * 5), 1e-15);  // U = 0 of 4 in stratum s alone
  EXPECT_TRUE(has_note(got, "1 stratum with one of the two groups only is left out."));
}

TEST(HodgesLehmann, GivesMosesLimitsOrSaysThatThereAreNone) {
  Table table = two({5, 6, 7}, {1, 2, 3});
  const auto wide = answer<HodgesLehmann>(table.frame(), roles, a_minus_b());
  EXPECT_EQ(read(wide, "estimate"), 4);
  EXPECT_TRUE(std::isnan(read(wide, "lower")) && std::isnan(read(wide, "upper")));
  EXPECT_TRUE(has_note(wide, "3 and 3 values are too few for limits with a confidence of 0.95"));
  const auto narrow = answer<HodgesLehmann>(table.frame(), roles, a_minus_b({{"level", number(0.9)}}));  // P(U = 0) = 1/20
  EXPECT_EQ(read(narrow, "lower"), 2);
  EXPECT_EQ(read(narrow, "upper"), 6);
  EXPECT_TRUE(has_note(narrow, "confidence 0.9000"));
}

TEST(HodgesLehmann, IsShiftedAndScaledWithTheValues) {
  std::vector<double> a, b;
  for (int i = 0; i < 80; ++i) a.push_back((i * 37 % 101) * 0.25), b.push_back((i * 53 % 89) * 0.5);
  Table table = two(a, b);
  const auto got = answer<HodgesLehmann>(table.frame(), roles, a_minus_b());
  const auto exact = answer<HodgesLehmann>(table.frame(), roles, a_minus_b({{"exact", flag(true)}}));
  EXPECT_NEAR(read(got, "lower"), read(exact, "lower"), 1.0) << "the approximation is near at 80";
  for (double& value : a) value = value * 4 + 8;
  for (double& value : b) value *= 4;
  Table moved = two(a, b);
  const auto shifted = answer<HodgesLehmann>(moved.frame(), roles, a_minus_b());
  for (const char* quantity : {"estimate", "lower", "upper"})
    EXPECT_EQ(read(shifted, quantity), 4 * read(got, quantity) + 8) << quantity;
  Table huge = two({1e308, 1e308}, {-1e308});
  EXPECT_EQ(answer<HodgesLehmann>(huge.frame(), roles, a_minus_b()).error().code, Code::out_of_range);
}

}  // namespace
}  // namespace equipoise::stats

#include "equipoise/stats/categorical/fisher_exact.h"

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::parse, testing::read, testing::Table, testing::text;

// The lady tasting tea, Fisher (1935), The Design of Experiments, chapter 2: 3 of 4 cups right has P(X >= 3) = 17/70.
TEST(FisherExact, TastesTea) {
  EXPECT_NEAR(fisher_exact({3, 1, 1, 3}, Alternative::greater).p, 17.0 / 70, 1e-15);
  EXPECT_NEAR(fisher_exact({3, 1, 1, 3}, Alternative::two_sided).p, 34.0 / 70, 1e-15);
  EXPECT_NEAR(fisher_exact({3, 1, 1, 3}, Alternative::less).p, 69.0 / 70, 1e-15);
  // E(a) = 3 with weights 1, 16w, 36w^2, 16w^3, w^4 is w^4 - 36w^2 - 32w - 3 = 0, of slope 560 at its root 6.40832 (R 4.2.2 stops
  // at 6.40831).
  const double w = fisher_exact({3, 1, 1, 3}, Alternative::two_sided).odds_ratio;
  EXPECT_NEAR(w, 6.40832, 5e-6);
  EXPECT_NEAR(w * w * w * w - 36 * w * w - 32 * w - 3, 0, 560 * 1e-13);
}

// Criminal twins, Fisher (1962) as in R's help of fisher.test: p values of R 4.2.2, 15 digits.
TEST(FisherExact, ComparesTwins) {
  EXPECT_NEAR(fisher_exact({2, 15, 10, 3}, Alternative::two_sided).p, 0.000536724119143436, 1e-17);
  EXPECT_NEAR(fisher_exact({2, 15, 10, 3}, Alternative::less).p, 0.000465180943362905, 1e-17);
  EXPECT_NEAR(fisher_exact({2, 15, 10, 3}, Alternative::two_sided).odds_ratio, 0.0469366, 5e-8);  // half the last digit R prints
}

TEST(FisherExact, SolvesTheConditionalLikelihoodEquation) {
  // Margins (2, 2) and (2, 2): weights 1, 4w, w^2, so E(a) = (4w + 2w^2)/(1 + 4w + w^2) = 1 at w = 1.
  EXPECT_NEAR(fisher_exact({1, 1, 1, 1}, Alternative::two_sided).odds_ratio, 1, 1e-14);
  // Rows 3 and 2, first column 2: weights 1, 6w, 3w^2; E(a) = 1 gives 3w^2 = 1.
  EXPECT_NEAR(fisher_exact({1, 2, 1, 1}, Alternative::two_sided).odds_ratio, std::sqrt(1.0 / 3), 1e-14);
}

TEST(FisherExact, CountsTablesAsProbableAsThisOne) {
  // Symmetric margins: a = 1 and a = 3 are equally probable, and rounding must not part them. 16/70 + 1/70 on each side.
  EXPECT_NEAR(fisher_exact({1, 3, 3, 1}, Alternative::two_sided).p, 34.0 / 70, 1e-15);
  EXPECT_EQ(fisher_exact({2, 2, 2, 2}, Alternative::two_sided).p, 1);
}

TEST(FisherExact, HasEdges) {
  const FisherResult zero = fisher_exact({0, 5, 5, 5}, Alternative::two_sided);
  EXPECT_EQ(zero.odds_ratio, 0);
  EXPECT_TRUE(std::isinf(fisher_exact({5, 0, 5, 5}, Alternative::two_sided).odds_ratio));
  const FisherResult fixed = fisher_exact({0, 5, 0, 7}, Alternative::two_sided);
  EXPECT_EQ(fixed.p, 1);
  EXPECT_TRUE(std::isnan(fixed.odds_ratio));
  EXPECT_EQ(fisher_exact({}, Alternative::two_sided).p, 1);
}

TEST(FisherExact, TakesLargeTables) {
  // Equal shares among a million: by symmetry P(X <= a) + P(X >= a) = 1 + P(X = a), and P(X = a) is close to the normal density
  // 1/sqrt(2 pi v), v = 250000^4/(10^12 (10^6 - 1)), up to 1/v relative.
  const TwoByTwo table{250000, 250000, 250000, 250000};
  const double less = fisher_exact(table, Alternative::less).p, greater = fisher_exact(table, Alternative::greater).p;
  EXPECT_NEAR(less, greater, 1e-13);
  const double v = 500000.0 * 500000 * 500000 * 500000 / (1e12 * (1e6 - 1));
  EXPECT_NEAR((less + greater - 1) * std::sqrt(2 * std::acos(-1.0) * v), 1, 1e-5);
  EXPECT_NEAR(fisher_exact(table, Alternative::two_sided).odds_ratio, 1, 1e-12);
}

const Roles roles{{"response", {"ill"}}, {"group", {"arm"}}};

TEST(FisherExact, ReadsTheTableOfADifference) {
  Table table;  // other: 1 of 1 is left out
  table.numbers("ill", {1, 0, 0, 1, 1, 1, 0, 0, 1}).category("arm", {"b", "a", "other"}, {1, 1, 1, 0, 0, 0, 0, 1, 2});
  const auto got =
      answer<FisherExact>(table.frame(), roles, {{"difference", testing::difference("a", "b")}, {"alternative", text("less")}});
  EXPECT_DOUBLE_EQ(read(got, "p"), 17.0 / 70);  // a: 1 of 4, b: 3 of 4
  EXPECT_NEAR(read(got, "estimate") * 6.40832, 1, 1e-6);
  EXPECT_EQ(read(got, "n_events", {{"group", "a"}}), 1);
  EXPECT_EQ(read(got, "n", {{"group", "b"}}), 4);
}

TEST(FisherExact, ReadsTwoCategoriesInTheOrderOfTheirLevels) {
  Table table;
  table.category("ill", {"yes", "no"}, {0, 1, 1, 1, 0, 0, 0, 1}).category("arm", {"a", "b"}, {0, 0, 0, 0, 1, 1, 1, 1});
  const auto got = answer<FisherExact>(table.frame(), roles);
  EXPECT_DOUBLE_EQ(read(got, "p"), 34.0 / 70);
  EXPECT_TRUE(has_note(got, "Odds of 'yes' against 'no'"));
}

// By hand: 2, 1, 0 / 0, 1, 2 with column sums 2, 2, 2. Of the 20 ways to choose the first group, each of the six orders of 2, 1, 0
// has 2 and 1, 1, 1 has 8: P = 12/20.
TEST(FisherExact, TestsLargerTables) {
  Table large;
  large.category("ill", {"no", "some", "much"}, {0, 0, 1, 1, 2, 2}).category("arm", {"a", "b", "c"}, {0, 0, 0, 1, 1, 1});
  const auto got = answer<FisherExact>(large.frame(), roles);
  EXPECT_NEAR(read(got, "p"), 0.6, 1e-14);
  EXPECT_EQ(read(got, "n", {{"group", "b"}}), 3);
  EXPECT_EQ(answer<FisherExact>(large.frame(), roles, {{"alternative", text("less")}}).error().code, Code::inconsistent);
  Table one_group;
  one_group.category("ill", {"no", "some", "much"}, {0, 1, 2}).category("arm", {"a", "b", "c"}, {1, 1, 1});
  EXPECT_TRUE(std::isnan(read(answer<FisherExact>(one_group.frame(), roles), "p")));
}

TEST(FisherExact, RefusesOtherResponses) {
  Table two;
  two.numbers("ill", {1, 2}).category("arm", {"a", "b"}, {0, 1});
  EXPECT_EQ(answer<FisherExact>(two.frame(), roles, {{"difference", testing::difference("a", "b")}}).error().message,
            "column 'ill' holds 2: a response is 1 or 0");
  EXPECT_EQ(answer<FisherExact>(two.frame(), roles, {{"difference", testing::difference("a", "c")}}).error().code,
            Code::unresolved);
}

TEST(FisherExact, SaysWhatIsNotEstimable) {
  const Keys keys{{"difference", testing::difference("a", "b")}};
  Table infinite;
  infinite.numbers("ill", {1, 1, 0, 0}).category("arm", {"a", "b"}, {0, 0, 1, 1});
  const auto got = answer<FisherExact>(infinite.frame(), roles, keys);
  EXPECT_TRUE(std::isnan(read(got, "estimate")));
  EXPECT_NEAR(read(got, "p"), 1.0 / 3, 1e-15);
  EXPECT_TRUE(has_note(got, "infinite"));
  Table alone;
  alone.numbers("ill", {1, 0}).category("arm", {"a", "b"}, {0, 0});
  EXPECT_TRUE(std::isnan(read(answer<FisherExact>(alone.frame(), roles, keys), "p")));
  Table none;
  none.numbers("ill", {}).category("arm", {"a", "b"}, {});
  EXPECT_TRUE(std::isnan(read(answer<FisherExact>(none.frame(), roles, keys), "p")));
  Table no_levels;
  no_levels.category("ill", {}, {}).category("arm", {}, {});
  EXPECT_TRUE(std::isnan(read(answer<FisherExact>(no_levels.frame(), roles), "p")));
}

}  // namespace
}  // namespace equipoise::stats

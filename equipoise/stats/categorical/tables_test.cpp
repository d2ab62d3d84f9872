#include <chrono>
#include <cmath>

#include "equipoise/stats/categorical/cochran_armitage.h"
#include "equipoise/stats/categorical/fisher_table.h"
#include "equipoise/stats/categorical/mcnemar.h"
#include "equipoise/stats/categorical/pearson_chi_square.h"
#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::parse, testing::read, testing::Table, testing::text;

Contingency table_of(std::size_t rows, std::size_t columns, std::vector<std::int64_t> count) {
  return {std::vector<std::string>(rows, "r"), std::vector<std::string>(columns, "c"), std::move(count)};
}

// Job satisfaction by income, Agresti (2002), Categorical Data Analysis, p. 57, in R's help of fisher.test: p = 0.7827.
TEST(FisherTable, TestsJobSatisfaction) {
  const auto p = fisher_exact_table(table_of(4, 4, {1, 2, 1, 0, 3, 3, 6, 1, 10, 10, 14, 9, 6, 7, 12, 11}));
  ASSERT_TRUE(p);
  EXPECT_NEAR(*p, 0.7827, 5e-5);
}

// R 4.2.2: fisher.test(workspace = 2e7), 12 printed digits; two tables within a relative 1e-7 of each other count as equal there
// too.
TEST(FisherTable, TestsLargerTables) {
  const auto arms = fisher_exact_table(table_of(3, 4, {30, 25, 25, 20, 20, 30, 25, 25, 30, 30, 20, 20}));
  const auto grades = fisher_exact_table(table_of(4, 5, {8, 5, 3, 2, 0, 7, 4, 4, 2, 1, 9, 5, 2, 1, 1, 6, 6, 3, 2, 1}));
  ASSERT_TRUE(arms && grades);
  EXPECT_NEAR(*arms, 0.588165786630, 1e-10);
  EXPECT_NEAR(*grades, 0.996818024538, 1e-10);
}

TEST(FisherTable, RefusesWhatTakesTooLong) {
  std::vector<std::int64_t> even(36, 30);
  const auto p = fisher_exact_table(table_of(6, 6, even));
  ASSERT_FALSE(p);
  EXPECT_EQ(p.error().code, Code::out_of_range);
  // Three long rows: about 100000 ways to deal one column. This took minutes when sorting them counted as nothing.
  std::vector<std::int64_t> uneven(600);
  for (std::size_t i = 0; i < uneven.size(); ++i) uneven[i] = 150 + std::int64_t(37 * i % 35);
  const auto started = std::chrono::steady_clock::now();
  ASSERT_FALSE(fisher_exact_table(table_of(3, 200, uneven)));
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(60)) << "5 s on one core of 2026";
  EXPECT_EQ(*fisher_exact_table(table_of(1, 3, {1, 2, 3})), 1);
}

// By hand: 20, 10 / 5, 15 of 50 has chi-square 50 (20*15 - 10*5)^2 / (30 20 25 25) = 25/3; with Yates 50 (250 - 25)^2 / 375000
// = 6.75.
TEST(Pearson, GivesTheTextbookFormula) {
  EXPECT_NEAR(pearson_chi_square(table_of(2, 2, {20, 10, 5, 15}), false).value, 25.0 / 3, 1e-14);
  EXPECT_NEAR(pearson_chi_square(table_of(2, 2, {20, 10, 5, 15}), true).value, 6.75, 1e-14);
  EXPECT_EQ(pearson_chi_square(table_of(2, 2, {10, 10, 10, 10}), true).value, 0);
}

const Roles roles{{"response", {"y"}}, {"group", {"arm"}}};

TEST(Pearson, SaysWhatIsNotEstimable) {
  Table equal, alone, none, large;
  equal.category("y", {"0", "1"}, {0, 0, 0}).category("arm", {"a", "b"}, {0, 1, 1});
  alone.category("y", {"0", "1"}, {0, 1, 0}).category("arm", {"a", "b"}, {1, 1, 1});
  none.category("y", {}, {}).category("arm", {}, {});
  for (Table* table : {&equal, &alone, &none}) {
    const auto got = answer<PearsonChiSquare>(table->frame(), roles);
    EXPECT_TRUE(std::isnan(read(got, "chi_square")));
    EXPECT_TRUE(std::isnan(read(got, "df")));
    EXPECT_TRUE(has_note(got, "not estimable"));
  }
  large.category("y", {"0", "1", "2"}, {0, 1, 2}).category("arm", {"a", "b"}, {0, 1, 1});
  EXPECT_TRUE(has_note(answer<PearsonChiSquare>(large.frame(), roles), "6 of 6 expected counts are below 5"));
  EXPECT_EQ(answer<PearsonChiSquare>(large.frame(), roles, {{"correction", Node(true)}}).error().code, Code::inconsistent);
}

// Approval of a prime minister, Agresti (1990), p. 350, in R's help of mcnemar.test: b = 150, c = 86: 64^2/236, corrected
// 63^2/236.
TEST(McNemar, TestsApproval) {
  std::vector<std::int32_t> first, second;
  for (auto const& [one, two, count] :
       {std::tuple(0, 0, 794), std::tuple(0, 1, 150), std::tuple(1, 0, 86), std::tuple(1, 1, 570)})
    for (int i = 0; i < count; ++i) first.push_back(one), second.push_back(1 - two);  // numbered the other way round
  Table table;
  table.category("first", {"approve", "disapprove"}, first).category("second", {"disapprove", "approve"}, second);
  const Roles pair{{"first", {"first"}}, {"second", {"second"}}};
  EXPECT_NEAR(read(answer<McNemar>(table.frame(), pair), "chi_square"), 64.0 * 64 / 236, 1e-13);
  EXPECT_NEAR(read(answer<McNemar>(table.frame(), pair, {{"correction", Node(true)}}), "chi_square"), 63.0 * 63 / 236, 1e-13);
  const auto exact = answer<McNemar>(table.frame(), pair, {{"exact", Node(true)}});
  EXPECT_NEAR(read(exact, "p"), 3.71593613957e-05, 5e-17);  // R 4.2.2: binom.test(150, 236)$p.value, 12 digits
  EXPECT_NEAR(read(exact, "estimate"), 150.0 / 86, 1e-14);
  Table same, three;
  same.category("first", {"n", "y"}, {0, 1}).category("second", {"n", "y"}, {0, 1});
  EXPECT_TRUE(std::isnan(read(answer<McNemar>(same.frame(), pair), "p")));
  EXPECT_EQ(read(answer<McNemar>(same.frame(), pair, {{"exact", Node(true)}}), "p"), 1);
  three.category("first", {"n", "y"}, {0, 1}).category("second", {"n", "z"}, {0, 1});
  EXPECT_EQ(answer<McNemar>(three.frame(), pair).error().code, Code::inconsistent);
}

TEST(CochranArmitage, DoesNotDependOnTheScaleOfTheScores) {
  const std::vector<double> events{2, 3, 6}, sizes{8, 8, 8};
  // By hand: T = 19/3, V = 11/24 13/24 112/3.
  const double z = std::sqrt(69312.0 / 16016);
  EXPECT_NEAR(cochran_armitage_z(events, sizes, std::vector<double>{0, 1, 3}), z, 1e-14);
  EXPECT_NEAR(cochran_armitage_z(events, sizes, std::vector<double>{1e300, 2e300, 4e300}), z, 1e-13);
  EXPECT_NEAR(cochran_armitage_z(events, sizes, std::vector<double>{3, 2, 0}), -z, 1e-13);
  EXPECT_TRUE(std::isnan(cochran_armitage_z(events, sizes, std::vector<double>{2, 2, 2})));
  EXPECT_TRUE(std::isnan(cochran_armitage_z(std::vector<double>{0, 0, 0}, sizes, std::vector<double>{0, 1, 3})));
}

}  // namespace
}  // namespace equipoise::stats

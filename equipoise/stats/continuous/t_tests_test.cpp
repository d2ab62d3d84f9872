#include "equipoise/stats/continuous/t_tests.h"

#include <limits>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::parse, testing::read, testing::Table, testing::text;

// Extra hours of sleep, ten patients, two drugs: Cushny & Peebles (1905), the data of Student (1908), Biometrika 6, 20.
const std::vector<double> first{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
const std::vector<double> second{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
const Roles groups{{"response", {"extra"}}, {"group", {"drug"}}};

Table sleep() {
  std::vector<double> extra = first;
  extra.insert(extra.end(), second.begin(), second.end());
  std::vector<std::int32_t> drug(10, 0);
  drug.resize(20, 1);
  Table table;
  table.numbers("extra", extra).category("drug", {"1", "2", "none"}, drug);
  return table;
}
Keys two(std::string variance) {
  return {{"variance", text(std::move(variance))}, {"difference", testing::difference("1", "2")}};
}

// R 4.2.2, t.test(), 15 digits; tolerance a few units in the 15th. Student (1908) prints a mean difference of 1.58.
constexpr double digits = 5e-14;

TEST(TTest, ReproducesWelchAndStudentOnTheSleepData) {
  Table table = sleep();
  const auto welch = answer<TTest>(table.frame(), groups, two("welch"));
  EXPECT_NEAR(read(welch, "estimate"), -1.58, digits);
  EXPECT_NEAR(read(welch, "t"), -1.8608134674868531, digits);
  EXPECT_NEAR(read(welch, "df"), 17.7764735161784984, digits);
  EXPECT_NEAR(read(welch, "p"), 0.0793941401873582, digits);
  EXPECT_NEAR(read(welch, "lower"), -3.3654832307117104, digits);
  EXPECT_NEAR(read(welch, "upper"), 0.2054832307117102, digits);
  EXPECT_NEAR(read(welch, "se"), 0.8490910172387620, digits);
  const auto pooled = answer<TTest>(table.frame(), groups, two("pooled"));
  EXPECT_NEAR(read(pooled, "t"), -1.8608134674868528, digits);
  EXPECT_EQ(read(pooled, "df"), 18);
  EXPECT_NEAR(read(pooled, "p"), 0.0791867142159382, digits);
  EXPECT_NEAR(read(pooled, "lower"), -3.3638740322875984, digits);
}

TEST(TTest, ReproducesThePairedTestAndTheOneSampleTest) {
  Table pairs;
  pairs.numbers("first", first).numbers("second", second);
  const auto paired =
      answer<TTest>(pairs.frame(), {{"first", {"first"}}, {"second", {"second"}}}, {{"variance", text("paired")}});
  EXPECT_NEAR(read(paired, "t"), -4.06212768338203656, digits);
  EXPECT_NEAR(read(paired, "p"), 0.00283289019738427, digits);
  EXPECT_NEAR(read(paired, "lower"), -2.45988576327698238, digits);
  EXPECT_NEAR(read(paired, "mean"), -1.58, digits);
  EXPECT_EQ(read(paired, "n"), 10);
  const auto one = answer<TTest>(pairs.frame(), {{"response", {"first"}}}, {{"variance", text("one_sample")}});
  EXPECT_NEAR(read(one, "t"), 1.325710140713821, digits);
  EXPECT_NEAR(read(one, "p"), 0.217597780068449, digits);
  EXPECT_NEAR(read(one, "se"), 0.565734527455728, digits);
  EXPECT_NEAR(read(one, "sd"), 0.565734527455728 * std::sqrt(10.0), digits);
  const auto shifted =
      answer<TTest>(pairs.frame(), {{"response", {"first"}}}, {{"variance", text("one_sample")}, {"mu", testing::number(0.75)}});
  EXPECT_NEAR(read(shifted, "t"), 0, digits);  // the mean is 0.75
}

TEST(TTest, IsNotEstimableWithoutSpreadOrWithTooFew) {
  Table equal;
  equal.numbers("extra", {0.1, 0.1, 0.1, 0.3, 0.3}).category("drug", {"1", "2"}, {0, 0, 0, 1, 1});
  for (const char* variance : {"welch", "pooled"}) {
    const auto got = answer<TTest>(equal.frame(), groups, two(variance));
    EXPECT_NEAR(read(got, "estimate"), -0.2, 1e-16);
    for (const char* quantity : {"t", "p", "lower", "upper"})
      EXPECT_TRUE(std::isnan(read(got, quantity))) << variance << quantity;
    EXPECT_TRUE(has_note(got, "All values within a group are equal"));
  }
  Table few;
  few.numbers("extra", {1, 2, 4}).category("drug", {"1", "2"}, {0, 1, 1});
  EXPECT_TRUE(std::isnan(read(answer<TTest>(few.frame(), groups, two("welch")), "t")));
  EXPECT_TRUE(has_note(answer<TTest>(few.frame(), groups, two("welch")), "1 value of '1' and 2 of '2' are too few"));
  // The pooled test needs spread in one group only: s^2 = 2, t = (1 - 3)/sqrt(2 (1 + 1/2)), by hand.
  EXPECT_NEAR(read(answer<TTest>(few.frame(), groups, two("pooled")), "t"), -2 / std::sqrt(3.0), 1e-15);
  Table none;
  none.numbers("extra", {}).category("drug", {"1", "2"}, {});
  EXPECT_TRUE(std::isnan(read(answer<TTest>(none.frame(), groups, two("welch")), "estimate")));
  EXPECT_TRUE(std::isnan(read(answer<TTest>(none.frame(), groups, two("pooled")), "t")));
  EXPECT_TRUE(
      std::isnan(read(answer<TTest>(none.frame(), {{"response", {"extra"}}}, {{"variance", text("one_sample")}}), "mean")));
}

TEST(TTest, RefusesLevelsThatDoNotExistAndInfiniteValues) {
  Table table = sleep();
  const auto unknown =
      answer<TTest>(table.frame(), groups, {{"variance", text("welch")}, {"difference", testing::difference("1", "3")}});
  EXPECT_EQ(unknown.error().message, "'3' is not a level of column 'drug'; its levels are '1', '2' and 'none'");
  Table infinite;
  infinite.numbers("extra", {1, std::numeric_limits<double>::infinity()});
  EXPECT_EQ(answer<TTest>(infinite.frame(), {{"response", {"extra"}}}, {{"variance", text("one_sample")}}).error().code,
            Code::bad_cell);
}

TEST(TTest, DoesNotDependOnTheUnit) {
  for (const double unit : {1e200, 1e-200, 0x1p900}) {  // squares of such values leave the range of a double
    Table table, plain = sleep();
    std::vector<double> extra = first;
    extra.insert(extra.end(), second.begin(), second.end());
    for (double& value : extra) value *= unit;
    std::vector<std::int32_t> drug(10, 0);
    drug.resize(20, 1);
    table.numbers("extra", extra).category("drug", {"1", "2"}, drug);
    for (const char* variance : {"welch", "pooled"}) {
      const auto got = answer<TTest>(table.frame(), groups, two(variance)),
                 usual = answer<TTest>(plain.frame(), groups, two(variance));
      for (const char* quantity : {"t", "df", "p"})
        EXPECT_NEAR(read(got, quantity), read(usual, quantity), 1e-12) << unit << quantity;
      for (const char* quantity : {"estimate", "se", "lower", "upper"})
        EXPECT_NEAR(read(got, quantity) / unit, read(usual, quantity), 1e-13) << unit << quantity;
    }
  }
  Table opposite;
  opposite.numbers("first", {1.5e308, 1}).numbers("second", {-1.5e308, 1});
  EXPECT_EQ(answer<TTest>(opposite.frame(), {{"first", {"first"}}, {"second", {"second"}}}, {{"variance", text("paired")}})
                .error()
                .code,
            Code::out_of_range);
}

TEST(TTest, ReportsRolesThatDoNotFitItsKind) {
  EXPECT_EQ(parse<TTest>(groups).problems.front().code, Code::missing_key);  // variance
  EXPECT_EQ(parse<TTest>({{"response", {"extra"}}}, two("welch")).problems.size(), 1u);
  EXPECT_EQ(parse<TTest>(groups, {{"variance", text("paired")}}).problems.size(), 4u);  // two too few, two too many
  EXPECT_EQ(parse<TTest>(groups, {{"variance", text("welch")}}).problems.front().code, Code::missing_key);  // difference
  EXPECT_EQ(
      parse<TTest>(groups, {{"variance", text("welch")}, {"difference", testing::difference("1", "1")}}).problems.front().code,
      Code::inconsistent);
}

}  // namespace
}  // namespace equipoise::stats

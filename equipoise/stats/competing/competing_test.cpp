#include <cmath>

#include "equipoise/stats/competing/aalen_johansen.h"
#include "equipoise/stats/competing/fine_gray.h"
#include "equipoise/stats/competing/gray.h"
#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::numbers, testing::parse, testing::read, testing::Table,
    testing::text;

const Roles plain{{"time", {"time"}}, {"cause", {"cause"}}};
const Roles by_arm{{"time", {"time"}}, {"cause", {"cause"}}, {"group", {"arm"}}};

At place(std::string cause, double t) { return {{"cause", std::move(cause)}, {"time", t}}; }

/// Times 1 to 4: relapse, death, censored, relapse.
Table four() {
  Table table;
  table.numbers("time", {1, 2, 3, 4})
      .category("cause", {"0", "death", "relapse"}, {2, 1, 0, 2})
      .category("arm", {"a", "b"}, {0, 1, 0, 1});
  return table;
}

// By hand: F_relapse is 1/4 from 1 on and 1/4 + 1/2 from 4 on (survival 1/2 with one at risk); F_death is 3/4 * 1/3 = 1/4.
// Before any censoring the jackknife is that of a proportion, F (1 - F) / n. Rounding: a few units in the last place.
TEST(AalenJohansen, AgreesWithFractionsWorkedByHand) {
  Table table = four();
  const auto got = answer<AalenJohansen>(table.frame(), plain, {{"times", numbers({0.5, 1, 2, 3.5, 4, 9})}});
  EXPECT_EQ(read(got, "cumulative_incidence", place("relapse", 0.5)), 0);
  EXPECT_NEAR(read(got, "cumulative_incidence", place("relapse", 1)), 0.25, 1e-15);
  EXPECT_NEAR(read(got, "se", place("relapse", 1)), std::sqrt(0.25 * 0.75 / 4), 1e-15);
  EXPECT_NEAR(read(got, "cumulative_incidence", place("death", 2)), 0.25, 1e-15);
  EXPECT_NEAR(read(got, "cumulative_incidence", place("relapse", 4)), 0.75, 1e-15);
  EXPECT_NEAR(read(got, "cumulative_incidence", place("relapse", 9)), 0.75, 1e-15) << "nobody is left: it stays";
  EXPECT_TRUE(std::isnan(read(got, "lower", place("relapse", 0.5))));
  EXPECT_LT(read(got, "lower", place("relapse", 1)), 0.25);
}

TEST(AalenJohansen, EndsWithTheLastObservedTimeOfSomebodyCensored) {
  Table table;
  table.numbers("time", {1, 2}).category("cause", {"0", "x"}, {1, 0});
  const auto got = answer<AalenJohansen>(table.frame(), plain, {{"times", numbers({2, 3})}, {"interval", text("plain")}});
  EXPECT_NEAR(read(got, "cumulative_incidence", place("x", 2)), 0.5, 1e-15);
  EXPECT_TRUE(std::isnan(read(got, "cumulative_incidence", place("x", 3))));
  EXPECT_TRUE(has_note(got, "Beyond the last observed time"));
  Table none;
  none.numbers("time", {}).category("cause", {"0", "x"}, {});
  EXPECT_TRUE(std::isnan(
      read(answer<AalenJohansen>(none.frame(), plain, {{"times", numbers({1})}}), "cumulative_incidence", place("x", 1))));
}

TEST(GrayTest, IsNotEstimableWithoutEventsOrWithOneGroupAndRefusesAnUnknownCause) {
  Table quiet;
  quiet.numbers("time", {1, 2}).category("cause", {"0", "x", "y"}, {2, 0}).category("arm", {"a", "b"}, {0, 1});
  EXPECT_TRUE(std::isnan(read(answer<GrayTest>(quiet.frame(), by_arm, {{"cause", text("x")}}), "chi_square")));
  Table lonely;
  lonely.numbers("time", {1, 2}).category("cause", {"0", "x"}, {1, 0}).category("arm", {"a", "b"}, {0, 0});
  EXPECT_TRUE(std::isnan(read(answer<GrayTest>(lonely.frame(), by_arm, {{"cause", text("x")}}), "p")));
  Table table = four();
  const auto unknown = answer<GrayTest>(table.frame(), by_arm, {{"cause", text("accident")}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::unresolved);
  EXPECT_EQ(parse<GrayTest>(by_arm, {{"cause", text("0")}, {"rho", text("much")}}).problems.size(), 2u);
}

TEST(GrayTest, DoesNotMindOrderOfRowsAndUnits) {
  Table one, other;
  one.numbers("time", {1, 2, 3, 3, 4, 5, 6, 7})
      .category("cause", {"0", "x", "y"}, {1, 2, 1, 0, 1, 2, 1, 0})
      .category("arm", {"a", "b"}, {0, 1, 0, 1, 1, 0, 1, 0});
  other.numbers("time", {7, 6, 5, 4, 3, 3, 2, 1})
      .category("cause", {"0", "x", "y"}, {0, 1, 2, 1, 0, 1, 2, 1})
      .category("arm", {"b", "a"}, {1, 0, 1, 0, 0, 1, 0, 1});
  for (const double rho : {0.0, 1.0, -0.5}) {
    const Keys keys{{"cause", text("x")}, {"rho", testing::number(rho)}};
    const double chi_square = read(answer<GrayTest>(one.frame(), by_arm, keys), "chi_square");
    EXPECT_NEAR(chi_square, read(answer<GrayTest>(other.frame(), by_arm, keys), "chi_square"), 1e-12);
    EXPECT_GT(chi_square, 0);
  }
}

TEST(FineGray, IsNotEstimableWithoutEventsInAnArmOrWithAConstant) {
  Table table;
  table.numbers("time", {1, 2, 3, 4, 5, 6})
      .category("cause", {"0", "x", "y"}, {1, 1, 2, 2, 0, 2})
      .category("arm", {"a", "b"}, {0, 0, 0, 1, 1, 1})
      .numbers("one", std::vector<double>(6, 1.0));
  const auto got = answer<FineGray>(
      table.frame(), plain,
      {{"cause", text("x")}, {"formula", text("arm + one")}, {"levels", testing::table({{"arm", testing::texts({"a", "b"})}})}});
  EXPECT_TRUE(std::isnan(read(got, "hazard_ratio", testing::term("arm", "b"))));
  EXPECT_TRUE(std::isnan(read(got, "estimate", testing::term("one"))));
  EXPECT_TRUE(has_note(got, "grows for ever"));
  EXPECT_TRUE(has_note(got, "one: constant"));
}

}  // namespace
}  // namespace equipoise::stats

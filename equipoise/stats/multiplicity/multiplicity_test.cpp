#include "equipoise/stats/multiplicity/multiplicity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Keys;
using testing::number;
using testing::numbers;
using testing::parse;
using testing::read;
using testing::text;

At index(double i) { return {{"index", i}}; }
Node list(Node::Array elements) { return Node(Node::Value(std::move(elements))); }

std::vector<std::string> messages(Problems const& problems) {
  std::vector<std::string> out;
  for (Error const& problem : problems) out.push_back(problem.message);
  return out;
}

TEST(MultipleTest, DecidesAtAlpha) {
  const auto got = answer<Holm>({}, {}, {{"p", numbers({0.03, 0.01})}, {"alpha", number(0.02)}});
  EXPECT_EQ(read(got, "adjusted_p", index(1)), 0.03);
  EXPECT_EQ(read(got, "adjusted_p", index(2)), 0.02);
  EXPECT_EQ(read(got, "rejected", index(1)), 0);
  EXPECT_EQ(read(got, "rejected", index(2)), 1);  // adjusted p = alpha
  EXPECT_FALSE(got->read("adjusted_p", index(3)));
}

TEST(MultipleTest, SaysWhichPValueIsNotEstimable) {
  const auto got = answer<Hommel>({}, {}, {{"p", list({number(0.01), text("NE")})}});
  EXPECT_EQ(read(got, "adjusted_p", index(1)), 0.02);
  EXPECT_TRUE(std::isnan(read(got, "adjusted_p", index(2))));
  EXPECT_EQ(read(got, "rejected", index(2)), 0);
  EXPECT_TRUE(testing::has_note(got, "The p value of hypothesis 2 is not estimable"));
}

TEST(MultipleTest, ReportsEveryProblemOfItsOptions) {
  EXPECT_THAT(messages(parse<Hochberg>(
                           {{"time", {"t"}}},
                           {{"alpha", number(1)}, {"p", list({number(1.5), text("na"), number(0)})}, {"weights", numbers({1})}})
                           .problems),
              ElementsAre("hochberg has no role 'time'", HasSubstr("'alpha' in the test must be above 0 and below 1"),
                          "'p' in the test must be numbers at least 0 and at most 1 or \"NE\", and has 1.5",
                          "'p' in the test must be numbers at least 0 and at most 1 or \"NE\", and has 'na'",
                          HasSubstr("no key 'weights'")));
  EXPECT_THAT(messages(parse<Bonferroni>({}, {}).problems), ElementsAre("the test needs the key 'p'"));
  EXPECT_THAT(messages(parse<Bonferroni>({}, {{"p", numbers({})}}).problems), ElementsAre("the test has no hypothesis"));
  EXPECT_THAT(messages(parse<Bonferroni>({}, {{"p", number(0.1)}}).problems), ElementsAre(HasSubstr("and has a number")));
  EXPECT_THAT(messages(parse<Holm>({}, {{"p", numbers({0.1})}, {"estimates", numbers({1})}}).problems),
              ElementsAre(HasSubstr("'estimates' in the test is given beside p values")));
  EXPECT_THAT(messages(parse<Holm>({}, {{"estimates", numbers({1, 2})}, {"standard_errors", numbers({1})}}).problems),
              ElementsAre("the test has 2 estimates, 1 standard errors and 2 degrees of freedom"));
  EXPECT_THAT(
      messages(
          parse<Holm>({}, {{"estimates", numbers({1e300, 1e300})}, {"standard_errors", numbers({1e-300, 1e-300})}}).problems),
      ElementsAre(HasSubstr("estimate 1 of"), HasSubstr("estimate 2 of")));
}

TEST(MultipleTest, ReportsEveryProblemOfAGraph) {
  const Keys keys{
      {"p", numbers({0.1, 0.2})}, {"weights", numbers({0.7, 0.7})}, {"transitions", list({numbers({0.5, 0}), numbers({1, 0})})}};
  EXPECT_THAT(messages(parse<Graphical>({}, keys).problems),
              ElementsAre(HasSubstr("the weights add up to 1.4"), HasSubstr("hypothesis 1 passes a share to itself")));
  EXPECT_THAT(messages(parse<Graphical>({}, {{"p", numbers({0.1, 0.2})}}).problems),
              ElementsAre("the test needs the key 'weights'", "the test needs the key 'transitions'"));
  EXPECT_THAT(messages(parse<Graphical>({}, {{"weights", numbers({1})}, {"transitions", list({list({text("eps")})})}}).problems),
              ElementsAre("the test needs the key 'p'", HasSubstr("has 'eps'")));
  EXPECT_THAT(messages(parse<Graphical>(
                           {}, {{"p", numbers({0.1, 0.2})}, {"weights", numbers({1})}, {"transitions", list({numbers({0})})}})
                           .problems),
              ElementsAre(HasSubstr("there are 1 weights for 2 hypotheses")));
}

TEST(MultipleTest, HasNoLimitWithoutWeight) {
  // A gate that stays shut: nothing is said of the second effect.
  const auto got = answer<Graphical>({}, {},
                                     {{"estimates", numbers({1, 9})},
                                      {"standard_errors", numbers({1, 1})},
                                      {"weights", numbers({1, 0})},
                                      {"transitions", list({list({number(0), number(1)}), list({number(0), number(0)})})}});
  EXPECT_EQ(read(got, "rejected", index(2)), 0);
  EXPECT_EQ(read(got, "lower", index(2)), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(read(got, "upper", index(2)), std::numeric_limits<double>::infinity());
  EXPECT_NEAR(read(got, "lower", index(1)), 1 - 1.959963984540054, 1e-14);  // qnorm(0.975)
}

TEST(MultipleTest, GivesNoLimitsWhereNoneAgree) {
  // Holm at 0.1: p = 0.0027 and 0.0801 are both rejected, in opposite directions.
  const auto got =
      answer<Holm>({}, {}, {{"estimates", numbers({3, -1.75})}, {"standard_errors", numbers({1, 1})}, {"alpha", number(0.1)}});
  EXPECT_EQ(read(got, "rejected", index(1)), 1);
  EXPECT_EQ(read(got, "rejected", index(2)), 1);
  for (const double i : {1.0, 2.0}) {
    EXPECT_TRUE(std::isnan(read(got, "lower", index(i))));
    EXPECT_TRUE(std::isnan(read(got, "upper", index(i))));
  }
  EXPECT_TRUE(testing::has_note(got, "point both ways"));
}

TEST(MultipleTest, RefusesMoreHypothesesThanItCanTest) {
  const auto got = answer<Hommel>({}, {}, {{"p", numbers(std::vector<double>(20'001, 0.5))}});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message, "hommel takes at most 20000 hypotheses, and there are 20001");
  EXPECT_TRUE(answer<Holm>({}, {}, {{"p", numbers(std::vector<double>(20'001, 0.5))}}));
}

}  // namespace
}  // namespace equipoise::stats

#include "equipoise/stats/survival/restricted_mean.h"

#include <cmath>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::difference, testing::has_note, testing::Keys, testing::leukaemia, testing::number, testing::parse,
    testing::read, testing::Table, testing::text;

const Roles all{{"time", {"time"}}, {"event", {"event"}}};
const Roles by_arm{{"time", {"time"}}, {"event", {"event"}}, {"group", {"arm"}}};

// Times 1, 2+, 3, 4+ (+ censored): S = 3/4 from 1, 3/8 from 3. To tau = 4: 1 + 2 * 3/4 + 3/8 = 23/8.
// A_1 = 15/8 with d/(n(n - d)) = 1/12, A_3 = 3/8 with 1/2: variance 225/768 + 9/128 = 279/768.
TEST(RestrictedMean, AgreesWithFractionsWorkedByHand) {
  Table table;
  table.numbers("time", {1, 2, 3, 4}).numbers("event", {1, 0, 1, 0});
  const auto got = answer<Rmst>(table.frame(), all, {{"tau", number(4)}});
  EXPECT_NEAR(read(got, "estimate"), 23.0 / 8, 1e-15);
  EXPECT_NEAR(read(got, "se"), std::sqrt(279.0 / 768), 1e-15);
  EXPECT_NEAR(read(got, "upper"), 23.0 / 8 + 1.959963984540054 * std::sqrt(279.0 / 768), 1e-14);
  const auto earlier = answer<Rmst>(table.frame(), all, {{"tau", number(2.5)}});  // 1 + 1.5 * 3/4; A_1 = 9/8
  EXPECT_NEAR(read(earlier, "estimate"), 17.0 / 8, 1e-15);
  EXPECT_NEAR(read(earlier, "se"), 9.0 / 8 / std::sqrt(12.0), 1e-15);
}

TEST(RestrictedMean, IsTheMeanWithoutCensoring) {
  Table table;
  table.numbers("time", {1, 2, 4, 7, 9}).numbers("event", {1, 1, 1, 1, 1});
  const auto got = answer<Rmst>(table.frame(), all, {{"tau", number(7.5)}});
  EXPECT_NEAR(read(got, "estimate"), (1 + 2 + 4 + 7 + 7.5) / 5, 1e-15);
  // Greenwood's variance is then that of the sample of min(time, tau), divisor n, over n.
  double squares = 0;
  for (const double t : {1.0, 2.0, 4.0, 7.0, 7.5}) squares += (t - 4.3) * (t - 4.3);
  EXPECT_NEAR(read(got, "se"), std::sqrt(squares) / 5, 1e-14);
  const auto long_after = answer<Rmst>(table.frame(), all, {{"tau", number(1000)}});
  EXPECT_NEAR(read(long_after, "estimate"), 23.0 / 5, 1e-12);  // the curve is 0 from 9 on: no note
  EXPECT_FALSE(has_note(long_after, "last observed time"));
}

TEST(RestrictedMean, SaysWhenTheCurveIsCarriedOn) {
  Table table = leukaemia();
  const auto got = answer<Rmst>(table.frame(), by_arm, {{"tau", number(36)}});
  EXPECT_TRUE(has_note(got, "The last observed time of arm '6-MP' is censored and comes before tau 36"));
  const auto within = answer<Rmst>(table.frame(), by_arm, {{"tau", number(35)}});
  EXPECT_FALSE(has_note(within, "last observed time"));
}

TEST(RestrictedMean, HasNoVarianceWithoutEvents) {
  Table table;
  table.numbers("time", {5, 6, 7}).numbers("event", {0, 0, 0}).category("arm", {"a", "b", "c"}, {0, 0, 1});
  const auto got = answer<Rmst>(table.frame(), by_arm, {{"tau", number(4)}});
  EXPECT_EQ(read(got, "estimate", {{"group", std::string("a")}}), 4);
  EXPECT_EQ(read(got, "se", {{"group", std::string("a")}}), 0);
  EXPECT_TRUE(has_note(got, "in arm 'a' and 'b': the standard error is 0"));
  EXPECT_TRUE(std::isnan(read(got, "estimate", {{"group", std::string("c")}})));
  EXPECT_TRUE(has_note(got, "Nobody in arm 'c'"));
  Table none;
  none.numbers("time", {}).numbers("event", {});
  EXPECT_TRUE(std::isnan(read(answer<Rmst>(none.frame(), all, {{"tau", number(4)}}), "estimate")));
}

TEST(RestrictedMean, ScalesWithTimeWithoutOverflow) {
  Table small = leukaemia(), large;
  Frame const& frame = small.frame();
  std::vector<double> time(frame.numbers("time").begin(), frame.numbers("time").end());
  for (double& t : time) t *= std::ldexp(1, 900);
  CategoriesView const& arm = frame.categories("arm");
  large.numbers("time", time)
      .numbers("event", {frame.numbers("event").begin(), frame.numbers("event").end()})
      .category("arm", {"6-MP", "placebo"}, {arm.codes.begin(), arm.codes.end()});
  const Keys keys{{"difference", difference("6-MP", "placebo")}};
  Keys a = keys, b = keys;
  a.emplace_back("tau", number(20)), b.emplace_back("tau", number(std::ldexp(20, 900)));
  const auto one = answer<RmstDifference>(frame, by_arm, a), other = answer<RmstDifference>(large.frame(), by_arm, b);
  EXPECT_EQ(std::ldexp(read(other, "estimate"), -900), read(one, "estimate"));  // powers of two: not a bit differs
  EXPECT_EQ(std::ldexp(read(other, "se"), -900), read(one, "se"));
  EXPECT_EQ(read(other, "p"), read(one, "p"));
}

TEST(RmstDifference, IsTheDifferenceAndTheRatioOfTheTwo) {
  Table table = leukaemia();
  const auto means = answer<Rmst>(table.frame(), by_arm, {{"tau", number(20)}});
  const auto got =
      answer<RmstDifference>(table.frame(), by_arm, {{"tau", number(20)}, {"difference", difference("6-MP", "placebo")}});
  const At a{{"group", std::string("6-MP")}}, b{{"group", std::string("placebo")}};
  EXPECT_NEAR(read(got, "estimate"), read(means, "estimate", a) - read(means, "estimate", b), 1e-14);
  EXPECT_NEAR(read(got, "se"), std::hypot(read(means, "se", a), read(means, "se", b)), 1e-14);
  EXPECT_NEAR(read(got, "rmst_ratio"), read(means, "estimate", a) / read(means, "estimate", b), 1e-14);
  const auto turned =
      answer<RmstDifference>(table.frame(), by_arm, {{"tau", number(20)}, {"difference", difference("placebo", "6-MP")}});
  EXPECT_EQ(read(turned, "estimate"), -read(got, "estimate"));
  EXPECT_EQ(read(turned, "p"), read(got, "p"));
  EXPECT_NEAR(read(turned, "rmst_ratio_lower") * read(got, "rmst_ratio_upper"), 1, 1e-14);
}

TEST(RmstDifference, HasNoPWithoutVarianceAndNoRatioWithoutTime) {
  Table sure;  // everybody in a at 2, everybody in b at 3
  sure.numbers("time", {2, 2, 3, 3}).numbers("event", {1, 1, 1, 1}).category("arm", {"a", "b"}, {0, 0, 1, 1});
  const Keys keys{{"tau", number(5)}, {"difference", difference("a", "b")}};
  const auto got = answer<RmstDifference>(sure.frame(), by_arm, keys);
  EXPECT_EQ(read(got, "estimate"), -1);
  EXPECT_TRUE(std::isnan(read(got, "p")));
  EXPECT_TRUE(has_note(got, "P is not estimable"));
  Table at_once;
  at_once.numbers("time", {0, 0, 3, 4}).numbers("event", {1, 1, 1, 1}).category("arm", {"a", "b"}, {0, 0, 1, 1});
  const auto zero = answer<RmstDifference>(at_once.frame(), by_arm, keys);
  EXPECT_EQ(read(zero, "estimate"), -3.5);
  EXPECT_TRUE(std::isnan(read(zero, "rmst_ratio")));
  Table one;
  one.numbers("time", {1, 2}).numbers("event", {1, 1}).category("arm", {"a", "b"}, {0, 0});
  EXPECT_TRUE(std::isnan(read(answer<RmstDifference>(one.frame(), by_arm, keys), "estimate")));
}

TEST(RmstDifference, ReportsEveryWrongOption) {
  EXPECT_EQ(parse<RmstDifference>(by_arm).problems.size(), 2u);  // tau, difference
  EXPECT_EQ(parse<RmstDifference>(by_arm, {{"tau", number(0)}, {"difference", difference("a", "a")}, {"level", number(95)}})
                .problems.size(),
            3u);
  EXPECT_EQ(parse<Rmst>(all, {{"tau", number(INFINITY)}}).problems.size(), 1u);
}

}  // namespace
}  // namespace equipoise::stats

#include "equipoise/stats/survival/reverse_kaplan_meier.h"

#include <cmath>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::leukaemia, testing::number, testing::numbers, testing::parse, testing::read,
    testing::Table, testing::text;

const Roles by_arm{{"time", {"time"}}, {"event", {"event"}}, {"group", {"arm"}}};
const Roles all{{"time", {"time"}}, {"event", {"event"}}};

// Times 1 (event), 2 (censored), 2 (event), 3 (censored): follow-up ends at 2, one of three at risk, and at 3, one of one.
TEST(ReverseKaplanMeier, TakesCensoringForTheEvent) {
  Table table;
  table.numbers("time", {1, 2, 2, 3}).numbers("event", {1, 0, 1, 0});
  const auto got = answer<ReverseKaplanMeier>(table.frame(), all, {{"times", numbers({1, 2, 3})}});
  EXPECT_EQ(read(got, "survival", {{"time", 1.0}}), 1);
  EXPECT_NEAR(read(got, "survival", {{"time", 2.0}}), 2.0 / 3, 1e-15);  // who has the event at 2 is still at risk of the end then
  EXPECT_EQ(read(got, "survival", {{"time", 3.0}}), 0);
  EXPECT_EQ(read(got, "n_events"), 2);
  EXPECT_EQ(read(got, "quantile", {{"prob", 0.5}}), 3);
  EXPECT_TRUE(has_note(got, "The curve is that of follow-up"));
}

TEST(ReverseKaplanMeier, GivesTheCurveAnotherName) {
  Table table = leukaemia();
  const auto got = answer<ReverseKaplanMeier>(table.frame(), by_arm);
  ASSERT_TRUE(got);
  ASSERT_EQ(got->series.size(), 2u);
  for (Series const& series : got->series) {
    EXPECT_EQ(series.quantity, "follow_up");
    for (auto const& [name, values] : series.columns) EXPECT_NE(name, "survival");
  }
  // Nobody under placebo is censored: the time of follow-up of these is not known at all.
  EXPECT_EQ(read(got, "n_events", {{"group", std::string("placebo")}}), 0);
  EXPECT_TRUE(std::isnan(read(got, "quantile", {{"group", std::string("placebo")}, {"prob", 0.5}})));
}

TEST(ReverseKaplanMeier, RefusesWhatTheOtherRefuses) {
  Table table;
  table.numbers("time", {1, 2}).numbers("event", {1, 2});
  const auto got = answer<ReverseKaplanMeier>(table.frame(), all);
  ASSERT_FALSE(got);
  EXPECT_NE(got.error().message.find("holds 2"), std::string::npos) << got.error().message;
  const auto wrong = parse<ReverseKaplanMeier>({{"time", {"t"}}, {"strata", {"s"}}}, {{"interval", text("wald")}});
  EXPECT_FALSE(wrong.method);
  ASSERT_EQ(wrong.problems.size(), 3u);  // no event, strata, and the word
  for (Error const& error : wrong.problems) EXPECT_NE(error.message.substr(0, 13), "kaplan_meier ") << error.message;
}

}  // namespace
}  // namespace equipoise::stats

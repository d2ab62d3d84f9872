#include "equipoise/report/svg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace equipoise::report::svg {
namespace {

using ::testing::ElementsAre;

TEST(TextWidth, AddsAdvanceWidths) {
  EXPECT_DOUBLE_EQ(text_width("", 10), 0);
  EXPECT_NEAR(text_width("AV", 1000), 684 + 684, 1e-9);  // hmtx of DejaVuSans.ttf 2.37: A and V are 1401 of 2048 units each
  EXPECT_NEAR(text_width("100%", 10), 10 * (3 * 0.636 + 0.95), 1e-9);
  EXPECT_GT(text_width("Placebo", 13, Weight::bold), text_width("Placebo", 13));
}

TEST(TextWidth, GivesCjkOneEmAndCombiningMarksNothing) {
  EXPECT_DOUBLE_EQ(text_width("安慰剂", 12), 36);
  EXPECT_DOUBLE_EQ(text_width("e\u0301", 12), text_width("e", 12));
  EXPECT_GT(text_width("\xff", 12), 0);  // a broken byte shows as U+FFFD
}

TEST(Wrapped, BreaksAtBlanksAndKeepsEveryWord) {
  EXPECT_THAT(wrapped("Lost to follow-up", 1000, 12), ElementsAre("Lost to follow-up"));
  for (auto const& line : wrapped("Umbilical-cord mesenchymal stem cells by infusion", 120, 12))
    EXPECT_LE(text_width(line, 12), 120) << line;
  EXPECT_THAT(wrapped("", 100, 12), ElementsAre(""));
  EXPECT_THAT(wrapped("   ", 100, 12), ElementsAre(""));
}

TEST(Wrapped, BreaksALongWordAndChineseAnywhere) {
  std::string rejoined;
  for (auto const& line : wrapped(std::string(200, 'x'), 100, 12)) {
    EXPECT_LE(text_width(line, 12), 100);
    rejoined += line;
  }
  EXPECT_EQ(rejoined, std::string(200, 'x'));
  EXPECT_THAT(wrapped("间充质干细胞治疗", 48, 12), ElementsAre("间充质干", "细胞治疗"));
}

TEST(TicksBetween, AreRoundAndInside) {
  EXPECT_THAT(ticks_between(-12, 48, 8), ElementsAre(-10, 0, 10, 20, 30, 40));
  EXPECT_THAT(ticks_between(0.12, 0.31, 5), ElementsAre(0.15, 0.2, 0.25, 0.3));  // decimal numbers, not sums of 0.05
  EXPECT_THAT(ticks_between(2.5e6, 8.1e6, 4), ElementsAre(4e6, 6e6, 8e6));
  EXPECT_THAT(ticks_between(3, 3, 5), ElementsAre());
  EXPECT_THAT(ticks_between(0, std::nan(""), 5), ElementsAre());
  for (const double size : {1e-12, 1e-3, 1.0, 7.0, 1e9, 1e300}) {
    const auto ticks = ticks_between(-0.3 * size, size, 6);
    EXPECT_LE(ticks.size(), 6u) << size;
    EXPECT_GE(ticks.size(), 2u) << size;
    EXPECT_NE(std::find(ticks.begin(), ticks.end(), 0.0), ticks.end()) << size;
  }
}

TEST(TimeAxis, CountsDaysThenMonthsThenYears) {
  const TimeAxis days = time_axis(388, 30.4375);
  EXPECT_EQ(days.unit, TimeAxis::Unit::days);
  EXPECT_THAT(days.labels, ElementsAre(0, 60, 120, 180, 240, 300, 360));
  const TimeAxis months = time_axis(1100, 30.4375);  // 36.1 months
  EXPECT_EQ(months.unit, TimeAxis::Unit::months);
  EXPECT_THAT(months.labels, ElementsAre(0, 6, 12, 18, 24, 30, 36));
  EXPECT_DOUBLE_EQ(months.days[2], 365.25);
  EXPECT_EQ(time_axis(9000, 30.4375).unit, TimeAxis::Unit::years);
}

TEST(TimeAxis, HasFewTicksWhateverTheHorizon) {
  for (const double horizon :
       {0.0, -1.0, 1e-3, 0.5, 1.0, 3.0, 8.0, 29.0, 365.0, 799.0, 801.0, 3652.0, 3700.0, 1e5, 1e9, 1e300, std::nan("")}) {
    const TimeAxis axis = time_axis(horizon, 30.4375);
    EXPECT_LE(axis.days.size(), 9u) << horizon;
    ASSERT_GE(axis.days.size(), 1u) << horizon;
    EXPECT_EQ(axis.days[0], 0);
    if (horizon > 0) {
      EXPECT_LE(axis.days.back(), horizon * (1 + 1e-9)) << horizon;
    }
  }
}

TEST(StepPath, GoesAcrossThenDown) {
  const std::array<Point, 3> points = {{{0, 10}, {5, 20}, {9, 20}}};
  EXPECT_EQ(step_path(points), "M0 10H5V20H9");
  EXPECT_EQ(step_path({}), "");
}

TEST(StepBand, IsSteppedOnBothSides) {
  const std::array<Point, 3> upper = {{{0, 1}, {5, 2}, {9, 2}}}, lower = {{{0, 3}, {5, 6}, {9, 6}}};
  // forth along the upper limit, back along the lower one: at x = 5 the lower limit rises from 6 to 3
  EXPECT_EQ(step_band(upper, lower), "M0 1H5V2H9V6H5V3H0Z");
  EXPECT_EQ(step_band(std::span(upper).first(1), std::span(lower).first(1)), "");
}

TEST(PushedApart, MovesNothingThatDoesNotOverlap) {
  const std::array wanted = {10.0, 50.0}, heights = {20.0, 20.0};
  EXPECT_THAT(pushed_apart(wanted, heights, 0, 100), ElementsAre(10, 50));
}

TEST(PushedApart, KeepsOrderDistanceAndFrame) {
  const std::array wanted = {99.0, 99.0, 98.0, 5.0}, heights = {20.0, 20.0, 20.0, 20.0};
  const auto centres = pushed_apart(wanted, heights, 0, 100);
  EXPECT_THAT(centres, ElementsAre(70, 90, 50, 10));  // 98 goes above the two of 99; the lowest ends at the frame
}

TEST(Coordinate, HasNoTailAndNoNegativeZero) {
  EXPECT_EQ(coordinate(1.0), "1");
  EXPECT_EQ(coordinate(1.25), "1.25");
  EXPECT_EQ(coordinate(-0.001), "0");
  EXPECT_EQ(coordinate(100), "100");
  EXPECT_EQ(coordinate(std::nan("")), "0");
}

TEST(Figure, IsAnImageWithAName) {
  const std::string svg = figure(100, 50, "A <name>", "", "").bytes();
  EXPECT_THAT(svg, ::testing::HasSubstr("role=\"img\" aria-label=\"A &lt;name&gt;\""));
  EXPECT_THAT(svg, ::testing::HasSubstr("<title>A &lt;name&gt;</title>"));
  EXPECT_THAT(svg, ::testing::Not(::testing::HasSubstr("watermark")));
  EXPECT_THAT(figure(100, 50, "x", "SIMULATED", "").bytes(), ::testing::HasSubstr(">SIMULATED</text>"));
}

}  // namespace
}  // namespace equipoise::report::svg

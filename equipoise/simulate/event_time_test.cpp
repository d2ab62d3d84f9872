#include "equipoise/simulate/event_time.h"

#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/protocol/toml.h"
#include "equipoise/simulate/testing.h"

namespace equipoise::simulate {
namespace {

EventTime read(std::string const& text) {
  static const protocol::Protocol protocol = testing::SmallTrial{.scenario = R"(model = "cd4_homeostasis")"}.protocol();
  auto document = protocol::read_toml(text, "e.toml");
  Problems problems;
  Section section(*document, "the event", problems);
  auto time = EventTime::parse(protocol, section);
  for (Error const& error : problems) ADD_FAILURE() << to_string(error);
  return time ? *time : EventTime::constant({0, 0});
}

TEST(EventTime, PiecesAddUpTheirHazards) {
  // 0.5 a year for 26 weeks, then 0.25; the second arm 0.4 of it from week 13 on.
  const EventTime time = read("per_year = [0.5, 0.25]\nfrom_weeks = [0, 26]\nhazard_ratio = { active = 0.4, from_weeks = 13 }");
  const double year = 365.25;
  EXPECT_NEAR(time.cumulative_hazard(0, 364), 0.5 * 182 / year + 0.25 * 182 / year, 1e-14);
  EXPECT_NEAR(time.cumulative_hazard(1, 364), 0.5 * 91 / year + 0.4 * (0.5 * 91 + 0.25 * 182) / year, 1e-14);
  for (std::size_t arm : {0, 1})
    for (double day : {1.0, 91.0, 100.0, 182.0, 300.0, 2000.0})
      EXPECT_NEAR(time.day(arm, time.cumulative_hazard(arm, day)), day, 1e-9 * day);
}

TEST(EventTime, WeibullHasItsMedianAndShape) {
  const EventTime time = read("median_weeks = 40\nshape = 1.5\nhazard_ratio = { active = 0.5 }");
  EXPECT_NEAR(time.day(0, std::log(2)), 280, 1e-10);
  EXPECT_NEAR(time.cumulative_hazard(0, 140), std::log(2) * std::pow(0.5, 1.5), 1e-14);
  // Proportional hazards r move the median of a Weibull by r^(-1 / shape).
  EXPECT_NEAR(time.day(1, std::log(2)), 280 * std::pow(2, 1 / 1.5), 1e-9);
}

TEST(EventTime, NeverComesWithoutAHazard) {
  EXPECT_EQ(EventTime::constant({0.0}).day(0, 0.1), std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace equipoise::simulate

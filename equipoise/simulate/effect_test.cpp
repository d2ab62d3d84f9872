#include "equipoise/simulate/effect.h"

#include <gmock/gmock.h>

#include <cmath>

#include "equipoise/protocol/toml.h"
#include "equipoise/simulate/testing.h"

namespace equipoise::simulate {
namespace {

Effect read(std::string const& text, Problems& problems) {
  static const protocol::Protocol protocol = testing::SmallTrial{.scenario = R"(model = "cd4_homeostasis")"}.protocol();
  const auto document = protocol::read_toml(text, "e.toml");
  return Effect::parse(protocol, Section(*document, "the effect", problems));
}

/// Of dose 20.
double full(std::string const& text) {
  Problems problems;
  const Effect effect = read(text, problems);
  EXPECT_TRUE(problems.empty()) << to_string(problems[0]);
  EXPECT_EQ(effect.full()[0], 0.0) << "dose 0 has no effect: " << text;
  return effect.full()[1];
}

TEST(Effect, HasTheShapesOfDoseResponse) {
  EXPECT_DOUBLE_EQ(full("active = 3"), 3);
  EXPECT_DOUBLE_EQ(full("shape = \"linear\"\nslope = 0.5"), 10);
  EXPECT_DOUBLE_EQ(full("shape = \"emax\"\nemax = 12\ned50 = 5"), 12 * 20 / 25.0);
  EXPECT_DOUBLE_EQ(full("shape = \"sigmoid_emax\"\nemax = 12\ned50 = 10\nh = 3"), 12 * 8000.0 / 9000);
  EXPECT_DOUBLE_EQ(full("shape = \"quadratic\"\nb1 = 1\nb2 = -0.02"), 20 - 8);
  EXPECT_DOUBLE_EQ(full("shape = \"exponential\"\ne1 = 2\ndelta = 10"), 2 * (std::exp(2) - 1));
  EXPECT_NEAR(full("shape = \"logistic\"\nemax = 10\ned50 = 15\ndelta = 4"),
              10 / (1 + std::exp(-1.25)) - 10 / (1 + std::exp(3.75)), 1e-14);
  EXPECT_DOUBLE_EQ(full("shape = \"step\"\nemax = 7\nthreshold = 20"), 7);
  EXPECT_DOUBLE_EQ(full("shape = \"step\"\nemax = 7\nthreshold = 20.5"), 0);
}

TEST(Effect, RisesToItsOnsetAndWanes) {
  Problems problems;
  const Effect effect = read("active = 3\nonset_weeks = 10\nhalf_life_weeks = 4", problems);
  EXPECT_EQ(effect.course(-3), 0);
  EXPECT_EQ(effect.course(0), 0);
  EXPECT_DOUBLE_EQ(effect.course(7), 0.1);
  EXPECT_DOUBLE_EQ(effect.course(70), 1);
  EXPECT_DOUBLE_EQ(effect.course(98), 0.5);
  const Effect at_once = read("active = 3", problems);
  EXPECT_EQ(at_once.course(1), 1);
  EXPECT_EQ(at_once.course(0), 0);
  EXPECT_EQ(at_once.course(1000), 1);
}

TEST(Effect, RefusesWhatAShapeLacks) {
  Problems problems;
  read("shape = \"emax\"\nemax = 3\ned5 = 1", problems);
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_THAT(problems[0].message, ::testing::HasSubstr("'ed50'"));
  EXPECT_THAT(problems[1].message, ::testing::HasSubstr("the effect has no key 'ed5'"));
}

}  // namespace
}  // namespace equipoise::simulate

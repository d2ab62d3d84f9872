#include "equipoise/analysis/back_transform.h"

#include <gtest/gtest.h>

#include <cmath>

namespace equipoise::analysis {
namespace {

protocol::Endpoint on(std::string transform, protocol::EndpointKind kind = protocol::EndpointKind::continuous) {
  protocol::Endpoint endpoint;
  endpoint.kind = kind, endpoint.transform = std::move(transform);
  return endpoint;
}

TEST(BackTransformed, MakesARatioOfADifferenceOfLogarithms) {
  const Finding difference{.quantity = "estimate",
                           .at = {{"level", "b"}, {"minus", "a"}},
                           .value = std::log(2.0),
                           .se = 0.1,
                           .lower = std::log(1.5),
                           .upper = std::log(3.0),
                           .level = 0.95,
                           .p = 0.04};
  const auto ratio = back_transformed(difference, on("log"), "t_test", false);
  ASSERT_TRUE(ratio);
  EXPECT_EQ(ratio->quantity, "geometric_mean_ratio");
  EXPECT_EQ(ratio->at, difference.at);
  const double rounding = 1e-15;  // one logarithm and one exponential of numbers near 1
  EXPECT_NEAR(ratio->value, 2.0, 2 * rounding);
  EXPECT_NEAR(*ratio->lower, 1.5, 2 * rounding);
  EXPECT_NEAR(*ratio->upper, 3.0, 3 * rounding);
  EXPECT_EQ(ratio->p, 0.04);
  EXPECT_FALSE(ratio->se);
  EXPECT_EQ(ratio->scale, Scale::log);
}

TEST(BackTransformed, MakesAGeometricMeanOfAMeanWithoutItsTestOfZero) {
  const Finding mean{.quantity = "estimate", .value = std::log(180.0), .p = 1e-9};
  const auto geometric = back_transformed(mean, on("log"), "t_test", true);
  ASSERT_TRUE(geometric);
  EXPECT_EQ(geometric->quantity, "geometric_mean");
  EXPECT_NEAR(geometric->value, 180.0, 1e-13);  // relative 1e-15, times 180
  EXPECT_FALSE(geometric->p);                   // P is that of a geometric mean of 1, which nobody asked
}

TEST(BackTransformed, SquaresAMeanOfRootsAndLeavesADifferenceThere) {
  const Finding mean{.quantity = "estimate",
                     .at = {{"lsmean", Term{{"arm", "b"}, {"visit", "w48"}}}},
                     .value = 12.0,
                     .se = 0.5,
                     .lower = 11.0,
                     .upper = 13.0,
                     .level = 0.95,
                     .n = 20};
  const auto square = back_transformed(mean, on("sqrt"), "mmrm", false),
             fourth = back_transformed(mean, on("fourth_root"), "mmrm", false);
  ASSERT_TRUE(square && fourth);
  EXPECT_EQ(square->quantity, "back_transformed_mean");
  EXPECT_EQ(square->at, mean.at);
  EXPECT_EQ(square->value, 144.0);
  EXPECT_EQ(square->lower, 121.0);
  EXPECT_EQ(square->upper, 169.0);
  EXPECT_EQ(square->n, 20);
  EXPECT_FALSE(square->se);
  EXPECT_EQ(fourth->value, 20736.0);
  EXPECT_EQ(fourth->lower, 14641.0);
  Finding low = mean;
  low.lower = -1.0;
  EXPECT_EQ(back_transformed(low, on("sqrt"), "mmrm", false)->lower, 0.0) << "no response has a root below 0";
  low.value = -0.5;
  EXPECT_TRUE(std::isnan(back_transformed(low, on("sqrt"), "mmrm", false)->value));
  Finding difference = mean;
  difference.at = {{"difference", LevelDifference{"arm", "b", "a"}}};
  EXPECT_FALSE(back_transformed(difference, on("sqrt"), "mmrm", false));
}

TEST(BackTransformed, KeepsNotEstimableAndLeavesOtherThingsAlone) {
  const Finding unknown{.quantity = "estimate", .value = missing_number, .lower = missing_number, .upper = missing_number};
  const auto ratio = back_transformed(unknown, on("log"), "t_test", false);
  ASSERT_TRUE(ratio);
  EXPECT_TRUE(std::isnan(ratio->value) && std::isnan(*ratio->lower) && std::isnan(*ratio->upper));
  const Finding one{.quantity = "estimate", .value = 1.0}, t{.quantity = "t", .value = 1.0};
  EXPECT_FALSE(back_transformed(one, on(""), "t_test", false));
  EXPECT_FALSE(back_transformed(one, on("sqrt"), "t_test", false));
  EXPECT_FALSE(back_transformed(one, on("log", protocol::EndpointKind::binary), "t_test", false));
  EXPECT_FALSE(back_transformed(t, on("log"), "t_test", false));
  EXPECT_FALSE(back_transformed(one, on("log"), "cox", false));
  const Finding coefficient{.quantity = "estimate", .at = {{"term", Term{{.column = "age"}}}}, .value = 1.0};
  EXPECT_FALSE(back_transformed(coefficient, on("log"), "ancova", false));
  const Finding difference{.quantity = "estimate", .at = {{"difference", LevelDifference{"arm", "b", "a"}}}, .value = 0.0};
  EXPECT_EQ(back_transformed(difference, on("log"), "ancova", false)->value, 1.0);
}

}  // namespace
}  // namespace equipoise::analysis

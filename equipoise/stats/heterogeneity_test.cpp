#include "equipoise/stats/heterogeneity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace equipoise::stats {
namespace {

// Two estimates: Q is the square of their difference over its standard error, P that of a two-sided normal test.
TEST(CochranQ, OfTwoEstimatesIsTheSquareOfTheirDifference) {
  const std::vector<IndependentEstimate> two{{1.3, 0.4}, {0.2, 0.3}};
  const double z = (1.3 - 0.2) / 0.5;
  const ChiSquareTest test = cochran_q(two);
  EXPECT_NEAR(test.value, z * z, 1e-14);
  EXPECT_EQ(test.df, 1);
  EXPECT_NEAR(test.p, std::erfc(z / std::sqrt(2.0)), 1e-15);
}

// Three with weights 1, 4 and 4 by hand: mean (0 + 4 + 8)/9, Q = 0^2 + 4 + 16 - 9 (12/9)^2 = 4, P of 2 degrees of freedom e^-2.
TEST(CochranQ, OfThreeByHand) {
  const std::vector<IndependentEstimate> three{{0, 1}, {1, 0.5}, {2, 0.5}};
  const ChiSquareTest test = cochran_q(three);
  EXPECT_NEAR(test.value, 4, 1e-14);
  EXPECT_EQ(test.df, 2);
  EXPECT_NEAR(test.p, std::exp(-2.0), 1e-15);
}

TEST(CochranQ, LeavesOutWhatHasNoError) {
  const std::vector<IndependentEstimate> some{{1, 1}, {missing_number, 1}, {3, 0}, {3, 1}, {5, missing_number}};
  EXPECT_NEAR(cochran_q(some).value, 2, 1e-15);
  EXPECT_EQ(cochran_q(some).df, 1);
  EXPECT_TRUE(std::isnan(cochran_q(std::span(some).first(3)).p));
  EXPECT_TRUE(std::isnan(cochran_q({}).value));
}

TEST(LikelihoodRatio, NeedsMoreParametersAndTwoLikelihoods) {
  EXPECT_NEAR(likelihood_ratio_test(-101, -100, 2).p, std::exp(-1.0), 1e-15);
  EXPECT_EQ(likelihood_ratio_test(-100, -100 - 1e-12, 1).value, 0);  // rounding
  EXPECT_TRUE(std::isnan(likelihood_ratio_test(-101, -100, 0).value));
  EXPECT_TRUE(std::isnan(likelihood_ratio_test(missing_number, -100, 1).p));
}

}  // namespace
}  // namespace equipoise::stats

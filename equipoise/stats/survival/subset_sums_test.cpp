#include "equipoise/stats/survival/subset_sums.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace equipoise::stats {
namespace {

TEST(SubsetMeans, AreTheMeansOverAllSubsetsWithTheirDerivatives) {
  constexpr std::size_t n = 9, p = 2, largest = 5;
  const double z[n][p] = {{1, 0}, {0.5, 1}, {-1, 1}, {0, 0}, {2, 0}, {-0.25, 1}, {1, 1}, {0.75, 0}, {-2, 0}};
  const double b[p] = {0.7, -1.1};
  SubsetMeans means(p, largest);
  for (std::size_t i = 0; i < n; ++i) means.add(std::exp(z[i][0] * b[0] + z[i][1] * b[1]), z[i]);
  for (std::size_t k = 0; k <= largest; ++k) {
    double count = 0, value = 0, gradient[p] = {0, 0}, curvature[3] = {0, 0, 0};
    for (unsigned subset = 0; subset < (1u << n); ++subset) {
      if (std::size_t(std::popcount(subset)) != k) continue;
      double sum[p] = {0, 0};
      for (std::size_t i = 0; i < n; ++i)
        if (subset & (1u << i)) sum[0] += z[i][0], sum[1] += z[i][1];
      const double product = std::exp(sum[0] * b[0] + sum[1] * b[1]);
      ++count, value += product;
      gradient[0] += product * sum[0], gradient[1] += product * sum[1];
      curvature[0] += product * sum[0] * sum[0], curvature[1] += product * sum[0] * sum[1], curvature[2] += product * sum[1] * sum[1];
    }
    // Nine recursions of a few roundings, numbers up to about 100.
    EXPECT_NEAR(means.mean(k), value / count, 1e-13 * (1 + value / count));
    for (std::size_t j = 0; j < p; ++j) EXPECT_NEAR(means.gradient(k)[j], gradient[j] / count, 1e-12);
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(means.curvature(k)[c], curvature[c] / count, 1e-11);
    EXPECT_NEAR(log_subsets(n, double(k)), std::log(count), 1e-14);
  }
}

TEST(SubsetMeans, AreOneWithoutCovariateEffects) {
  SubsetMeans means(1, 400);
  const double z[] = {0.0};
  for (int i = 0; i < 3000; ++i) means.add(1, z);  // C(3000, 400) is about 1e509
  for (const std::size_t k : {1, 7, 400}) EXPECT_NEAR(means.mean(k), 1, 1e-13);
}

TEST(SubsetMeans, HaveNoSubsetLargerThanTheRows) {
  SubsetMeans means(1, 3);
  const double z[] = {1.0};
  means.add(2, z);
  EXPECT_EQ(means.mean(1), 2);
  EXPECT_EQ(means.mean(2), 0);
  means.add(3, z);
  EXPECT_EQ(means.mean(2), 6);
  means.clear();
  EXPECT_EQ(means.mean(0), 1);
  EXPECT_EQ(means.mean(1), 0);
}

}  // namespace
}  // namespace equipoise::stats

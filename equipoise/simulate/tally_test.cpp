#include "equipoise/simulate/tally.h"

#include <gtest/gtest.h>

#include <cmath>

namespace equipoise::simulate {
namespace {

// 2, 4, 4, 4, 5, 5, 7, 9: mean 5, sum of squares about it 32. Exact in binary.
TEST(Moments, AreThoseOfAllValuesHoweverTheyAreParted) {
  const std::vector<double> values{2, 4, 4, 4, 5, 5, 7, 9};
  for (std::size_t cut = 0; cut <= values.size(); ++cut) {
    Moments left, right;
    for (std::size_t i = 0; i < values.size(); ++i) (i < cut ? left : right).add(values[i]);
    left.merge(right);
    EXPECT_EQ(left.n, 8);
    EXPECT_NEAR(left.mean, 5, 1e-15);
    EXPECT_NEAR(left.squares, 32, 1e-13);
    EXPECT_NEAR(left.standard_error(), std::sqrt(32.0 / 7 / 8), 1e-15);
  }
  EXPECT_TRUE(std::isnan(Moments{}.variance()));
}

// A variance of 1 about 1e9: the sum of squares of the values themselves would have lost it.
TEST(Moments, KeepASmallSpreadAboutALargeMean) {
  Moments all;
  for (int k = 0; k < 1000; ++k) {
    Moments two;
    two.add(1e9 - 1), two.add(1e9 + 1);
    all.merge(two);
  }
  EXPECT_NEAR(all.squares, 2000, 1e-6);
}

TEST(Tally, AddsUpBlocks) {
  Tally whole;
  for (std::int64_t k = 1; k <= 3; ++k) {
    Tally block{.replicates = 100, .claims = {k, 1}, .unknown = {0, 2}, .any_hypothesis = k};
    block.statements.resize(2);
    block.statements[1].rejected = k;
    block.kept.resize(std::size_t(k));
    whole.merge(std::move(block));
  }
  EXPECT_EQ(whole.replicates, 300);
  EXPECT_EQ(whole.claims, (std::vector<std::int64_t>{6, 3}));
  EXPECT_EQ(whole.unknown, (std::vector<std::int64_t>{0, 6}));
  EXPECT_EQ(whole.statements[1].rejected, 6);
  EXPECT_EQ(whole.any_hypothesis, 6);
  EXPECT_EQ(whole.kept.size(), 6u);
}

}  // namespace
}  // namespace equipoise::simulate

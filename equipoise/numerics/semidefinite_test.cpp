#include "equipoise/numerics/semidefinite.h"

#include <gtest/gtest.h>

#include <limits>

namespace equipoise::numerics {
namespace {

TEST(SemidefiniteFactor, SolvesAndInvertsADefiniteMatrix) {
  // A = [4 2; 2 3], inverse [3 -2; -2 4]/8, by hand; halves and eighths are exact.
  const std::vector<double> a{4, 2, 2, 3}, b{2, 5};
  SemidefiniteFactor factor(2);
  factor.factor(a, 1e-12);
  ASSERT_EQ(factor.rank(), 2u);
  std::vector<double> x(2), inverse(4);
  factor.solve(b, x);
  EXPECT_DOUBLE_EQ(x[0], -0.5);
  EXPECT_DOUBLE_EQ(x[1], 2);
  EXPECT_DOUBLE_EQ(factor.quadratic_form(b), 9);  // 2 * -0.5 + 5 * 2
  factor.inverse(inverse);
  EXPECT_DOUBLE_EQ(inverse[0], 0.375);
  EXPECT_DOUBLE_EQ(inverse[1], -0.25);
  EXPECT_DOUBLE_EQ(inverse[2], -0.25);
  EXPECT_DOUBLE_EQ(inverse[3], 0.5);
}

TEST(SemidefiniteFactor, LeavesOutColumnsThatDependOnEarlierOnes) {
  // The middle column is twice the first; the third is free. x = (1/1, 0, 1/2) b on the columns used.
  const std::vector<double> a{1, 2, 0, 2, 4, 0, 0, 0, 2}, b{3, 6, 8};
  SemidefiniteFactor factor(3);
  factor.factor(a, 1e-12);
  EXPECT_EQ(factor.rank(), 2u);
  EXPECT_FALSE(factor.used(1));
  std::vector<double> x(3), inverse(9);
  factor.solve(b, x);
  EXPECT_EQ(x, (std::vector<double>{3, 0, 4}));
  factor.inverse(inverse);
  EXPECT_EQ(inverse, (std::vector<double>{1, 0, 0, 0, 0, 0, 0, 0, 0.5}));
}

TEST(SemidefiniteFactor, HasRankZeroForZerosAndForNaN) {
  SemidefiniteFactor factor(2);
  factor.factor(std::vector<double>(4, 0.0), 1e-12);
  EXPECT_EQ(factor.rank(), 0u);
  factor.factor(std::vector<double>(4, std::numeric_limits<double>::quiet_NaN()), 1e-12);
  EXPECT_EQ(factor.rank(), 0u);
}

TEST(SemidefiniteFactor, ExcludesColumnsOnRequest) {
  const std::vector<double> a{4, 2, 2, 3}, b{2, 6};
  const std::vector<std::uint8_t> excluded{1, 0};
  SemidefiniteFactor factor(2);
  factor.factor(a, 1e-12, excluded);
  std::vector<double> x(2);
  factor.solve(b, x);
  EXPECT_EQ(x, (std::vector<double>{0, 2}));
}

}  // namespace
}  // namespace equipoise::numerics

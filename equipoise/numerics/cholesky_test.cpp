#include "equipoise/numerics/cholesky.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace equipoise::numerics {
namespace {

/// B B' + I of a random B, column by column.
std::vector<double> random_matrix(std::size_t size, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<double> b(size * size), a(size * size);
  for (double& value : b) value = uniform(engine);
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t j = 0; j < size; ++j) {
      a[j * size + i] = i == j ? 1.0 : 0.0;
      for (std::size_t k = 0; k < size; ++k) a[j * size + i] += b[i * size + k] * b[j * size + k];
    }
  return a;
}

TEST(Cholesky, GivesTheMatrixBackAtEverySize) {
  for (std::size_t size = 1; size <= 50; ++size) {
    const std::vector<double> a = random_matrix(size, unsigned(size));
    Cholesky factor(size);
    ASSERT_TRUE(factor.factor(a));
    const std::vector<double> lower = factor.lower();
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j < size; ++j) {
        double sum = 0;
        for (std::size_t k = 0; k < size; ++k) sum += lower[k * size + i] * lower[k * size + j];
        EXPECT_NEAR(sum, a[j * size + i], 1e-14 * double(size));  // sums of `size` terms, diagonal about size / 3
        if (j > i) {
          EXPECT_EQ(lower[j * size + i], 0.0);
        }
      }
  }
}

TEST(Cholesky, SolvesAtEverySize) {
  for (std::size_t size = 1; size <= 50; ++size) {
    const std::vector<double> a = random_matrix(size, unsigned(100 + size));
    Cholesky factor(size);
    ASSERT_TRUE(factor.factor(a));
    std::vector<double> wanted(size), b(size, 0.0);
    for (std::size_t i = 0; i < size; ++i) wanted[i] = std::sin(double(i + 1));
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j < size; ++j) b[i] += a[j * size + i] * wanted[j];
    std::vector<double> half = b;
    factor.solve(b);
    factor.solve_lower(half);
    double along = 0, squares = 0;  // x'A x in two ways
    for (std::size_t i = 0; i < size; ++i) {
      EXPECT_NEAR(b[i], wanted[i], 1e-13 * double(size));  // eigenvalues from 1 to about `size`
      squares += half[i] * half[i];
      for (std::size_t j = 0; j < size; ++j) along += wanted[i] * a[j * size + i] * wanted[j];
    }
    EXPECT_NEAR(squares, along, 1e-13 * along);
  }
}

TEST(Cholesky, ReadsNothingAboveTheDiagonal) {
  std::vector<double> a = random_matrix(9, 1);
  Cholesky factor(9);
  ASSERT_TRUE(factor.factor(a));
  const std::vector<double> before = factor.lower();
  for (std::size_t j = 0; j < 9; ++j)
    for (std::size_t i = 0; i < j; ++i) a[j * 9 + i] = std::nan("");
  ASSERT_TRUE(factor.factor(a));
  EXPECT_EQ(factor.lower(), before);
}

TEST(Cholesky, RefusesWhatIsNotPositiveDefinite) {
  for (const std::size_t at : {0u, 3u, 4u, 8u}) {
    std::vector<double> a = random_matrix(9, 2);
    a[at * 9 + at] = -1;
    EXPECT_FALSE(Cholesky(9).factor(a));
    a[at * 9 + at] = std::nan("");
    EXPECT_FALSE(Cholesky(9).factor(a));
  }
}

}  // namespace
}  // namespace equipoise::numerics

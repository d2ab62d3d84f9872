#include "equipoise/numerics/logarithm.h"

#include <gtest/gtest.h>

#include <cmath>

namespace equipoise::numerics {
namespace {

TEST(Logarithm, AgreesWithTheCLibrary) {
  double x = 0x1p-1000;
  for (int i = 0; i < 400000; ++i, x *= 1.00347) {
    const double got = logarithm(Lanes{x, 1 / x, 1 + (x < 1e100 ? x : 1), 0.5})[0];
    const double want = std::log(x);
    ASSERT_NEAR(got, want, 4.5e-16 * std::abs(want) + 1e-18) << x;  // two units in the last place
    if (x > 0x1p990) break;
  }
}

TEST(Logarithm, IsExactAtOneAndKeepsItsDigitsBesideIt) {
  const Lanes near = {1.0, 1 + 0x1p-40, 1 - 0x1p-40, 0x1p-53};
  const Lanes got = logarithm(near);
  EXPECT_EQ(got[0], 0.0);
  for (int i = 1; i < 4; ++i) EXPECT_NEAR(got[i], std::log(near[i]), 4.5e-16 * std::abs(std::log(near[i])));
}

}  // namespace
}  // namespace equipoise::numerics

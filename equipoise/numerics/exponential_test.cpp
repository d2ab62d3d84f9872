#include "equipoise/numerics/exponential.h"

#include <gtest/gtest.h>

#include <limits>

namespace equipoise::numerics {
namespace {

TEST(Exponential, IsWithinTwoUnitsInTheLastPlace) {
  for (double x = -699.9; x < 700; x += 0.0371) {
    const Lanes got = exponential(Lanes{x, -x, x / 1000, 0});
    const double at[] = {x, -x, x / 1000, 0};
    // The reference is rounded from extended precision: half a unit of its own.
    for (std::size_t l = 0; l < lanes; ++l)
      EXPECT_NEAR(got[l] / double(expl(static_cast<long double>(at[l]))), 1, 2.5 * 0x1p-52) << at[l];
    EXPECT_EQ(got[3], 1);
  }
}

TEST(Exponential, GoesToItsEndsAsTheLibraryDoes) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const Lanes got = exponential(Lanes{-infinity, 1000, -720, std::nan("")});
  EXPECT_EQ(got[0], 0);
  EXPECT_EQ(got[1], infinity);
  EXPECT_EQ(got[2], std::exp(-720.0));
  EXPECT_TRUE(std::isnan(got[3]));
}

}  // namespace
}  // namespace equipoise::numerics

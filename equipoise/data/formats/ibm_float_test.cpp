#include "equipoise/data/formats/ibm_float.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace equipoise::data {
namespace {

// 118.625 is the worked example of IBM's System/360 Principles of Operation as retold everywhere; 1, -1 and 0.1 are those of SAS
// Technical Support TS-140; largest and smallest are the definition: (1 - 16^-14) 16^63 and 16^-65.
TEST(IbmFloat, ReproducesPublishedNumbers) {
  EXPECT_EQ(to_ibm(118.625), 0x4276A00000000000u);
  EXPECT_EQ(to_ibm(-118.625), 0xC276A00000000000u);
  EXPECT_EQ(to_ibm(1), 0x4110000000000000u);
  EXPECT_EQ(to_ibm(-1), 0xC110000000000000u);
  EXPECT_EQ(to_ibm(0.1), 0x401999999999999Au);
  EXPECT_EQ(to_ibm(0), 0u);
  EXPECT_EQ(to_ibm(-0.0), 0u);
  EXPECT_EQ(from_ibm(0x4276A00000000000u).value, 118.625);
  EXPECT_EQ(from_ibm(0xC110000000000000u).value, -1);
  EXPECT_EQ(from_ibm(0x0010000000000000u).value, std::ldexp(1.0, -260));
  EXPECT_EQ(to_ibm(std::ldexp(1.0, -260)), 0x0010000000000000u);
}

TEST(IbmFloat, ReadsWhatIsNotNormalised) {
  EXPECT_EQ(from_ibm(0x4210000000000000u).value, 16);
  EXPECT_EQ(from_ibm(0x4201000000000000u).value, 1);
  EXPECT_EQ(from_ibm(0x4E00000000000001u).value, 1);
  EXPECT_FALSE(std::signbit(from_ibm(0x8000000000000000u).value)) << "zero has no sign";
}

TEST(IbmFloat, SaysWhatItRoundsAndRoundsHalfToEven) {
  EXPECT_TRUE(from_ibm(0x4110000000000001u).exact) << "a first digit of 1 leaves 53 bits";
  EXPECT_FALSE(from_ibm(0x41F0000000000001u).exact) << "a first digit of 15 has 56";
  EXPECT_EQ(from_ibm(0x4180000000000004u).value, 8) << "half of the last bit, to even";
  EXPECT_EQ(from_ibm(0x418000000000000Cu).value, 8 + 2 * std::ldexp(1.0, -49)) << "three halves, to even";
  EXPECT_EQ(from_ibm(0x41FFFFFFFFFFFFFFu).value, 16) << "carried into the next power";
  EXPECT_EQ(from_ibm(0x7FFFFFFFFFFFFFFFu).value, std::ldexp(1.0, 252)) << "the largest";
}

TEST(IbmFloat, HasNoPlaceForWhatIsBeyondItsExponents) {
  EXPECT_FALSE(to_ibm(std::ldexp(1.0, 252)));
  EXPECT_TRUE(to_ibm(std::nextafter(std::ldexp(1.0, 252), 0)));
  EXPECT_FALSE(to_ibm(std::nextafter(std::ldexp(1.0, -260), 0)));
  EXPECT_FALSE(to_ibm(std::numeric_limits<double>::max()));
  EXPECT_FALSE(to_ibm(std::numeric_limits<double>::denorm_min()));
}

/// Independent: the definition, in long doubles of 64 bits.
TEST(IbmFloat, IsItsDefinitionAndComesBackForEveryExponent) {
  std::uint64_t state = 1;
  for (int power = -260; power < 252; ++power)
    for (int i = 0; i < 200; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      const double value = std::ldexp(1.0 + double(state >> 12) * 0x1p-52, power) * (state & 1 ? -1 : 1);
      const auto bits = to_ibm(value);
      ASSERT_TRUE(bits) << value;
      const long double fraction = (long double)(*bits & 0x00FFFFFFFFFFFFFFu);
      const long double defined = std::ldexp(fraction, 4 * (int(*bits >> 56 & 0x7F) - 64) - 56) * (*bits >> 63 ? -1 : 1);
      ASSERT_EQ(defined, (long double)value);
      ASSERT_NE(*bits & 0x00F0000000000000u, 0u) << "normalised";
      ASSERT_EQ(from_ibm(*bits).value, value);
      ASSERT_TRUE(from_ibm(*bits).exact);
    }
}

}  // namespace
}  // namespace equipoise::data

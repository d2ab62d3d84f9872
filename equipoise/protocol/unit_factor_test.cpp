#include "equipoise/protocol/unit_factor.h"

#include <gtest/gtest.h>

namespace equipoise::protocol {
namespace {

// UCUM 2.1: prefixes are powers of ten, 1 L = 1 dm3, 1 a = 365.25 d, 1 mo = 1 a / 12.
TEST(UnitFactor, IsTheRatioOfTheUnits) {
  EXPECT_EQ(unit_factor("g", "mg"), 1000);
  EXPECT_EQ(unit_factor("mg", "g"), 0.001);
  EXPECT_EQ(unit_factor("g/L", "mg/dL"), 100);
  EXPECT_EQ(unit_factor("/uL", "/mm3"), 1);
  EXPECT_EQ(unit_factor("10*6/L", "/mm3"), 1);
  EXPECT_EQ(unit_factor("10*9/L", "/uL"), 1000);
  EXPECT_EQ(unit_factor("copies/mL", "copies/L"), 1000);
  EXPECT_EQ(unit_factor("wk", "d"), 7);
  EXPECT_EQ(unit_factor("a", "mo"), 12);
  EXPECT_EQ(unit_factor("mo", "d"), 30.4375);
  EXPECT_EQ(unit_factor("%", "1"), 0.01);
  EXPECT_EQ(unit_factor("m2", "cm2"), 10000);
  EXPECT_EQ(unit_factor("ug/m2", "mg/m2"), 0.001);
}

TEST(UnitFactor, SaysNothingOfUnitsThatDoNotCompare) {
  EXPECT_FALSE(unit_factor("mg/dL", "mmol/L"));  // needs a molar mass
  EXPECT_FALSE(unit_factor("kg", "m"));
  EXPECT_FALSE(unit_factor("cells/kg", "mg/kg"));
  EXPECT_FALSE(unit_factor("copies/mL", "cells/mL"));
  EXPECT_FALSE(unit_factor("Cel", "Cel"));  // a scale with an offset
  EXPECT_FALSE(unit_factor("mm[Hg]", "mm"));
  EXPECT_FALSE(unit_factor("kgs", "kg"));
  EXPECT_FALSE(unit_factor("", "kg"));
}

}  // namespace
}  // namespace equipoise::protocol

#include "equipoise/protocol/units.h"

#include <gtest/gtest.h>

namespace equipoise::protocol {
namespace {

// UCUM 2.1, table of units and the examples of sections 2 to 4; counted things by name are this format's own.
TEST(CheckUnit, KnowsTheUnitsOfClinicalTrials) {
  for (const std::string_view unit : {"kg",     "mg/kg",    "ug/m2",     "/mm3",   "/uL",
                                      "10*6/L", "10*9/L",   "mm[Hg]",    "mmol/L", "umol/L",
                                      "g/dL",   "Cel",      "%",         "1",      "a",
                                      "mo",     "wk",       "d",         "h",      "min",
                                      "s",      "cells/kg", "copies/mL", "[iU]/L", "mL/min/{1.73_m2}",
                                      "kg/m2",  "U/L",      "ng/mL",     "m/s2",   "mL",
                                      "[pH]",   "kat/L",    "/min"})
    EXPECT_TRUE(check_unit(unit)) << unit;
}

TEST(CheckUnit, RefusesWhatIsNoUnitAndSaysWhatIsNear) {
  for (const std::string_view unit : {"", "kgs", "KG", "mg per kg", "mg//kg", "/", "mg/", "years", "{open", "x", "mmHg2x"})
    EXPECT_FALSE(check_unit(unit)) << unit;
  const auto refused = check_unit("kgs");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "'kgs' is not a UCUM unit");
  EXPECT_EQ(refused.error().hint, "did you mean 'kg'?");
  EXPECT_EQ(check_unit("mg/cel").error().hint, "did you mean 'Cel'?");
}

}  // namespace
}  // namespace equipoise::protocol

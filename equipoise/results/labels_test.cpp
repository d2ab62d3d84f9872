#include "equipoise/results/labels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <limits>

namespace equipoise::results {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

TEST(Fixed, RoundsHalvesAwayFromZero) {
  EXPECT_EQ(fixed(81.25, 1), "81.3");  // 104 of 128; printf gives 81.2
  EXPECT_EQ(fixed(18.75, 1), "18.8");
  EXPECT_EQ(fixed(42.65, 1), "42.7");  // stored as 42.64999999999999858
  EXPECT_EQ(fixed(-81.25, 1), "\u221281.3");
  EXPECT_EQ(fixed(0.5, 0), "1");
  EXPECT_EQ(fixed(0.05, 0), "0");
  EXPECT_EQ(fixed(9.996, 2), "10.00");
  EXPECT_EQ(fixed(999.95, 1), "1000.0");
}

TEST(Fixed, AgreesWithPrintfAwayFromHalves) {
  // Multiples of the square root of 2 are no decimal halves, so both roundings must agree.
  for (int i = 1; i < 4000; ++i) {
    const double value = i * std::sqrt(2.0) / 19 * (i % 7 == 0 ? 1e4 : 1);
    for (const int decimals : {0, 1, 3}) {
      char expected[64];
      std::snprintf(expected, sizeof expected, "%.*f", decimals, value);
      ASSERT_EQ(fixed(value, decimals), expected) << value;
    }
  }
}

TEST(Fixed, HasATrueMinusAndNoNegativeZero) {
  EXPECT_EQ(fixed(-1.25, 2), "\u22121.25");
  EXPECT_EQ(fixed(-0.04, 1), "0.0");
  EXPECT_EQ(fixed(-0.0, 1), "0.0");
  EXPECT_EQ(fixed(0, 0), "0");
}

TEST(Fixed, SaysWhatIsNotEstimable) {
  EXPECT_EQ(fixed(nan, 2), "NE");
  EXPECT_EQ(percent(nan), "NE");
  EXPECT_EQ(p_value(nan), "NE");
  EXPECT_EQ(significant(nan), "NE");
  EXPECT_EQ(fixed(inf, 2), "\u221e");
  EXPECT_EQ(fixed(-inf, 2), "\u2212\u221e");
}

TEST(Significant, KeepsDigitsNotDecimals) {
  EXPECT_EQ(significant(0.3348666724), "0.335");
  EXPECT_EQ(significant(0.64542), "0.645");
  EXPECT_EQ(significant(1.2345), "1.23");
  EXPECT_EQ(significant(12.345), "12.3");
  EXPECT_EQ(significant(1234.5), "1235");
  EXPECT_EQ(significant(0.9996), "1.00");  // the carry makes a digit before the point
  EXPECT_EQ(significant(0), "0.00");
  EXPECT_EQ(significant(1e-9), "1.00e-09");
}

TEST(Percent, PrintsOneDecimal) {
  EXPECT_EQ(percent(14.0 / 63), "22.2%");
  EXPECT_EQ(percent(0.719457), "71.9%");
  EXPECT_EQ(percent(0), "0.0%");
  EXPECT_EQ(percent(1), "100.0%");
}

TEST(PValue, PrintsAsManyDigitsAsMatter) {
  EXPECT_EQ(p_statement(0.000610885537409), "P = 0.0006");  // CGD, log-rank, N Engl J Med 1991;324:509
  EXPECT_EQ(p_statement(0.0010837950476), "P = 0.0011");
  EXPECT_EQ(p_statement(0.00009), "P < 0.0001");
  EXPECT_EQ(p_statement(0), "P < 0.0001");
  EXPECT_EQ(p_statement(0.0123), "P = 0.012");
  EXPECT_EQ(p_statement(0.245), "P = 0.245");
  EXPECT_EQ(p_statement(0.9999), "P > 0.999");
}

TEST(PValue, NeverRoundsOntoAlpha) {
  EXPECT_EQ(p_value(0.04996), "0.04996");
  EXPECT_EQ(p_value(0.0504), "0.0504");
  EXPECT_EQ(p_value(0.05), "0.050");
  EXPECT_EQ(p_value(0.02504, 0.025), "0.02504");
}

TEST(Printed, HasTheEstimateItsIntervalAndItsP) {
  Finding f;
  f.quantity = "hazard_ratio", f.value = 0.3348666724, f.lower = 0.17374042499556, f.upper = 0.64542082411548,
  f.p = 0.0010837950476116, f.df = 1;
  const Printed text = printed(f, "en");
  EXPECT_EQ(text.value, "0.335");
  EXPECT_EQ(text.interval, "0.174 to 0.645");
  EXPECT_EQ(text.p, "0.0011");
  EXPECT_EQ(text.df, "1");
  EXPECT_TRUE(text.se.empty());
  EXPECT_FALSE(text.ne);
  EXPECT_EQ(printed(f, "zh").interval, "0.174 至 0.645");
}

TEST(Printed, MarksWhatIsNotEstimable) {
  Finding f;
  f.quantity = "quantile", f.value = nan, f.lower = 373, f.upper = nan;
  const Printed text = printed(f, "en");
  EXPECT_EQ(text.value, "NE");
  EXPECT_EQ(text.interval, "373 to NE");
  EXPECT_TRUE(text.ne);
}

TEST(Printed, GivesAnEstimateTheDigitsItsErrorAllows) {
  Finding f;
  f.quantity = "estimate", f.value = -1.0049, f.se = 0.8731, f.lower = -2.716, f.upper = 0.706;
  EXPECT_EQ(printed(f, "en").value, "\u22121.00");
  EXPECT_EQ(printed(f, "en").interval, "\u22122.72 to 0.71");
  f.se = 12.0;
  EXPECT_EQ(printed(f, "en").value, "\u22121");
}

// Values in whole points: one decimal more for what lies in the middle, two for a spread, none for the extremes.
TEST(Printed, GivesMeansOneDecimalMoreThanTheValuesAndErrorsTwo) {
  Finding f;
  f.quantity = "estimate", f.value = -1.0049, f.se = 0.8403, f.lower = -2.664, f.upper = 0.654;
  const Printed text = printed(f, "en", 0.05, 0);
  EXPECT_EQ(text.value, "\u22121.0");
  EXPECT_EQ(text.se, "0.84");
  EXPECT_EQ(text.interval, "\u22122.7 to 0.7");
  EXPECT_EQ(printed(f, "en", 0.05, 1).value, "\u22121.00");
  EXPECT_EQ(printed(f, "en", 0.05, 1).se, "0.840");
  const auto of = [](std::string quantity, double value) {
    return printed(Finding{.quantity = std::move(quantity), .value = value}, "en", 0.05, 0).value;
  };
  EXPECT_EQ(of("mean", 24.14), "24.1");
  EXPECT_EQ(of("sd", 12.194), "12.19");
  EXPECT_EQ(of("median", 21), "21.0");
  EXPECT_EQ(of("min", -11), "\u221211");
  EXPECT_EQ(of("max", 61), "61");
  EXPECT_EQ(of("mean", nan), "NE");
  // In other units: counts, test statistics, ratios, coefficients of a covariate, estimates with limits on the log scale.
  EXPECT_EQ(of("n", 79), "79");
  EXPECT_EQ(of("f", 0.7159), "0.72");
  EXPECT_EQ(of("hazard_ratio", 0.33487), "0.335");
  f.at = {{"term", Term{Factor{.column = "dose"}}}};
  EXPECT_EQ(printed(f, "en", 0.05, 0).value, printed(f, "en").value);
  f.at = {}, f.scale = Scale::log;
  EXPECT_EQ(printed(f, "en", 0.05, 0).se, printed(f, "en").se);
}

TEST(Labels, SpeakBothLanguagesAndFallBackToPlainWords) {
  EXPECT_EQ(quantity_label("hazard_ratio", "en"), "Hazard ratio");
  EXPECT_EQ(quantity_label("hazard_ratio", "zh"), "风险比");
  EXPECT_EQ(quantity_label("unheard_of", "en"), "Unheard of");
  EXPECT_EQ(method_label("log_rank", "en"), "Log-rank test");
  EXPECT_EQ(method_label("unheard_of", "en", "A new test"), "A new test");
  EXPECT_EQ(in_plain_words(""), "");
}

TEST(Amounts, ComparePowersOfAThousand) {
  EXPECT_EQ(amount_label(0.5e6, "cells/kg", "en"), "0.5 \u00d7 10\u2076 cells/kg");
  EXPECT_EQ(amount_label(1.5e6, "cells/kg", "en"), "1.5 \u00d7 10\u2076 cells/kg");
  EXPECT_EQ(amount_label(2e8, "cells", "en"), "0.2 \u00d7 10\u2079 cells");
  EXPECT_EQ(amount_label(50, "ug/m2", "en"), "50 \u00b5g/m\u00b2");
  EXPECT_EQ(amount_label(0, "mg", "en"), "0 mg");
  EXPECT_EQ(unit_label("a", "en"), "years");
  EXPECT_EQ(unit_label("1", "en"), "");
}

}  // namespace
}  // namespace equipoise::results

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "equipoise/core/finding.h"

/// The one vocabulary of labels and number formats. Whatever prints an estimate prints it through these.
namespace equipoise::results {

/// What stands where a number is not estimable.
inline constexpr std::string_view not_estimable = "NE";

/// Fixed decimals, halves away from zero (as people and SAS round: 81.25 is "81.3"), with a true minus sign (U+2212); never
/// "-0.0"; NaN is "NE", infinity its sign.
std::string fixed(double value, int decimals);

/// So many significant digits, never an exponent for 1e-6 <= |value| < 1e15; whole numbers keep all their digits:
/// significant(1234.5, 3) is "1235".
std::string significant(double value, int digits = 3);

/// "71.9%" of 0.7194...; the count forms of a table use it with one decimal.
std::string percent(double share, int decimals = 1);

/// "0.0006", "0.012", "< 0.0001", "> 0.999", without the P: three decimals from 0.01 on, four below. More digits (up to six)
/// where rounding would print `alpha` for a value that is not alpha, so that 0.04996 is never read as 0.050.
std::string p_value(double p, double alpha = 0.05);

/// "P = 0.0006", "P < 0.0001".
std::string p_statement(double p, double alpha = 0.05);

/// Decimals with which an estimate and its limits are printed: so that two significant digits of the standard error show, else
/// three of the estimate itself.
int decimals_for(double value, std::optional<double> standard_error);

/// Printed forms of one finding; an absent text = the method does not give it.
struct Printed {
  std::string value;
  std::string se, interval, df, p;  ///< empty when absent; `interval` is "0.174 to 0.645"
  std::string lower{}, upper{};     ///< the two ends of `interval`
  bool ne = false;                  ///< some part is not estimable
};
/// Probabilities as percentages, ratios with three significant digits each, counts whole, other estimates by `decimals_for`.
///
/// recorded  decimals d of the values that were measured, if they are known. Then what is in their unit has decimals of its own:
///           d the smallest and the largest, d + 1 means, medians, differences of means and their limits, d + 2 standard
///           deviations and standard errors. Coefficients ("term") and ratios are in other units, and stay as they are.
Printed printed(Finding const& finding, std::string_view language, double alpha = 0.05, std::optional<int> recorded = {});

/// "0.174 to 0.645"; in Chinese "0.174 至 0.645".
std::string interval(std::string const& lower, std::string const& upper, std::string_view language);

/// The word of a scale: "identity", "log", "log-log", ... (the options of Kaplan-Meier say "plain" for the first).
std::string_view scale_word(Scale scale);

/// Label of a quantity of the reference format ("hazard_ratio" is "Hazard ratio"); an unknown one in plain words. With the
/// method, what its "estimate" is an estimate of.
std::string quantity_label(std::string_view quantity, std::string_view language, std::string_view method = {});

/// Name of a method ("log_rank" is "Log-rank test"); an unknown one is `fallback`, or the keyword in plain words.
std::string method_label(std::string_view keyword, std::string_view language, std::string_view fallback = {});

/// UCUM unit as people read it: "a" is "years", "/mm3" is "/mm³", "1" is nothing.
std::string unit_label(std::string_view ucum, std::string_view language);

/// An amount with its unit: {500000, "cells/kg"} is "0.5 × 10⁶ cells/kg".
std::string amount_label(double amount, std::string_view ucum, std::string_view language);

/// Keyword as a sentence-case word: "treatment_stop" is "Treatment stop".
std::string in_plain_words(std::string_view keyword);

/// Options of canonical JSON as pairs of words: {"ties":"efron"} is {"ties", "efron"}. What is no JSON object is nothing.
std::vector<std::pair<std::string, std::string>> options_in_words(std::string_view canonical_json);

}  // namespace equipoise::results

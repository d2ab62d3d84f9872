#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "equipoise/allocation/concealed.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::vault {

/// How much is to be prepared, as `amount` of an [[intervention]] says it: a product of `dose` (of the arm), `weight` (in kg) and
/// numbers, each of the two at most once.
///
///     amount = round(numbers x dose x weight, to `digits` significant digits)
///
/// Rounded as by hand, a half upwards, from the product to 15 digits: 0.5e6 x 71.3 is 35650000 and becomes 3.57e7, though 71.3 is
/// not a binary number. A dose per kilogram times a weight loses "/kg" from its unit.
struct DoseFormula {
  std::string text;
  double factor = 1;
  bool dose = false, weight = false;
  int digits = 3;

  double amount(double dose_amount, double weight_kg) const;
};

/// errors  syntax, in words that say which part is wrong
Expected<DoseFormula> parse_dose_formula(std::string_view text, int digits);

/// A number from 0 to 1 to 15 significant decimal digits, a half upwards.
double rounded(double value, int digits);

/// The doses of a trial, compiled. Whether an arm has a dose is settled when they are, so that no sentence afterwards tells arms
/// apart.
class Doses {
 public:
  /// Reports every problem: formulas, arms without a dose, units that do not fit.
  static Doses parse(protocol::Protocol const& protocol, Problems& problems);

  /// The order for somebody of this arm (its number in the protocol).
  /// errors  unresolved (no such intervention, or none at this visit); out_of_range (a weight that nobody has: outside the hard
  ///         limits of the item `weight`, or of 1 to 500 kg when the protocol has none); not_available (no amount is stated)
  Expected<allocation::DoseOrder> order(allocation::DoseRequest const& request, std::size_t arm) const;

 private:
  struct Given {
    std::string id, unit;
    std::vector<std::string> visits;
    DoseFormula formula;  ///< without a text: no amount is stated
  };
  std::vector<Given> given_;
  std::vector<double> doses_;  ///< of each arm
  std::pair<double, double> weights_{1, 500};
};

}  // namespace equipoise::vault

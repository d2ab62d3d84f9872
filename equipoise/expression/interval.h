#pragma once

#include <cstdint>

#include "equipoise/core/columns.h"

namespace equipoise::expression {

/// Three-valued truth, as stored in columns. Kleene (1952), Introduction to Metamathematics, section 64.
inline constexpr std::uint8_t is_false = 0, is_true = 1, is_unknown = 2;

constexpr std::uint8_t negated(std::uint8_t a) { return a == is_unknown ? a : std::uint8_t(1 - a); }
constexpr std::uint8_t both(std::uint8_t a, std::uint8_t b) {
  if (a == is_false || b == is_false) return is_false;
  return a == is_true && b == is_true ? is_true : is_unknown;
}
constexpr std::uint8_t either(std::uint8_t a, std::uint8_t b) { return negated(both(negated(a), negated(b))); }
constexpr std::uint8_t to_truth(bool known) { return known ? is_true : is_false; }

/// All that is known of one number: it lies between two bounds, each in or out. An exact number is [x, x]; a missing one has NaN
/// bounds;
/// "<20" is (-inf, 20); a partial date is [first day, last day]. Never empty: an operation without a sure, simple answer gives
/// missing.
struct Interval {
  double low = missing_number;
  double high = missing_number;
  bool low_open = false;
  bool high_open = false;

  static Interval exactly(double value) { return {value, value}; }
  bool missing() const { return low != low; }
  bool exact() const { return low == high; }
  friend bool operator==(Interval const&, Interval const&) = default;
};

/// A sound interval from whatever a table gives: bounds in order, infinite bounds open, nothing empty; else missing.
Interval settled(Interval given);

/// Arithmetic. For x in a, y in b the result holds x op y. Exact operands give the exact double, or missing when that is not
/// finite. Bounds are computed in double precision and rounded to nearest, not outwards.
Interval add(Interval const& a, Interval const& b);
Interval negate(Interval const& a);
Interval multiply(Interval const& a, Interval const& b);  ///< missing when neither is exact
Interval divide(Interval const& a, Interval const& b);    ///< missing when b is zero or not exact
Interval logarithm(Interval const& a);  ///< of the positive part of a: a quantity whose logarithm is asked is positive
Interval smaller(Interval const& a, Interval const& b);  ///< min(x, y); neither may be missing

/// Comparisons: true or false when every x in a and y in b agree, else unknown; unknown when one is missing.
std::uint8_t less(Interval const& a, Interval const& b);
std::uint8_t equal(Interval const& a, Interval const& b);

}  // namespace equipoise::expression

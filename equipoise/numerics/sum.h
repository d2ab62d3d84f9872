#pragma once

#include <cmath>
#include <span>

/// Sums of data in one fixed order, so that the same data give the same bytes on any machine and any alignment.
namespace equipoise::numerics {

/// Running compensated sum: the rounding error of n additions stays near one unit in the last place of the sum of magnitudes.
///
/// source   Neumaier (1974), Z. Angew. Math. Mech. 54, 39-51
/// checked  sum_test.cpp
class Sum {
 public:
  void add(double term) {
    const double next = total_ + term;
    lost_ += std::abs(total_) >= std::abs(term) ? (total_ - next) + term : (term - next) + total_;
    total_ = next;
  }
  double value() const { return std::isfinite(total_) ? total_ + lost_ : total_; }

 private:
  double total_ = 0.0;
  double lost_ = 0.0;
};

/// Sum of the values, first to last; 0 of none.
inline double sum(std::span<const double> values) {
  Sum total;
  for (const double value : values) total.add(value);
  return total.value();
}

/// What `scale_to_one` did: values = scaled values times 2^exponent.
struct PowerOfTwo {
  int exponent = 0;
  double magnitude = 0;  ///< largest |value| after scaling: at least 1 and below 2, or 0
};

/// Multiplies finite values by the power of two that brings the largest magnitude to [1, 2), so that their squares neither
/// overflow nor vanish. Rounds nothing that is not 2^-1022 of the largest.
inline PowerOfTwo scale_to_one(std::span<double> values) {
  double largest = 0;
  for (const double value : values) largest = std::fmax(largest, std::abs(value));
  if (largest == 0) return {};
  const int exponent = std::ilogb(largest);
  for (double& value : values) value = std::ldexp(value, -exponent);
  return {exponent, std::ldexp(largest, -exponent)};
}

/// Count, arithmetic mean and standard deviation (divisor n - 1).
struct Moments {
  double n = 0;
  double mean = 0;  ///< NaN when n = 0
  double sd = 0;    ///< NaN when n < 2
};

/// Two passes, the second around the mean: no cancellation however far the values are from 0.
///
/// source   Chan, Golub & LeVeque (1983), Am. Stat. 37, 242-247 (the corrected two-pass algorithm)
/// checked  sum_test.cpp
inline Moments moments(std::span<const double> values) {
  const double n = double(values.size());
  const double mean = sum(values) / n;  // 0/0 is NaN, which is the answer for no values
  Sum squares, remainder;
  for (const double value : values) {
    squares.add((value - mean) * (value - mean));
    remainder.add(value - mean);  // what the rounding of the mean left
  }
  const double around_mean = squares.value() - remainder.value() * remainder.value() / n;
  return {n, mean, std::sqrt(std::fmax(around_mean, 0.0) / (n - 1)) + (n < 2 ? std::nan("") : 0.0)};
}

}  // namespace equipoise::numerics

#pragma once

#include <cstdint>

#include "equipoise/numerics/lanes.h"

namespace equipoise::numerics {

/// Natural logarithm of four normal numbers above 0, the same bytes on every machine.
///
///     x = 2^k m, sqrt(1/2) <= m < sqrt(2);  log x = k log 2 + 2 sum_{i <= 11} s^(2i+1) / (2i+1),  s = (m - 1) / (m + 1)
///
/// |s| <= 0.1716, so the rest of the series is below 2e-19 of it; the error stays within 2 units in the last place.
///
/// checked  logarithm_test.cpp
inline Lanes logarithm(Lanes x) {
  using Bits = std::int64_t __attribute__((vector_size(32)));
  // Moves the cut between two exponents from 1 to sqrt(1/2).
  constexpr std::int64_t cut = 0x3fe6a09e667f3bcd;
  const Bits shifted = Bits(x) - cut;
  const Bits k = shifted >> 52;
  const Lanes m = Lanes(Bits(x) - (k << 52));
  // A whole number below 2^51 as a double: its bits in the mantissa of 1.5 2^52.
  const Lanes exponent = Lanes(k + 0x4338000000000000) - 0x1.8p52;
  const Lanes s = (m - 1.0) / (m + 1.0), s2 = s * s;
  constexpr double series[] = {1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
                               1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3};
  Lanes sum = everywhere(series[0]);
  for (std::size_t i = 1; i < sizeof series / sizeof series[0]; ++i) sum = sum * s2 + series[i];
  const Lanes small = exponent * 0x1.a39ef35793c76p-33 + 2.0 * (s * s2 * sum);  // log 2 in two parts; the first times k is exact
  return exponent * 0x1.62e42feep-1 + (small + 2.0 * s);
}

}  // namespace equipoise::numerics

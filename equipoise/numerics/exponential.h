#pragma once

#include <cmath>
#include <cstdint>

#include "equipoise/numerics/lanes.h"

namespace equipoise::numerics {

/// exp of four numbers, the same bytes on every machine while |x| <= 700 (beyond, the C library's, number by number).
///
///     x = k log 2 + r, |r| <= log(2)/2;  exp x = 2^k sum_{i <= 13} r^i / i!
///
/// The rest of the series is below 4e-18 of the sum; the error stays within 2 units in the last place.
///
/// checked  exponential_test.cpp
/// `exponential_within` is for those who know that |x| <= 700.
inline Lanes exponential_within(Lanes x) {
  using Bits = std::int64_t __attribute__((vector_size(32)));
  constexpr double to_integer = 0x1.8p52;  // added: the unit in the last place is 1
  const Lanes shifted = x * 0x1.71547652b82fep0 + to_integer;
  const Lanes k = shifted - to_integer;
  const Lanes r = (x - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33;  // log 2 in two parts; the first times k is exact
  constexpr double series[] = {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
                               1.0 / 5040,       1.0 / 720,       1.0 / 120,      1.0 / 24,      1.0 / 6,      0.5};
  Lanes sum = everywhere(series[0]);
  for (std::size_t i = 1; i < sizeof series / sizeof series[0]; ++i) sum = sum * r + series[i];
  const Lanes value = (sum * (r * r) + r) + 1.0;
  return Lanes(Bits(value) + (Bits(shifted) << 52));
}

inline Lanes exponential(Lanes x) {
  using Bits = std::int64_t __attribute__((vector_size(32)));
  const Bits inside = (x <= 700.0) & (x >= -700.0);
  if ((inside[0] & inside[1] & inside[2] & inside[3]) == 0)
    return Lanes{std::exp(x[0]), std::exp(x[1]), std::exp(x[2]), std::exp(x[3])};
  return exponential_within(x);
}

}  // namespace equipoise::numerics

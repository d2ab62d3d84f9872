#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstring>

namespace equipoise::numerics {

/// Four numbers that one instruction adds or multiplies. Sums over data keep four partial sums, lane l those of positions l, l +
/// 4,
/// ..., added at the end in one order: the same bytes on every machine.
using Lanes = double __attribute__((vector_size(32)));
inline constexpr std::size_t lanes = 4;

inline Lanes load(double const* from) {
  Lanes loaded;
  std::memcpy(&loaded, from, sizeof loaded);  // any alignment
  return loaded;
}
inline void store(double* to, Lanes value) { std::memcpy(to, &value, sizeof value); }
inline Lanes everywhere(double value) { return Lanes{value, value, value, value}; }
/// a b + c, rounded once; and c - a b.
inline Lanes fused(Lanes a, Lanes b, Lanes c) { return Lanes(_mm256_fmadd_pd(__m256d(a), __m256d(b), __m256d(c))); }
inline Lanes fused_less(Lanes a, Lanes b, Lanes c) { return Lanes(_mm256_fnmadd_pd(__m256d(a), __m256d(b), __m256d(c))); }
/// 1 where bit l is set, for lane l.
alignas(32) inline constexpr double ones[16][4] = {
    {0, 0, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}, {1, 1, 0, 0}, {0, 0, 1, 0}, {1, 0, 1, 0}, {0, 1, 1, 0}, {1, 1, 1, 0},
    {0, 0, 0, 1}, {1, 0, 0, 1}, {0, 1, 0, 1}, {1, 1, 0, 1}, {0, 0, 1, 1}, {1, 0, 1, 1}, {0, 1, 1, 1}, {1, 1, 1, 1}};
inline double total(Lanes sums) { return (sums[0] + sums[1]) + (sums[2] + sums[3]); }

}  // namespace equipoise::numerics

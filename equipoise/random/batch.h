#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "equipoise/random/stream.h"

/// The same draw of many participants at once, by arithmetic of four lanes: what a simulator of whole trials lives on.
namespace equipoise::random {

/// Arrays of a batch have room for a whole number of steps; what stands behind the last participant is overwritten.
inline constexpr std::size_t batch_step = 8;
constexpr std::size_t padded(std::size_t n) { return (n + batch_step - 1) / batch_step * batch_step; }

/// The random numbers of one purpose in one replicate, addressed by participant, visit and block. Each block of Philox4x32-10,
///
///     counter word 0   block * 2^8
///             word 1   bits 0-11 visit, bits 12-31 participant
///             words 2, 3   replicate, low half first
///
/// gives two normals or four uniforms. A pure function of its address: what else is drawn, in which order and in which batch
/// changes nothing.
///
/// page     docs/methods/random.md
/// checked  batch_test.cpp: against philox() and the C library; moments and tails of the normals
class Batch {
 public:
  Batch() = default;
  Batch(PhiloxKey key, std::uint64_t replicate) : key_(key), replicate_(replicate) {}

  /// Two independent standard normals of each participant, by Box and Muller's transform of two uniforms of 52 bits.
  ///
  /// participants  numbers below 2^20, padded(n) of them
  /// source  Box & Muller (1958), Ann. Math. Stat. 29, 610-611
  void normals(std::uint32_t visit, std::uint32_t block, std::size_t n, std::uint32_t const* participants, double* first,
               double* second) const;

  /// Four independent uniforms of each participant, (word + 1/2) 2^-32: never 0, never 1. Row i of `out` begins at i * stride.
  void uniforms(std::uint32_t visit, std::uint32_t block, std::size_t n, std::uint32_t const* participants, double* out,
                std::size_t stride) const;

  /// The words of a Draw (draw.h) of each participant at positions 2 block and 2 block + 1, attempt 0.
  void words(std::uint32_t visit, std::uint32_t block, std::size_t n, std::uint32_t const* participants, std::uint64_t* even,
             std::uint64_t* odd) const;

 private:
  PhiloxKey key_{};
  std::uint64_t replicate_ = 0;
};

}  // namespace equipoise::random

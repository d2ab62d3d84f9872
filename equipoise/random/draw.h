#pragma once

#include <bit>
#include <cstdint>

#include "equipoise/core/error.h"
#include "equipoise/random/stream.h"

namespace equipoise::random {

__extension__ typedef unsigned __int128 Word128;

/// A pure function from position to uniform 64-bit words: all that a method of randomisation sees of chance. A simulator answers
/// with Philox, a live trial with a cryptographic generator; no other code differs.
///
/// One Draw belongs to one act, such as the allocation of one participant. Positions count the draws of that act from 0; the
/// attempt counts from 0 how often a position was asked again, because its word fell into an incomplete interval.
class Draw {
 public:
  virtual ~Draw() = default;

  virtual std::uint64_t word(std::uint32_t position, std::uint32_t attempt) const = 0;

  /// A whole number from 0 to bound - 1, each equally probable; bound >= 1. No word is asked for when bound is 1.
  ///
  /// source   Lemire (2019), ACM Trans. Model. Comput. Simul. 29, 3
  /// checked  draw_test.cpp
  std::uint64_t below(std::uint32_t position, std::uint64_t bound) const {
    if (bound <= 1) {
      expects(bound == 1, "a number is drawn below 1 or more");
      return 0;
    }
    // The word is a fraction of 2^64; the whole part of bound times it is the number. A fractional part below 2^64 mod bound
    // belongs to the incomplete interval.
    for (std::uint32_t attempt = 0; attempt <= last_attempt; ++attempt) {
      const Word128 product = Word128(word(position, attempt)) * bound;
      const std::uint64_t part = std::uint64_t(product);
      if (part >= bound || part >= (0 - bound) % bound) return std::uint64_t(product >> 64);
    }
    throw ContractViolation("a draw is uniform: 256 words in a row were rejected");
  }

  /// k 2^-53 with k of 53 bits: 0 or more, and below 1.
  double unit(std::uint32_t position) const { return double(word(position, 0) >> 11) * 0x1p-53; }

  static constexpr std::uint32_t last_attempt = 255;
};

/// Where a draw of a simulated trial stands. Adding a participant or a visit leaves every other draw alone.
struct Address {
  std::uint64_t replicate = 0;
  std::uint32_t participant = 0;  ///< below 2^20
  std::uint32_t visit = 0;        ///< below 2^12; 0 = of no visit
};

/// The words at an address: Philox4x32-10 of
///
///     counter word 0   bits 0-7 attempt, bits 8-31 position / 2
///             word 1   bits 0-11 visit, bits 12-31 participant
///             words 2, 3   replicate, low half first
///     result  words 0, 1 (low half first) at an even position, words 2, 3 at an odd one
///
/// page     docs/methods/random.md
/// checked  draw_test.cpp
class PhiloxDraw final : public Draw {
 public:
  /// `key` is the derived one, which a simulator makes once.
  PhiloxDraw(PhiloxKey key, Address at) : key_(key), replicate_(at.replicate), who_((at.participant << visit_bits) | at.visit) {
    expects(at.participant < (1u << 20) && at.visit < (1u << visit_bits),
            "an address has a participant below 2^20 and a visit below 2^12");
  }

  std::uint64_t word(std::uint32_t position, std::uint32_t attempt) const override {
    const PhiloxCounter block =
        philox({(position >> 1 << 8) | attempt, who_, std::uint32_t(replicate_), std::uint32_t(replicate_ >> 32)}, key_);
    return position & 1 ? block[2] | std::uint64_t(block[3]) << 32 : block[0] | std::uint64_t(block[1]) << 32;
  }

 private:
  static constexpr unsigned visit_bits = 12;

  PhiloxKey key_;
  std::uint64_t replicate_;
  std::uint32_t who_;
};

/// The same words, of which those of the positions 0 and 1 have been drawn ahead, for many participants at once (batch.h).
class DrawnAhead final : public Draw {
 public:
  DrawnAhead(PhiloxKey key, Address at, std::uint64_t even, std::uint64_t odd) : key_(key), at_(at), first_{even, odd} {}

  std::uint64_t word(std::uint32_t position, std::uint32_t attempt) const override {
    return position < 2 && attempt == 0 ? first_[position] : PhiloxDraw(key_, at_).word(position, attempt);
  }

 private:
  PhiloxKey key_;
  Address at_;
  std::uint64_t first_[2];
};

}  // namespace equipoise::random

#pragma once

#include <string_view>

#include "equipoise/random/draw.h"
#include "equipoise/vault/memory.h"
#include "equipoise/vault/message.h"

namespace equipoise::vault {

/// The words of one live allocation. Nothing else of chance reaches a live list.
///
///     word = first 8 bytes, big-endian, of HMAC-SHA-256(seed, message)
///     message = text "equipoise allocation 1", text "draw", text stream, number position, number place, number attempt
///
/// seed      32 bytes of the operating system, secret until the reveal
/// stream    "trial", or the stratum
/// position  of the allocation in its stream, from 1
/// place     of the draw within the allocation, from 0 (Draw calls it its position)
/// attempt   how often this place was drawn before, because its word fell into an incomplete interval
///
/// A pure function: an allocation that is computed again comes out the same. Without the seed the words cannot be told from
/// uniform ones, as HMAC-SHA-256 is a pseudorandom function (Bellare 2006).
///
/// source   FIPS 198-1; Bellare (2006), New proofs for NMAC and HMAC, CRYPTO 2006
/// page     docs/methods/live_allocation.md
/// checked  live_draw_test.cpp, tests/independent/replay_allocation.py
class LiveDraw final : public random::Draw {
 public:
  LiveDraw(Mac const& seed, std::string_view stream, std::int64_t position) : seed_(&seed), head_("draw") {
    head_.text(stream).number(position);
  }

  std::uint64_t word(std::uint32_t place, std::uint32_t attempt) const override {
    Message message = head_;
    const Key32 mac = (*seed_)(message.number(place).number(attempt).bytes());
    std::uint64_t word = 0;
    for (int i = 0; i < 8; ++i) word = word << 8 | mac[std::size_t(i)];
    return word;
  }

 private:
  Mac const* seed_;
  Message head_;
};

}  // namespace equipoise::vault

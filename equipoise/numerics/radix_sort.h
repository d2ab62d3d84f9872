#pragma once

#include <cstdint>
#include <span>

#include "equipoise/numerics/uninitialised.h"

namespace equipoise::numerics {

/// Sorts words into increasing order. As many leading bits as tell about 64 n words apart are sorted digit by digit (least
/// significant digit first, 9 bits or so at a time, each pass stable and sequential in reading); what is still out of order
/// inside a run of equal leading bits is put right by comparison. So the cost is three passes for a million words whose leading
/// bits are well spread, and never more than that of a comparison sort of the longest run.
///
/// Words already in order cost one look. `scratch` is storage to reuse; what it holds afterwards means nothing.
///
/// source   Knuth (1998), The Art of Computer Programming 3, 5.2.5; the comparison pass as in section 5.2.1
/// checked  radix_sort_test.cpp
void radix_sort(Words& words, Words& scratch);

/// The same of at most `short_words` words, without storage: the leading 14 bits in two passes, and the comparison pass.
inline constexpr std::size_t short_words = 256;
void short_sort(std::span<std::uint64_t> words);

}  // namespace equipoise::numerics

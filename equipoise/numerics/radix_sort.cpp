#include "equipoise/numerics/radix_sort.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "equipoise/core/error.h"

namespace equipoise::numerics {
namespace {

constexpr unsigned widest_digit = 10;  // 1024 places to write to: their last cache lines all but fit the first level
constexpr unsigned spare_bits = 6;     // sorted beyond those of n: few words are left to be put right one by one
constexpr std::size_t short_run = 24;

void insertion_sort(std::uint64_t* first, std::uint64_t* last) {
  for (std::uint64_t* at = first + 1; at < last; ++at) {
    const std::uint64_t word = *at;
    std::uint64_t* to = at;
    for (; to > first && word < to[-1]; --to) *to = to[-1];
    *to = word;
  }
}

/// Orders each run of equal bits from `shift` up.
void order_runs(std::span<std::uint64_t> words, unsigned shift) {
  std::uint64_t* const begin = words.data();
  std::uint64_t* const end = begin + words.size();
  for (std::uint64_t* at = begin + 1; at < end; ++at) {
    if (at[-1] <= *at) continue;
    const std::uint64_t leading = *at >> shift;
    std::uint64_t *first = at, *last = at + 1;
    while (first > begin && first[-1] >> shift == leading) --first;
    while (last < end && *last >> shift == leading) ++last;
    if (std::size_t(last - first) <= short_run) insertion_sort(first, last);
    else std::sort(first, last);
    at = last - 1;
  }
}

}  // namespace

void short_sort(std::span<std::uint64_t> words) {
  constexpr unsigned width = 7, places = 1u << width;
  const std::size_t n = words.size();
  expects(n <= short_words, "few words are sorted");
  if (n <= 12) {
    if (n > 1) insertion_sort(words.data(), words.data() + n);
    return;
  }
  std::uint64_t any = 0;
  for (const std::uint64_t word : words) any |= word;
  const auto length = unsigned(std::bit_width(any));
  const unsigned lowest = length > 2 * width ? length - 2 * width : 0;
  std::uint16_t low[places] = {}, high[places] = {};
  for (const std::uint64_t word : words) ++low[(word >> lowest) % places], ++high[word >> lowest >> width];
  std::uint16_t before_low = 0, before_high = 0;
  for (unsigned place = 0; place < places; ++place) {
    const std::uint16_t here_low = low[place], here_high = high[place];
    low[place] = before_low, high[place] = before_high;
    before_low = std::uint16_t(before_low + here_low), before_high = std::uint16_t(before_high + here_high);
  }
  std::uint64_t between[short_words];
  for (const std::uint64_t word : words) between[low[(word >> lowest) % places]++] = word;
  for (std::size_t i = 0; i < n; ++i) words[high[between[i] >> lowest >> width]++] = between[i];
  if (lowest > 0) order_runs(words, lowest);
}

void radix_sort(Words& words, Words& scratch) {
  const std::size_t n = words.size();
  std::uint64_t any = 0, last = 0;
  bool ordered = true;
  for (const std::uint64_t word : words) {
    any |= word;
    ordered &= last <= word;
    last = word;
  }
  if (ordered) return;
  if (n <= short_words) return short_sort(words);

  const auto length = unsigned(std::bit_width(any));
  const unsigned wanted = std::min(length, unsigned(std::bit_width(n)) + spare_bits);
  const unsigned passes = (wanted + widest_digit - 1) / widest_digit;
  const unsigned width = (wanted + passes - 1) / passes;
  const unsigned sorted_bits = std::min(passes * width, length);
  const unsigned lowest = length - sorted_bits;
  const std::size_t places = std::size_t(1) << width;

  scratch.resize(n);
  std::vector<std::uint32_t> counts(passes * places, 0);
  for (const std::uint64_t word : words) {
    std::uint32_t* count = counts.data();
    std::uint64_t rest = word >> lowest;
    for (unsigned pass = 0; pass < passes; ++pass, count += places, rest >>= width) ++count[rest & (places - 1)];
  }
  for (unsigned pass = 0; pass < passes; ++pass) {
    std::uint32_t* const next = counts.data() + pass * places;
    const unsigned shift = lowest + pass * width;
    const std::uint64_t mask = places - 1;
    if (next[(words[0] >> shift) & mask] == n) continue;  // all have this digit in common
    std::uint32_t before = 0;
    for (std::size_t place = 0; place < places; ++place) before += std::exchange(next[place], before);
    std::uint64_t* const to = scratch.data();
    for (const std::uint64_t word : words) to[next[(word >> shift) & mask]++] = word;
    words.swap(scratch);
  }
  if (lowest > 0) order_runs(words, lowest);
}

}  // namespace equipoise::numerics

#include "equipoise/numerics/radix_sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace equipoise::numerics {
namespace {

void expect_sorted(Words words, char const* what) {
  Words expected = words, scratch;
  std::sort(expected.begin(), expected.end());
  radix_sort(words, scratch);
  EXPECT_EQ(words, expected) << what << ", " << words.size() << " words";
}

TEST(RadixSort, OrdersWhateverTheBits) {
  std::mt19937_64 bits(20260101);
  for (const std::size_t n : {0, 1, 2, 3, 255, 256, 257, 1000, 5000, 70000}) {
    Words words(n);
    const auto fill = [&](auto&& make) {
      for (std::uint64_t& word : words) word = make();
      return words;
    };
    expect_sorted(fill([&] { return bits(); }), "all 64 bits");
    expect_sorted(fill([&] { return bits() >> 40; }), "24 bits");
    expect_sorted(fill([&] { return bits() >> 61; }), "3 bits");
    expect_sorted(fill([&] { return std::uint64_t(7) << 60 | bits() >> 58; }), "high bits in common");
    expect_sorted(fill([&] { return (bits() & 1) << 63 | bits() >> 34; }), "two clusters far apart: long runs");
    expect_sorted(fill([&] { return std::uint64_t(1) << bits() % 64; }), "powers of two");
    expect_sorted(fill([&] { return ~std::uint64_t(0) - bits() % 3; }), "at the upper end");
    std::uint64_t next = 0;
    expect_sorted(fill([&] { return next += bits() % 5; }), "in order already");
    expect_sorted(fill([&] { return next -= bits() % 2; }), "falling");
  }
}

}  // namespace
}  // namespace equipoise::numerics

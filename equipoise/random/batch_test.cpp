#include "equipoise/random/batch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "equipoise/numerics/distributions.h"
#include "equipoise/random/draw.h"

namespace equipoise::random {
namespace {

std::vector<std::uint32_t> first(std::size_t n) {
  std::vector<std::uint32_t> who(padded(n));
  for (std::size_t i = 0; i < who.size(); ++i) who[i] = std::uint32_t(i);
  return who;
}

TEST(Batch, GivesTheWordsOfItsAddress) {
  const PhiloxKey key = derived_key({.seed = 20240601, .purpose = Purpose::bootstrap});
  const std::uint64_t replicate = 0x123456789abcull;
  const std::size_t n = 21, stride = padded(n);
  std::vector<double> uniforms(4 * stride), a(stride), b(stride);
  const auto who = first(n);
  const Batch batch(key, replicate);
  batch.uniforms(7, 3, n, who.data(), uniforms.data(), stride);
  batch.normals(7, 3, n, who.data(), a.data(), b.data());
  for (std::uint32_t i = 0; i < n; ++i) {
    const PhiloxCounter words = philox({3u << 8, i << 12 | 7u, 0x56789abcu, 0x1234u}, key);
    for (std::size_t w = 0; w < 4; ++w) ASSERT_EQ(uniforms[w * stride + i], (words[w] + 0.5) * 0x1p-32);
    const double u = (double((words[0] | std::uint64_t(words[1]) << 32) >> 12) + 0.5) * 0x1p-52,
                 v = (double((words[2] | std::uint64_t(words[3]) << 32) >> 12) + 0.5) * 0x1p-52;
    const double radius = std::sqrt(-2 * std::log(u)), angle = 2 * 3.14159265358979323846 * v;
    EXPECT_NEAR(a[i], radius * std::cos(angle), 1e-14);  // a few units in the last place of numbers up to 8.5
    EXPECT_NEAR(b[i], radius * std::sin(angle), 1e-14);
  }
}

TEST(Batch, GivesTheWordsOfADraw) {
  const PhiloxKey key = derived_key({.seed = 20240601, .purpose = Purpose::allocation});
  const std::uint64_t replicate = 0x123456789abcull;
  const std::size_t n = 21;
  std::vector<std::uint64_t> even(padded(n)), odd(padded(n));
  const auto who = first(n);
  Batch(key, replicate).words(0, 0, n, who.data(), even.data(), odd.data());
  for (std::uint32_t i = 0; i < n; ++i) {
    const Address at{.replicate = replicate, .participant = i};
    const PhiloxDraw draw(key, at);
    const DrawnAhead ahead(key, at, even[i], odd[i]);
    for (const std::uint32_t position : {0u, 1u, 2u, 3u, 17u})
      for (const std::uint32_t attempt : {0u, 1u, 255u}) ASSERT_EQ(ahead.word(position, attempt), draw.word(position, attempt));
    ASSERT_EQ(even[i], draw.word(0, 0));
    ASSERT_EQ(odd[i], draw.word(1, 0));
  }
}

TEST(Batch, DependsNeitherOnItsLengthNorOnItsNeighbours) {
  const Batch batch(derived_key({.seed = 1, .purpose = Purpose::bootstrap}), 5);
  const auto all = first(40);
  std::vector<double> a(40), b(40), one(8), two(8);
  batch.normals(2, 0, 40, all.data(), a.data(), b.data());
  const std::vector<std::uint32_t> some = {33, 1, 17, 17, 39, 0, 8, 2};
  batch.normals(2, 0, 3, some.data(), one.data(), two.data());
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(one[i], a[some[i]]) << i;
}

// 2^20 pairs: moments within 4 standard errors (mean 1/sqrt(N), square sqrt(2/N), fourth power sqrt(96/N), product 1/sqrt(N)),
// and tail frequencies within 4 binomial ones.
TEST(Batch, NormalsAreNormal) {
  const std::size_t n = 1 << 20;
  const auto who = first(n);
  std::vector<double> a(n), b(n);
  Batch(derived_key({.seed = 7, .purpose = Purpose::bootstrap}), 0).normals(0, 0, n, who.data(), a.data(), b.data());
  double mean = 0, square = 0, fourth = 0, product = 0, beyond_two = 0, below_minus_three = 0;
  for (std::size_t i = 0; i < n; ++i) {
    mean += a[i] + b[i], square += a[i] * a[i] + b[i] * b[i];
    fourth += std::pow(a[i], 4) + std::pow(b[i], 4), product += a[i] * b[i];
    beyond_two += double(a[i] > 2) + double(b[i] > 2), below_minus_three += double(a[i] < -3) + double(b[i] < -3);
  }
  const double count = 2 * double(n);
  EXPECT_NEAR(mean / count, 0, 4 / std::sqrt(count));
  EXPECT_NEAR(square / count, 1, 4 * std::sqrt(2 / count));
  EXPECT_NEAR(fourth / count, 3, 4 * std::sqrt(96 / count));
  EXPECT_NEAR(product / double(n), 0, 4 / std::sqrt(double(n)));
  const auto near = [&](double seen, double p) { EXPECT_NEAR(seen / count, p, 4 * std::sqrt(p * (1 - p) / count)); };
  near(beyond_two, numerics::normal_upper(2));
  near(below_minus_three, numerics::normal_upper(3));
}

}  // namespace
}  // namespace equipoise::random

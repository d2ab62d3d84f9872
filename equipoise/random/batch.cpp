#include "equipoise/random/batch.h"

#include <immintrin.h>

#include <cmath>
#include <cstring>

#include "equipoise/core/error.h"
#include "equipoise/numerics/logarithm.h"

namespace equipoise::random {
namespace {

using numerics::Lanes;
using Words = std::uint64_t __attribute__((vector_size(32)));

Words product(Words a, std::uint32_t b) {
  return Words(_mm256_mul_epu32(__m256i(a), _mm256_set1_epi64x(std::int64_t(b))));  // of the low halves
}

/// Four counters, a lane each. The high halves of the lanes hold rubbish throughout, which a product does not see.
struct Counters {
  Words word[4];
};

void round(Counters& c, PhiloxKey key) {
  const Words a = product(c.word[0], 0xD2511F53u), b = product(c.word[2], 0xCD9E8D57u);
  c.word[0] = (b >> 32) ^ c.word[1] ^ key[0];
  c.word[1] = b;
  c.word[2] = (a >> 32) ^ c.word[3] ^ key[1];
  c.word[3] = a;
}

/// Two groups of four participants, so that the multiplications of one hide those of the other.
struct Step {
  Counters low, high;
};

Counters counters(std::uint32_t const* participants, std::uint32_t visit, std::uint32_t block, std::uint64_t replicate) {
  const Words who = {participants[0], participants[1], participants[2], participants[3]};
  const Words zero = {};
  return {{zero + (std::uint64_t(block) << 8), (who << 12) | visit, zero + (replicate & 0xffffffff), zero + (replicate >> 32)}};
}

Step draw(std::uint32_t const* participants, std::uint32_t visit, std::uint32_t block, std::uint64_t replicate, PhiloxKey key) {
  Step step{counters(participants, visit, block, replicate), counters(participants + 4, visit, block, replicate)};
  for (int i = 0; i < 10; ++i) {
    round(step.low, key);
    round(step.high, key);
    key[0] += 0x9E3779B9u, key[1] += 0xBB67AE85u;
  }
  return step;
}

/// (k + 1/2) 2^-52, k the upper 52 bits of the 64-bit word.
Lanes fraction(Words low, Words high) {
  const Words bits = ((high << 32) | (low & 0xffffffff)) >> 12;
  return (Lanes(bits | 0x3ff0000000000000) - 1.0) + 0x1p-53;  // both steps are exact
}

/// (k + 1/2) 2^-32, k of 32 bits.
Lanes fraction(Words low) {
  return (Lanes((low & 0xffffffff) | 0x4330000000000000) - (0x1p52 - 0.5)) * 0x1p-32;
}

Lanes root(Lanes x) { return Lanes(_mm256_sqrt_pd(__m256d(x))); }

/// sqrt(-2 log u) times cos and sin of 2 pi v. The angle is a whole number of quarter turns and at most an eighth more, of which
/// the series of sine and cosine are taken to terms below 1e-17.
[[gnu::always_inline]] inline void box_muller(Lanes u, Lanes v, double* first, double* second) {
  const Lanes radius = root(-2.0 * numerics::logarithm(u));
  const Lanes shifted = 4.0 * v + 0x1.8p52, quarters = shifted - 0x1.8p52;
  const Lanes x = (4.0 * v - quarters) * 1.57079632679489661923, x2 = x * x;
  constexpr double sine[] = {-1.0 / 1307674368000, 1.0 / 6227020800, -1.0 / 39916800, 1.0 / 362880,
                             -1.0 / 5040,          1.0 / 120,        -1.0 / 6};
  constexpr double cosine[] = {1.0 / 20922789888000, -1.0 / 87178291200, 1.0 / 479001600, -1.0 / 3628800,
                               1.0 / 40320,          -1.0 / 720,         1.0 / 24,        -0.5};
  Lanes s = numerics::everywhere(sine[0]), c = numerics::everywhere(cosine[0]);
  for (std::size_t i = 1; i < 7; ++i) s = s * x2 + sine[i];
  for (std::size_t i = 1; i < 8; ++i) c = c * x2 + cosine[i];
  s = x + x * (x2 * s);
  c = 1.0 + x2 * c;
  // A quarter turn takes (cos, sin) to (-sin, cos).
  const Words turns = Words(shifted);
  const Words odd = Words{} - (turns & 1);
  const Words swap_c = (Words(s) & odd) | (Words(c) & ~odd), swap_s = (Words(c) & odd) | (Words(s) & ~odd);
  const Words minus_c = ((turns ^ (turns >> 1)) & 1) << 63, minus_s = (turns >> 1 & 1) << 63;
  numerics::store(first, radius * Lanes(swap_c ^ minus_c));
  numerics::store(second, radius * Lanes(swap_s ^ minus_s));
}

}  // namespace

void Batch::normals(std::uint32_t visit, std::uint32_t block, std::size_t n, std::uint32_t const* participants, double* first,
                    double* second) const {
  for (std::size_t i = 0; i < n; i += batch_step) {
    const Step step = draw(participants + i, visit, block, replicate_, key_);
    box_muller(fraction(step.low.word[0], step.low.word[1]), fraction(step.low.word[2], step.low.word[3]), first + i, second + i);
    box_muller(fraction(step.high.word[0], step.high.word[1]), fraction(step.high.word[2], step.high.word[3]), first + i + 4,
               second + i + 4);
  }
}

void Batch::uniforms(std::uint32_t visit, std::uint32_t block, std::size_t n, std::uint32_t const* participants, double* out,
                     std::size_t stride) const {
  for (std::size_t i = 0; i < n; i += batch_step) {
    const Step step = draw(participants + i, visit, block, replicate_, key_);
    for (std::size_t w = 0; w < 4; ++w) {
      numerics::store(out + w * stride + i, fraction(step.low.word[w]));
      numerics::store(out + w * stride + i + 4, fraction(step.high.word[w]));
    }
  }
}

void Batch::words(std::uint32_t visit, std::uint32_t block, std::size_t n, std::uint32_t const* participants, std::uint64_t* even,
                  std::uint64_t* odd) const {
  const auto joined = [](Words low, Words high) { return (high << 32) | (low & 0xffffffff); };
  const auto put = [](std::uint64_t* to, Words words) { std::memcpy(to, &words, sizeof words); };
  for (std::size_t i = 0; i < n; i += batch_step) {
    const Step step = draw(participants + i, visit, block, replicate_, key_);
    put(even + i, joined(step.low.word[0], step.low.word[1])), put(odd + i, joined(step.low.word[2], step.low.word[3]));
    put(even + i + 4, joined(step.high.word[0], step.high.word[1])), put(odd + i + 4, joined(step.high.word[2], step.high.word[3]));
  }
}

}  // namespace equipoise::random

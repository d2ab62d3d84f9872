#include "equipoise/random/draw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "equipoise/numerics/distributions.h"
#include "equipoise/random/scripted_draw.h"
#include "equipoise/random/variates.h"

namespace equipoise::random {
namespace {

// Random123 1.14, tests/kat_vectors, philox4x32 10, placed at the address whose counter is the vector's.
TEST(PhiloxDraw, StandsWhereTheTableOfBitsSays) {
  // counter ffffffff ffffffff ffffffff ffffffff: attempt 255, position / 2 = 2^24 - 1, visit 4095, participant 2^20 - 1.
  const PhiloxDraw last({0xffffffff, 0xffffffff}, {.replicate = ~std::uint64_t(0), .participant = 0xfffff, .visit = 0xfff});
  EXPECT_EQ(last.word(0x1fffffe, 255), 0x41c83b0e408f276d);
  EXPECT_EQ(last.word(0x1ffffff, 255), 0x6d5451fda20bc7c6);
  const PhiloxDraw first({0, 0}, {});
  EXPECT_EQ(first.word(0, 0), 0xe169c58d6627e8d5);
  EXPECT_EQ(first.word(1, 0), 0x9b00dbd8bc57ac4c);
  // counter 243f6a88 85a308d3 13198a2e 03707344
  const PhiloxDraw third({0xa4093822, 0x299f31d0}, {.replicate = 0x0370734413198a2e, .participant = 0x85a30, .visit = 0x8d3});
  EXPECT_EQ(third.word(0x243f6a << 1, 0x88), 0x94fdccebd16cfe09);
  EXPECT_EQ(third.word(0x243f6a << 1 | 1, 0x88), 0x24126ea15001e420);
  EXPECT_THROW(PhiloxDraw({0, 0}, {.participant = 1u << 20}), ContractViolation);
  EXPECT_THROW(PhiloxDraw({0, 0}, {.visit = 1u << 12}), ContractViolation);
}

TEST(PhiloxDraw, GivesEveryAddressAndPositionWordsOfItsOwn) {
  std::set<std::uint64_t> seen;
  std::size_t asked = 0;
  for (const Purpose purpose : {Purpose::allocation, Purpose::rerandomisation})
    for (std::uint64_t replicate = 0; replicate < 3; ++replicate)
      for (std::uint32_t participant = 0; participant < 3; ++participant)
        for (std::uint32_t visit = 0; visit < 3; ++visit)
          for (std::uint32_t position = 0; position < 4; ++position)
            for (std::uint32_t attempt = 0; attempt < 3; ++attempt, ++asked)
              seen.insert(PhiloxDraw(derived_key({1, purpose}), {replicate, participant, visit}).word(position, attempt));
  EXPECT_EQ(seen.size(), asked);
}

/// The same word at every first attempt, another at every later one.
class Repeating final : public Draw {
 public:
  Repeating(std::uint64_t first, std::uint64_t later) : first_(first), later_(later) {}
  std::uint64_t word(std::uint32_t, std::uint32_t attempt) const override { return attempt == 0 ? first_ : later_; }

 private:
  std::uint64_t first_, later_;
};

TEST(Draw, DrawsAgainWhatFallsIntoTheIncompleteInterval) {
  // 2^64 mod 3 = 1: of all words only 0 has the fractional part 0, and is the one too many.
  EXPECT_EQ(Repeating(0, ~std::uint64_t(0)).below(0, 3), 2u);
  EXPECT_EQ(Repeating(1, ~std::uint64_t(0)).below(0, 3), 0u);
  // 2^64 mod (3 2^62) = 2^62: word w gives the whole part of 3 w / 4, and a fractional part below a quarter is rejected.
  const std::uint64_t bound = std::uint64_t(3) << 62;
  EXPECT_EQ(Repeating(4, 5).below(0, bound), 3u);  // fractional part 0
  EXPECT_EQ(Repeating(6, 5).below(0, bound), 4u);  // 4.5
  EXPECT_THROW(Repeating(0, 0).below(0, 3), ContractViolation);
  EXPECT_THROW(Repeating(0, 0).below(0, 0), ContractViolation);
  EXPECT_EQ(ScriptedDraw({}).below(0, 1), 0u) << "one possibility takes no word";
}

TEST(Draw, IsUniform) {
  const PhiloxKey key = derived_key({1, Purpose::allocation});
  std::vector<int> seen(6);
  const int draws = 60000;
  double sum = 0, squares = 0;
  for (int i = 0; i < draws; ++i) {
    const PhiloxDraw draw(key, {.replicate = std::uint64_t(i)});
    ++seen[std::size_t(draw.below(0, 6))];
    const double u = draw.unit(1);
    ASSERT_TRUE(u >= 0 && u < 1);
    sum += u, squares += u * u;
  }
  double chi_square = 0;
  for (const int count : seen) chi_square += (count - 1e4) * (count - 1e4) / 1e4;
  EXPECT_LT(chi_square, 20.5);  // 5 degrees of freedom: exceeded once in 1000 seeds, and this seed is fixed
  EXPECT_NEAR(sum / draws, 0.5, 4 * std::sqrt(1.0 / 12 / draws));          // four standard errors
  EXPECT_NEAR(squares / draws, 1.0 / 3, 4 * std::sqrt(4.0 / 45 / draws));  // var(U^2) = 1/5 - 1/9
}

TEST(ScriptedDraw, PutsEquallyManyCellsOnEachNumber) {
  std::vector<int> seen(4), coin(2);
  for (std::uint64_t k = 0; k < 20; ++k) {
    const ScriptedDraw draw({middle_of_cell(k, 20)});
    ++seen[std::size_t(draw.below(0, 4))];
    ++coin[draw.unit(0) < 0.8];
  }
  EXPECT_EQ(seen, (std::vector<int>{5, 5, 5, 5}));
  EXPECT_EQ(coin, (std::vector<int>{4, 16}));
}

TEST(Variates, OfAWordAreInsideTheirRange) {
  EXPECT_EQ(uniform(std::uint64_t(0)), 0x1p-53);
  EXPECT_EQ(uniform(~std::uint64_t(0)), 1 - 0x1p-53);
  EXPECT_EQ(uniform(std::uint64_t(1) << 63), 0.5 + 0x1p-53);
  EXPECT_EQ(normal(std::uint64_t(0)), numerics::normal_quantile(0x1p-53));
  EXPECT_NEAR(normal(~std::uint64_t(0)), -normal(std::uint64_t(0)), 1e-12);  // 1 - 2^-53 is rounded to nothing
}

}  // namespace
}  // namespace equipoise::random

#include "equipoise/simulate/ledger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <random>

#include "equipoise/simulate/parts.h"

namespace equipoise::simulate {
namespace {

/// Block b of some rehearsal: numbers whose sums depend on the order in digits.
Tally block(std::int64_t b) {
  Tally tally{.replicates = 100};
  tally.statements.resize(1);
  for (int r = 0; r < 100; ++r) tally.trial_days.add(1.0 / (3.0 + double(b * 100 + r)));
  tally.claims = {b % 3};
  if (b < 2) tally.accrual = {double(b)};
  return tally;
}

std::string bytes(Ledger const& ledger) {
  return to_json(Part{.key = {}, .worlds = {{.id = "w", .replicates = 100000, .ledger = ledger}}});
}

TEST(Ledger, GivesTheSameBytesInWhateverOrderTheBlocksCome) {
  for (const std::int64_t n : {1, 2, 3, 7, 8, 21, 64}) {
    std::vector<std::int64_t> order(std::size_t(n), 0);
    std::iota(order.begin(), order.end(), 0);
    Ledger straight;
    for (const std::int64_t b : order) straight.add_block(b, block(b));
    EXPECT_EQ(straight.pieces().size(), std::size_t(std::popcount(std::uint64_t(n)))) << n;
    std::mt19937 random(7);
    for (int trial = 0; trial < 5; ++trial) {
      std::ranges::shuffle(order, random);
      Ledger mixed;
      for (const std::int64_t b : order) mixed.add_block(b, block(b));
      EXPECT_EQ(bytes(mixed), bytes(straight)) << n;
    }
    const Tally whole = straight.whole(n);
    EXPECT_EQ(whole.replicates, 100 * n);
    EXPECT_EQ(whole.trial_days.n, 100 * n);
    EXPECT_EQ(whole.accrual, n == 1 ? (std::vector<double>{0}) : (std::vector<double>{0, 1}));
    double sum = 0;
    for (std::int64_t i = 0; i < 100 * n; ++i) sum += 1.0 / (3.0 + double(i));
    EXPECT_NEAR(whole.trial_days.mean, sum / double(100 * n), 1e-14);
  }
}

TEST(Ledger, IsTheSameWhenItsPartsWereReducedElsewhere) {
  Ledger whole, left, right;
  for (std::int64_t b = 0; b < 37; ++b) whole.add_block(b, block(b)), (b < 13 ? left : right).add_block(b, block(b));
  for (Ledger::Piece const* piece : right.pieces()) EXPECT_TRUE(left.add(*piece));
  EXPECT_EQ(bytes(left), bytes(whole));
}

TEST(Ledger, KnowsWhatIsThere) {
  Ledger ledger;
  for (const std::int64_t b : {0, 1, 4, 5, 6}) ledger.add_block(b, block(b));
  EXPECT_TRUE(ledger.has(1));
  EXPECT_FALSE(ledger.has(2));
  EXPECT_EQ(ledger.done(1, 6), 3);
  EXPECT_EQ(ledger.extent(), 7);
  EXPECT_EQ(ledger.gap(7), (std::pair<std::int64_t, std::int64_t>{2, 4}));
  EXPECT_EQ(ledger.gap(2), std::nullopt);
  EXPECT_EQ(ledger.gap(9), (std::pair<std::int64_t, std::int64_t>{2, 4}));
  EXPECT_FALSE(ledger.add({0, 1, block(0)})) << "blocks 0 and 1 are there";
  EXPECT_FALSE(ledger.add({4, 2, block(0)})) << "three of its four blocks are there";
  EXPECT_EQ(ledger.done(0, 100), 5);
  EXPECT_EQ(Ledger{}.gap(3), (std::pair<std::int64_t, std::int64_t>{0, 3}));
}

}  // namespace
}  // namespace equipoise::simulate

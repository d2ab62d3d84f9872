#include "equipoise/allocation/predictability.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace equipoise::allocation {
namespace {

const std::vector<int> two{1, 1}, three{1, 1, 1};

TEST(ConvergentGuesses, AreCountedByHand) {
  const std::vector<std::int32_t> arm{0, 1, 1, 0}, one_site{0, 0, 0, 0}, two_sites{0, 1, 0, 1};
  // Half, then the other (right), half, then the other (right).
  EXPECT_EQ(convergent_guesses(arm, one_site, two), 3.0);
  // Each site by itself: half and right at both.
  EXPECT_EQ(convergent_guesses(arm, two_sites, two), 3.0);
  // Ratio 1 : 2: half; then b has less (right); then a has 1, b 1/2 (right); then equal (half).
  EXPECT_EQ(convergent_guesses(arm, one_site, std::vector<int>{1, 2}), 3.0);
  EXPECT_EQ(convergent_guesses(std::vector<std::int32_t>{0, 0, 0}, std::vector<std::int32_t>{0, 0, 0}, three), 1.0 / 3);
  EXPECT_EQ(convergent_guesses({}, {}, two), 0.0);
}

// Blackwell & Hodges (1957), Ann. Math. Stat. 28, 449-460: the expected number of right guesses over all orders of a block of 2m
// is m + (4^m / C(2m, m) - 1)/2.
TEST(ConvergentGuesses, HaveTheKnownMeanInABlock) {
  for (const int m : {1, 2, 3, 4}) {
    std::vector<std::int32_t> order(std::size_t(2 * m), 0);
    std::fill(order.begin() + m, order.end(), 1);
    const std::vector<std::int32_t> site(order.size(), 0);
    double sum = 0, orders = 0;
    do sum += convergent_guesses(order, site, two), ++orders;
    while (std::next_permutation(order.begin(), order.end()));
    EXPECT_NEAR(sum / orders, m + (std::pow(4.0, m) / orders - 1) / 2, 1e-12) << m;
  }
}

TEST(ArmImbalance, IsMostLessFewest) {
  const std::vector<std::int32_t> arm{0, 0, 0, 1, 2, 2}, site{0, 0, 1, 1, 1, 1};
  const ArmImbalance got = arm_imbalance(arm, site, three);
  EXPECT_EQ(got.overall, 2);
  EXPECT_EQ(got.worst_site, 2);  // s0: 2 0 0
  EXPECT_EQ(got.largest, 3);
  EXPECT_EQ(arm_imbalance(arm, site, std::vector<int>{3, 1, 2}).overall, 0);
}

}  // namespace
}  // namespace equipoise::allocation

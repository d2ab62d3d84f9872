#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace equipoise::allocation {

/// How often somebody who sees every allocation of a site, and nothing else, guesses the next one there: the arm that the site
/// has had least so far for its ratio, one of them by chance when there are several. This is the convergent strategy.
///
/// arm, site  of each participant in the order of randomisation; arms numbered below the length of `ratio`
/// returns    the expected number of right guesses: chance among equals counts by its probability
/// source     Blackwell & Hodges (1957), Ann. Math. Stat. 28, 449-460
/// checked    predictability_test.cpp
double convergent_guesses(std::span<const std::int32_t> arm, std::span<const std::int32_t> site, std::span<const int> ratio);

/// Imbalance of a set of allocations: most less fewest participants of the arms, for a ratio of each arm's 1 (an arm of ratio 2
/// counts by half).
struct ArmImbalance {
  double overall = 0;     ///< at the end
  double worst_site = 0;  ///< the largest of the sites' own, at the end
  double largest = 0;     ///< of all participants, at any time
};
/// The one at the end, which needs no look at the participants one by one.
double overall_imbalance(std::span<const std::int32_t> arm, std::span<const int> ratio);
ArmImbalance arm_imbalance(std::span<const std::int32_t> arm, std::span<const std::int32_t> site, std::span<const int> ratio);

}  // namespace equipoise::allocation

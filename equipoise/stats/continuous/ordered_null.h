#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "equipoise/core/expected.h"

/// The exact null distribution of the Jonckheere-Terpstra statistic, and of the Mann-Whitney statistic, which is that of two
/// groups.
namespace equipoise::stats {

/// Probabilities of J = 0, 1/step, 2/step, ..., the largest value that J can take.
struct OrderedNull {
  std::vector<double> probability;
  int step = 1;  ///< 2 when there are ties, so that J is a multiple of 1/2

  /// P(J <= j) and P(J >= j), each summed from its thin end.
  double lower(double j) const;
  double upper(double j) const;
};

/// J counts the pairs of one value of an earlier and one of a later group in which the later is larger, ties one half. All ways
/// of dealing the values out to groups of the given sizes are equally likely.
///
/// The blocks of tied values are dealt out from the smallest to the largest. Given how many of each group are dealt, a block of t
/// values goes to the groups as c_1, ..., c_k with the multivariate hypergeometric probability, and J grows by
/// sum_{i < j} (a_i c_j + c_i c_j / 2), a_i those dealt to group i before.
///
/// blocks   sizes of the blocks, in ascending order of their value; their sum is that of the sizes
/// sizes    n_1, ..., n_k
/// errors   out_of_range when it would take more than 2e9 additions or 3e7 probabilities at once
/// source   Mehta, Patel & Tsiatis (1984), Biometrics 40, 819-825 (the recursion over blocks)
/// checked  ordered_null_test.cpp, tests/independent/rank_test.cpp by enumeration
Expected<OrderedNull> ordered_null(std::span<const std::uint32_t> blocks, std::span<const std::uint32_t> sizes);

}  // namespace equipoise::stats

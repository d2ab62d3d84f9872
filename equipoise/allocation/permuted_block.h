#pragma once

#include "equipoise/allocation/method.h"

namespace equipoise::allocation {

/// Permuted blocks within strata: each block holds the arms in the ratio, and all orders of it are equally probable. With several
/// sizes that of each block is drawn when it begins, each size equally probable. Page: docs/methods/allocation.md
///
/// A block is never written down in advance: the next arm is drawn in proportion to what is left of the block, which gives every
/// order the same probability. Left of a block: one cell an arm, in each stratum.
struct PermutedBlock {
  static constexpr std::string_view keyword = "permuted_block";
  std::vector<int> ratio;  ///< of each arm
  std::vector<int> sizes;  ///< in units of the sum of the ratio
  std::size_t strata = 1;
  std::string words;

  static std::optional<PermutedBlock> parse(Setting const& setting, Section& text);
  std::size_t cells() const { return strata * ratio.size(); }
  void start(Cells) const {}
  std::int32_t next(Cells state, Candidate const& who, random::Draw const& draw) const;
  std::string sentence() const { return words; }
  std::optional<Caution> caution() const;  ///< of blocks that hold each place once
};
static_assert(Method<PermutedBlock>);

}  // namespace equipoise::allocation

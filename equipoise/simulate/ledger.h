#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "equipoise/simulate/tally.h"

namespace equipoise::simulate {

/// The blocks of a rehearsal that are done, reduced along one fixed binary tree over all blocks: a node of level k holds the blocks
///
///     index 2^k, ..., (index + 1) 2^k - 1        and is  left child merged with right child
///
/// So the digits of a node depend on nothing but its blocks, whoever computed them and in whatever order; n blocks that are there
/// in a row take at most 2 log2(n) nodes. Two neighbours become their parent as soon as both are there.
class Ledger {
 public:
  struct Piece {
    std::int64_t first = 0;  ///< block; a multiple of 2^level
    int level = 0;
    Tally tally{};
    std::int64_t end() const { return first + (std::int64_t(1) << level); }
  };

  bool has(std::int64_t block) const;
  /// Blocks within [begin, end) that are there.
  std::int64_t done(std::int64_t begin, std::int64_t end) const;
  /// One past the last block that is there.
  std::int64_t extent() const { return pieces_.empty() ? 0 : pieces_.rbegin()->second.end(); }

  /// False, and nothing happens, when one of the piece's blocks is there already.
  bool add(Piece piece);
  void add_block(std::int64_t block, Tally tally) { add({block, 0, std::move(tally)}); }

  /// In order of the blocks.
  std::vector<Piece const*> pieces() const;
  /// The first gap in [0, blocks), as [first, end), or nothing.
  std::optional<std::pair<std::int64_t, std::int64_t>> gap(std::int64_t blocks) const;
  /// All blocks, which must be exactly [0, blocks).
  Tally whole(std::int64_t blocks) const;

 private:
  std::map<std::int64_t, Piece> pieces_;  // by first block
};

}  // namespace equipoise::simulate

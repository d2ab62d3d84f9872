#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "equipoise/core/digest.h"

namespace equipoise::vault {

/// A tree of digests over a row of leaves: whoever has its root can check that a leaf stands at its place, from the log2(n)
/// digests beside its way up, without seeing another leaf.
///
///     lowest level   SHA-256(0x00 leaf)
///     above          SHA-256(0x01 left right); a last one without a partner rises to the next level as it is
///
/// This is the tree of RFC 9162, whose first bytes keep a node from being taken for a leaf. n >= 1.
///
/// source   Merkle (1988), CRYPTO '87, 369-378; RFC 9162, section 2.1
/// checked  merkle_test.cpp, tests/independent/replay_allocation.py
class MerkleTree {
 public:
  explicit MerkleTree(std::span<const Key32> leaves);

  Key32 const& root() const { return levels_.back().front(); }
  std::size_t size() const { return levels_.front().size(); }
  /// The digests beside the way from this leaf to the root, lowest first.
  std::vector<Key32> path(std::size_t leaf) const;

 private:
  std::vector<std::vector<Key32>> levels_;
};

/// The root to which the path leads from this leaf, one of `leaves`; nothing when the path has not the length of that place.
std::optional<Key32> root_from(Key32 const& leaf, std::size_t place, std::size_t leaves, std::span<const Key32> path);

}  // namespace equipoise::vault

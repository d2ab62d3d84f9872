#include "equipoise/vault/merkle.h"

#include <sodium.h>

#include "equipoise/core/error.h"

namespace equipoise::vault {
namespace {

Key32 of_leaf(Key32 const& leaf) {
  std::uint8_t bytes[33] = {0};
  std::ranges::copy(leaf, bytes + 1);
  Key32 digest;
  crypto_hash_sha256(digest.data(), bytes, sizeof bytes);
  return digest;
}

Key32 of_pair(Key32 const& left, Key32 const& right) {
  std::uint8_t bytes[65] = {1};
  std::ranges::copy(left, bytes + 1);
  std::ranges::copy(right, bytes + 33);
  Key32 digest;
  crypto_hash_sha256(digest.data(), bytes, sizeof bytes);
  return digest;
}

}  // namespace

MerkleTree::MerkleTree(std::span<const Key32> leaves) {
  expects(!leaves.empty(), "a tree has leaves");
  std::vector<Key32> level;
  level.reserve(leaves.size());
  for (Key32 const& leaf : leaves) level.push_back(of_leaf(leaf));
  levels_.push_back(std::move(level));
  while (levels_.back().size() > 1) {
    std::vector<Key32> const& below = levels_.back();
    std::vector<Key32> above;
    above.reserve((below.size() + 1) / 2);
    for (std::size_t i = 0; i + 1 < below.size(); i += 2) above.push_back(of_pair(below[i], below[i + 1]));
    if (below.size() % 2 == 1) above.push_back(below.back());
    levels_.push_back(std::move(above));
  }
}

std::vector<Key32> MerkleTree::path(std::size_t leaf) const {
  expects(leaf < size(), "a path begins at a leaf");
  std::vector<Key32> path;
  for (std::vector<Key32> const& level : levels_) {
    if (const std::size_t beside = leaf ^ 1; beside < level.size()) path.push_back(level[beside]);
    leaf /= 2;
  }
  return path;
}

std::optional<Key32> root_from(Key32 const& leaf, std::size_t place, std::size_t leaves, std::span<const Key32> path) {
  if (place >= leaves) return {};
  Key32 digest = of_leaf(leaf);
  for (; leaves > 1; leaves = (leaves + 1) / 2, place /= 2) {
    if ((place ^ 1) >= leaves) continue;  // without a partner
    if (path.empty()) return {};
    digest = place % 2 == 0 ? of_pair(digest, path.front()) : of_pair(path.front(), digest);
    path = path.subspan(1);
  }
  return path.empty() ? std::optional(digest) : std::nullopt;
}

}  // namespace equipoise::vault

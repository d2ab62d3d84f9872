#include "equipoise/vault/merkle.h"

#include <gtest/gtest.h>

#include <bit>

namespace equipoise::vault {
namespace {

std::vector<Key32> leaves(std::size_t n) {
  std::vector<Key32> made(n);
  for (std::size_t i = 0; i < n; ++i) made[i] = key_from_hex(sha256(std::to_string(i))).value();
  return made;
}

std::string text_of(Key32 const& key) { return std::string(as_text(key)); }

/// The definition of RFC 9162, section 2.1.1: split at the largest power of two below n.
std::string root_by_definition(std::span<const Key32> part) {
  if (part.size() == 1) return *from_hex(sha256(std::string(1, '\0') + text_of(part[0])));
  const std::size_t split = std::bit_floor(part.size() - 1);
  return *from_hex(
      sha256(std::string(1, '\1') + root_by_definition(part.first(split)) + root_by_definition(part.subspan(split))));
}

TEST(MerkleTree, IsTheTreeOfItsStandard) {
  for (std::size_t n = 1; n <= 70; ++n) {
    const auto all = leaves(n);
    EXPECT_EQ(text_of(MerkleTree(all).root()), root_by_definition(all)) << n;
  }
}

TEST(MerkleTree, EveryLeafLeadsToTheRootFromItsPlaceAlone) {
  for (std::size_t n = 1; n <= 33; ++n) {
    const auto all = leaves(n);
    const MerkleTree tree(all);
    for (std::size_t i = 0; i < n; ++i) {
      const auto path = tree.path(i);
      EXPECT_EQ(root_from(all[i], i, n, path), tree.root());
      for (std::size_t other = 0; other < n; ++other)
        if (other != i) {
          EXPECT_NE(root_from(all[i], other, n, path), tree.root()) << n << " " << i << " " << other;
          EXPECT_NE(root_from(all[other], i, n, path), tree.root());
        }
      auto longer = path;
      longer.push_back(Key32{});
      EXPECT_FALSE(root_from(all[i], i, n, longer));
      if (!path.empty()) {
        EXPECT_FALSE(root_from(all[i], i, n, std::span(path).first(path.size() - 1)));
        auto changed = path;
        changed.back()[0] ^= 1;
        EXPECT_NE(root_from(all[i], i, n, changed), tree.root());
      }
    }
    EXPECT_FALSE(root_from(all[0], n, n, tree.path(0)));
  }
}

TEST(MerkleTree, TakesNoNodeForALeaf) {
  const auto all = leaves(4);
  const MerkleTree tree(all);
  const auto path = tree.path(0);
  const Key32 pair =
      key_from_hex(sha256(std::string(1, '\1') + *from_hex(sha256(std::string(1, '\0') + text_of(all[0]))) + text_of(path[0])))
          .value();
  EXPECT_NE(root_from(pair, 0, 2, std::span(path).subspan(1)), tree.root());
}

}  // namespace
}  // namespace equipoise::vault

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "equipoise/allocation/concealed.h"
#include "equipoise/allocation/rule.h"
#include "equipoise/vault/memory.h"
#include "equipoise/vault/merkle.h"

/// What is said of an allocation before its arm is: commitments that nobody can open early or otherwise. The bytes of all of them
/// are on docs/methods/live_allocation.md.
namespace equipoise::vault {

/// To what a commitment belongs.
struct Trial {
  std::string id, protocol;  ///< protocol: the digest of the one under which the trial was opened
  std::string environment;   ///< "live", "test" or "simulated"
};

/// SHA-256 of text algorithm, text "seed", text trial, text protocol, text environment, text seed.
std::string seed_commitment(Trial const& trial, SecretBytes const& seed);

/// r of a place: HMAC-SHA-256 under the seed of text "nonce", text stream, number position. Shown with the arm, it opens this
/// place and no other.
Key32 nonce_of(Mac const& seed, std::string_view stream, std::int64_t position);

/// The leaf of a place: HMAC-SHA-256 under r of text "leaf", text trial, text protocol, text stream, number position, text arm.
/// With few arms an unkeyed digest would be opened by trying all of them.
Key32 leaf_of(Key32 const& nonce, Trial const& trial, std::string_view stream, std::int64_t position, std::string_view arm);

/// The mark of a receipt: HMAC-SHA-256 under a key derived from the seed of text "receipt", number number, text participant, text
/// stream, number position, number of levels, numbers levels. Nobody else can make one; the reveal lets everybody check it.
std::string mark_of(DerivedKey const& key, allocation::Receipt const& receipt, std::vector<std::int32_t> const& levels);
inline constexpr std::string_view mark_purpose = "mark";

/// The arms of each stream of the committed list, by the number of the stream.
using ListedArms = std::vector<std::vector<std::int32_t>>;

/// What the rule gives in every stream, as far as `listed_places` says.
ListedArms listed_arms(allocation::Rule const& rule, Mac const& seed);

/// The list as it is committed to: its leaves in order of streams, then positions.
class CommittedList {
 public:
  CommittedList(allocation::Rule const& rule, Trial const& trial, Mac const& seed, ListedArms const& arms);

  std::string root() const { return hex(tree_.root()); }
  std::size_t size() const { return leaves_.size(); }
  /// Leaf and path of a position, from 1, of a stream; nothing beyond the end of the list.
  struct Shown {
    std::string leaf;
    std::vector<std::string> path;
  };
  std::optional<Shown> at(std::string const& stream, std::int64_t position) const;
  /// Whether the leaf with this path stands at this position.
  bool holds(std::string const& stream, std::int64_t position, std::string_view leaf, std::vector<std::string> const& path) const;

 private:
  struct Range {
    std::size_t first = 0, places = 0;
  };
  std::optional<std::size_t> place(std::string const& stream, std::int64_t position) const;

  std::unordered_map<std::string, Range> streams_;  ///< by name: an amendment may number them anew
  std::vector<Key32> leaves_;
  MerkleTree tree_;
};

}  // namespace equipoise::vault

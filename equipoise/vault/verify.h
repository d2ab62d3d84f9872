#pragma once

#include <span>
#include <string>
#include <vector>

#include "equipoise/allocation/concealed.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::vault {

/// All that the world has of the allocations of a trial.
struct PublicRecord {
  protocol::Protocol const& protocol;           ///< under which the trial was opened
  protocol::Protocol const* amended = nullptr;  ///< the last one, if there were others
  allocation::Commitment const& commitment;
  std::span<const allocation::Request> requests;  ///< in their order
  std::span<const allocation::Receipt> receipts;  ///< one for each request
};

/// Something that is not as it was promised.
struct Discrepancy {
  std::int64_t number = 0;  ///< of the allocation; 0: of the trial
  std::string sentence{};
  static void fields(auto& self, auto&& f) { f("number", self.number), f("sentence", self.sentence); }
  friend bool operator==(Discrepancy const&, Discrepancy const&) = default;
};

/// Rebuilds everything from the revealed seed: the commitment to it, every leaf and the root of the list, and of every allocation
/// stream, position, path, mark, nonce and arm. Answers all that differs from the record and the reveal; nothing when all is as
/// promised.
///
/// What this proves, and what it does not: docs/methods/live_allocation.md
std::vector<Discrepancy> verify(PublicRecord const& record, allocation::Reveal const& reveal);

/// Checks one opened allocation without the seed: its arm and nonce make the leaf of the receipt, and the path leads to the
/// committed root. errors  not_available (the method has no committed list, the allocation is beyond its end, or the list was
/// imported, whose shape
///         nobody knows before the reveal); verification
Expected<void> verify_opening(protocol::Protocol const& protocol, allocation::Commitment const& commitment,
                              allocation::Receipt const& receipt, allocation::Opening const& opening);

}  // namespace equipoise::vault

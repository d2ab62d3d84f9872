#pragma once

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "equipoise/allocation/concealed.h"
#include "equipoise/core/clock.h"
#include "equipoise/core/unblinding_grant.h"
#include "equipoise/vault/dose.h"
#include "equipoise/vault/kits.h"
#include "equipoise/vault/ledger.h"
#include "equipoise/vault/secrets.h"

/// The only holder of arms.
namespace equipoise::vault {

/// What a preparer notes that tells an arm: cells, vials, viability. Kept sealed; the log of the trial holds only its id.
struct Preparation {
  std::int64_t number = 0;  ///< of the allocation
  std::string intervention{}, visit{}, by{}, text{};
  static void fields(auto& self, auto&& f) {
    f("number", self.number), f("intervention", self.intervention), f("visit", self.visit), f("by", self.by),
        f("text", self.text);
  }
  friend bool operator==(Preparation const&, Preparation const&) = default;
};

using allocation::Envelope;

/// That something was shown, and by which right; not what. To be held against the log of the trial.
struct Disclosure {
  std::string kind{};
  Instant at{};
  std::string act{}, id{};
  static void fields(auto& self, auto&& f) { f("kind", self.kind), f("at", self.at), f("act", self.act), f("id", self.id); }
};

/// Time and chance, of which allocations see nothing: they are for the ledger and for the numbers of kits.
struct Surroundings {
  Clock const* clock = nullptr;
  Chance* chance = nullptr;
};

/// Makes the allocations of one trial and keeps their arms. It holds no allocation that the log of the trial does not: `allocate`
/// is a pure function of the requests that were confirmed, so that a commit which failed is asked for again, for the same
/// participant or another one, and a vault that starts anew is told the requests of the log (`resume`) and knows all arms.
///
///     vault.resume(requests of the log)
///     receipt = vault.allocate({number, participant, levels})     nothing has changed
///     ... the log commits request and receipt ...
///     vault.confirm(number)
///
/// No message names an arm or tells one from another. What shows an arm needs a grant and is on the disk of the ledger before it
/// is answered.
///
/// page     docs/methods/live_allocation.md
/// checked  vault_test.cpp, openings_test.cpp, tests/independent/replay_allocation.py
class Vault {
 public:
  /// exchanged  for tests of blinding alone, and refused for a live trial: after all draws arm a becomes exchanged[a] everywhere,
  /// on
  ///            kits too, and nothing else changes. Leaves are then made of the arms before the exchange: to somebody without the
  ///            seed they are opaque bytes either way, and so two such worlds may show the same ones.
  /// errors     inconsistent (the secrets are of another trial or protocol; the protocol has no rule; a dose cannot be worked
  /// out)
  static Expected<Vault> open(protocol::Protocol const& protocol, Secrets secrets, Ledger ledger, Surroundings surroundings,
                              std::vector<std::int32_t> exchanged = {});

  allocation::Commitment const& commitment() const { return commitment_; }

  /// Replays all allocations of the log, from the first. After an error everything is as it was.
  Expected<void> resume(std::span<const allocation::Request> history);
  /// Goes on under an amended protocol. The arms must be the same, levels may be added after those of before, and every
  /// allocation so far must come out as it did; the commitment stays. errors  inconsistent
  Expected<void> amend(protocol::Protocol const& protocol);

  /// Allocations confirmed so far.
  std::int64_t confirmed() const { return std::int64_t(history_.size()); }
  /// errors  conflict (not the next number); refused (a cap, the end of a list, a participant who has an allocation);
  /// out_of_range
  Expected<allocation::Receipt> allocate(allocation::Request const& request);
  /// errors  conflict: it was not the last one asked for
  Expected<void> confirm(std::int64_t number);
  /// The receipt of an allocation that is confirmed, made again. errors  unresolved
  Expected<allocation::Receipt> receipt(std::int64_t number) const;

  /// The arm of one participant, and of nobody else.
  /// errors  unresolved (nobody of that name has an allocation); refused (no digest of an event); io (the ledger)
  Expected<allocation::Opening> open(std::string const& participant, UnblindingGrant const& grant);
  /// The seed and every arm. errors  as above
  Expected<allocation::Reveal> reveal(UnblindingGrant const& grant);

  /// What the preparer has to make. errors  unresolved, out_of_range (doses.h); io
  Expected<allocation::DoseOrder> dose(allocation::DoseRequest const& request);
  /// Keeps what the preparer noted; returns the random name under which it is kept. errors  unresolved, out_of_range, io
  Expected<std::string> keep(Preparation const& preparation);
  Expected<std::vector<Preparation>> preparations(UnblindingGrant const& grant);

  /// Numbers for the kits of a lot. errors  unresolved (an arm), duplicate, out_of_range, io
  Expected<LabelledLot> label_kits(KitOrder const& order);
  /// The list of a lot once more.
  Expected<LabelledLot> labels(std::string const& lot, UnblindingGrant const& grant);
  /// The number of the kit for this allocation, confirmed or asked for last, among those that the caller has in stock: the first
  /// to expire, then by number. errors  unresolved (allocation, kit); refused (none fits)
  Expected<std::string> choose_kit(std::int64_t number, std::span<const allocation::Kit> available) const;
  /// Fewest available kits of an arm, without saying which.
  Expected<std::int64_t> smallest_stock(std::span<const allocation::Kit> available) const {
    return kits_.smallest_stock(available);
  }

  /// An envelope for each participant so far, to open one in an emergency.
  Expected<std::vector<Envelope>> envelopes(UnblindingGrant const& grant);
  /// An envelope for each of the next positions of a stream, to allocate from while the service is down: entered afterwards in
  /// this order, each participant gets the arm of the envelope. Fewer when a level is full. errors  not_available (arms of this
  /// method depend on other strata); out_of_range (levels, count); refused (a cap, a list)
  Expected<std::vector<Envelope>> envelopes(std::vector<std::int32_t> const& levels, std::int64_t count,
                                            UnblindingGrant const& grant);

  std::vector<Disclosure> disclosures() const;
  /// Records of the ledger and their digest, for the log of the trial.
  std::size_t ledger_size() const { return ledger_.size(); }
  std::string ledger_digest() const { return ledger_.digest(); }
  std::string const& notice() const { return ledger_.notice(); }

  /// The seed for whoever holds the escrow key; empty when there is none.
  Expected<std::string> escrow();

 private:
  struct Allocated {
    allocation::Request request;
    Made made;
  };
  struct Pending {
    Allocated allocated;
    Replay after;
  };

  Vault(Secrets secrets, std::shared_ptr<Mac const> seed, Replay replay, Ledger ledger, Surroundings surroundings)
      : secrets_(std::move(secrets)),
        seed_(std::move(seed)),
        mark_key_(std::make_unique<DerivedKey>(*seed_, mark_purpose)),
        start_(replay),
        replay_(std::move(replay)),
        ledger_(std::move(ledger)),
        surroundings_(surroundings) {}

  static Expected<std::shared_ptr<ArmsByStream const>> arms_of_list(Secrets const& secrets, allocation::Rule const& rule);
  Expected<void> load_kits();
  std::string const& arm_id(Made const& made) const;
  std::int32_t shown(std::int32_t arm) const { return exchanged_.empty() ? arm : exchanged_[std::size_t(arm)]; }
  Expected<Allocated const*> allocated(std::int64_t number) const;
  allocation::Receipt receipt_of(Allocated const& allocated) const;
  allocation::Opening opening_of(Allocated const& allocated) const;
  Expected<void> record(std::string kind, UnblindingGrant const* grant, std::string id, std::string text = {});
  Envelope envelope(std::string const& whose, Made const& made) const;

  Secrets secrets_;
  std::shared_ptr<Mac const> seed_;
  std::unique_ptr<DerivedKey> mark_key_;
  Replay start_, replay_;
  std::optional<CommittedList> list_;
  allocation::Commitment commitment_;
  std::vector<Allocated> history_;
  std::map<std::string, std::size_t, std::less<>> by_participant_;
  std::optional<Pending> pending_;
  Doses doses_;
  Kits kits_;
  std::vector<std::pair<std::string, std::string>> arm_labels_;  ///< id and label of each arm
  Ledger ledger_;
  Surroundings surroundings_;
  std::vector<std::int32_t> exchanged_;
};

}  // namespace equipoise::vault

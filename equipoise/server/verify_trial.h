#pragma once

#include <string>
#include <vector>

#include "equipoise/conduct/state.h"
#include "equipoise/vault/vault.h"
#include "equipoise/vault/witness.h"

namespace equipoise::server {

/// What was found about one trial, each finding with what it was held against.
struct TrialVerification {
  struct Finding {
    std::string what{};  ///< "log", "witness", "lock", "allocation", "disclosure"
    bool holds = true;
    std::string sentence{};
    static void fields(auto& self, auto&& f) { f("what", self.what), f("holds", self.holds), f("sentence", self.sentence); }
  };
  std::string trial{}, environment{}, digest{};
  std::int64_t events = 0;
  std::vector<Finding> findings{};
  static void fields(auto& self, auto&& f) {
    f("trial", self.trial), f("environment", self.environment), f("digest", self.digest), f("events", self.events);
    f("findings", self.findings);
  }
  bool holds() const;
};

/// Checks one trial from its log alone: the chain of digests, event by event, naming the first that does not hold; the head that the
/// witness saw; the digest of the data that were locked; and, once the seed is revealed, every allocation: seed, list, receipts, arms.
/// With the vault's ledger also that it opened no arm without an event of the log that gave the right to it.
/// witness, shown  absent: not held against it
/// errors  io
Expected<TrialVerification> verify_trial(conduct::EventStore const& store, vault::Witness const* witness,
                                         std::vector<vault::Disclosure> const* shown = nullptr);

}  // namespace equipoise::server

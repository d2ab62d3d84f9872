#pragma once

#include <utility>

#include "equipoise/conduct/vault_port.h"
#include "equipoise/core/unblinding_grant.h"
#include "equipoise/protocol/load.h"
#include "equipoise/vault/kits.h"

namespace equipoise::server {

/// What the service asks of a vault beside what conduct asks.
class VaultLink : public conduct::VaultPort {
 public:
  virtual Expected<allocation::Commitment> commitment() = 0;
  /// Tells all allocations of the log.
  virtual Expected<void> resume(std::span<const allocation::Request> history) = 0;
  virtual Expected<void> confirm(std::int64_t number) = 0;
  /// Goes on under the amended protocol, of which this is the file.
  virtual Expected<void> amend(std::string const& protocol) = 0;
};

/// A vault in this process (vault::Vault) or in another one (vault::Client), which have the same functions.
template <class V>
class LinkTo final : public VaultLink {
 public:
  /// arms  ids, for orders of kits: as many of each
  LinkTo(V& vault, std::vector<std::string> arms) : vault_(vault), arms_(std::move(arms)) {}

  Expected<allocation::Commitment> commitment() override { return vault_.commitment(); }
  Expected<void> resume(std::span<const allocation::Request> history) override { return vault_.resume(history); }
  Expected<void> confirm(std::int64_t number) override { return vault_.confirm(number); }
  Expected<void> amend(std::string const& protocol) override {
    if constexpr (requires { vault_.amend(protocol); }) {
      return vault_.amend(protocol);
    } else {
      const auto loaded = protocol::load(protocol, "the amended protocol");
      if (!loaded) return tl::unexpected(loaded.error().front());
      return vault_.amend(*loaded);
    }
  }
  Expected<allocation::Receipt> allocate(allocation::Request const& request) override { return vault_.allocate(request); }
  Expected<bool> genuine(allocation::Request const& request, allocation::Receipt const& receipt) override {
    // An allocation is a function of those before it, so that a genuine receipt is the one that is made again.
    const auto made = vault_.allocate(request);
    if (!made) return tl::unexpected(made.error());
    if (*made != receipt) return false;
    if (const auto fine = vault_.confirm(request.number); !fine) return tl::unexpected(fine.error());
    return true;
  }
  Expected<allocation::DoseOrder> dose(allocation::DoseRequest const& request) override { return vault_.dose(request); }
  Expected<std::vector<allocation::Kit>> label_kits(std::string const& lot, std::string const& expires, std::int64_t kits_per_arm) override {
    vault::KitOrder order{lot, expires, {}};
    for (std::string const& arm : arms_) order.counts.push_back({arm, kits_per_arm});
    auto made = vault_.label_kits(order);
    // A lot that was labelled and could not be stored is labelled already: these are its kits.
    if (!made && made.error().code == Code::duplicate) made = vault_.labels(lot, UnblindingGrant(std::string(64, '0')));
    if (!made) return tl::unexpected(made.error());
    return std::move(made->kits);
  }
  Expected<std::vector<allocation::LabelledKit>> labels(std::string const& lot, std::string const& act) override {
    auto made = vault_.labels(lot, UnblindingGrant(act));
    if (!made) return tl::unexpected(made.error());
    return std::move(made->labels);
  }
  Expected<std::string> choose_kit(std::int64_t allocation, std::span<const allocation::Kit> stock) override {
    return vault_.choose_kit(allocation, stock);
  }
  Expected<allocation::Opening> open(std::string const& participant, std::string const& act) override {
    return vault_.open(participant, UnblindingGrant(act));
  }
  Expected<std::vector<allocation::Envelope>> envelopes(std::string const& act) override { return vault_.envelopes(UnblindingGrant(act)); }
  Expected<std::vector<allocation::Envelope>> envelopes(std::vector<std::int32_t> const& levels, std::int64_t count,
                                                        std::string const& act) override {
    return vault_.envelopes(levels, count, UnblindingGrant(act));
  }
  Expected<allocation::Reveal> reveal(std::string const& act) override { return vault_.reveal(UnblindingGrant(act)); }

 private:
  V& vault_;
  std::vector<std::string> arms_;
};

}  // namespace equipoise::server

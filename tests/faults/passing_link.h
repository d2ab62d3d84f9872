#pragma once

#include "equipoise/server/vault_link.h"

namespace equipoise::faults {

/// A vault that passes every question on: for those that do one thing otherwise.
class PassingLink : public server::VaultLink {
 public:
  explicit PassingLink(server::VaultLink& inner) : inner_(inner) {}
  Expected<allocation::Receipt> allocate(allocation::Request const& request) override { return inner_.allocate(request); }
  Expected<allocation::Commitment> commitment() override { return inner_.commitment(); }
  Expected<void> resume(std::span<const allocation::Request> history) override { return inner_.resume(history); }
  Expected<void> confirm(std::int64_t number) override { return inner_.confirm(number); }
  Expected<void> amend(std::string const& protocol) override { return inner_.amend(protocol); }
  Expected<bool> genuine(allocation::Request const& request, allocation::Receipt const& receipt) override {
    return inner_.genuine(request, receipt);
  }
  Expected<allocation::DoseOrder> dose(allocation::DoseRequest const& request) override { return inner_.dose(request); }
  Expected<std::vector<allocation::Kit>> label_kits(std::string const& lot, std::string const& expires,
                                                    std::int64_t kits) override {
    return inner_.label_kits(lot, expires, kits);
  }
  Expected<std::vector<allocation::LabelledKit>> labels(std::string const& lot, std::string const& act) override {
    return inner_.labels(lot, act);
  }
  Expected<std::string> choose_kit(std::int64_t allocation, std::span<const allocation::Kit> stock) override {
    return inner_.choose_kit(allocation, stock);
  }
  Expected<allocation::Opening> open(std::string const& participant, std::string const& act) override {
    return inner_.open(participant, act);
  }
  Expected<std::vector<allocation::Envelope>> envelopes(std::string const& act) override { return inner_.envelopes(act); }
  Expected<std::vector<allocation::Envelope>> envelopes(std::vector<std::int32_t> const& levels, std::int64_t count,
                                                        std::string const& act) override {
    return inner_.envelopes(levels, count, act);
  }
  Expected<allocation::Reveal> reveal(std::string const& act) override { return inner_.reveal(act); }

 protected:
  server::VaultLink& inner_;
};

}  // namespace equipoise::faults

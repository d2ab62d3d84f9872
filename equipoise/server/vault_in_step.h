#pragma once

#include <functional>
#include <utility>

#include "equipoise/server/vault_link.h"

namespace equipoise::server {

/// A vault that is kept in step with the log. A vault process which was killed and started again, or whose answer was lost, does
/// not know what the log knows; it is then told everything once more (`tell`), and asked again. That is safe, as a vault holds no
/// allocation that the log does not: to tell it the log is to set it right, and the same question has the same answer.
class VaultInStep final : public VaultLink {
 public:
  /// tell  tells the vault the amended protocol, if there is one, and all allocations of the log
  VaultInStep(VaultLink& vault, std::function<Expected<void>(VaultLink&)> tell) : vault_(vault), tell_(std::move(tell)) {}

  /// The vault may have missed something: it is told everything before the next question.
  void lost() { behind_ = true; }
  /// The act that was being decided is in the log, or came to nothing. Receipts that were compared for it are allocations to the
  /// vault, and it is told the log again when they are none.
  void settle(bool committed) {
    if (std::exchange(compared_, false) && !committed) behind_ = true;
  }

  Expected<allocation::Commitment> commitment() override { return vault_.commitment(); }
  Expected<void> resume(std::span<const allocation::Request> history) override {
    auto done = vault_.resume(history);
    if (done) behind_ = false;
    return done;
  }
  Expected<void> confirm(std::int64_t number) override { return vault_.confirm(number); }
  Expected<void> amend(std::string const& protocol) override {
    return in_step([&] { return vault_.amend(protocol); });
  }
  Expected<allocation::Receipt> allocate(allocation::Request const& request) override {
    return in_step([&] { return vault_.allocate(request); });
  }
  Expected<bool> genuine(allocation::Request const& request, allocation::Receipt const& receipt) override {
    compared_ = true;
    return in_step([&] { return vault_.genuine(request, receipt); });
  }
  Expected<allocation::DoseOrder> dose(allocation::DoseRequest const& request) override {
    return in_step([&] { return vault_.dose(request); });
  }
  Expected<std::vector<allocation::Kit>> label_kits(std::string const& lot, std::string const& expires,
                                                    std::int64_t kits) override {
    return in_step([&] { return vault_.label_kits(lot, expires, kits); });
  }
  Expected<std::vector<allocation::LabelledKit>> labels(std::string const& lot, std::string const& act) override {
    return in_step([&] { return vault_.labels(lot, act); });
  }
  Expected<std::string> choose_kit(std::int64_t allocation, std::span<const allocation::Kit> stock) override {
    return in_step([&] { return vault_.choose_kit(allocation, stock); });
  }
  Expected<allocation::Opening> open(std::string const& participant, std::string const& act) override {
    return in_step([&] { return vault_.open(participant, act); });
  }
  Expected<std::vector<allocation::Envelope>> envelopes(std::string const& act) override {
    return in_step([&] { return vault_.envelopes(act); });
  }
  Expected<std::vector<allocation::Envelope>> envelopes(std::vector<std::int32_t> const& levels, std::int64_t count,
                                                        std::string const& act) override {
    return in_step([&] { return vault_.envelopes(levels, count, act); });
  }
  Expected<allocation::Reveal> reveal(std::string const& act) override {
    return in_step([&] { return vault_.reveal(act); });
  }

 private:
  template <class Ask>
  auto in_step(Ask const& ask) -> decltype(ask()) {
    if (!behind_) {
      auto answer = ask();
      if (answer || answer.error().code != Code::unavailable) return answer;
      behind_ = true;
    }
    if (const auto told = tell_(vault_); !told) return tl::unexpected(told.error());
    behind_ = false;
    auto answer = ask();
    if (!answer && answer.error().code == Code::unavailable) behind_ = true;
    return answer;
  }

  VaultLink& vault_;
  std::function<Expected<void>(VaultLink&)> tell_;
  bool behind_ = false, compared_ = false;
};

}  // namespace equipoise::server

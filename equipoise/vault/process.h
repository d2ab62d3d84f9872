#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/lines.h"
#include "equipoise/vault/vault.h"

/// The vault as a process of its own, and the way to speak with it.
namespace equipoise::vault {

/// A question to the vault: what is asked, and what belongs to it. One line, in the one encoding of a record.
struct Question {
  std::string ask{};  ///< "status", "commitment", "escrow", "resume", "amend", "allocate", "confirm", "receipt", "open",
                      ///< "reveal", "dose", "keep", "preparations", "label_kits", "labels", "choose_kit", "smallest_stock",
                      ///< "envelopes", "disclosures"
  std::optional<std::int64_t> number{};  ///< of an allocation; of envelopes, how many; of requests told before
  std::optional<allocation::Request> request{};
  std::string participant{}, act{}, lot{}, protocol{};  ///< protocol: the text of the file
  std::optional<allocation::DoseRequest> dose{};
  std::optional<Preparation> preparation{};
  std::optional<KitOrder> order{};
  std::vector<allocation::Kit> kits{};
  std::vector<std::int32_t> levels{};
  std::vector<allocation::Request> history{};
  bool last = false;  ///< the history ends here
  static void fields(auto& self, auto&& f) {
    f("ask", self.ask), f("number", self.number), f("request", self.request), f("participant", self.participant),
        f("act", self.act);
    f("lot", self.lot), f("protocol", self.protocol), f("dose", self.dose), f("preparation", self.preparation),
        f("order", self.order);
    f("kits", self.kits), f("levels", self.levels), f("history", self.history), f("last", self.last);
  }
};

struct Status {
  std::string trial{}, environment{};
  std::int64_t confirmed = 0;
  std::int64_t ledger = 0;      ///< records
  std::string ledger_digest{};  ///< of them
  std::string notice{};         ///< what was found and mended when the ledger was opened
  static void fields(auto& self, auto&& f) {
    f("trial", self.trial), f("environment", self.environment), f("confirmed", self.confirmed), f("ledger", self.ledger);
    f("ledger_digest", self.ledger_digest), f("notice", self.notice);
  }
};

/// Answers questions. Whatever it is given, it answers one line: a record, or an error. A vault that has just started knows no
/// allocation: what depends on them is `unavailable` until the history has been told (`resume`), be it an empty one.
class Desk {
 public:
  explicit Desk(Vault& vault) : vault_(vault) {}
  std::string answer(std::string_view line);

 private:
  std::string answer(Question const& question);
  std::string resume(Question const& question);

  Vault& vault_;
  std::vector<allocation::Request> told_;  ///< a history that is being told in parts
  bool resumed_ = false;
};

/// Serves at a Unix socket until `stop` is set. Only processes of the same user are answered: whoever may act as the conduct
/// service can ask for an opening, but not without leaving it in the ledger. errors  conflict (another vault serves there); io
Expected<void> serve(std::string const& path, Vault& vault, std::atomic<bool> const& stop, LineLimits limits = {});

/// A vault in another process: the same functions, and `unavailable` when it does not answer.
class Client {
 public:
  explicit Client(std::string path, std::chrono::milliseconds timeout = std::chrono::seconds(10))
      : lines_(std::move(path)), timeout_(timeout) {}

  Expected<Status> status();
  Expected<allocation::Commitment> commitment();
  Expected<std::string> escrow();
  Expected<void> resume(std::span<const allocation::Request> history);
  Expected<void> amend(std::string protocol_text);
  Expected<allocation::Receipt> allocate(allocation::Request const& request);
  Expected<void> confirm(std::int64_t number);
  Expected<allocation::Receipt> receipt(std::int64_t number);
  Expected<allocation::Opening> open(std::string const& participant, UnblindingGrant const& grant);
  Expected<allocation::Reveal> reveal(UnblindingGrant const& grant);
  Expected<allocation::DoseOrder> dose(allocation::DoseRequest const& request);
  Expected<std::string> keep(Preparation const& preparation);
  Expected<std::vector<Preparation>> preparations(UnblindingGrant const& grant);
  Expected<LabelledLot> label_kits(KitOrder const& order);
  Expected<LabelledLot> labels(std::string const& lot, UnblindingGrant const& grant);
  Expected<std::string> choose_kit(std::int64_t number, std::span<const allocation::Kit> available);
  Expected<std::int64_t> smallest_stock(std::span<const allocation::Kit> available);
  Expected<std::vector<Envelope>> envelopes(UnblindingGrant const& grant);
  Expected<std::vector<Envelope>> envelopes(std::vector<std::int32_t> const& levels, std::int64_t count,
                                            UnblindingGrant const& grant);
  Expected<std::vector<Disclosure>> disclosures();

 private:
  template <class Answer>
  Expected<Answer> ask(Question const& question);

  LineClient lines_;
  std::chrono::milliseconds timeout_;
};

}  // namespace equipoise::vault

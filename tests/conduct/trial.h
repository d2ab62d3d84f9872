#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "equipoise/server/service.h"
#include "equipoise/store/memory.h"
#include "equipoise/vault/vault.h"

/// A whole trial in this process: service, vault and store, on a clock and on chances that the test decides.
namespace equipoise::conducted {

using server::Json;

class ManualClock final : public Clock {
 public:
  Instant now() const override { return at_; }
  void set(std::string_view text) { at_ = to_instant(text).value(); }
  void advance(std::chrono::milliseconds by) { at_ += by; }

 private:
  Instant at_ = to_instant("2024-01-08T01:00:00.000Z").value();
};

/// The same unpredictable bytes in every run: SHA-256 of a counter.
class CountedChance final : public Chance {
 public:
  explicit CountedChance(std::string name) : name_(std::move(name)) {}
  void fill(std::uint8_t* bytes, std::size_t size) override;

 private:
  std::string name_;
  std::uint64_t count_ = 0;
};

struct Options {
  std::string protocol_file = "examples/msc-inr/protocol.toml";
  std::string protocol{};                 ///< bytes, in place of the file's
  std::string environment = "test";
  std::string seed = "a seed";            ///< of vault and names
  std::vector<std::int32_t> exchanged{};  ///< arms, for non-interference
  conduct::EventStore* store = nullptr;   ///< in place of one in memory
  vault::Witness* witness = nullptr;
  server::VaultLink* vault = nullptr;     ///< to another one, in place of one in this process
  std::function<void(std::string const&)> log{};
  std::string ledger{};                   ///< file of the vault's; empty: in memory
};

class Trial {
 public:
  explicit Trial(Options options = {});

  /// Asks as a user, whose name says the role: "coordinator_s1", "investigator_s2", "administrator", "administrator_2", ...
  Json ask(std::string const& user, std::string const& command, Json data = Json::object(), std::string const& reason = "",
           std::string const& key = "");
  Json view(std::string const& user, std::string const& name, Json data = Json::object());
  /// The answer's bytes to the question's.
  std::string line(std::string const& question) { return service->answer(question); }
  static Json question(std::string const& user, std::string const& command, Json data, std::string const& reason, std::string const& key);

  /// An act that must succeed.
  Json done(std::string const& user, std::string const& command, Json data = Json::object(), std::string const& reason = "");
  /// One person proposes, another approves.
  Json both(std::string const& first, std::string const& second, std::string const& command, Json data = Json::object(),
            std::string const& reason = "because");

  // ---- The course of the flagship
  std::string enrol(std::string const& site = "s1");
  /// Consent and a screening that meets all criteria; `cd4` at screening.
  void screen(std::string const& participant, double cd4 = 180);
  Json randomise(std::string const& participant);
  std::string randomised(std::string const& site = "s1", double cd4 = 180);
  void visit(std::string const& participant, std::string const& visit, std::string const& date);
  Json save(std::string const& user, std::string const& participant, std::string const& visit, std::string const& form, Json values,
            std::int64_t revision = 0, std::string const& reason = "");
  void lock();
  std::string today() const { return to_string(clock.now()).substr(0, 10); }

  /// All events of the log, decoded.
  std::vector<conduct::TrialEvent> events() const;
  /// How many events there are of a kind.
  std::size_t count(std::string_view name) const;

  ManualClock clock;
  CountedChance chance;
  std::unique_ptr<conduct::EventStore> own_store;
  conduct::EventStore* store;
  std::unique_ptr<vault::Vault> vault;
  std::unique_ptr<server::VaultLink> link;  ///< to the vault of this process
  std::unique_ptr<server::Service> service;
  std::string protocol;
};

std::string site_of(std::string const& participant);
/// The codes of a refusal; empty when it is none.
std::set<std::string> codes(Json const& answer);
/// All messages and hints of a refusal.
std::string messages(Json const& answer);
std::string read_file(std::string const& path);

/// {"item": ..., "value": ...} for each pair.
Json values(std::vector<std::pair<std::string, std::string>> const& pairs);

}  // namespace equipoise::conducted

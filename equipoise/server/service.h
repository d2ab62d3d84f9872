#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/conduct/views.h"
#include "equipoise/server/vault_in_step.h"
#include "equipoise/vault/witness.h"

namespace equipoise::server {

using conduct::Json;
using conduct::Sequence;

/// Everything around the service that is not its own.
struct Surroundings {
  conduct::EventStore& store;
  VaultLink& vault;
  vault::Witness* witness = nullptr;  ///< absent: in memory, where nothing can be restored
  Clock const& clock;
  Chance& chance;
  std::string software;  ///< name and version
  /// Takes a line about each question: when, what, in which role, with which status. No values, no arms, no secrets.
  std::function<void(std::string const&)> log{};
  /// How the store is, for `doctor`; absent: it has nothing to say.
  std::function<Expected<Json>()> health{};
  /// Told at "asked", "decided", "intended", "stored", "confirmed" and "answered" of each act: where a test lets the process die.
  std::function<void(std::string_view point)> passes{};
};

/// How a trial begins.
struct Opening {
  std::string protocol;  ///< bytes of the file
  std::string file;      ///< its name, for messages
  std::string environment{"live"};
  struct User {
    std::string id, full_name, secret;  ///< secret: SHA-256 of it
    std::vector<conduct::Grant> grants;
  };
  std::vector<User> users;  ///< an administrator among them
};

/// The conduct service: one trial, one writer. A question is a line of JSON, and so is its answer; the same question with the same key
/// has the same answer, whenever it is asked; an extract, whose data have
/// changed since, is refused then.
///
///     {"user":"anna","secret":"...","role":"coordinator","site":"s1","key":"...","reason":"...","command":"enrol","data":{}}
///     {"user":"anna","secret":"...","role":"coordinator","site":"s1","view":"worklist"}
///
///     {"ok":true,"events":[...],"shown":{...}}     shown: what only the one who asked may see
///     {"ok":false,"status":6,"problems":[{"code":"refused","message":"...","hint":"..."}]}
///
/// status is the exit status that the codes of the problems stand for. In a simulated trial a question may say when it is asked
/// ("at":"2024-01-08T10:00:00.000Z"): the clock of the trial then stands there.
class Service {
 public:
  /// Opens a trial in an empty store: its protocol, its commitment, its first users.
  /// errors  refused (the store has a trial), and every problem of the protocol and of the users
  static Checked<void> open_trial(Opening const& opening, Surroundings const& around);

  /// Takes the lease, folds the log, tells the vault its allocations and compares the head with the witness: behind it, the service
  /// starts in a state that only reconciles.
  /// errors  inconsistent (the log does not hold; another log than the witness saw), io, unavailable
  static Expected<std::unique_ptr<Service>> start(Surroundings const& around);

  /// The answer to one question, whatever it is.
  std::string answer(std::string_view line);

  conduct::State const& state() const { return state_; }
  conduct::Plans const& plans() const { return plans_; }
  /// Why the service does nothing any more; empty while it works. After a failure to store it must be started anew.
  std::string const& broken() const { return broken_; }

 private:
  explicit Service(Surroundings const& around)
      : around_(around), clock_(around.clock), vault_(around.vault, [this](VaultLink& vault) { return tell_log(vault); }) {}

  /// The clock of the trial: that of the machine, unless a simulated trial has been told what time it is.
  class TrialClock final : public Clock {
   public:
    explicit TrialClock(Clock const& clock) : clock_(clock) {}
    Instant now() const override { return told_.value_or(clock_.now()); }
    void stand_at(Instant instant) { told_ = instant; }

   private:
    Clock const& clock_;
    std::optional<Instant> told_{};
  };
  struct Asked {
    conduct::Actor actor;
    std::string name, key, request;
    Node const* data;
    bool looks = false;
  };
  std::optional<Asked> read(Node const& question, Problems& problems);
  bool known(std::string const& user, std::string const& secret);
  Checked<Json> act(Asked const& asked);
  Checked<Json> look(Asked const& asked);
  /// again  the event of the same question before: the same files, or a refusal when the data have changed since
  Checked<Json> take_away(Asked const& asked, Sequence again = 0);
  Checked<Json> dose_order(Asked const& asked);
  Checked<Json> backup(Asked const& asked);
  Checked<Json> doctor(Asked const& asked);
  Checked<Json> hand_in(Asked const& asked);
  Checked<Json> told(conduct::Sequence first, conduct::Sequence last);
  Expected<Json> shown(conduct::TrialEvent const& event, std::string const& digest);
  /// Adds the events, or nothing.
  Expected<void> commit(conduct::Actor const& actor, std::string const& key, std::string const& request, conduct::Decision decision);
  Expected<void> load_plan(std::string const& file_digest);
  Expected<void> tell_amendment(VaultLink& vault, std::string const& file_digest);
  /// Tells a vault that has started anew what the log holds: before the allocations the amendment, whose levels they may have.
  Expected<void> tell_log(VaultLink& vault);
  Expected<void> fold_log();
  conduct::Surroundings surroundings() { return {plans_, clock_, around_.chance, vault_, around_.store}; }
  void pass(std::string_view point) const {
    if (around_.passes) around_.passes(point);
  }
  Expected<conduct::TrialEvent> event_at(Sequence sequence) const;
  /// Somebody looks at something of which looking is recorded.
  Expected<void> record_access(Asked const& asked, std::string const& key, conduct::Accessed access);
  /// All arms before the end, by a right that `act` names.
  Expected<std::map<std::string, std::string, std::less<>>> opened_arms(std::string const& act);

  Surroundings around_;
  TrialClock clock_;
  VaultInStep vault_;
  conduct::State state_;
  conduct::Plans plans_;
  std::string amended_;  ///< file of the last amendment; empty: there was none
  std::map<std::string, std::pair<int, Instant>, std::less<>> guesses_;  ///< wrong secrets of a user, and when the last one came
  std::string broken_;
};

/// Problems as an answer.
std::string refusal(Problems const& problems);

}  // namespace equipoise::server

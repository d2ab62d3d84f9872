#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "equipoise/conduct/events.h"
#include "equipoise/conduct/roles.h"
#include "equipoise/core/expected.h"

/// What a trial is now: the fold of its events. Nothing here is stored; whoever has the log has this.
namespace equipoise::conduct {

struct Grant {
  Role role{};
  std::string site{};  ///< empty: all sites
  friend bool operator==(Grant const&, Grant const&) = default;
};

struct User {
  std::string id{}, full_name{}, secret{};  ///< secret: its SHA-256
  std::vector<Grant> grants{};
  bool ended = false;
};

struct Version {
  std::string protocol{}, version{};  ///< digest; the trial's word for it
  bool new_consent = false;
  Sequence since = 0;
};

struct Proposal {
  std::string id{}, command{}, data{}, by{}, role{};
  TextId reason{};
  Instant at{};
  enum class State { open, approved, declined } state = State::open;
};

/// What an item holds. `value` is empty where there is none; `missing` may say why.
struct Value {
  std::string item{}, value{}, missing{};
  TextId text{};
};

struct Record {
  std::string visit{}, form{};
  std::int64_t entry = 0;
  std::int64_t revision = 0, verified = 0;  ///< verified: the revision that was compared with its source
  bool struck = false;
  Sequence saved = 0;  ///< the event that made this revision
  std::vector<Value> values{};

  Value const* find(std::string_view item) const;
};

struct Consented {
  std::string date{}, version{};
};

struct Signature {
  RecordKey record{};
  std::int64_t revision = 0;
  std::string meaning{}, full_name{}, user{};
  Instant at{};
  Sequence sequence = 0;
};

struct Participant {
  std::string id{}, site{};
  std::string version{};       ///< digest of the protocol that applies
  std::int64_t revision = 0;   ///< counts every change of what is known of the participant
  std::int64_t screening = 1;  ///< attempt
  bool screening_failed = false;
  std::vector<std::string> failed_criteria{};
  std::vector<Consented> consents{};
  std::map<std::string, std::string, std::less<>> visits{};  ///< date of each recorded visit; empty: it did not take place
  std::vector<Record> records{};                             ///< sorted by visit, form, entry
  std::optional<Randomised> randomised{};
  std::vector<Discontinued> ends{};
  std::vector<Signature> signatures{};
  bool in_error = false;   ///< should not have been randomised
  bool unblinded = false;  ///< the arm has been told to somebody at the site

  Record const* find(std::string_view visit, std::string_view form, std::int64_t entry) const;
  Record& at(std::string_view visit, std::string_view form, std::int64_t entry);
  Discontinued const* end(std::string_view what) const;
};

struct Query {
  std::string id{}, item{};
  RecordKey record{};
  TextId text{}, answer{};
  std::string by{};
  enum class State { open, answered, closed } state = State::open;
  Sequence opened = 0;
};

struct SafetyCase {
  std::string id{};
  RecordKey record{};
  SeriousEventReported reported{};
  std::vector<SeriousEventAssessed> assessed{};
  std::vector<SafetyReportSent> sent{};
};

struct Dose {
  DosePrepared prepared{};
  std::string prepared_by{}, confirmed_by{}, step{"prepared"};
  std::vector<std::pair<std::string, Sequence>> steps{};
};

struct KitState {
  allocation::Kit kit{};
  std::string step{"labelled"};  ///< labelled, shipped, received, dispensed, returned, destroyed
  bool quarantined = false;
  std::string participant{}, visit{};
};

struct UnblindingRequest {
  std::string id{}, participant{}, by{};
  bool drill = false, confirmed = false;
};

struct Unblinding {
  std::string participant{}, by{}, role{};
  TextId reason{};
  bool drill = false;
  Instant at{};
  Sequence sequence = 0;
};

struct Notice {
  Sequence sequence = 0;
  Instant at{};
  std::vector<std::string> roles{};
  std::string what{}, participant{};
};

struct State {
  // ---- The log
  Sequence last = 0;
  std::string digest{};  ///< of the last event
  Instant at{};          ///< the latest moment of any event

  // ---- The trial
  std::optional<TrialOpened> opened{};
  std::vector<Version> versions{};
  std::map<std::string, User, std::less<>> users{};
  std::map<std::string, Proposal, std::less<>> proposals{};
  std::set<std::string, std::less<>> paused{};  ///< sites; "" everywhere
  bool reconciling = false;
  std::vector<Signature> signatures{};  ///< under the trial
  std::set<std::pair<std::string, Scope>> holds{};
  std::vector<SnapshotTaken> snapshots{};
  Sequence snapshot_at = 0, data_changed = 0;  ///< events of the last snapshot and of the last change of data
  bool locked = false;
  std::optional<TrialUnblinded> unblinded{};

  // ---- Participants
  std::vector<Participant> participants{};
  std::unordered_map<std::string, std::size_t> places{};
  std::map<std::string, std::int64_t, std::less<>> enrolled{}, randomised{};  ///< of each site
  std::vector<allocation::Request> allocations{};                             ///< in their order
  std::map<std::string, Query, std::less<>> queries{};
  std::vector<DeviationRecorded> deviations{};
  std::map<std::string, SafetyCase, std::less<>> cases{};
  std::map<std::string, Dose, std::less<>> doses{};
  std::map<std::string, KitState, std::less<>> kits{};
  std::map<std::string, UnblindingRequest, std::less<>> unblinding_requests{};
  std::vector<Unblinding> unblindings{};
  std::vector<Notice> notices{};
  std::set<TextId, std::less<>> redacted{};

  Participant const* participant(std::string_view id) const;
  User const* user(std::string_view id) const;
  Version const& version() const { return versions.back(); }
  Version const* version(std::string_view digest) const;
  /// Whether a user holds the role, at the site when the role works at one.
  bool holds_role(std::string_view user, Role role, std::string_view site) const;
};

/// The state after the event. `stored` is checked: its sequence and its link to the event before.
/// errors  inconsistent: the event cannot follow (its sequence, its previous digest, or what it speaks of is not there)
Expected<void> fold(State& state, TrialEvent const& event, std::string_view digest);

/// How queries, doses, ... are numbered: "q-1", "q-2", ...
std::string next_id(std::string_view prefix, std::size_t there_are);

}  // namespace equipoise::conduct

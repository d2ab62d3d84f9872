#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "equipoise/allocation/concealed.h"
#include "equipoise/conduct/event_store.h"
#include "equipoise/core/clock.h"

/// Everything that can happen in a trial, each as one struct. Dates are texts as people wrote them (YYYY-MM-DD, or shorter where a
/// date may be partial); moments are UTC. Free text never stands in an event: a member of type `TextId` names a text that is kept
/// apart (see event_store.h), so that it can be destroyed and the chain of digests still holds.
///
/// A new kind of event is a struct here, a name in `Event`, and its case in the fold.
namespace equipoise::conduct {

using TextId = std::string;

/// Which record of a participant: a form at a visit, or the n-th entry of a form without a visit.
struct RecordKey {
  std::string participant{}, form{};
  std::string visit{};     ///< empty for a form without a visit
  std::int64_t entry = 0;  ///< from 1; 0 for a form at a visit
  static void fields(auto& self, auto&& f) {
    f("participant", self.participant), f("form", self.form), f("visit", self.visit), f("entry", self.entry);
  }
  friend auto operator<=>(RecordKey const&, RecordKey const&) = default;
};

// ---- The trial --------------------------------------------------------------------------------------------------------------

struct TrialOpened {
  static constexpr std::string_view name = "trial_opened";
  std::string trial{}, environment{};
  std::string document{};  ///< SHA-256 of the protocol's file, by which the store keeps it
  std::string protocol{}, version{}, software{};
  allocation::Commitment commitment{};
  static void fields(auto& self, auto&& f) {
    f("trial", self.trial), f("environment", self.environment), f("document", self.document), f("protocol", self.protocol);
    f("version", self.version), f("software", self.software), f("commitment", self.commitment);
  }
};

struct Amended {
  static constexpr std::string_view name = "amended";
  std::string document{}, protocol{}, version{};
  bool new_consent = false;  ///< participants stay on their version until they consent again
  static void fields(auto& self, auto&& f) {
    f("document", self.document), f("protocol", self.protocol), f("version", self.version), f("new_consent", self.new_consent);
  }
};

struct UserAdded {
  static constexpr std::string_view name = "user_added";
  std::string user{}, full_name{};
  std::string secret{};  ///< SHA-256 of the secret that the person holds
  static void fields(auto& self, auto&& f) { f("user", self.user), f("full_name", self.full_name), f("secret", self.secret); }
};

struct RoleGranted {
  static constexpr std::string_view name = "role_granted";
  std::string user{}, role{}, site{};
  static void fields(auto& self, auto&& f) { f("user", self.user), f("role", self.role), f("site", self.site); }
};

struct RoleRevoked {
  static constexpr std::string_view name = "role_revoked";
  std::string user{}, role{}, site{};
  static void fields(auto& self, auto&& f) { f("user", self.user), f("role", self.role), f("site", self.site); }
};

struct AccessEnded {
  static constexpr std::string_view name = "access_ended";
  std::string user{};
  static void fields(auto& self, auto&& f) { f("user", self.user); }
};

/// A command that needs two people, as the first of them gave it.
struct Proposed {
  static constexpr std::string_view name = "proposed";
  std::string proposal{}, command{}, data{};  ///< data: the command's encoding
  static void fields(auto& self, auto&& f) { f("proposal", self.proposal), f("command", self.command), f("data", self.data); }
};

struct Approved {
  static constexpr std::string_view name = "approved";
  std::string proposal{};
  static void fields(auto& self, auto&& f) { f("proposal", self.proposal); }
};

struct Declined {
  static constexpr std::string_view name = "declined";
  std::string proposal{};
  static void fields(auto& self, auto&& f) { f("proposal", self.proposal); }
};

struct EnrolmentPaused {
  static constexpr std::string_view name = "enrolment_paused";
  std::string site{};  ///< empty: everywhere
  static void fields(auto& self, auto&& f) { f("site", self.site); }
};

struct EnrolmentResumed {
  static constexpr std::string_view name = "enrolment_resumed";
  std::string site{};
  static void fields(auto& self, auto&& f) { f("site", self.site); }
};

struct Redacted {
  static constexpr std::string_view name = "redacted";
  Sequence event = 0;  ///< in which the text is named
  TextId text{};
  static void fields(auto& self, auto&& f) { f("event", self.event), f("text", self.text); }
};

/// Somebody looked at something of which looking is recorded, or took data away.
struct Accessed {
  static constexpr std::string_view name = "accessed";
  std::string what{};         ///< "extract", "audit", "dose_order", "arm", ...
  std::string about{};        ///< participant, dose or purpose
  std::string digest{};       ///< of what was taken away
  static void fields(auto& self, auto&& f) { f("what", self.what), f("about", self.about), f("digest", self.digest); }
};

/// The log was behind what its witness had seen: a restored copy. Nothing is allocated until it is reconciled.
struct ReconcileStarted {
  static constexpr std::string_view name = "reconcile_started";
  Sequence witnessed = 0, found = 0;
  static void fields(auto& self, auto&& f) { f("witnessed", self.witnessed), f("found", self.found); }
};

struct Reconciled {
  static constexpr std::string_view name = "reconciled";
  std::int64_t restored = 0;  ///< allocations entered again from their receipts
  static void fields(auto& self, auto&& f) { f("restored", self.restored); }
};

// ---- Participants ---------------------------------------------------------------------------------------------------------------

struct ParticipantEnrolled {
  static constexpr std::string_view name = "participant_enrolled";
  std::string participant{}, site{}, version{};
  static void fields(auto& self, auto&& f) { f("participant", self.participant), f("site", self.site), f("version", self.version); }
};

struct ConsentGiven {
  static constexpr std::string_view name = "consent_given";
  std::string participant{}, date{}, version{};
  static void fields(auto& self, auto&& f) { f("participant", self.participant), f("date", self.date), f("version", self.version); }
};

struct ScreeningFailed {
  static constexpr std::string_view name = "screening_failed";
  std::string participant{};
  std::vector<std::string> criteria{};  ///< that were not met
  static void fields(auto& self, auto&& f) { f("participant", self.participant), f("criteria", self.criteria); }
};

/// Screened once more, under the same identity; what was recorded at visits before randomisation is asked for again.
struct ScreeningStarted {
  static constexpr std::string_view name = "screening_started";
  std::string participant{};
  std::int64_t attempt = 1;
  static void fields(auto& self, auto&& f) { f("participant", self.participant), f("attempt", self.attempt); }
};

struct RandomisationRefused {
  static constexpr std::string_view name = "randomisation_refused";
  std::string participant{};
  std::vector<std::string> reasons{};  ///< sentences
  static void fields(auto& self, auto&& f) { f("participant", self.participant), f("reasons", self.reasons); }
};

/// Says nothing of the arm: the receipt and what the allocation depended on.
struct Randomised {
  static constexpr std::string_view name = "randomised";
  std::string participant{};
  std::string date{};                  ///< at the site
  std::vector<std::string> factors{};  ///< levels as words, in the order of the protocol
  allocation::Request request{};
  allocation::Receipt receipt{};
  bool restored = false;   ///< entered again from the receipt, after an old copy had been restored
  std::string envelope{};  ///< "3 of site=s1": the printed envelope that was opened while the service was down
  static void fields(auto& self, auto&& f) {
    f("participant", self.participant), f("date", self.date), f("factors", self.factors), f("request", self.request);
    f("receipt", self.receipt), f("restored", self.restored), f("envelope", self.envelope);
  }
};

/// Somebody who should not have been randomised was. The allocation stands, and its place is never given again.
struct RandomisedInError {
  static constexpr std::string_view name = "randomised_in_error";
  std::string participant{};
  static void fields(auto& self, auto&& f) { f("participant", self.participant); }
};

/// An end of something: treatment, participation, use of the data, life.
struct Discontinued {
  static constexpr std::string_view name = "discontinued";
  std::string participant{};
  std::string what{};  ///< completed, treatment_stop, study_stop, lost_to_follow_up, no_further_use, death; or a code of the protocol
  std::string date{};
  static void fields(auto& self, auto&& f) { f("participant", self.participant), f("what", self.what), f("date", self.date); }
};

// ---- Data -----------------------------------------------------------------------------------------------------------------------

struct VisitRecorded {
  static constexpr std::string_view name = "visit_recorded";
  std::string participant{}, visit{};
  std::string date{};  ///< empty: the visit did not take place
  std::string was{};   ///< the date before; "missed" when it had not taken place
  static void fields(auto& self, auto&& f) {
    f("participant", self.participant), f("visit", self.visit), f("date", self.date), f("was", self.was);
  }
};

/// A value as text: a number in the item's unit ("<20" below a limit), true or false, a code, a date as far as it is known.
struct ItemValue {
  std::string item{};
  std::string value{};
  TextId text{};          ///< of an item of kind text, in place of `value`
  std::string missing{};  ///< why there is none: not_done, unknown, not_applicable
  std::string entered{};  ///< what was typed, where it is not `value`: "412 /uL"
  std::string was{};      ///< the value before, or its text's id, or the reason why there was none
  static void fields(auto& self, auto&& f) {
    f("item", self.item), f("value", self.value), f("text", self.text), f("missing", self.missing), f("entered", self.entered);
    f("was", self.was);
  }
};

/// A soft check that fired, and why the value stands all the same.
struct AcceptedCheck {
  std::string check{};  ///< "soft:cd4" or the id of an edit check
  TextId reason{};
  static void fields(auto& self, auto&& f) { f("check", self.check), f("reason", self.reason); }
};

struct FormSaved {
  static constexpr std::string_view name = "form_saved";
  RecordKey record{};
  std::int64_t revision = 1;  ///< after this save
  std::vector<ItemValue> values{};
  std::vector<AcceptedCheck> accepted{};
  static void fields(auto& self, auto&& f) {
    f("record", self.record), f("revision", self.revision), f("values", self.values), f("accepted", self.accepted);
  }
};

/// An entry that was made in error; it stays readable, and counts nowhere.
struct EntryStruck {
  static constexpr std::string_view name = "entry_struck";
  RecordKey record{};
  std::int64_t revision = 1;
  static void fields(auto& self, auto&& f) { f("record", self.record), f("revision", self.revision); }
};

struct QueryOpened {
  static constexpr std::string_view name = "query_opened";
  std::string query{};
  RecordKey record{};
  std::string item{};
  TextId text{};
  static void fields(auto& self, auto&& f) {
    f("query", self.query), f("record", self.record), f("item", self.item), f("text", self.text);
  }
};

struct QueryAnswered {
  static constexpr std::string_view name = "query_answered";
  std::string query{};
  TextId text{};
  static void fields(auto& self, auto&& f) { f("query", self.query), f("text", self.text); }
};

struct QueryClosed {
  static constexpr std::string_view name = "query_closed";
  std::string query{};
  static void fields(auto& self, auto&& f) { f("query", self.query); }
};

struct SourceVerified {
  static constexpr std::string_view name = "source_verified";
  RecordKey record{};
  std::int64_t revision = 0;
  static void fields(auto& self, auto&& f) { f("record", self.record), f("revision", self.revision); }
};

/// A signature under a record, under all of a participant (form empty), or under the trial (participant empty too).
struct Signed {
  static constexpr std::string_view name = "signed";
  RecordKey record{};
  std::int64_t revision = 0;  ///< of the record, of the participant, or the sequence of the log
  std::string meaning{};      ///< "responsibility", "review", "lock", ...
  std::string full_name{};
  static void fields(auto& self, auto&& f) {
    f("record", self.record), f("revision", self.revision), f("meaning", self.meaning), f("full_name", self.full_name);
  }
};

struct DeviationRecorded {
  static constexpr std::string_view name = "deviation_recorded";
  std::string deviation{}, participant{}, category{}, date{};
  TextId text{};
  std::string found{};  ///< by the program: what it saw, as a sentence
  static void fields(auto& self, auto&& f) {
    f("deviation", self.deviation), f("participant", self.participant), f("category", self.category), f("date", self.date);
    f("text", self.text), f("found", self.found);
  }
};

/// Data that nobody may change: of an item, a record, a participant, a site or (all empty) the trial.
struct Scope {
  std::string site{};
  RecordKey record{};
  std::string item{};
  static void fields(auto& self, auto&& f) { f("site", self.site), f("record", self.record), f("item", self.item); }
  friend auto operator<=>(Scope const&, Scope const&) = default;
};

struct Held {
  static constexpr std::string_view name = "held";
  std::string level{};  ///< frozen or locked
  Scope scope{};
  static void fields(auto& self, auto&& f) { f("level", self.level), f("scope", self.scope); }
};

struct Released {
  static constexpr std::string_view name = "released";
  std::string level{};
  Scope scope{};
  static void fields(auto& self, auto&& f) { f("level", self.level), f("scope", self.scope); }
};

// ---- Safety ---------------------------------------------------------------------------------------------------------------------

struct SeriousEventReported {
  static constexpr std::string_view name = "serious_event_reported";
  std::string case_id{};
  RecordKey record{};  ///< the entry of the adverse event form
  Instant aware{};     ///< when the site learned of it
  bool fatal_or_life_threatening = false;
  static void fields(auto& self, auto&& f) {
    f("case", self.case_id), f("record", self.record), f("aware", self.aware);
    f("fatal_or_life_threatening", self.fatal_or_life_threatening);
  }
};

struct SeriousEventAssessed {
  static constexpr std::string_view name = "serious_event_assessed";
  std::string case_id{};
  Instant aware{};  ///< when the sponsor learned what this assessment rests on
  bool related = false, expected = false, fatal_or_life_threatening = false;
  static void fields(auto& self, auto&& f) {
    f("case", self.case_id), f("aware", self.aware), f("related", self.related), f("expected", self.expected);
    f("fatal_or_life_threatening", self.fatal_or_life_threatening);
  }
};

struct SafetyReportSent {
  static constexpr std::string_view name = "safety_report_sent";
  std::string case_id{};
  std::string report{};  ///< sponsor, authority or follow_up
  Instant sent{};
  static void fields(auto& self, auto&& f) { f("case", self.case_id), f("report", self.report), f("sent", self.sent); }
};

// ---- Doses and kits -------------------------------------------------------------------------------------------------------------

/// A dose as everybody may see it. How much is in the bag the vault tells the preparer.
struct DosePrepared {
  static constexpr std::string_view name = "dose_prepared";
  std::string dose{}, participant{}, visit{}, intervention{};
  std::string bag{};  ///< random code on the bag
  double weight_kg = 0;
  std::string weight_date{}, expires{};
  static void fields(auto& self, auto&& f) {
    f("dose", self.dose), f("participant", self.participant), f("visit", self.visit), f("intervention", self.intervention);
    f("bag", self.bag), f("weight_kg", self.weight_kg), f("weight_date", self.weight_date), f("expires", self.expires);
  }
};

struct DoseConfirmed {
  static constexpr std::string_view name = "dose_confirmed";
  std::string dose{};
  static void fields(auto& self, auto&& f) { f("dose", self.dose); }
};

struct DoseMoved {
  static constexpr std::string_view name = "dose_moved";
  std::string dose{};
  std::string step{};  ///< released, received, given, returned, destroyed
  static void fields(auto& self, auto&& f) { f("dose", self.dose), f("step", self.step); }
};

struct KitsLabelled {
  static constexpr std::string_view name = "kits_labelled";
  std::string lot{}, expires{};
  std::vector<std::string> kits{};  ///< numbers, sorted
  static void fields(auto& self, auto&& f) { f("lot", self.lot), f("expires", self.expires), f("kits", self.kits); }
};

struct KitsMoved {
  static constexpr std::string_view name = "kits_moved";
  std::string step{};  ///< shipped, received, quarantined, freed, returned, destroyed
  std::string site{};  ///< of shipped
  std::vector<std::string> kits{};
  static void fields(auto& self, auto&& f) { f("step", self.step), f("site", self.site), f("kits", self.kits); }
};

struct KitDispensed {
  static constexpr std::string_view name = "kit_dispensed";
  std::string kit{}, participant{}, visit{};
  static void fields(auto& self, auto&& f) { f("kit", self.kit), f("participant", self.participant), f("visit", self.visit); }
};

// ---- Unblinding and the end -----------------------------------------------------------------------------------------------------

struct UnblindingRequested {
  static constexpr std::string_view name = "unblinding_requested";
  std::string request{}, participant{};
  bool drill = false;
  static void fields(auto& self, auto&& f) { f("request", self.request), f("participant", self.participant), f("drill", self.drill); }
};

/// One participant's arm was told to the one who asked; it does not stand here.
struct ParticipantUnblinded {
  static constexpr std::string_view name = "participant_unblinded";
  std::string request{}, participant{};
  bool drill = false;                  ///< nothing was told
  std::vector<std::string> notices{};  ///< roles that are told that it happened
  static void fields(auto& self, auto&& f) {
    f("request", self.request), f("participant", self.participant), f("drill", self.drill), f("notices", self.notices);
  }
};

/// Envelopes for days on which the service cannot be reached were printed, for an unblinded role; not what is in them.
struct EnvelopesPrinted {
  static constexpr std::string_view name = "envelopes_printed";
  std::string purpose{};               ///< emergency: of each participant so far; downtime: of the next places of a stratum
  std::vector<std::string> factors{};  ///< levels of the stratum, as words
  std::vector<std::int32_t> levels{};
  std::int64_t count = 0;        ///< asked for; 0: of each participant
  std::int64_t allocations = 0;  ///< there were when they were printed
  static void fields(auto& self, auto&& f) {
    f("purpose", self.purpose), f("factors", self.factors), f("levels", self.levels), f("count", self.count);
    f("allocations", self.allocations);
  }
};

struct SnapshotTaken {
  static constexpr std::string_view name = "snapshot_taken";
  std::string snapshot{};
  std::string digest{};  ///< of the data as extracted for the data manager
  static void fields(auto& self, auto&& f) { f("snapshot", self.snapshot), f("digest", self.digest); }
};

struct TrialLocked {
  static constexpr std::string_view name = "trial_locked";
  std::string digest{};  ///< of the snapshot
  static void fields(auto& self, auto&& f) { f("digest", self.digest); }
};

struct TrialUnlocked {
  static constexpr std::string_view name = "trial_unlocked";
  static void fields(auto&, auto&&) {}
};

/// The seed and every arm: from here on the log hides nothing.
struct TrialUnblinded {
  static constexpr std::string_view name = "trial_unblinded";
  allocation::Reveal reveal{};
  static void fields(auto& self, auto&& f) { f("reveal", self.reveal); }
};

using Event =
    std::variant<TrialOpened, Amended, UserAdded, RoleGranted, RoleRevoked, AccessEnded, Proposed, Approved, Declined,
                 EnrolmentPaused, EnrolmentResumed, Redacted, Accessed, ReconcileStarted, Reconciled, ParticipantEnrolled,
                 ConsentGiven, ScreeningFailed, ScreeningStarted, RandomisationRefused, Randomised, RandomisedInError, Discontinued, VisitRecorded,
                 FormSaved, EntryStruck, QueryOpened, QueryAnswered, QueryClosed, SourceVerified, Signed, DeviationRecorded, Held,
                 Released, SeriousEventReported, SeriousEventAssessed, SafetyReportSent, DosePrepared, DoseConfirmed, DoseMoved,
                 KitsLabelled, KitsMoved, KitDispensed, UnblindingRequested, ParticipantUnblinded, EnvelopesPrinted, SnapshotTaken, TrialLocked,
                 TrialUnlocked, TrialUnblinded>;

std::string_view name_of(Event const& event);
/// The digest of the protocol file that comes into force with the event; empty: none does.
std::string protocol_file_of(Event const& event);

/// Who, when, in which role, why, under which protocol; and the link to the event before.
struct Envelope {
  Sequence sequence = 0;
  Instant at{};               ///< the server's clock
  bool clock_back = false;    ///< which was behind that of an earlier event: order is that of the sequence
  std::string local{};        ///< date and offset at the site: "2026-11-28 +08:00"; empty without a site
  std::string actor{}, role{}, site{};
  TextId reason{};
  std::string protocol{};  ///< digest of the version in force
  std::string previous{};  ///< digest of the event before; empty for the first
  static void fields(auto& self, auto&& f) {
    f("sequence", self.sequence), f("at", self.at), f("clock_back", self.clock_back), f("local", self.local);
    f("actor", self.actor), f("role", self.role), f("site", self.site), f("reason", self.reason), f("protocol", self.protocol);
    f("previous", self.previous);
  }
};

struct TrialEvent {
  Envelope envelope;
  Event event;
};

/// The bytes of an event: {"envelope":{...},"event":"form_saved","data":{...}}. They have one form only.
std::string encoded_event(TrialEvent const& event);
/// errors  syntax: not the bytes of an event of this build, with the position
Expected<TrialEvent> decoded_event(std::string_view bytes);
/// With its digest.
StoredEvent stored(TrialEvent const& event);

}  // namespace equipoise::conduct

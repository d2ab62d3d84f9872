#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "equipoise/conduct/events.h"
#include "equipoise/core/section.h"

/// What people ask for, each as one struct with the name of its line in the table of permissions (roles.cpp). A command becomes
/// events or a refusal in `decide`.
namespace equipoise::conduct {

using Absent = std::optional<std::string>;  ///< a text that may be left out

// ---- Governance -----------------------------------------------------------------------------------------------------------------

struct AddUser {
  static constexpr std::string_view name = "add_user";
  std::string user{}, full_name{};
  std::string secret{};  ///< SHA-256 of the secret, 64 hex
  static void fields(auto& self, auto&& f) { f("user", self.user), f("full_name", self.full_name), f("secret", self.secret); }
};

struct GrantRole {
  static constexpr std::string_view name = "grant_role";
  std::string user{}, role{};
  Absent site{};
  static void fields(auto& self, auto&& f) { f("user", self.user), f("role", self.role), f("site", self.site); }
};

struct RevokeRole {
  static constexpr std::string_view name = "revoke_role";
  std::string user{}, role{};
  Absent site{};
  static void fields(auto& self, auto&& f) { f("user", self.user), f("role", self.role), f("site", self.site); }
};

struct EndAccess {
  static constexpr std::string_view name = "end_access";
  std::string user{};
  static void fields(auto& self, auto&& f) { f("user", self.user); }
};

struct Approve {
  static constexpr std::string_view name = "approve";
  std::string proposal{};
  static void fields(auto& self, auto&& f) { f("proposal", self.proposal); }
};

struct Decline {
  static constexpr std::string_view name = "decline";
  std::string proposal{};
  static void fields(auto& self, auto&& f) { f("proposal", self.proposal); }
};

struct PauseEnrolment {
  static constexpr std::string_view name = "pause_enrolment";
  Absent at{};  ///< site; absent: everywhere
  static void fields(auto& self, auto&& f) { f("at", self.at); }
};

struct ResumeEnrolment {
  static constexpr std::string_view name = "resume_enrolment";
  Absent at{};
  static void fields(auto& self, auto&& f) { f("at", self.at); }
};

/// The protocol file itself has been put into the store, under its SHA-256.
struct Amend {
  static constexpr std::string_view name = "amend";
  std::string document{};
  bool new_consent = false;
  static void fields(auto& self, auto&& f) { f("document", self.document), f("new_consent", self.new_consent); }
};

/// Allocations that an old copy has lost, from the receipts that sites hold.
struct LostAllocation {
  std::string date{};
  allocation::Request request{};
  allocation::Receipt receipt{};
  static void fields(auto& self, auto&& f) { f("date", self.date), f("request", self.request), f("receipt", self.receipt); }
};
struct Reconcile {
  static constexpr std::string_view name = "reconcile";
  std::vector<LostAllocation> lost{};
  static void fields(auto& self, auto&& f) { f("lost", self.lost); }
};

struct Redact {
  static constexpr std::string_view name = "redact";
  std::int64_t event = 0;
  std::string text{};
  static void fields(auto& self, auto&& f) { f("event", self.event), f("text", self.text); }
};

// ---- Participants ---------------------------------------------------------------------------------------------------------------

struct Enrol {
  static constexpr std::string_view name = "enrol";
  static void fields(auto&, auto&&) {}  // at the actor's site
};

struct Consent {
  static constexpr std::string_view name = "consent";
  std::string participant{}, date{};
  Absent version{};  ///< of the protocol; absent: the one in force
  static void fields(auto& self, auto&& f) { f("participant", self.participant), f("date", self.date), f("version", self.version); }
};

struct ScreenAgain {
  static constexpr std::string_view name = "screen_again";
  std::string participant{};
  static void fields(auto& self, auto&& f) { f("participant", self.participant); }
};

struct FailScreening {
  static constexpr std::string_view name = "fail_screening";
  std::string participant{};
  static void fields(auto& self, auto&& f) { f("participant", self.participant); }
};

struct Randomise {
  static constexpr std::string_view name = "randomise";
  std::string participant{};
  std::string confirm{};  ///< what `read_back` answered: somebody has read the data back, and they are still the same
  /// After a downtime: what stands on the printed envelope that was opened, as "3 of site=s1". The allocation must be that one.
  std::optional<std::string> envelope{};
  static void fields(auto& self, auto&& f) {
    f("participant", self.participant), f("confirm", self.confirm), f("envelope", self.envelope);
  }
};

/// With the user's secret once more, since nothing undoes it.
struct MarkRandomisedInError {
  static constexpr std::string_view name = "randomised_in_error";
  std::string participant{}, secret{};
  static void fields(auto& self, auto&& f) { f("participant", self.participant), f("secret", self.secret); }
};

struct Stop {
  static constexpr std::string_view name = "stop";
  std::string participant{}, what{}, date{};
  static void fields(auto& self, auto&& f) { f("participant", self.participant), f("what", self.what), f("date", self.date); }
};

// ---- Data -----------------------------------------------------------------------------------------------------------------------

struct RecordVisit {
  static constexpr std::string_view name = "visit";
  std::string participant{}, visit{};
  Absent date{};  ///< absent: it did not take place
  static void fields(auto& self, auto&& f) { f("participant", self.participant), f("visit", self.visit), f("date", self.date); }
};

struct EnteredValue {
  std::string item{};
  Absent value{}, unit{};
  Absent missing{};  ///< not_done, unknown or not_applicable
  static void fields(auto& self, auto&& f) {
    f("item", self.item), f("value", self.value), f("unit", self.unit), f("missing", self.missing);
  }
};

struct AcceptCheck {
  std::string check{}, reason{};
  static void fields(auto& self, auto&& f) { f("check", self.check), f("reason", self.reason); }
};

/// Which record, as asked for: without `entry` a new one of a form without a visit.
struct AskedRecord {
  std::string participant{}, form{};
  Absent visit{};
  std::optional<std::int64_t> entry{};
  static void fields(auto& self, auto&& f) {
    f("participant", self.participant), f("form", self.form), f("visit", self.visit), f("entry", self.entry);
  }
};

struct SaveForm {
  static constexpr std::string_view name = "record";
  AskedRecord record{};
  std::int64_t revision = 0;  ///< of the record that was looked at; 0: there was none
  std::vector<EnteredValue> values{};
  std::vector<AcceptCheck> accept{};
  static void fields(auto& self, auto&& f) {
    f("record", self.record), f("revision", self.revision), f("values", self.values), f("accept", self.accept);
  }
};

struct StrikeEntry {
  static constexpr std::string_view name = "strike";
  AskedRecord record{};
  std::int64_t revision = 0;
  static void fields(auto& self, auto&& f) { f("record", self.record), f("revision", self.revision); }
};

struct OpenQuery {
  static constexpr std::string_view name = "open_query";
  AskedRecord record{};
  Absent item{};
  std::string text{};
  static void fields(auto& self, auto&& f) { f("record", self.record), f("item", self.item), f("text", self.text); }
};

struct AnswerQuery {
  static constexpr std::string_view name = "answer_query";
  std::string query{}, text{};
  static void fields(auto& self, auto&& f) { f("query", self.query), f("text", self.text); }
};

struct CloseQuery {
  static constexpr std::string_view name = "close_query";
  std::string query{};
  static void fields(auto& self, auto&& f) { f("query", self.query); }
};

struct VerifySource {
  static constexpr std::string_view name = "verify_source";
  AskedRecord record{};
  std::int64_t revision = 0;
  static void fields(auto& self, auto&& f) { f("record", self.record), f("revision", self.revision); }
};

/// With the secret once more: a signature has two components.
struct Sign {
  static constexpr std::string_view name = "sign";
  Absent participant{}, form{}, visit{};
  std::optional<std::int64_t> entry{};
  std::int64_t revision = 0;
  std::string meaning{};
  std::string secret{};
  static void fields(auto& self, auto&& f) {
    f("participant", self.participant), f("form", self.form), f("visit", self.visit), f("entry", self.entry);
    f("revision", self.revision), f("meaning", self.meaning), f("secret", self.secret);
  }
};

struct RecordDeviation {
  static constexpr std::string_view name = "deviation";
  std::string participant{}, category{}, date{}, text{};
  static void fields(auto& self, auto&& f) {
    f("participant", self.participant), f("category", self.category), f("date", self.date), f("text", self.text);
  }
};

struct AskedScope {
  Absent site{}, participant{}, form{}, visit{}, item{};
  std::optional<std::int64_t> entry{};
  static void fields(auto& self, auto&& f) {
    f("site", self.site), f("participant", self.participant), f("form", self.form), f("visit", self.visit), f("entry", self.entry);
    f("item", self.item);
  }
};

struct Hold {
  static constexpr std::string_view name = "hold";
  std::string level{};
  AskedScope scope{};
  static void fields(auto& self, auto&& f) { f("level", self.level), f("scope", self.scope); }
};

struct Release {
  static constexpr std::string_view name = "release";
  std::string level{};
  AskedScope scope{};
  static void fields(auto& self, auto&& f) { f("level", self.level), f("scope", self.scope); }
};

// ---- Safety ---------------------------------------------------------------------------------------------------------------------

struct ReportSerious {
  static constexpr std::string_view name = "report_serious";
  AskedRecord record{};
  Instant aware{};
  bool fatal_or_life_threatening = false;
  static void fields(auto& self, auto&& f) {
    f("record", self.record), f("aware", self.aware), f("fatal_or_life_threatening", self.fatal_or_life_threatening);
  }
};

struct AssessSerious {
  static constexpr std::string_view name = "assess_serious";
  std::string case_id{};
  Instant aware{};
  bool related = false, expected = false, fatal_or_life_threatening = false;
  static void fields(auto& self, auto&& f) {
    f("case", self.case_id), f("aware", self.aware), f("related", self.related), f("expected", self.expected);
    f("fatal_or_life_threatening", self.fatal_or_life_threatening);
  }
};

struct SendSafetyReport {
  static constexpr std::string_view name = "send_safety_report";
  std::string case_id{}, report{};
  Instant sent{};
  static void fields(auto& self, auto&& f) { f("case", self.case_id), f("report", self.report), f("sent", self.sent); }
};

// ---- Doses and kits -------------------------------------------------------------------------------------------------------------

struct PrepareDose {
  static constexpr std::string_view name = "prepare_dose";
  std::string participant{}, visit{}, intervention{};
  std::string expires{};
  bool weight_looked_at_again = false;  ///< a large change of weight is right
  static void fields(auto& self, auto&& f) {
    f("participant", self.participant), f("visit", self.visit), f("intervention", self.intervention), f("expires", self.expires);
    f("weight_looked_at_again", self.weight_looked_at_again);
  }
};

struct ConfirmDose {
  static constexpr std::string_view name = "confirm_dose";
  std::string dose{};
  static void fields(auto& self, auto&& f) { f("dose", self.dose); }
};

struct MoveDose {
  static constexpr std::string_view name = "move_dose";
  std::string dose{}, step{};
  static void fields(auto& self, auto&& f) { f("dose", self.dose), f("step", self.step); }
};

struct LabelKits {
  static constexpr std::string_view name = "label_kits";
  std::string lot{}, expires{};
  std::int64_t kits_per_arm = 0;
  static void fields(auto& self, auto&& f) { f("lot", self.lot), f("expires", self.expires), f("kits_per_arm", self.kits_per_arm); }
};

struct MoveKits {
  static constexpr std::string_view name = "move_kits";
  std::string step{};
  Absent to{};  ///< site, when they are shipped
  std::vector<std::string> kits{};
  static void fields(auto& self, auto&& f) { f("step", self.step), f("to", self.to), f("kits", self.kits); }
};

struct DispenseKit {
  static constexpr std::string_view name = "dispense_kit";
  std::string participant{}, visit{};
  static void fields(auto& self, auto&& f) { f("participant", self.participant), f("visit", self.visit); }
};

// ---- Unblinding and the end -----------------------------------------------------------------------------------------------------

struct RequestUnblinding {
  static constexpr std::string_view name = "request_unblinding";
  std::string participant{};
  bool drill = false;
  static void fields(auto& self, auto&& f) { f("participant", self.participant), f("drill", self.drill); }
};

struct ConfirmUnblinding {
  static constexpr std::string_view name = "confirm_unblinding";
  std::string request{};
  static void fields(auto& self, auto&& f) { f("request", self.request); }
};

struct PrintEnvelopes {
  static constexpr std::string_view name = "print_envelopes";
  std::string purpose{};                ///< emergency or downtime
  std::vector<std::string> factors{};   ///< of the stratum, in the order of the protocol
  std::optional<std::int64_t> count{};  ///< of the next places
  static void fields(auto& self, auto&& f) { f("purpose", self.purpose), f("factors", self.factors), f("count", self.count); }
};

struct TakeSnapshot {
  static constexpr std::string_view name = "snapshot";
  static void fields(auto&, auto&&) {}
};

struct LockTrial {
  static constexpr std::string_view name = "lock";
  static void fields(auto&, auto&&) {}
};

struct UnlockTrial {
  static constexpr std::string_view name = "unlock";
  static void fields(auto&, auto&&) {}
};

struct UnblindTrial {
  static constexpr std::string_view name = "unblind";
  static void fields(auto&, auto&&) {}
};

using Command =
    std::variant<AddUser, GrantRole, RevokeRole, EndAccess, Approve, Decline, PauseEnrolment, ResumeEnrolment, Amend, Reconcile,
                 Redact, Enrol, Consent, ScreenAgain, FailScreening, Randomise, MarkRandomisedInError, Stop, RecordVisit, SaveForm, StrikeEntry, OpenQuery,
                 AnswerQuery, CloseQuery, VerifySource, Sign, RecordDeviation, Hold, Release, ReportSerious, AssessSerious,
                 SendSafetyReport, PrepareDose, ConfirmDose, MoveDose, LabelKits, MoveKits, DispenseKit, RequestUnblinding,
                 ConfirmUnblinding, PrintEnvelopes, TakeSnapshot, LockTrial, UnlockTrial, UnblindTrial>;

std::string_view name_of(Command const& command);

/// The command of this name with its data. Every problem is reported, with the place in the request.
/// errors  unknown_keyword (no such command), and those of `Section`
std::optional<Command> read_command(std::string_view name, Node const& data, Problems& problems);

/// The command's encoding, without secrets, and back: what a proposal keeps.
std::string encoded_command(Command const& command);
Expected<Command> decoded_command(std::string_view name, std::string_view bytes);

}  // namespace equipoise::conduct

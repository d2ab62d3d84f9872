#pragma once

#include <string>
#include <string_view>

#include "equipoise/conduct/decide.h"

namespace equipoise::conduct {

/// The workshop of one decision: looks things up, collects problems and events. Each family of commands has its file, with one
/// `void on(Command const&)` for each command.
class Decider {
 public:
  Decider(State const& state, Actor const& actor, Surroundings const& around) : s_(state), actor_(actor), around_(around) {}

  Checked<Decision> decide(Command const& command);

 private:
  // ---- Governance (decide_governance.cpp)
  void on(AddUser const&);
  void on(GrantRole const&);
  void on(RevokeRole const&);
  void on(EndAccess const&);
  void on(Approve const&);
  void on(Decline const&);
  void on(PauseEnrolment const&);
  void on(ResumeEnrolment const&);
  void on(Amend const&);
  void on(Reconcile const&);
  void on(Redact const&);
  // ---- Participants (decide_participants.cpp)
  void on(Enrol const&);
  void on(Consent const&);
  void on(ScreenAgain const&);
  void on(FailScreening const&);
  void on(Randomise const&);
  void on(MarkRandomisedInError const&);
  void on(Stop const&);
  // ---- Data (decide_data.cpp)
  void on(RecordVisit const&);
  void on(SaveForm const&);
  void on(StrikeEntry const&);
  // ---- Review of data (decide_review.cpp)
  void on(OpenQuery const&);
  void on(AnswerQuery const&);
  void on(CloseQuery const&);
  void on(VerifySource const&);
  void on(Sign const&);
  void on(RecordDeviation const&);
  void on(Hold const&);
  void on(Release const&);
  // ---- Safety (decide_safety.cpp)
  void on(ReportSerious const&);
  void on(AssessSerious const&);
  void on(SendSafetyReport const&);
  // ---- Doses and kits (decide_supply.cpp)
  void on(PrepareDose const&);
  void on(ConfirmDose const&);
  void on(MoveDose const&);
  void on(LabelKits const&);
  void on(MoveKits const&);
  void on(DispenseKit const&);
  // ---- Unblinding and the end (decide_end.cpp)
  void on(RequestUnblinding const&);
  void on(ConfirmUnblinding const&);
  void on(PrintEnvelopes const&);
  void on(TakeSnapshot const&);
  void on(LockTrial const&);
  void on(UnlockTrial const&);
  void on(UnblindTrial const&);

  // ---- What they share (decide.cpp)
  template <class... Args>
  Error& problem(Code code, fmt::format_string<Args...> text, Args&&... args) {
    return add_problem(problems_, {}, code, text, std::forward<Args>(args)...);
  }
  template <class E>
  void emit(E event) {
    made_.events.emplace_back(std::move(event));
  }
  bool failed() const { return !problems_.empty(); }

  void propose(Command const& command);
  TextId seal(std::string const& text);
  bool need_reason(std::string_view what);
  /// Whether there is such a participant and the actor may know of it: site staff know those of their site.
  bool may_know(std::string const& participant) const;
  /// The participant, when there is one that the actor may know of; else a problem.
  Participant const* participant(std::string const& id);
  /// The same, of whom data may be changed now.
  Participant const* open_participant(std::string const& id);
  Plan const& plan_of(Participant const& who) const;
  Plan const& current() const;
  /// The date at the site now; at no site, in UTC.
  std::string today(std::string const& site) const;
  /// Problems unless the text is a date (exact unless `partial`) that is not after today at the site.
  bool date(std::string_view what, std::string const& text, std::string const& site, bool partial = false);
  /// The key of a record that is asked for, when the form is filled there; `entry` absent: the next one.
  std::optional<RecordKey> key(AskedRecord const& asked, Participant const& who);
  /// The record, which must be there.
  Record const* record(AskedRecord const& asked, Participant const*& who, RecordKey& key);
  /// A problem when something that covers this is frozen or locked.
  bool held(RecordKey const& key, std::string const& site, std::string_view item = {});
  Scope scope(AskedScope const& asked);
  void deviation(std::string const& who, std::string_view category, std::string const& date, std::string found);
  /// A deviation when the actual date lies outside of the visit's window around the day of randomisation.
  void check_window(Participant const& who, std::string const& visit, std::string const& date);
  /// Problems when the participant gets no treatment: not randomised, or stopped.
  void need_treated(Participant const& who);
  void stop_checks(Participant const& who, std::string const& what, std::string const& date);

  State const& s_;
  Actor const& actor_;
  Surroundings const& around_;
  Decision made_{};
  Problems problems_{};
  std::size_t new_deviations_ = 0, new_queries_ = 0;
};

}  // namespace equipoise::conduct

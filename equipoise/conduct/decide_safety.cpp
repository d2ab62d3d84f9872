// Serious adverse events, their assessment, and the reports that are due.

#include <algorithm>

#include "equipoise/conduct/decider.h"
#include "equipoise/conduct/safety_clocks.h"

namespace equipoise::conduct {

void Decider::on(ReportSerious const& command) {
  Participant const* who = nullptr;
  RecordKey found;
  Record const* one = record(command.record, who, found);
  if (!one) return;
  protocol::Form const* form = plan_of(*who).adverse_event_form();
  if (!form || form->id != found.form) problem(Code::unresolved, "form '{}' is not that of adverse events", found.form);
  Value const* serious = one->find("serious");
  if (one->struck) problem(Code::refused, "this entry has been struck out");
  else if (!serious || serious->value != "true") problem(Code::inconsistent, "the entry does not say that the event is serious");
  if (command.aware > around_.clock.now()) problem(Code::out_of_range, "nobody is aware of an event in the future");
  if (std::ranges::any_of(s_.cases, [&](auto const& entry) { return entry.second.record == found; }))
    problem(Code::duplicate, "this event is reported as a case");
  if (failed()) return;
  emit(SeriousEventReported{next_id("sae", s_.cases.size()), found, command.aware, command.fatal_or_life_threatening});
}

void Decider::on(AssessSerious const& command) {
  const auto found = s_.cases.find(command.case_id);
  if (found == s_.cases.end()) problem(Code::unresolved, "there is no case '{}'", command.case_id);
  else if (command.aware < found->second.reported.aware)
    problem(Code::inconsistent, "the sponsor was not aware of the case before the site was");
  if (command.aware > around_.clock.now()) problem(Code::out_of_range, "nobody is aware of an event in the future");
  if (found != s_.cases.end() && !found->second.assessed.empty()) need_reason("assessing a case again");
  if (failed()) return;
  emit(SeriousEventAssessed{command.case_id, command.aware, command.related, command.expected, command.fatal_or_life_threatening});
}

void Decider::on(SendSafetyReport const& command) {
  const auto found = s_.cases.find(command.case_id);
  if (found == s_.cases.end() || !may_know(found->second.record.participant)) {
    problem(Code::unresolved, "there is no case '{}'", command.case_id);
    return;
  }
  const auto clocks = safety_clocks(s_, around_.clock.now());
  if (std::ranges::none_of(clocks, [&](SafetyClock const& clock) { return clock.case_id == command.case_id && clock.report == command.report; }))
    problem(Code::unresolved, "no report '{}' is due for case '{}'", command.report, command.case_id).hint =
        "reports are sponsor, authority and follow_up";
  if (command.report != "sponsor" && actor_.role != Role::medical_monitor) problem(Code::refused, "the medical monitor reports to authorities");
  if (command.sent > around_.clock.now()) problem(Code::out_of_range, "a report is not sent in the future");
  if (command.sent < found->second.reported.aware) problem(Code::inconsistent, "a report is not sent before the event is known");
  if (failed()) return;
  emit(SafetyReportSent{command.case_id, command.report, command.sent});
}

}  // namespace equipoise::conduct

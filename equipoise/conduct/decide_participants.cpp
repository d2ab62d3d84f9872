// From enrolment to randomisation, and the ends of treatment and participation.

#include <algorithm>

#include "equipoise/conduct/decider.h"
#include "equipoise/core/digest.h"
#include "equipoise/core/text.h"

namespace equipoise::conduct {

void Decider::on(Enrol const&) {
  if (s_.locked) problem(Code::refused, "the trial is locked");
  if (s_.paused.contains("") || s_.paused.contains(actor_.site)) problem(Code::refused, "enrolment is paused");
  if (failed()) return;
  const auto there = s_.enrolled.find(actor_.site);
  const std::string id = fmt::format("{}-{:03}", actor_.site, (there == s_.enrolled.end() ? 0 : there->second) + 1);
  emit(ParticipantEnrolled{id, actor_.site, s_.version().protocol});
  made_.once.push_back({"participant", id});
}

void Decider::on(Consent const& command) {
  Participant const* who = open_participant(command.participant);
  if (!who) return;
  const std::string word = command.version.value_or(s_.version().version);
  const auto version = std::ranges::find(s_.versions, word, &Version::version);
  if (version == s_.versions.end()) problem(Code::unresolved, "there is no version '{}' of the protocol", word);
  date("the date of consent", command.date, who->site);
  if (failed()) return;
  // Nobody goes back to an earlier version.
  const auto now = std::ranges::find(s_.versions, who->version, &Version::protocol);
  if (version < now) problem(Code::refused, "participant '{}' has consented to a later version", who->id);
  if (!who->consents.empty() && who->consents.back().version == version->protocol)
    problem(Code::duplicate, "this consent is recorded, dated {}", who->consents.back().date);
  if (who->randomised && who->consents.empty() && command.date > who->randomised->date)
    deviation(who->id, "consent", command.date, "the consent is dated after the randomisation");
  if (failed()) return;
  emit(ConsentGiven{who->id, command.date, version->protocol});
}

void Decider::on(ScreenAgain const& command) {
  Participant const* who = open_participant(command.participant);
  if (!who) return;
  if (who->randomised) problem(Code::refused, "participant '{}' is randomised", who->id);
  else if (!who->screening_failed) problem(Code::refused, "the screening of participant '{}' has not failed", who->id);
  if (failed()) return;
  emit(ScreeningStarted{who->id, who->screening + 1});
}

void Decider::on(FailScreening const& command) {
  Participant const* who = open_participant(command.participant);
  if (!who) return;
  if (who->randomised) problem(Code::refused, "participant '{}' is randomised", who->id);
  if (who->screening_failed) problem(Code::duplicate, "this screening has failed already");
  if (failed()) return;
  std::vector<std::string> failed_criteria;
  for (CriterionAnswer const& answer : readiness(plan_of(*who), s_, *who, today(who->site)).criteria)
    if (answer.answer == CriterionAnswer::Answer::not_met) failed_criteria.push_back(answer.id);
  if (failed_criteria.empty() && !need_reason("a screening that fails though no criterion does")) return;
  emit(ScreeningFailed{who->id, failed_criteria});
}

void Decider::on(Randomise const& command) {
  Participant const* who = participant(command.participant);
  if (!who) return;
  if (who->randomised) {
    problem(Code::refused, "participant '{}' is randomised, on {}", who->id, who->randomised->date).hint = "nobody is randomised twice";
    return;
  }
  Plan const& plan = plan_of(*who);
  const std::string day = today(who->site);
  const Readiness ready = readiness(plan, s_, *who, day);
  if (!ready.reasons.empty()) {  // the refusal is recorded (C27)
    emit(RandomisationRefused{who->id, ready.reasons});
    return;
  }
  if (command.confirm != confirmation(s_, *who)) {
    problem(Code::conflict, "what is known of participant '{}' has changed since it was read back", who->id).hint =
        "read it back again (trial read-back) and confirm that";
    return;
  }
  const allocation::Request request{std::int64_t(s_.allocations.size()) + 1, who->id, ready.levels};
  const auto receipt = around_.vault.allocate(request);
  if (!receipt) {
    if (receipt.error().code == Code::refused) emit(RandomisationRefused{who->id, {receipt.error().message}});
    else problems_.push_back(receipt.error());
    return;
  }
  const std::string envelope = fmt::format("{} of {}", receipt->position, receipt->stream);
  if (command.envelope && *command.envelope != envelope) {
    problem(Code::conflict, "the envelope '{}' was opened, and the next one for participant '{}' is '{}'", *command.envelope, who->id, envelope)
        .hint = "enter participants in the order in which envelopes were opened; an envelope opened out of order is told to the unblinded "
                "statistician, who decides";
    return;
  }
  emit(Randomised{.participant = who->id, .date = day, .factors = ready.factors, .request = request, .receipt = *receipt, .restored = false,
                  .envelope = command.envelope.value_or("")});
  made_.once.push_back({"allocation", std::to_string(request.number)});
  made_.once.push_back({"randomised", who->id});
  // Visits before: whether they lie in their windows is known only now.
  Participant after = *who;
  after.randomised = Randomised{.participant = who->id, .date = day};
  for (auto const& [visit, date] : who->visits)
    if (!date.empty()) check_window(after, visit, date);
}

void Decider::on(MarkRandomisedInError const& command) {
  need_reason("marking a randomisation as an error");
  Participant const* who = participant(command.participant);
  if (!who) return;
  if (!equal_secrets(sha256(command.secret), s_.user(actor_.user)->secret))
    problem(Code::refused, "this cannot be undone: it needs your secret once more, and this is not it");
  if (!who->randomised) problem(Code::refused, "participant '{}' is not randomised", who->id);
  if (who->in_error) problem(Code::duplicate, "participant '{}' is marked", who->id);
  if (failed()) return;
  emit(RandomisedInError{who->id});
  deviation(who->id, "randomised_in_error", today(who->site),
            fmt::format("participant {} was randomised in error; allocation {} stands", who->id, who->randomised->request.number));
}

void Decider::stop_checks(Participant const& who, std::string const& what, std::string const& when) {
  if (Discontinued const* there = who.end(what)) problem(Code::duplicate, "'{}' is recorded, on {}", what, there->date);
  if (Discontinued const* death = who.end("death"); death && when > death->date)
    problem(Code::inconsistent, "{} lies after the death, on {}", when, death->date);
  if (what == "treatment_stop" && !who.randomised)
    problem(Code::refused, "participant '{}' has not been randomised, so that no treatment can stop", who.id);
}

void Decider::on(Stop const& command) {
  Participant const* who = open_participant(command.participant);
  if (!who) return;
  Plan const& plan = plan_of(*who);
  const Plan::EventSlot* slot = plan.event_slot(command.what);
  constexpr std::string_view always[] = {"completed", "treatment_stop", "study_stop", "lost_to_follow_up", "no_further_use", "death"};
  if (!slot && std::ranges::find(always, command.what) == std::end(always)) {
    std::vector<std::string> known(std::begin(always), std::end(always));
    Error& error = problem(Code::unresolved, "there is no dated event '{}'", command.what);
    if (const auto near = nearest(command.what, known)) error.hint = fmt::format("did you mean '{}'?", *near);
  }
  date("the date", command.date, who->site);
  if (failed()) return;
  stop_checks(*who, command.what, command.date);
  if (failed()) return;
  if (slot) {  // the estimands' dated event is an entry of its form
    AskedRecord asked{who->id, slot->form->id, {}, {}};
    const auto record = key(asked, *who);
    if (!record || held(*record, who->site)) return;
    emit(FormSaved{*record, 1, {{.item = slot->code->id, .value = command.what}, {.item = slot->date->id, .value = command.date}}, {}});
  }
  emit(Discontinued{who->id, command.what, command.date});
}

}  // namespace equipoise::conduct

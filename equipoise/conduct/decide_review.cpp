// Queries, comparison with the source, signatures, deviations, and what nobody may change any more.

#include <algorithm>

#include "equipoise/conduct/decider.h"
#include "equipoise/core/digest.h"
#include "equipoise/core/text.h"

namespace equipoise::conduct {

void Decider::on(OpenQuery const& command) {
  Participant const* who = nullptr;
  RecordKey found;
  who = participant(command.record.participant);
  const auto made = who ? key(command.record, *who) : std::nullopt;
  if (!made) return;
  found = *made;
  if (s_.locked) problem(Code::refused, "the trial is locked");
  if (found.entry != 0 && !who->find(found.visit, found.form, found.entry)) problem(Code::unresolved, "there is no such entry");
  const std::string item = command.item.value_or("");
  if (!item.empty()) {
    auto const& items = plan_of(*who).protocol().form(found.form)->items;
    if (std::ranges::find(items, item, &protocol::Item::id) == items.end())
      problem(Code::unresolved, "form '{}' has no item '{}'", found.form, item);
    if (plan_of(*who).masked(actor_.role, item, found.visit))
      problem(Code::refused, "the role '{}' does not see '{}' at visit '{}'", word(actor_.role), item, found.visit);
  }
  if (trimmed(command.text).empty()) problem(Code::missing_key, "a query asks something");
  if (failed()) return;
  emit(QueryOpened{next_id("q", s_.queries.size()), found, item, seal(command.text)});
}

void Decider::on(AnswerQuery const& command) {
  const auto found = s_.queries.find(command.query);
  if (found == s_.queries.end() || !may_know(found->second.record.participant)) {
    problem(Code::unresolved, "there is no query '{}'", command.query);
    return;
  }
  if (found->second.state == Query::State::closed) problem(Code::refused, "query '{}' is closed", command.query);
  if (trimmed(command.text).empty()) problem(Code::missing_key, "an answer says something");
  if (failed()) return;
  emit(QueryAnswered{command.query, seal(command.text)});
}

void Decider::on(CloseQuery const& command) {
  const auto found = s_.queries.find(command.query);
  if (found == s_.queries.end()) problem(Code::unresolved, "there is no query '{}'", command.query);
  else if (found->second.state == Query::State::closed) problem(Code::duplicate, "query '{}' is closed", command.query);
  else if (found->second.state == Query::State::open) need_reason("closing a query that is not answered");
  if (failed()) return;
  emit(QueryClosed{command.query});
}

void Decider::on(VerifySource const& command) {
  Participant const* who = nullptr;
  RecordKey found;
  Record const* one = record(command.record, who, found);
  if (!one) return;
  if (one->revision != command.revision)
    problem(Code::conflict, "the record has revision {}, and {} was compared with its source", one->revision, command.revision);
  if (one->verified == command.revision) problem(Code::duplicate, "this revision is verified");
  if (failed()) return;
  emit(SourceVerified{found, command.revision});
}

void Decider::on(Sign const& command) {
  User const* user = s_.user(actor_.user);
  if (!equal_secrets(sha256(command.secret), user->secret)) {
    problem(Code::refused, "a signature needs the signer's secret once more, and this is not it");
    return;
  }
  constexpr std::string_view meanings[] = {"authorship", "responsibility", "review", "approval", "lock"};
  if (std::ranges::find(meanings, command.meaning) == std::end(meanings))
    problem(Code::unknown_keyword, "a signature means authorship, responsibility, review, approval or lock, and not '{}'", command.meaning);
  Signed made{.record = {command.participant.value_or(""), command.form.value_or(""), command.visit.value_or(""), command.entry.value_or(0)},
              .revision = command.revision, .meaning = command.meaning, .full_name = user->full_name};
  std::int64_t there = 0;
  if (made.record.participant.empty()) {
    if (!made.record.form.empty()) problem(Code::missing_key, "say whose record is signed");
    there = s_.data_changed;
  } else if (Participant const* who = participant(made.record.participant)) {
    there = who->revision;
    if (!made.record.form.empty()) {
      Record const* one = who->find(made.record.visit, made.record.form, made.record.entry);
      if (!one) problem(Code::unresolved, "nothing has been recorded there yet");
      else there = one->revision;
    }
  }
  if (failed()) return;
  if (there != command.revision) {
    problem(Code::conflict, "what is signed has revision {}, and {} was looked at", there, command.revision);
    return;
  }
  emit(std::move(made));
}

void Decider::on(RecordDeviation const& command) {
  Participant const* who = participant(command.participant);
  if (!who) return;
  constexpr std::string_view categories[] = {"consent", "eligibility", "visit_window", "procedure", "dosing", "stratum", "other"};
  if (std::ranges::find(categories, command.category) == std::end(categories))
    problem(Code::unknown_keyword, "a deviation is of consent, eligibility, visit_window, procedure, dosing, stratum or other, and not '{}'",
            command.category);
  if (trimmed(command.text).empty()) problem(Code::missing_key, "a deviation is described");
  date("the date", command.date, who->site);
  if (failed()) return;
  emit(DeviationRecorded{.deviation = next_id("d", s_.deviations.size()), .participant = who->id, .category = command.category,
                         .date = command.date, .text = seal(command.text), .found = {}});
}

void Decider::on(Hold const& command) {
  if (command.level != "frozen" && command.level != "locked")
    problem(Code::unknown_keyword, "data are frozen or locked, and not '{}'", command.level);
  if (command.level == "locked" && actor_.role != Role::data_manager) problem(Code::refused, "a data manager locks");
  const Scope made = scope(command.scope);
  if (s_.holds.contains({command.level, made})) problem(Code::duplicate, "that is {} already", command.level);
  if (failed()) return;
  emit(Held{command.level, made});
}

void Decider::on(Release const& command) {
  need_reason("releasing data");
  const Scope made = scope(command.scope);
  if (!s_.holds.contains({command.level, made})) problem(Code::unresolved, "exactly that is not {}", command.level);
  if (failed()) return;
  emit(Released{command.level, made});
}

}  // namespace equipoise::conduct

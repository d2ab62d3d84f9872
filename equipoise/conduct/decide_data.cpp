// Visits and what is recorded at them.

#include <algorithm>

#include "equipoise/conduct/decider.h"
#include "equipoise/conduct/edit_checks.h"
#include "equipoise/core/text.h"

namespace equipoise::conduct {

void Decider::on(RecordVisit const& command) {
  Participant const* who = open_participant(command.participant);
  if (!who) return;
  Plan const& plan = plan_of(*who);
  if (!plan.protocol().visit(command.visit)) {
    std::vector<std::string> ids;
    for (protocol::Visit const& visit : plan.protocol().visits) ids.push_back(visit.id);
    Error& error = problem(Code::unresolved, "there is no visit '{}'", command.visit);
    if (const auto near = nearest(command.visit, ids)) error.hint = fmt::format("did you mean '{}'?", *near);
    return;
  }
  const std::string day = command.date.value_or("");
  if (!day.empty()) date("the date of the visit", day, who->site);
  if (who->consents.empty()) problem(Code::refused, "there is no consent of participant '{}'", who->id);
  else if (!day.empty() && day < who->consents.front().date)
    problem(Code::inconsistent, "the visit is dated before the consent of {}", who->consents.front().date);
  if (plan.offset(command.visit) > 0 && !who->randomised)
    problem(Code::refused, "visit '{}' comes after the randomisation, and participant '{}' is not randomised", command.visit, who->id);
  held({who->id, "", command.visit, 0}, who->site);
  const auto before = who->visits.find(command.visit);
  const std::string was = before == who->visits.end() ? "" : before->second.empty() ? "missed" : before->second;
  if (!was.empty()) need_reason("changing a visit that is recorded");
  if (was == (day.empty() ? "missed" : day)) problem(Code::duplicate, "the visit is recorded so already");
  if (day.empty() && std::ranges::any_of(who->records, [&](Record const& record) { return record.visit == command.visit; }))
    problem(Code::inconsistent, "data are recorded at visit '{}', so that it took place", command.visit);
  for (std::string_view end : {"death", "study_stop", "no_further_use"})
    if (Discontinued const* stop = who->end(end); stop && !day.empty() && day > stop->date)
      problem(Code::inconsistent, "the visit is dated after '{}', on {}", end, stop->date);
  if (failed()) return;
  emit(VisitRecorded{who->id, command.visit, day, was});
  if (!day.empty()) check_window(*who, command.visit, day);
}

namespace {

/// What a value was, for the audit trail.
std::string before(Value const* value) {
  if (!value) return {};
  return !value->value.empty() ? value->value : !value->text.empty() ? value->text : value->missing;
}

}  // namespace

void Decider::on(SaveForm const& command) {
  Participant const* who = open_participant(command.record.participant);
  if (!who) return;
  const auto found = key(command.record, *who);
  if (!found) return;
  Plan const& plan = plan_of(*who);
  protocol::Form const& form = *plan.protocol().form(found->form);
  Record const* record = who->find(found->visit, found->form, found->entry);
  if (who->consents.empty()) problem(Code::refused, "there is no consent of participant '{}'", who->id);
  if (form.any_time && command.record.entry && !record)
    problem(Code::unresolved, "form '{}' has no entry {}; leave 'entry' out for a new one", form.id, found->entry);
  if (record && record->struck) problem(Code::refused, "this entry has been struck out");
  if (!found->visit.empty()) {
    const auto visit = who->visits.find(found->visit);
    if (visit == who->visits.end()) problem(Code::missing_key, "record the date of visit '{}' first", found->visit);
    else if (visit->second.empty()) problem(Code::inconsistent, "visit '{}' did not take place", found->visit);
  }
  if (const std::int64_t there = record ? record->revision : 0; command.revision != there)
    problem(Code::conflict, "the record has revision {}, and {} was looked at: somebody has changed it", there, command.revision).hint =
        "look at it again and decide again";
  if (command.values.empty()) problem(Code::missing_key, "there is no value to record");
  if (failed()) return;

  FormSaved event{*found, command.revision + 1, {}, {}};
  bool changes = false;
  std::vector<std::string> entered;
  for (EnteredValue const& value : command.values) {
    const auto item = std::ranges::find(form.items, value.item, &protocol::Item::id);
    if (item == form.items.end()) {
      std::vector<std::string> ids;
      for (protocol::Item const& one : form.items) ids.push_back(one.id);
      Error& error = problem(Code::unresolved, "form '{}' has no item '{}'", form.id, value.item);
      if (const auto near = nearest(value.item, ids)) error.hint = fmt::format("did you mean '{}'?", *near);
      continue;
    }
    if (std::ranges::find(entered, value.item) != entered.end()) {
      problem(Code::duplicate, "'{}' is given twice", value.item);
      continue;
    }
    entered.push_back(value.item);
    if (plan.masked(actor_.role, value.item, found->visit) || !plan.enters(actor_.role, value.item, found->visit)) {
      problem(Code::refused, "the role '{}' does not enter '{}' at visit '{}'", word(actor_.role), value.item, found->visit);
      continue;
    }
    held(*found, who->site, value.item);
    Value const* old = record ? record->find(value.item) : nullptr;
    ItemValue made{.item = value.item, .value = {}, .text = {}, .missing = value.missing.value_or(""), .entered = {}, .was = before(old)};
    constexpr std::string_view why[] = {"not_done", "unknown", "not_applicable"};
    if (!made.missing.empty() && std::ranges::find(why, made.missing) == std::end(why))
      problem(Code::unknown_keyword, "'{}' is missing because it was not_done, unknown or not_applicable, and not '{}'", value.item,
              made.missing);
    if (value.value && !made.missing.empty()) problem(Code::inconsistent, "'{}' has a value and is missing", value.item);
    if (!made.missing.empty() && item->required) problem(Code::missing_key, "'{}' is required", value.item);
    if (value.value && item->kind == protocol::ItemKind::text) {
      if (item->max_length && std::int64_t(value.value->size()) > *item->max_length)
        problem(Code::out_of_range, "'{}' has at most {} bytes, and this has {}", value.item, *item->max_length, value.value->size());
      if (!is_utf8(*value.value)) problem(Code::bad_cell, "'{}' is not valid UTF-8", value.item);
      if (!failed()) made.text = seal(*value.value);
    } else if (value.value) {
      const auto text = canonical_value(*item, *value.value, value.unit.value_or(""));
      if (!text) {
        Error& error = problem(text.error().code, "'{}': {}", value.item, text.error().message);
        error.hint = text.error().hint;
        continue;
      }
      made.value = text->value, made.entered = text->entered;
    }
    changes |= old && (old->value != made.value || old->missing != made.missing || made.text != old->text);
    event.values.push_back(std::move(made));
  }
  if (!record)
    for (protocol::Item const& item : form.items)
      if (item.required && std::ranges::find(entered, item.id) == entered.end())
        problem(Code::missing_key, "'{}' is required", item.id);
  if (changes) need_reason("changing a value that is recorded");
  if (failed()) return;

  // The checks of the whole record as it would be.
  Participant after = *who;
  Record& saved = after.at(found->visit, found->form, found->entry);
  for (ItemValue const& value : event.values) {
    const auto there = std::ranges::find(saved.values, value.item, &Value::item);
    const Value made{value.item, value.value, value.missing, value.text};
    if (there == saved.values.end()) saved.values.push_back(made);
    else *there = made;
  }
  std::vector<std::string> fired_ids;
  for (Fired const& fired : fired_checks(plan, after, *found, entered)) {
    fired_ids.push_back(fired.check);
    const auto accepted = std::ranges::find(command.accept, fired.check, &AcceptCheck::check);
    if (fired.hard) {
      problem(Code::inconsistent, "check '{}': {}", fired.check, fired.sentence);
    } else if (accepted == command.accept.end() || trimmed(accepted->reason).empty()) {
      problem(Code::inconsistent, "check '{}': {}", fired.check, fired.sentence).hint =
          "correct the value, or accept the check with a reason";
    } else {
      event.accepted.push_back({fired.check, seal(accepted->reason)});
    }
  }
  for (AcceptCheck const& accept : command.accept)
    if (std::ranges::find(fired_ids, accept.check) == fired_ids.end())
      problem(Code::unresolved, "the check '{}' has not fired, so that there is nothing to accept", accept.check);

  // An entry that says that somebody left or died says it to the trial too.
  std::optional<Discontinued> end;
  for (ItemValue const& value : event.values) {
    const Plan::EventSlot* slot = plan.event_slot(value.value);
    if (!slot || slot->form != &form || slot->code->id != value.item) continue;
    Value const* when = saved.find(slot->date->id);
    const auto day = when ? to_partial_date(when->value) : std::nullopt;
    if (!day) problem(Code::missing_key, "'{}' needs its date, '{}'", value.value, slot->date->id);
    else end = Discontinued{who->id, value.value, to_string(day->earliest)};
  }
  if (failed()) return;
  const bool factor = who->randomised && std::ranges::any_of(event.values, [&](ItemValue const& value) {
    return value.was != value.value && std::ranges::any_of(plan.protocol().randomisation_factors, [&](auto const& one) {
             return one.rule && std::ranges::any_of(one.rule->variables(), [&](std::string const& variable) {
                      return variable == value.item + "@" + found->visit;
                    });
           });
  });
  emit(std::move(event));
  if (Discontinued const* before = end ? who->end(end->what) : nullptr; end && (!before || before->date != end->date))
    emit(std::move(*end));
  if (factor) {  // the arm stays; what was used then is kept with the allocation (C28)
    after.revision = who->revision;
    const Readiness now = readiness(plan, s_, after, today(who->site));
    if (now.factors != who->randomised->factors)
      deviation(who->id, "stratum", today(who->site),
                fmt::format("a correction would put the participant at {} of the randomisation factors, and {} was used",
                            now.factors.empty() ? "an unknown level" : join(now.factors, ", "), join(who->randomised->factors, ", ")));
  }
}

void Decider::on(StrikeEntry const& command) {
  Participant const* who = nullptr;
  RecordKey found;
  Record const* one = record(command.record, who, found);
  if (!one) return;
  if (s_.locked) problem(Code::refused, "the trial is locked");
  if (found.entry == 0) problem(Code::refused, "a record of a visit is corrected, and not struck out");
  if (one->struck) problem(Code::duplicate, "this entry has been struck out");
  if (one->revision != command.revision)
    problem(Code::conflict, "the record has revision {}, and {} was looked at: somebody has changed it", one->revision, command.revision);
  need_reason("striking an entry out");
  held(found, who->site);
  if (failed()) return;
  emit(EntryStruck{found, command.revision + 1});
}

}  // namespace equipoise::conduct

#include "equipoise/conduct/decide.h"

#include <algorithm>

#include "equipoise/conduct/decider.h"
#include "equipoise/core/digest.h"
#include "equipoise/core/record.h"
#include "equipoise/core/text.h"

namespace equipoise::conduct {

Checked<Decision> decide(State const& state, Actor const& actor, Command const& command, Surroundings const& around) {
  return Decider(state, actor, around).decide(command);
}

Expected<void> authorise(State const& state, Actor const& actor, std::string_view name) {
  Permission const* line = permission(name);
  if (!line) return fail(Code::unknown_keyword, "there is no command or view '{}'", name);
  User const* user = state.user(actor.user);
  if (!user || user->ended) return fail(Code::refused, "there is no user '{}' with access to this trial", actor.user);
  if (!state.holds_role(actor.user, actor.role, actor.site))
    return tl::unexpected(Error{Code::refused,
                                actor.site.empty()
                                    ? fmt::format("'{}' is no {} of this trial", actor.user, word(actor.role))
                                    : fmt::format("'{}' is no {} at site '{}'", actor.user, word(actor.role), actor.site),
                                {},
                                works_at_site(actor.role) && actor.site.empty() ? "say at which site: this role works at one" : ""});
  if (!has(line->roles, actor.role)) return fail(Code::refused, "the role '{}' may not use '{}'", word(actor.role), name);
  return {};
}

std::string confirmation(State const& state, Participant const& who) {
  return sha256(fmt::format("{}\n{}\n{}", who.id, who.revision, state.version().protocol)).substr(0, 16);
}

Problems not_ready(Readiness const& readiness, Participant const& who) {
  Problems problems;
  for (std::string const& reason : readiness.reasons)
    add_problem(problems, {}, Code::refused, "participant '{}' cannot be randomised: {}", who.id, reason);
  return problems;
}

Checked<Decision> Decider::decide(Command const& command) {
  const std::string_view name = name_of(command);
  if (const auto fine = authorise(s_, actor_, name); !fine) return fail(Problems{fine.error()});
  if (s_.unblinded && name != "extract" && name != "add_user" && name != "grant_role" && name != "revoke_role" && name != "end_access" &&
      name != "approve" && name != "decline")
    problem(Code::refused, "the trial has been unblinded: nothing in it changes any more");
  if (s_.reconciling && name != "reconcile")
    problem(Code::unavailable, "this is a copy of the trial that is behind its witness: nothing is done until it is reconciled").hint =
        "the allocations that it lacks are entered again from the sites' receipts (trial reconcile)";
  if (failed()) return fail(std::move(problems_));
  made_.reason = seal(actor_.reason);
  // Before the trial has two administrators nobody could approve anything.
  if (permission(name)->two_people && !(name == "grant_role" && s_.participants.empty() && s_.proposals.empty())) propose(command);
  else std::visit([this](auto const& one) { on(one); }, command);
  if (failed()) return fail(std::move(problems_));
  return std::move(made_);
}

void Decider::propose(Command const& command) {
  // Everything that can be seen now is said now: the same checks are made again when it is approved.
  Decider trial(s_, actor_, around_);
  if (!std::holds_alternative<UnblindTrial>(command)) {
    std::visit([&](auto const& one) { trial.on(one); }, command);
    problems_ = std::move(trial.problems_);
  } else if (!s_.locked) {
    problem(Code::refused, "arms are told after the trial is locked");
  }
  if (failed()) return;
  emit(Proposed{next_id("p", s_.proposals.size()), std::string(name_of(command)), encoded_command(command)});
}

// ---- What they share --------------------------------------------------------------------------------------------------------

TextId Decider::seal(std::string const& text) {
  if (text.empty()) return {};
  StoredText made{.id = {}, .key = {}, .text = text};
  const Key32 key = around_.chance.key();
  made.key = hex(key);
  made.id = hex(hmac_sha256(key, text));
  made_.texts.push_back(made);
  return made.id;
}

bool Decider::need_reason(std::string_view what) {
  if (!trimmed(actor_.reason).empty()) return true;
  problem(Code::missing_key, "{} needs a reason", what);
  return false;
}

bool Decider::may_know(std::string const& participant) const {
  Participant const* who = s_.participant(participant);
  return who && (!works_at_site(actor_.role) || who->site == actor_.site);
}

Participant const* Decider::participant(std::string const& id) {
  if (may_know(id)) return s_.participant(id);  // of somebody at another site even the existence is not said
  problem(Code::unresolved, "there is no participant '{}'{}", id, works_at_site(actor_.role) ? fmt::format(" at site '{}'", actor_.site) : "");
  return nullptr;
}

Participant const* Decider::open_participant(std::string const& id) {
  Participant const* who = participant(id);
  if (!who) return nullptr;
  if (s_.locked) problem(Code::refused, "the trial is locked");
  if (who->end("no_further_use"))
    problem(Code::refused, "participant '{}' has forbidden any further use of data", id);
  return failed() ? nullptr : who;
}

Plan const& Decider::current() const {
  Plan const* plan = around_.plans.find(s_.version().protocol);
  expects(plan, "the version in force is known");
  return *plan;
}

Plan const& Decider::plan_of(Participant const& who) const {
  Plan const* plan = around_.plans.find(who.version);
  expects(plan, "the version of a participant is known");
  return *plan;
}

std::string Decider::today(std::string const& site) const { return to_string(current().local(site, around_.clock.now()).date); }

bool Decider::date(std::string_view what, std::string const& text, std::string const& site, bool partial) {
  const auto read = to_partial_date(text);
  if (!read || (!partial && !read->exact())) {
    problem(Code::bad_cell, "{} is a date (YYYY-MM-DD), and not '{}'", what, text);
    return false;
  }
  if (to_string(read->earliest) > today(site)) {
    problem(Code::out_of_range, "{} is {}, after today ({})", what, text, today(site));
    return false;
  }
  return true;
}

std::optional<RecordKey> Decider::key(AskedRecord const& asked, Participant const& who) {
  RecordKey made{who.id, asked.form, asked.visit.value_or(""), asked.entry.value_or(0)};
  Plan const& plan = plan_of(who);
  protocol::Form const* form = plan.protocol().form(made.form);
  if (!form) {
    std::vector<std::string> ids;
    for (protocol::Form const& one : plan.protocol().forms) ids.push_back(one.id);
    Error& error = problem(Code::unresolved, "there is no form '{}'", made.form);
    if (const auto near = nearest(made.form, ids)) error.hint = fmt::format("did you mean '{}'?", *near);
    return {};
  }
  if (!plan.fills(made.visit, made.form)) {
    if (form->any_time) problem(Code::unresolved, "form '{}' belongs to no visit", made.form);
    else if (made.visit.empty()) problem(Code::missing_key, "form '{}' is filled at visits: say at which", made.form);
    else if (!plan.protocol().visit(made.visit)) problem(Code::unresolved, "there is no visit '{}'", made.visit);
    else problem(Code::unresolved, "form '{}' is not filled at visit '{}'", made.form, made.visit);
    return {};
  }
  if (!form->any_time && made.entry != 0) {
    problem(Code::unresolved, "form '{}' has no entries: it is filled once a visit", made.form);
    return {};
  }
  if (form->any_time && !asked.entry) {
    for (Record const& record : who.records)
      if (record.visit.empty() && record.form == made.form) made.entry = std::max(made.entry, record.entry);
    ++made.entry;
  }
  return made;
}

Record const* Decider::record(AskedRecord const& asked, Participant const*& who, RecordKey& made) {
  who = participant(asked.participant);
  if (!who) return nullptr;
  const auto found = key(asked, *who);
  if (!found) return nullptr;
  made = *found;
  Record const* record = who->find(made.visit, made.form, made.entry);
  if (!record) problem(Code::unresolved, "nothing has been recorded there yet");
  return record;
}

bool Decider::held(RecordKey const& key, std::string const& site, std::string_view item) {
  for (auto const& [level, scope] : s_.holds) {
    const auto covers = [](std::string_view held, std::string_view asked) { return held.empty() || held == asked; };
    RecordKey const& record = scope.record;
    if (!covers(scope.site, site) || !covers(record.participant, key.participant) || !covers(record.form, key.form) ||
        !covers(record.visit, key.visit) || (record.entry != 0 && record.entry != key.entry) ||
        (!scope.item.empty() && scope.item != item))
      continue;
    problem(Code::refused, "{} {}", scope.item.empty() ? "these data are" : fmt::format("'{}' is", scope.item), level).hint =
        "a data manager releases data that are frozen or locked";
    return true;
  }
  return false;
}

Scope Decider::scope(AskedScope const& asked) {
  Scope made{asked.site.value_or(""), {asked.participant.value_or(""), asked.form.value_or(""), asked.visit.value_or(""), asked.entry.value_or(0)},
             asked.item.value_or("")};
  protocol::Protocol const& protocol = current().protocol();
  if (!made.site.empty() && std::ranges::find(protocol.sites, made.site, &protocol::Site::id) == protocol.sites.end())
    problem(Code::unresolved, "there is no site '{}'", made.site);
  if (!made.record.participant.empty()) participant(made.record.participant);
  if (!made.record.form.empty() && !protocol.form(made.record.form)) problem(Code::unresolved, "there is no form '{}'", made.record.form);
  if (!made.record.visit.empty() && !protocol.visit(made.record.visit))
    problem(Code::unresolved, "there is no visit '{}'", made.record.visit);
  if (!made.item.empty() && !protocol.item(made.item)) problem(Code::unresolved, "there is no item '{}'", made.item);
  return made;
}

void Decider::deviation(std::string const& who, std::string_view category, std::string const& date, std::string found) {
  emit(DeviationRecorded{.deviation = next_id("d", s_.deviations.size() + new_deviations_++), .participant = who,
                         .category = std::string(category), .date = date, .text = {}, .found = std::move(found)});
}

void Decider::check_window(Participant const& who, std::string const& visit, std::string const& date) {
  protocol::Visit const* planned = plan_of(who).protocol().visit(visit);
  if (!planned || !planned->has_window || !who.randomised) return;
  const auto start = to_partial_date(who.randomised->date), then = to_partial_date(date);
  if (!start || !then) return;
  const int day = int((then->earliest - start->earliest).count());
  const int first = planned->day.offset() - planned->days_before, last = planned->day.offset() + planned->days_after;
  if (day < first || day > last)
    deviation(who.id, "visit_window", date,
              fmt::format("visit '{}' took place on day {}, outside its window of days {} to {}", visit, StudyDay::from_offset(day).day(),
                          StudyDay::from_offset(first).day(), StudyDay::from_offset(last).day()));
}

}  // namespace equipoise::conduct

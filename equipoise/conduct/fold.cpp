// One case for each kind of event: what it makes of the state. A fold decides nothing; it refuses only what no log can hold.

#include <algorithm>
#include <tuple>

#include "equipoise/conduct/state.h"

namespace equipoise::conduct {

Value const* Record::find(std::string_view item) const {
  const auto found = std::ranges::find(values, item, &Value::item);
  return found == values.end() ? nullptr : &*found;
}

namespace {

auto place(auto& records, std::string_view visit, std::string_view form, std::int64_t entry) {
  const auto key = [](Record const& record) {
    return std::tuple(std::string_view(record.visit), std::string_view(record.form), record.entry);
  };
  return std::ranges::lower_bound(records, std::tuple(visit, form, entry), {}, key);
}

bool is(Record const& record, std::string_view visit, std::string_view form, std::int64_t entry) {
  return record.entry == entry && record.form == form && record.visit == visit;
}

}  // namespace

Record const* Participant::find(std::string_view visit, std::string_view form, std::int64_t entry) const {
  const auto found = place(records, visit, form, entry);
  return found != records.end() && is(*found, visit, form, entry) ? &*found : nullptr;
}

Record& Participant::at(std::string_view visit, std::string_view form, std::int64_t entry) {
  const auto found = place(records, visit, form, entry);
  if (found != records.end() && is(*found, visit, form, entry)) return *found;
  return *records.insert(found, Record{.visit = std::string(visit), .form = std::string(form), .entry = entry});
}

Discontinued const* Participant::end(std::string_view what) const {
  const auto found = std::ranges::find(ends, what, &Discontinued::what);
  return found == ends.end() ? nullptr : &*found;
}

Participant const* State::participant(std::string_view id) const {
  const auto found = places.find(std::string(id));
  return found == places.end() ? nullptr : &participants[found->second];
}

User const* State::user(std::string_view id) const {
  const auto found = users.find(id);
  return found == users.end() ? nullptr : &found->second;
}

Version const* State::version(std::string_view protocol) const {
  const auto found = std::ranges::find(versions, protocol, &Version::protocol);
  return found == versions.end() ? nullptr : &*found;
}

bool State::holds_role(std::string_view id, Role role, std::string_view site) const {
  User const* one = user(id);
  return one && !one->ended && std::ranges::any_of(one->grants, [&](Grant const& grant) {
    return grant.role == role && (grant.site.empty() || grant.site == site);
  });
}

std::string next_id(std::string_view prefix, std::size_t there_are) { return fmt::format("{}-{}", prefix, there_are + 1); }

namespace {

/// Says what an event speaks of and the log does not know.
struct Unknown {
  std::string what{};
};

class Folder {
 public:
  Folder(State& state, Envelope const& envelope) : s_(state), e_(envelope) {}

  // ---- The trial
  void operator()(TrialOpened const& event) {
    s_.opened = event;
    s_.versions = {{event.protocol, event.version, false, e_.sequence}};
  }
  void operator()(Amended const& event) { s_.versions.push_back({event.protocol, event.version, event.new_consent, e_.sequence}); }
  void operator()(UserAdded const& event) {
    s_.users.insert_or_assign(event.user, User{.id = event.user, .full_name = event.full_name, .secret = event.secret});
  }
  void operator()(RoleGranted const& event) { user(event.user).grants.push_back(grant(event)); }
  void operator()(RoleRevoked const& event) { std::erase(user(event.user).grants, grant(event)); }
  void operator()(AccessEnded const& event) { user(event.user).ended = true; }
  void operator()(Proposed const& event) {
    s_.proposals[event.proposal] = {event.proposal, event.command, event.data, e_.actor, e_.role, e_.reason, e_.at};
  }
  void operator()(Approved const& event) { proposal(event.proposal).state = Proposal::State::approved; }
  void operator()(Declined const& event) { proposal(event.proposal).state = Proposal::State::declined; }
  void operator()(EnrolmentPaused const& event) { s_.paused.insert(event.site); }
  void operator()(EnrolmentResumed const& event) { s_.paused.erase(event.site); }
  void operator()(Redacted const& event) { s_.redacted.insert(event.text); }
  void operator()(Accessed const&) {}
  void operator()(ReconcileStarted const&) { s_.reconciling = true; }
  void operator()(Reconciled const&) { s_.reconciling = false; }

  // ---- Participants
  void operator()(ParticipantEnrolled const& event) {
    if (!s_.places.emplace(event.participant, s_.participants.size()).second) throw Unknown{"a second participant " + event.participant};
    s_.participants.push_back({.id = event.participant, .site = event.site, .version = event.version});
    ++s_.enrolled[event.site];
    data_changed();
  }
  void operator()(ConsentGiven const& event) {
    Participant& who = changed(event.participant);
    who.consents.push_back({event.date, event.version});
    who.version = event.version;
  }
  void operator()(ScreeningFailed const& event) {
    Participant& who = changed(event.participant);
    who.screening_failed = true, who.failed_criteria = event.criteria;
  }
  void operator()(ScreeningStarted const& event) {
    Participant& who = changed(event.participant);
    who.screening = event.attempt, who.screening_failed = false;
    who.failed_criteria.clear(), who.visits.clear(), who.records.clear();  // the log keeps the attempt before
  }
  void operator()(RandomisationRefused const& event) { participant(event.participant); }
  void operator()(Randomised const& event) {
    Participant& who = changed(event.participant);
    if (who.randomised) throw Unknown{"a second allocation of " + event.participant};
    if (event.request.number != std::int64_t(s_.allocations.size()) + 1) throw Unknown{"an allocation out of order"};
    who.randomised = event;
    s_.allocations.push_back(event.request);
    ++s_.randomised[who.site];
  }
  void operator()(RandomisedInError const& event) { changed(event.participant).in_error = true; }
  void operator()(Discontinued const& event) {
    Participant& who = changed(event.participant);
    const auto there = std::ranges::find(who.ends, event.what, &Discontinued::what);  // its date has been corrected
    if (there != who.ends.end()) *there = event;
    else who.ends.push_back(event);
  }

  // ---- Data
  void operator()(VisitRecorded const& event) { changed(event.participant).visits.insert_or_assign(event.visit, event.date); }
  void operator()(FormSaved const& event) {
    Record& record = changed(event.record.participant).at(event.record.visit, event.record.form, event.record.entry);
    if (event.revision != record.revision + 1) throw Unknown{"a revision that does not follow"};
    record.revision = event.revision, record.saved = e_.sequence;
    for (ItemValue const& value : event.values) {
      auto found = std::ranges::find(record.values, value.item, &Value::item);
      if (found == record.values.end()) found = record.values.insert(found, {.item = value.item});
      found->value = value.value, found->text = value.text, found->missing = value.missing;
    }
  }
  void operator()(EntryStruck const& event) {
    Record& one = record(event.record);
    one.struck = true, one.revision = event.revision, one.saved = e_.sequence;
    Participant& who = changed(event.record.participant);
    for (Value const& value : one.values)  // an end that it told has not happened
      std::erase_if(who.ends, [&](Discontinued const& end) { return end.what == value.value; });
  }
  void operator()(QueryOpened const& event) {
    s_.queries[event.query] = {.id = event.query, .item = event.item, .record = event.record, .text = event.text, .by = e_.actor,
                               .opened = e_.sequence};
  }
  void operator()(QueryAnswered const& event) {
    Query& one = query(event.query);
    one.answer = event.text, one.state = Query::State::answered;
  }
  void operator()(QueryClosed const& event) { query(event.query).state = Query::State::closed; }
  void operator()(SourceVerified const& event) { record(event.record).verified = event.revision; }
  void operator()(Signed const& event) {
    Signature made{event.record, event.revision, event.meaning, event.full_name, e_.actor, e_.at, e_.sequence};
    if (event.record.participant.empty()) s_.signatures.push_back(std::move(made));
    else participant(event.record.participant).signatures.push_back(std::move(made));
  }
  void operator()(DeviationRecorded const& event) { s_.deviations.push_back(event); }
  void operator()(Held const& event) { s_.holds.emplace(event.level, event.scope); }
  void operator()(Released const& event) { s_.holds.erase({event.level, event.scope}); }

  // ---- Safety
  void operator()(SeriousEventReported const& event) {
    s_.cases[event.case_id] = {.id = event.case_id, .record = event.record, .reported = event};
    notice({"medical_monitor"}, "serious adverse event " + event.case_id, event.record.participant);
  }
  void operator()(SeriousEventAssessed const& event) { safety_case(event.case_id).assessed.push_back(event); }
  void operator()(SafetyReportSent const& event) { safety_case(event.case_id).sent.push_back(event); }

  // ---- Doses and kits
  void operator()(DosePrepared const& event) {
    s_.doses[event.dose] = {.prepared = event, .prepared_by = e_.actor, .confirmed_by = {}, .steps = {{"prepared", e_.sequence}}};
  }
  void operator()(DoseConfirmed const& event) {
    Dose& one = dose(event.dose);
    one.confirmed_by = e_.actor, one.step = "confirmed", one.steps.emplace_back(one.step, e_.sequence);
  }
  void operator()(DoseMoved const& event) {
    Dose& one = dose(event.dose);
    one.step = event.step, one.steps.emplace_back(one.step, e_.sequence);
  }
  void operator()(KitsLabelled const& event) {
    for (std::string const& number : event.kits)
      if (!s_.kits.emplace(number, KitState{.kit = {number, event.lot, event.expires, {}}}).second)
        throw Unknown{"a second kit " + number};
  }
  void operator()(KitsMoved const& event) {
    for (std::string const& number : event.kits) {
      KitState& one = kit(number);
      if (event.step == "quarantined" || event.step == "freed") one.quarantined = event.step == "quarantined";
      else one.step = event.step;
      if (event.step == "shipped") one.kit.site = event.site;
    }
  }
  void operator()(KitDispensed const& event) {
    KitState& one = kit(event.kit);
    one.step = "dispensed", one.participant = event.participant, one.visit = event.visit;
  }

  // ---- Unblinding and the end
  void operator()(UnblindingRequested const& event) {
    s_.unblinding_requests[event.request] = {event.request, event.participant, e_.actor, event.drill, false};
  }
  void operator()(ParticipantUnblinded const& event) {
    const auto request = s_.unblinding_requests.find(event.request);
    if (request == s_.unblinding_requests.end()) throw Unknown{"the request " + event.request};
    request->second.confirmed = true;
    if (!event.drill) participant(event.participant).unblinded = true;
    s_.unblindings.push_back({event.participant, e_.actor, e_.role, e_.reason, event.drill, e_.at, e_.sequence});
    notice(event.notices, event.drill ? "drill of an unblinding" : "a participant was unblinded", event.participant);
  }
  void operator()(EnvelopesPrinted const&) {}
  void operator()(SnapshotTaken const& event) { s_.snapshots.push_back(event), s_.snapshot_at = e_.sequence; }
  void operator()(TrialLocked const&) { s_.locked = true; }
  void operator()(TrialUnlocked const&) { s_.locked = false; }
  void operator()(TrialUnblinded const& event) { s_.unblinded = event; }

 private:
  template <class Map>
  auto& known(Map& map, std::string const& id, std::string_view what) {
    const auto found = map.find(id);
    if (found == map.end()) throw Unknown{fmt::format("the {} '{}'", what, id)};
    return found->second;
  }
  User& user(std::string const& id) { return known(s_.users, id, "user"); }
  Proposal& proposal(std::string const& id) { return known(s_.proposals, id, "proposal"); }
  Query& query(std::string const& id) { return known(s_.queries, id, "query"); }
  SafetyCase& safety_case(std::string const& id) { return known(s_.cases, id, "case"); }
  Dose& dose(std::string const& id) { return known(s_.doses, id, "dose"); }
  KitState& kit(std::string const& number) { return known(s_.kits, number, "kit"); }
  Participant& participant(std::string const& id) { return s_.participants[known(s_.places, id, "participant")]; }
  Participant& changed(std::string const& id) {
    Participant& who = participant(id);
    ++who.revision;
    data_changed();
    return who;
  }
  Record& record(RecordKey const& key) {
    Participant& who = participant(key.participant);
    if (!who.find(key.visit, key.form, key.entry)) throw Unknown{fmt::format("the record '{}' of '{}'", key.form, key.participant)};
    return who.at(key.visit, key.form, key.entry);
  }
  Grant grant(auto const& event) {
    const auto role = to_role(event.role);
    if (!role) throw Unknown{fmt::format("the role '{}'", event.role)};
    return {*role, event.site};
  }
  void data_changed() { s_.data_changed = e_.sequence; }
  void notice(std::vector<std::string> roles, std::string what, std::string const& about) {
    s_.notices.push_back({e_.sequence, e_.at, std::move(roles), std::move(what), about});
  }

  State& s_;
  Envelope const& e_;
};

}  // namespace

Expected<void> fold(State& state, TrialEvent const& event, std::string_view own_digest) {
  Envelope const& envelope = event.envelope;
  if (envelope.sequence != state.last + 1)
    return fail(Code::inconsistent, "event {} stands where event {} belongs", envelope.sequence, state.last + 1);
  if (envelope.previous != state.digest)
    return fail(Code::inconsistent, "event {} does not follow the event before it: their digests differ", envelope.sequence);
  if (!state.opened && !std::holds_alternative<TrialOpened>(event.event))
    return fail(Code::inconsistent, "a log begins with the opening of its trial, and event {} is '{}'", envelope.sequence,
                name_of(event.event));
  if (state.opened && std::holds_alternative<TrialOpened>(event.event))
    return fail(Code::inconsistent, "event {} opens a trial that is open", envelope.sequence);
  try {
    std::visit(Folder(state, envelope), event.event);
  } catch (Unknown const& unknown) {
    return fail(Code::inconsistent, "event {} ('{}') cannot follow: {}", envelope.sequence, name_of(event.event), unknown.what);
  }
  state.last = envelope.sequence;
  state.digest = own_digest;
  state.at = std::max(state.at, envelope.at);
  return {};
}

}  // namespace equipoise::conduct

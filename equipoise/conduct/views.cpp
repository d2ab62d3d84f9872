#include "equipoise/conduct/views.h"

#include <algorithm>

#include "equipoise/conduct/audit.h"
#include "equipoise/conduct/safety_clocks.h"
#include "equipoise/conduct/worklist.h"
#include "equipoise/core/record.h"
#include "equipoise/core/text.h"

namespace equipoise::conduct {
namespace {

Json json(auto const& record) { return Json::parse(encoded(record)); }

std::string_view word_of(CriterionAnswer::Answer answer) {
  return answer == CriterionAnswer::Answer::met ? "met" : answer == CriterionAnswer::Answer::not_met ? "not_met" : "unknown";
}

class Viewing {
 public:
  Viewing(State const& state, Actor const& actor, Node const& data, Surroundings const& around)
      : s_(state), actor_(actor), around_(around), section_(data, "the data of the view", problems_) {}

  Checked<Json> make(std::string_view name) {
    if (const auto fine = authorise(s_, actor_, name); !fine) return fail(Problems{fine.error()});
    Json made;
    if (name == "status") made = status();
    else if (name == "participants") made = participants();
    else if (name == "participant") made = participant();
    else if (name == "read_back") made = read_back();
    else if (name == "worklist") made = tasks();
    else if (name == "queries") made = queries();
    else if (name == "safety") made = safety();
    else if (name == "stock") made = stock();
    else if (name == "doses") made = doses();
    else if (name == "users") made = users();
    else if (name == "notices") made = notices();
    else if (name == "proposals") made = proposals();
    else if (name == "commitment") made = json(s_.opened->commitment);
    else if (name == "receipts") made = receipts();
    else if (name == "deviations") made = deviations();
    else if (name == "audit") made = audit();
    else add_problem(problems_, {}, Code::unknown_keyword, "'{}' is not looked at", name);
    section_.finish();
    if (!problems_.empty()) return fail(std::move(problems_));
    return made;
  }

 private:
  bool mine(std::string_view site) const { return !works_at_site(actor_.role) || site == actor_.site; }
  bool mine_of(std::string const& participant) const {
    Participant const* who = s_.participant(participant);
    return who && mine(who->site);
  }
  Plan const& plan(std::string const& digest) const {
    Plan const* found = around_.plans.find(digest);
    expects(found, "the versions of a log are known");
    return *found;
  }
  std::string today(std::string const& site) const {
    return to_string(plan(s_.version().protocol).local(site, around_.clock.now()).date);
  }
  /// The text that an id names, for people; a destroyed one says so.
  Json text(TextId const& id) const {
    if (id.empty()) return nullptr;
    const auto found = around_.store.text(id);
    return found && *found ? Json((*found)->text) : Json("(destroyed)");
  }
  Participant const* need_participant() {
    const auto id = section_.need_text("participant");
    Participant const* who = id ? s_.participant(*id) : nullptr;
    if (who && mine(who->site)) return who;
    if (id) add_problem(problems_, {}, Code::unresolved, "there is no participant '{}'", *id);
    return nullptr;
  }

  Json status() const {
    Json made{{"trial", s_.opened->trial}, {"environment", s_.opened->environment}, {"protocol", s_.version().protocol},
              {"version", s_.version().version}, {"events", s_.last}, {"digest", s_.digest}};
    made["state"] = s_.unblinded ? "unblinded" : s_.locked ? "locked" : s_.reconciling ? "to be reconciled" : !s_.paused.empty() ? "paused" : "open";
    std::int64_t enrolled = 0, randomised = 0, failed = 0, unblinded = 0;
    Json sites = Json::array();
    for (protocol::Site const& site : plan(s_.version().protocol).protocol().sites) {
      if (!mine(site.id)) continue;
      std::int64_t here = 0, in = 0, out = 0, known = 0;
      for (Participant const& who : s_.participants)
        if (who.site == site.id)
          ++here, in += who.randomised.has_value(), out += who.screening_failed, known += who.unblinded;
      sites.push_back({{"site", site.id}, {"enrolled", here}, {"randomised", in}, {"screening_failed", out},
                       {"cap", site.cap ? Json(*site.cap) : Json()}, {"paused", s_.paused.contains(site.id)}});
      enrolled += here, randomised += in, failed += out, unblinded += known;
    }
    made["enrolled"] = enrolled, made["randomised"] = randomised, made["screening_failed"] = failed, made["unblinded"] = unblinded;
    made["planned"] = plan(s_.version().protocol).protocol().trial.planned_participants.value_or(0);
    std::int64_t open = 0;
    for (auto const& [id, query] : s_.queries) open += query.state != Query::State::closed && mine_of(query.record.participant);
    made["open_queries"] = open;
    made["data_revision"] = s_.data_changed;  // what a signature under the trial is of
    made["sites"] = std::move(sites);
    return made;
  }

  Json summary(Participant const& who) const {
    Json made{{"participant", who.id}, {"site", who.site}, {"revision", who.revision}, {"version", s_.version(who.version)->version}};
    made["state"] = who.end("death")             ? "dead"
                    : who.end("no_further_use")  ? "no further use of data"
                    : who.end("study_stop")      ? "left the study"
                    : who.end("lost_to_follow_up") ? "lost to follow-up"
                    : who.randomised             ? "randomised"
                    : who.screening_failed       ? "screening failed"
                    : who.consents.empty()       ? "enrolled"
                                                 : "in screening";
    if (who.randomised) made["randomised"] = who.randomised->date, made["number"] = who.randomised->request.number;
    return made;
  }

  Json participants() const {
    Json list = Json::array();
    for (Participant const& who : s_.participants)
      if (mine(who.site)) list.push_back(summary(who));
    return list;
  }

  Json record(Plan const& plan, Participant const& who, Record const& record) const {
    Json values = Json::object();
    for (Value const& value : record.values) {
      if (plan.masked(actor_.role, value.item, record.visit)) continue;
      if (!value.text.empty()) values[value.item] = text(value.text);
      else if (!value.missing.empty()) values[value.item] = {{"missing", value.missing}};
      else values[value.item] = value.value;
    }
    Json made{{"form", record.form}};
    if (!record.visit.empty()) made["visit"] = record.visit;
    if (record.entry > 0) made["entry"] = record.entry;
    made["revision"] = record.revision;
    if (record.struck) made["struck"] = true;
    if (record.verified > 0) made["verified"] = record.verified == record.revision ? Json("this revision") : Json(fmt::format("revision {}", record.verified));
    Json signatures = Json::array();
    for (Signature const& signature : who.signatures)
      if (signature.record.form == record.form && signature.record.visit == record.visit && signature.record.entry == record.entry)
        signatures.push_back({{"name", signature.full_name}, {"at", to_string(signature.at)}, {"meaning", signature.meaning},
                              {"revision", signature.revision}, {"invalidated_by", signature.revision == record.revision ? Json() : Json(record.saved)}});
    if (!signatures.empty()) made["signatures"] = std::move(signatures);
    made["values"] = std::move(values);
    return made;
  }

  Json participant() {
    Participant const* who = need_participant();
    if (!who) return {};
    Plan const& own = plan(who->version);
    Json made = summary(*who);
    made["consents"] = Json::array();
    for (Consented const& consent : who->consents)
      made["consents"].push_back({{"date", consent.date}, {"version", s_.version(consent.version)->version}});
    made["visits"] = Json::array();
    for (protocol::Visit const& visit : own.protocol().visits)
      if (const auto found = who->visits.find(visit.id); found != who->visits.end())
        made["visits"].push_back({{"visit", visit.id}, {"date", found->second.empty() ? Json("did not take place") : Json(found->second)}});
    made["ends"] = Json::array();
    for (Discontinued const& end : who->ends) made["ends"].push_back({{"what", end.what}, {"date", end.date}});
    made["records"] = Json::array();
    for (Record const& one : who->records) made["records"].push_back(record(own, *who, one));
    if (who->randomised) made["receipt"] = json(who->randomised->receipt), made["factors"] = who->randomised->factors;
    return made;
  }

  Json read_back() {
    Participant const* who = need_participant();
    if (!who) return {};
    Plan const& own = plan(who->version);
    const Readiness ready = readiness(own, s_, *who, today(who->site));
    Json made{{"participant", who->id}, {"date", today(who->site)}, {"ready", ready.reasons.empty()}, {"reasons", ready.reasons}};
    made["criteria"] = Json::array();
    for (std::size_t c = 0; c < ready.criteria.size(); ++c) {
      CriterionAnswer const& answer = ready.criteria[c];
      made["criteria"].push_back({{"criterion", answer.id}, {"kind", answer.inclusion ? "inclusion" : "exclusion"},
                                  {"text", own.protocol().criteria[c].text.in("en")}, {"answer", word_of(answer.answer)},
                                  {"missing", answer.missing}});
    }
    made["factors"] = Json::object();
    for (std::size_t f = 0; f < ready.factors.size(); ++f) made["factors"][own.protocol().randomisation_factors[f].id] = ready.factors[f];
    made["confirm"] = confirmation(s_, *who);
    return made;
  }

  Json tasks() const {
    Json list = Json::array();
    for (Task const& task : worklist(around_.plans, s_, actor_.role, works_at_site(actor_.role) ? actor_.site : "", today(actor_.site))) {
      Json one{{"participant", task.participant}, {"what", task.what}};
      for (auto const& [key, value] : {std::pair{"about", &task.about}, {"from", &task.from}, {"due", &task.due}, {"until", &task.until}})
        if (!value->empty()) one[key] = *value;
      one["state"] = task.state;
      list.push_back(std::move(one));
    }
    return list;
  }

  Json queries() const {
    Json list = Json::array();
    for (auto const& [id, query] : s_.queries) {
      Participant const* who = s_.participant(query.record.participant);
      if (!mine(who->site) || plan(who->version).masked(actor_.role, query.item, query.record.visit)) continue;
      list.push_back({{"query", id}, {"record", json(query.record)}, {"item", query.item}, {"text", text(query.text)},
                      {"answer", text(query.answer)},
                      {"state", query.state == Query::State::open ? "open" : query.state == Query::State::answered ? "answered" : "closed"}});
    }
    return list;
  }

  Json safety() const {
    Json list = Json::array();
    constexpr std::string_view states[] = {"running", "met", "late", "overdue"};
    for (SafetyClock const& clock : safety_clocks(s_, around_.clock.now()))
      if (mine_of(clock.participant))
        list.push_back({{"case", clock.case_id}, {"participant", clock.participant}, {"report", clock.report}, {"due", to_string(clock.due)},
                        {"sent", clock.sent ? Json(to_string(*clock.sent)) : Json()}, {"state", states[std::size_t(clock.state)]}});
    return list;
  }

  Json stock() const {
    Json list = Json::array();
    for (auto const& [number, kit] : s_.kits)
      if (actor_.role == Role::preparer || !works_at_site(actor_.role) || kit.kit.site == actor_.site)
        list.push_back({{"kit", number}, {"lot", kit.kit.lot}, {"expires", kit.kit.expires}, {"site", kit.kit.site}, {"step", kit.step},
                        {"quarantined", kit.quarantined}, {"participant", kit.participant}});
    return list;
  }

  Json doses() const {
    Json list = Json::array();
    for (auto const& [id, dose] : s_.doses) {
      if (!mine_of(dose.prepared.participant)) continue;
      Json one = json(dose.prepared);
      // At the bedside: bag, volume and expiry, the same whatever is in it.
      Participant const* who = s_.participant(dose.prepared.participant);
      for (protocol::Intervention const& what : plan(who->version).protocol().interventions)
        if (what.id == dose.prepared.intervention && what.volume)
          one["volume"] = {{"amount", what.volume->amount}, {"unit", what.volume->unit}};
      one["step"] = dose.step;
      list.push_back(std::move(one));
    }
    return list;
  }

  Json users() {
    std::optional<Instant> at;
    if (section_.has("at")) record::take_member(section_, "at", at.emplace());
    State then;
    if (at) {  // who had access at that moment: the log is folded up to it
      const auto read = around_.store.read(0, [&](StoredEvent const& stored) {
        const auto event = decoded_event(stored.bytes);
        return event && event->envelope.at <= *at && fold(then, *event, stored.digest);
      });
      if (!read) problems_.push_back(read.error());
    }
    Json list = Json::array();
    for (auto const& [id, user] : (at ? then : s_).users) {
      Json roles = Json::array();
      for (Grant const& grant : user.grants) roles.push_back({{"role", word(grant.role)}, {"site", grant.site}});
      list.push_back({{"user", id}, {"full_name", user.full_name}, {"access", !user.ended}, {"roles", std::move(roles)}});
    }
    return list;
  }

  Json notices() const {
    Json list = Json::array();
    for (Notice const& notice : s_.notices)
      if (std::ranges::find(notice.roles, word(actor_.role)) != notice.roles.end())
        list.push_back({{"event", notice.sequence}, {"at", to_string(notice.at)}, {"what", notice.what}, {"participant", notice.participant}});
    return list;
  }

  Json proposals() const {
    Json list = Json::array();
    for (auto const& [id, proposal] : s_.proposals)
      if (has(permission(proposal.command)->roles, actor_.role))
        list.push_back({{"proposal", id}, {"command", proposal.command}, {"data", Json::parse(proposal.data)}, {"by", proposal.by},
                        {"at", to_string(proposal.at)}, {"reason", text(proposal.reason)},
                        {"state", proposal.state == Proposal::State::open ? "open" : proposal.state == Proposal::State::approved ? "approved" : "declined"}});
    return list;
  }

  Json receipts() const {
    Json list = Json::array();
    for (Participant const& who : s_.participants)
      if (who.randomised && mine(who.site))
        list.push_back({{"date", who.randomised->date}, {"request", json(who.randomised->request)}, {"receipt", json(who.randomised->receipt)}});
    return list;
  }

  Json deviations() const {
    Json list = Json::array();
    for (DeviationRecorded const& one : s_.deviations)
      if (mine_of(one.participant))
        list.push_back({{"deviation", one.deviation}, {"participant", one.participant}, {"category", one.category}, {"date", one.date},
                        {"what", one.found.empty() ? text(one.text) : Json(one.found)}});
    return list;
  }

  Json audit() {
    AuditFilter filter;
    record::take_member(section_, "participant", filter.participant);
    record::take_member(section_, "by", filter.user);
    record::take_member(section_, "from", filter.from);
    record::take_member(section_, "to", filter.to);
    filter.language = section_.text("language").value_or("en");
    for (auto const& [name, day] : {std::pair("from", &filter.from), {"to", &filter.to}})
      if (const auto date = *day ? to_partial_date(**day) : std::nullopt; *day && !(date && date->exact()))
        add_problem(problems_, {}, Code::bad_cell, "'{}' is a date (YYYY-MM-DD), and not '{}'", name, **day);
    if (!problems_.empty()) return {};
    const auto rows = audit_trail(s_, actor_, filter, around_);
    if (!rows) {
      problems_.push_back(rows.error());
      return {};
    }
    Json list = Json::array();
    for (AuditRow const& row : *rows) list.push_back(json(row));
    return list;
  }

  State const& s_;
  Actor const& actor_;
  Surroundings const& around_;
  Problems problems_{};
  Section section_;
};

}  // namespace

Checked<Json> view(State const& state, Actor const& actor, std::string_view name, Node const& data, Surroundings const& around) {
  return Viewing(state, actor, data, around).make(name);
}

Json json_of(TrialEvent const& event) {
  Json made{{"sequence", event.envelope.sequence}, {"at", to_string(event.envelope.at)}, {"event", name_of(event.event)}};
  made["data"] = std::visit([](auto const& one) { return json(one); }, event.event);
  return made;
}

}  // namespace equipoise::conduct

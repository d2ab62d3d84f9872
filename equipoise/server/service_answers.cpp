// What the service answers: acts as they stand in the log, what only the one who asked may see, and what is taken away.

#include "equipoise/conduct/extract.h"
#include "equipoise/core/digest.h"
#include "equipoise/core/record.h"
#include "equipoise/server/service.h"

namespace equipoise::server {

using conduct::Decision;
using conduct::Role;
using conduct::StoredEvent;
using conduct::TrialEvent;

Expected<void> Service::record_access(Asked const& asked, std::string const& key, conduct::Accessed access) {
  Decision decision;
  decision.events.push_back(std::move(access));
  return commit(asked.actor, key, asked.request, std::move(decision));
}

Expected<TrialEvent> Service::event_at(Sequence sequence) const {
  Expected<TrialEvent> found = fail(Code::unresolved, "there is no event {}", sequence);
  const auto read = around_.store.read(sequence - 1, [&](StoredEvent const& stored) {
    found = conduct::decoded_event(stored.bytes);
    return false;
  });
  if (!read) return tl::unexpected(read.error());
  return found;
}

Checked<Json> Service::told(Sequence first, Sequence last) {
  const auto failed = [](Error error) { return fail(Problems{std::move(error)}); };
  Json answer{{"ok", true}, {"events", Json::array()}};
  Json shown_here = Json::object();
  std::optional<Error> problem;
  Problems refused;
  const auto read = around_.store.read(first - 1, [&](StoredEvent const& stored) {
    const auto event = conduct::decoded_event(stored.bytes);
    if (!event) return problem = event.error(), false;
    answer["events"].push_back(conduct::json_of(*event));
    if (auto const* no = std::get_if<conduct::RandomisationRefused>(&event->event))
      for (std::string const& reason : no->reasons)
        add_problem(refused, {}, Code::refused, "participant '{}' cannot be randomised: {}", no->participant, reason);
    const auto shown_of = shown(*event, stored.digest);
    if (!shown_of) return problem = shown_of.error(), false;
    if (!shown_of->is_null()) shown_here.update(*shown_of);
    return stored.sequence < last;
  });
  if (!read) return failed(read.error());
  if (problem) return failed(*problem);
  if (!refused.empty()) return fail(std::move(refused));
  if (!shown_here.empty()) answer["shown"] = std::move(shown_here);
  return answer;
}

/// What belongs to an event and stands in no log: told to the one who did it, as often as the answer is asked for.
Expected<Json> Service::shown(TrialEvent const& event, std::string const& digest) {
  if (auto const* unblinded = std::get_if<conduct::ParticipantUnblinded>(&event.event)) {
    if (unblinded->drill) return Json{{"drill", "this was a drill: no arm is told"}};
    const auto opening = vault_.open(unblinded->participant, digest);
    if (!opening) return tl::unexpected(opening.error());
    Json made{{"participant", opening->participant}, {"arm", opening->arm}};
    if (conduct::Plan const* plan = plans_.find(state_.version().protocol))
      if (protocol::Arm const* arm = plan->protocol().arm(opening->arm)) made["label"] = arm->label.in("en");
    if (!opening->nonce.empty()) made["nonce"] = opening->nonce;
    made["keep"] = "This is known to you alone. Others at the site stay blinded; the rest of the trial does too.";
    return Json{{"unblinded", std::move(made)}};
  }
  if (auto const* labelled = std::get_if<conduct::KitsLabelled>(&event.event)) {
    const auto labels = vault_.labels(labelled->lot, digest);
    if (!labels) return tl::unexpected(labels.error());
    Json list = Json::array();
    for (allocation::LabelledKit const& one : *labels) list.push_back({{"kit", one.number}, {"arm", one.arm}});
    return Json{{"labels", std::move(list)}};
  }
  if (auto const* printed = std::get_if<conduct::EnvelopesPrinted>(&event.event)) {
    if (printed->allocations != std::int64_t(state_.allocations.size()))
      return fail(Code::conflict, "participants were randomised since these envelopes were printed: print new ones");
    const auto envelopes = printed->count == 0 ? vault_.envelopes(digest) : vault_.envelopes(printed->levels, printed->count, digest);
    if (!envelopes) return tl::unexpected(envelopes.error());
    Json list = Json::array();
    for (allocation::Envelope const& one : *envelopes) list.push_back({{"outside", one.outside}, {"inside", one.inside}});
    return Json{{"envelopes", std::move(list)}};
  }
  conduct::DosePrepared const* dose = std::get_if<conduct::DosePrepared>(&event.event);
  if (auto const* seen = std::get_if<conduct::Accessed>(&event.event); seen && seen->what == "dose_order") {
    const auto found = state_.doses.find(seen->about);
    if (found != state_.doses.end()) dose = &found->second.prepared;
  }
  if (dose) {
    conduct::Participant const* who = state_.participant(dose->participant);
    const auto order = vault_.dose({who->randomised->request.number, dose->intervention, dose->visit, dose->weight_kg});
    if (!order) return tl::unexpected(order.error());
    return Json{{"order", Json::parse(encoded(*order))}};
  }
  return Json();
}

// ---- Looking --------------------------------------------------------------------------------------------------------------------

Checked<Json> Service::look(Asked const& asked) {
  conduct::Permission const* line = conduct::permission(asked.name);
  if (line && line->acts && asked.name != "audit")
    return fail(Problems{{Code::wrong_type, fmt::format("'{}' is a command", asked.name), {}, ""}});
  auto seen = conduct::view(state_, asked.actor, asked.name, *asked.data, surroundings());
  if (!seen) return seen;
  if (line && line->acts) {  // reading it is recorded
    if (const auto done = record_access(asked, asked.actor.user + "/" + around_.chance.name(), {asked.name, {}, {}}); !done)
      return fail(Problems{done.error()});
  }
  return Json{{"ok", true}, {"shown", std::move(*seen)}};
}

Checked<Json> Service::dose_order(Asked const& asked) {
  Problems problems;
  Section section(*asked.data, "the data of 'dose_order'", problems);
  const auto dose = section.need_text("dose");
  section.finish();
  const auto found = dose ? state_.doses.find(*dose) : state_.doses.end();
  if (dose && (found == state_.doses.end() || state_.participant(found->second.prepared.participant)->site != asked.actor.site))
    add_problem(problems, {}, Code::unresolved, "there is no dose '{}'", *dose);
  if (!problems.empty()) return fail(std::move(problems));
  if (const auto done = record_access(asked, asked.key, {"dose_order", *dose, {}}); !done) return fail(Problems{done.error()});
  return told(state_.last, state_.last);
}

Checked<Json> Service::backup(Asked const& asked) {
  Problems problems;
  Section section(*asked.data, "the data of 'backup'", problems);
  const auto path = section.need_text("path");
  section.finish();
  if (!problems.empty()) return fail(std::move(problems));
  if (const auto copied = around_.store.backup(*path); !copied) return fail(Problems{copied.error()});
  const Sequence last = state_.last;
  if (const auto done = record_access(asked, asked.key, {"backup", {}, state_.digest}); !done) return fail(Problems{done.error()});
  return Json{{"ok", true}, {"backup", *path}, {"events", last}};
}

Checked<Json> Service::doctor(Asked const& asked) {
  Json found{{"trial", state_.opened->trial}, {"events", state_.last}, {"digest", state_.digest}, {"reconciling", state_.reconciling}};
  if (around_.witness)
    found["witness"] = {{"sequence", around_.witness->confirmed().sequence}, {"digest", around_.witness->confirmed().digest}};
  if (around_.health) {
    auto health = around_.health();
    if (!health) return fail(Problems{health.error()});
    found["store"] = std::move(*health);
  }
  if (const auto done = record_access(asked, asked.key, {"doctor", {}, {}}); !done) return fail(Problems{done.error()});
  return Json{{"ok", true}, {"shown", std::move(found)}};
}

/// A protocol file for an amendment: kept under its digest. It changes nothing until it is proposed and approved.
Checked<Json> Service::hand_in(Asked const& asked) {
  Problems problems;
  Section section(*asked.data, "the data of 'hand_in'", problems);
  const auto bytes = section.need_text("protocol");
  section.finish();
  if (bytes) (void)conduct::Plan::make(*bytes, "the protocol handed in", problems);
  if (!problems.empty()) return fail(std::move(problems));
  if (const auto put = around_.store.put({sha256(*bytes), *bytes}); !put) return fail(Problems{put.error()});
  return Json{{"ok", true}, {"document", sha256(*bytes)}};
}

Expected<std::map<std::string, std::string, std::less<>>> Service::opened_arms(std::string const& act) {
  std::map<std::string, std::string, std::less<>> arms;
  for (allocation::Request const& request : state_.allocations) {
    const auto opening = vault_.open(request.participant, act);
    if (!opening) return tl::unexpected(opening.error());
    arms[opening->participant] = opening->arm;
  }
  return arms;
}

Checked<Json> Service::take_away(Asked const& asked, Sequence again) {
  Problems problems;
  Section section(*asked.data, "the data of 'extract'", problems);
  constexpr std::pair<std::string_view, conduct::Arms> words[] = {
      {"none", conduct::Arms::none}, {"dummy", conduct::Arms::dummy}, {"real", conduct::Arms::real}};
  const conduct::Arms wanted = section.word<conduct::Arms>("arms", words).value_or(state_.unblinded ? conduct::Arms::real : conduct::Arms::none);
  section.finish();
  if (!problems.empty()) return fail(std::move(problems));
  const auto failed = [](Error error) { return fail(Problems{std::move(error)}); };
  const bool secret = wanted == conduct::Arms::real && !state_.unblinded;
  std::map<std::string, std::string, std::less<>> arms;
  if (secret) {
    conduct::Plan const* plan = plans_.find(state_.version().protocol);
    if (!conduct::may_be_unblinded(asked.actor.role) || asked.actor.role == Role::preparer || !plan->unmasked(asked.actor.role))
      return failed({Code::refused, fmt::format("the role '{}' learns arms after the trial is locked and unblinded", conduct::word(asked.actor.role)), {}, ""});
    // That somebody takes data with arms is recorded before they are opened.
    std::string act;
    if (again > 0) {
      const auto before = around_.store.done(asked.key + "/arms");
      if (!before) return failed(before.error());
      act = *before ? conduct::digest_at(around_.store, (*before)->last) : "";
    } else {
      if (const auto done = record_access(asked, asked.key + "/arms", {"extract", "arms of all participants", ""}); !done) return failed(done.error());
      act = state_.digest;
    }
    auto opened = opened_arms(act);
    if (!opened) return failed(opened.error());
    arms = std::move(*opened);
  } else if (wanted != conduct::Arms::none) {
    arms = wanted == conduct::Arms::real ? conduct::revealed_arms(state_) : conduct::dummy_arms(plans_, state_);
  }
  const conduct::Viewer viewer{asked.actor.role, asked.actor.site, wanted == conduct::Arms::none ? nullptr : &arms};
  const auto files = conduct::extract_files(plans_, state_, viewer, wanted, around_.software);
  if (!files) return failed(files.error());
  // Before the end the log names the data without arms: the digest of the others would tell them.
  const std::string digest = secret ? conduct::snapshot_digest(plans_, state_) : sha256(files->csv);
  const std::string about = wanted == conduct::Arms::real ? "with arms" : wanted == conduct::Arms::dummy ? "with dummy arms" : "blinded";
  if (again > 0) {
    const auto before = event_at(again);
    if (!before) return failed(before.error());
    auto const* taken = std::get_if<conduct::Accessed>(&before->event);
    if (!taken || taken->digest != digest)
      return failed({Code::conflict, "the data have changed since this extract was made", {}, "ask with a new key"});
  } else if (const auto done = record_access(asked, asked.key, {"extract", about, digest}); !done) {
    return failed(done.error());
  }
  return Json{{"ok", true}, {"digest", sha256(files->csv)}, {"files", {{"data.csv", files->csv}, {"protocol.toml", files->protocol}}}};
}

}  // namespace equipoise::server

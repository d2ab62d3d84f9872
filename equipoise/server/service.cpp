#include "equipoise/server/service.h"

#include <algorithm>

#include "equipoise/conduct/replay.h"
#include "equipoise/core/digest.h"
#include "equipoise/core/json.h"
#include "equipoise/core/record.h"
#include "equipoise/core/text.h"

namespace equipoise::server {

using conduct::Actor;
using conduct::Decision;
using conduct::Event;
using conduct::Role;
using conduct::TrialEvent;

namespace {

constexpr std::size_t longest_key = 100;

Json json_of(Problems const& problems) {
  Json list = Json::array();
  for (Error const& problem : problems) {
    Json one{{"code", card(problem.code).name}, {"message", problem.message}};
    if (!problem.place.field.empty()) one["field"] = problem.place.field;
    if (!problem.hint.empty()) one["hint"] = problem.hint;
    list.push_back(std::move(one));
  }
  return list;
}

std::string dump(Json const& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string refusal(Problems const& problems) {
  return dump({{"ok", false}, {"status", exit_status(problems)}, {"problems", json_of(problems)}});
}

// ---- Beginning ----------------------------------------------------------------------------------------------------------------

Checked<void> Service::open_trial(Opening const& opening, Surroundings const& around) {
  Problems problems;
  if (around.store.last() > 0) add_problem(problems, {}, Code::refused, "there is a trial in this place already");
  const auto plan = conduct::Plan::make(opening.protocol, opening.file, problems);
  const bool administrator = std::ranges::any_of(opening.users, [](Opening::User const& user) {
    return std::ranges::any_of(user.grants, [](conduct::Grant const& grant) { return grant.role == Role::administrator; });
  });
  if (!administrator) add_problem(problems, {}, Code::missing_key, "a trial begins with an administrator");
  for (Opening::User const& user : opening.users) {
    if (!is_id(user.id, true))
      add_problem(problems, {}, Code::out_of_range, "'{}' is no user name: small letters, digits, '_' and '-'", user.id);
    if (std::ranges::count(opening.users, user.id, &Opening::User::id) > 1)
      add_problem(problems, {}, Code::duplicate, "the user '{}' is given twice", user.id);
  }
  const auto commitment = around.vault.commitment();
  if (!commitment) problems.push_back(commitment.error());
  else if (plan && commitment->protocol != plan->protocol().digest)
    add_problem(problems, {}, Code::inconsistent, "the vault was made for another protocol");
  else if (commitment->environment != opening.environment)
    add_problem(problems, {}, Code::refused, "the vault is of the environment '{}', and the trial of '{}'", commitment->environment,
                opening.environment);
  if (!problems.empty()) return fail(std::move(problems));

  Service service(around);
  const auto failed = [](Error error) { return fail(Problems{std::move(error)}); };
  if (const auto lease = around.store.take_lease(); !lease) return failed(lease.error());
  if (const auto put = around.store.put({sha256(opening.protocol), opening.protocol}); !put) return failed(put.error());
  service.plans_.add(plan);
  protocol::Protocol const& p = plan->protocol();
  Decision decision;
  decision.events.push_back(conduct::TrialOpened{.trial = p.trial.id,
                                                 .environment = opening.environment,
                                                 .document = sha256(opening.protocol),
                                                 .protocol = p.digest,
                                                 .version = p.trial.version,
                                                 .software = around.software,
                                                 .commitment = *commitment});
  for (Opening::User const& user : opening.users) {
    decision.events.push_back(conduct::UserAdded{user.id, user.full_name, user.secret});
    for (conduct::Grant const& grant : user.grants)
      decision.events.push_back(conduct::RoleGranted{user.id, std::string(conduct::word(grant.role)), grant.site});
  }
  if (const auto done = service.commit({.user = opening.users.front().id, .role = Role::administrator}, "open", p.digest, std::move(decision));
      !done)
    return failed(done.error());
  return {};
}

Expected<std::unique_ptr<Service>> Service::start(Surroundings const& around) {
  std::unique_ptr<Service> service(new Service(around));
  if (around.store.last() == 0) return fail(Code::unavailable, "there is no trial in this place yet");
  if (const auto lease = around.store.take_lease(); !lease) return tl::unexpected(lease.error());
  if (const auto folded = service->fold_log(); !folded) return tl::unexpected(folded.error());
  const auto commitment = around.vault.commitment();
  if (!commitment) return tl::unexpected(commitment.error());
  if (*commitment != service->state_.opened->commitment)
    return fail(Code::inconsistent, "the vault is not the one that committed to this trial");
  if (const auto told = service->tell_log(around.vault); !told) return tl::unexpected(told.error());
  if (around.witness) {
    const Sequence last = service->state_.last;
    const vault::Standing standing = around.witness->judge(last, [&](Sequence sequence) { return conduct::digest_at(around.store, sequence); });
    if (standing == vault::Standing::another_log)
      return fail(Code::inconsistent, "{}", around.witness->sentence(standing, last));
    if (standing == vault::Standing::behind && !service->state_.reconciling) {
      Decision decision;
      decision.events.push_back(conduct::ReconcileStarted{around.witness->confirmed().sequence, last});
      const std::string key = fmt::format("reconcile/{}/{}", last, service->state_.digest.substr(0, 16));
      if (const auto done = service->commit({.user = "service", .role = Role::administrator}, key, service->state_.digest, std::move(decision)); !done)
        return tl::unexpected(done.error());
    }
  }
  return service;
}

Expected<void> Service::tell_amendment(VaultLink& vault, std::string const& file_digest) {
  const auto bytes = conduct::protocol_file(around_.store, file_digest);
  if (!bytes) return tl::unexpected(bytes.error());
  return vault.amend(*bytes);
}

Expected<void> Service::tell_log(VaultLink& vault) {
  if (!amended_.empty())
    if (const auto told = tell_amendment(vault, amended_); !told) return told;
  return vault.resume(state_.allocations);
}

Expected<void> Service::load_plan(std::string const& file_digest) {
  const auto bytes = conduct::protocol_file(around_.store, file_digest);
  if (!bytes) return tl::unexpected(bytes.error());
  Problems problems;
  auto plan = conduct::Plan::make(*bytes, "the protocol of the log", problems);
  if (!plan) return fail(Code::inconsistent, "the protocol of the log cannot be used: {}", problems.front().message);
  plans_.add(std::move(plan));
  return {};
}

Expected<void> Service::fold_log() {
  return conduct::replay(around_.store, state_, [&](TrialEvent const& event) -> Expected<void> {
    const std::string file = conduct::protocol_file_of(event.event);
    if (file.empty()) return {};
    if (std::holds_alternative<conduct::Amended>(event.event)) amended_ = file;
    return load_plan(file);
  });
}

// ---- Questions ------------------------------------------------------------------------------------------------------------------

std::string Service::answer(std::string_view line) {
  const auto question = read_json(line, {});
  if (!question) return refusal({question.error()});
  Problems problems;
  const auto asked = read(*question, problems);
  if (!asked) return refusal(problems);
  if (!broken_.empty())
    return refusal({Error{Code::unavailable, "the service has stopped: " + broken_, {}, "it has to be started again"}});
  pass("asked");
  const auto answer = asked->looks ? look(*asked) : act(*asked);
  pass("answered");
  if (around_.log)
    around_.log(dump({{"at", to_string(clock_.now())}, {"what", conduct::permission(asked->name) ? asked->name : "unknown"},
                      {"role", conduct::word(asked->actor.role)}, {"site", asked->actor.site},
                      {"status", answer ? 0 : exit_status(answer.error())}}));
  return answer ? dump(*answer) : refusal(answer.error());
}

bool Service::known(std::string const& user, std::string const& secret) {
  // Ten wrong secrets close an account for a minute; nobody is locked out for good.
  auto& [wrong, last] = guesses_[user];
  const Instant now = clock_.now();
  if (wrong >= 10 && now < last + std::chrono::minutes(1)) return false;
  conduct::User const* one = state_.user(user);
  const std::string stored = one && !one->ended ? one->secret : std::string(64, '0');
  if (equal_secrets(sha256(secret), stored)) {
    wrong = 0;
    return true;
  }
  last = now;
  if (++wrong == 10 && one) {
    Decision decision;
    decision.events.push_back(conduct::Accessed{"wrong_secret", user, {}});
    (void)commit({.user = user, .role = one->grants.empty() ? Role::coordinator : one->grants.front().role}, around_.chance.name(), "", std::move(decision));
  }
  return false;
}

std::optional<Service::Asked> Service::read(Node const& question, Problems& problems) {
  if (!question.table()) {
    add_problem(problems, {}, Code::wrong_type, "a question is an object: {{\"user\": ..., \"command\": ...}}");
    return {};
  }
  Section section(question, "the question", problems);
  const auto user = section.need_text("user"), secret = section.need_text("secret"), role = section.need_text("role");
  const auto site = section.text("site"), key = section.text("key"), reason = section.text("reason");
  const auto command = section.text("command"), seen = section.text("view");
  static const Node nothing{Node::Table{}};
  Node const* data = section.take("data");
  std::optional<Instant> at;
  record::take_member(section, "at", at);
  section.finish();
  if (at && state_.opened->environment != "simulated")
    add_problem(problems, {}, Code::refused, "only a simulated trial is told what time it is");
  if (data && !data->table()) add_problem(problems, {}, Code::wrong_type, "'data' of the question is an object");
  if (command.has_value() == seen.has_value())
    add_problem(problems, {}, Code::missing_key, "a question has a 'command' or a 'view'");
  if (command && (!key || key->empty() || key->size() > longest_key))
    add_problem(problems, {}, Code::missing_key, "a command has a 'key' of its own, of at most {} characters", longest_key).hint =
        "a command that is sent again with the same key is not done again";
  if (!problems.empty()) return {};
  if (!known(*user, *secret)) {
    add_problem(problems, {}, Code::refused, "user and secret do not belong together");
    return {};
  }
  if (at) clock_.stand_at(*at);
  const auto acts_as = conduct::to_role(*role);
  if (!acts_as) {
    Error& error = add_problem(problems, {}, Code::unknown_keyword, "there is no role '{}'", *role);
    error.hint = "roles are " + one_of(conduct::role_words(), "and");
    return {};
  }
  Asked asked{.actor = {*user, *acts_as, site.value_or(""), reason.value_or("")},
              .name = command ? *command : *seen,
              .key = key ? *user + "/" + *key : "",
              .request = {},
              .data = data ? data : &nothing,
              .looks = seen.has_value()};
  asked.request = sha256(fmt::format("{}\n{}\n{}\n{}\n{}", *role, asked.actor.site, asked.name, asked.actor.reason, canonical(*asked.data)));
  return asked;
}

// ---- Acts ---------------------------------------------------------------------------------------------------------------------

Checked<Json> Service::act(Asked const& asked) {
  const auto failed = [](Error error) { return fail(Problems{std::move(error)}); };
  const auto done = around_.store.done(asked.key);
  if (!done) return failed(done.error());
  if (*done) {
    if ((*done)->request != asked.request)
      return failed({Code::conflict, "this key was used for another command", {}, "each command has a key of its own"});
    if (asked.name != "extract") return told((*done)->first, (*done)->last);
  }
  if (const auto fine = conduct::authorise(state_, asked.actor, asked.name); !fine) return failed(fine.error());
  if (*done) return take_away(asked, (*done)->last);
  if (asked.name == "extract") return take_away(asked);
  if (asked.name == "dose_order") return dose_order(asked);
  if (asked.name == "backup") return backup(asked);
  if (asked.name == "doctor") return doctor(asked);
  if (asked.name == "hand_in") return hand_in(asked);
  Problems problems;
  const auto command = conduct::read_command(asked.name, *asked.data, problems);
  if (!command) return fail(std::move(problems));
  auto decision = conduct::decide(state_, asked.actor, *command, surroundings());
  if (!decision) vault_.settle(false);
  if (!decision) return fail(std::move(decision.error()));
  const Sequence first = state_.last + 1;
  const auto committed = commit(asked.actor, asked.key, asked.request, std::move(*decision));
  vault_.settle(committed.has_value());
  if (!committed) return failed(committed.error());
  return told(first, state_.last);
}

Expected<void> Service::commit(Actor const& actor, std::string const& key, std::string const& request, Decision decision) {
  expects(!decision.events.empty(), "an act has an event");
  conduct::Act act{.key = key, .request = request, .events = {}, .texts = std::move(decision.texts), .once = std::move(decision.once),
                   .destroyed = std::move(decision.destroyed)};
  conduct::Envelope envelope{.sequence = state_.last, .at = clock_.now(), .actor = actor.user,
                             .role = std::string(conduct::word(actor.role)), .site = actor.site, .reason = decision.reason,
                             .previous = state_.digest};
  envelope.clock_back = envelope.at < state_.at;
  std::vector<TrialEvent> events;
  std::int64_t allocated = 0;
  for (Event& event : decision.events) {
    ++envelope.sequence;
    if (auto const* opened = std::get_if<conduct::TrialOpened>(&event)) envelope.protocol = opened->protocol;
    else if (state_.opened) envelope.protocol = state_.version().protocol;
    if (conduct::Plan const* plan = plans_.find(envelope.protocol); plan && !actor.site.empty()) {
      const LocalTime there = plan->local(actor.site, envelope.at);
      envelope.local = to_string(there.date) + " " + there.zone_offset();
    }
    if (auto const* randomised = std::get_if<conduct::Randomised>(&event); randomised && !randomised->restored)
      allocated = randomised->request.number;
    events.push_back({envelope, std::move(event)});
    act.events.push_back(conduct::stored(events.back()));
    envelope.previous = act.events.back().digest;
  }
  pass("decided");
  for (TrialEvent const& event : events)
    if (auto const* amended = std::get_if<conduct::Amended>(&event.event))
      if (const auto told = tell_amendment(vault_, amended->document); !told) return told;
  if (around_.witness)
    if (const auto written = around_.witness->intend(act.events.back().sequence, act.events.back().digest); !written)
      return tl::unexpected(written.error());
  pass("intended");
  if (const auto stored = around_.store.append(state_.last, act); !stored) {
    // Nobody knows whether it is there: what happens next is decided by what the disk holds.
    if (stored.error().code != Code::conflict || around_.store.last() != state_.last) broken_ = stored.error().message;
    return stored;
  }
  pass("stored");
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto folded = conduct::fold(state_, events[i], act.events[i].digest);
    if (!folded) broken_ = folded.error().message;
    expects(folded.has_value(), "what is decided can be folded");
    if (auto const* amended = std::get_if<conduct::Amended>(&events[i].event)) {
      amended_ = amended->document;
      if (const auto loaded = load_plan(amended->document); !loaded) broken_ = loaded.error().message;
    }
  }
  // The allocation is in the log, whether the vault has heard of it or not.
  if (allocated > 0 && !vault_.confirm(allocated)) vault_.lost();
  if (around_.witness)
    if (const auto written = around_.witness->confirm(state_.last, state_.digest); !written) broken_ = written.error().message;
  pass("confirmed");
  return {};
}

}  // namespace equipoise::server

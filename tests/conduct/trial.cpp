#include "tests/conduct/trial.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "equipoise/core/digest.h"

namespace equipoise::conducted {

void CountedChance::fill(std::uint8_t* bytes, std::size_t size) {
  for (std::size_t i = 0; i < size;) {
    const Key32 block = key_from_hex(sha256(fmt::format("{}/{}", name_, count_++))).value();
    for (std::size_t k = 0; k < block.size() && i < size; ++k) bytes[i++] = block[k];
  }
}

std::string read_file(std::string const& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string site_of(std::string const& participant) { return participant.substr(0, participant.find('-')); }

std::set<std::string> codes(Json const& answer) {
  std::set<std::string> found;
  if (!answer.value("ok", false))
    for (Json const& problem : answer.at("problems")) found.insert(problem.at("code").get<std::string>());
  return found;
}

std::string messages(Json const& answer) {
  std::string all;
  if (!answer.value("ok", false))
    for (Json const& problem : answer.at("problems")) {
      all += problem.at("message").get<std::string>() + "\n";
      if (problem.contains("hint")) all += "  " + problem.at("hint").get<std::string>() + "\n";
    }
  return all;
}

Json values(std::vector<std::pair<std::string, std::string>> const& pairs) {
  Json list = Json::array();
  for (auto const& [item, value] : pairs) list.push_back({{"item", item}, {"value", value}});
  return list;
}

namespace {

std::int64_t keys = 0;  // of all trials of this process: a restored one must not meet its own again

std::string secret_of(std::string const& user) { return "the secret of " + user; }

/// "coordinator_s1" -> coordinator at s1; "administrator_2" -> administrator.
conduct::Grant grant_of(std::string const& user) {
  for (std::string const& word : conduct::role_words())
    if (user.starts_with(word)) {
      const conduct::Role role = conduct::to_role(word).value();
      const std::string rest = user.size() > word.size() ? user.substr(word.size() + 1) : "";
      return {role, conduct::works_at_site(role) ? rest.substr(0, 2) : ""};
    }
  throw std::logic_error("no role in " + user);
}

}  // namespace

Trial::Trial(Options options) : chance("names of " + options.seed), protocol(options.protocol) {
  if (protocol.empty()) protocol = read_file(options.protocol_file);
  if (!options.store) own_store = std::make_unique<store::MemoryStore>();
  store = options.store ? options.store : own_store.get();
  Problems problems;
  const auto plan = conduct::Plan::make(protocol, options.protocol_file, problems);
  if (!plan) throw std::logic_error(to_string(problems.front()));
  CountedChance seed(options.seed);
  auto secrets = vault::draw_secrets(plan->protocol(), options.environment, "", seed);
  if (!secrets) throw std::logic_error(secrets.error().message);
  Expected<vault::Ledger> ledger = vault::Ledger::in_memory();
  if (!options.ledger.empty()) ledger = vault::Ledger::open(options.ledger, secrets->seed, chance);
  if (!ledger) throw std::logic_error(ledger.error().message);
  auto made = vault::Vault::open(plan->protocol(), std::move(*secrets), std::move(*ledger), {&clock, &chance}, options.exchanged);
  if (!made) throw std::logic_error(made.error().message);
  vault = std::make_unique<vault::Vault>(std::move(*made));
  std::vector<std::string> arms;
  for (protocol::Arm const& arm : plan->protocol().arms) arms.push_back(arm.id);
  link = std::make_unique<server::LinkTo<vault::Vault>>(*vault, arms);
  server::Surroundings around{*store, options.vault ? *options.vault : *link, options.witness, clock, chance, "equipoise test", options.log};
  server::Opening opening{.protocol = protocol, .file = options.protocol_file, .environment = options.environment, .users = {}};
  std::vector<std::string> users{"administrator", "administrator_2", "monitor", "data_manager", "data_manager_2", "medical_monitor",
                                 "blinded_statistician", "unblinded_statistician", "unblinded_statistician_2", "committee"};
  for (protocol::Site const& site : plan->protocol().sites)
    for (std::string_view role : {"coordinator", "investigator", "laboratory", "preparer"}) {
      users.push_back(fmt::format("{}_{}", role, site.id));
      if (role == "preparer") users.push_back(fmt::format("{}_{}_2", role, site.id));
    }
  for (std::string const& user : users) opening.users.push_back({user, "Dr " + user, sha256(secret_of(user)), {grant_of(user)}});
  if (store->last() == 0) {
    const auto opened = server::Service::open_trial(opening, around);
    if (!opened) throw std::logic_error(to_string(opened.error().front()));
  }
  auto started = server::Service::start(around);
  if (!started) throw std::logic_error(to_string(started.error()));
  service = std::move(*started);
}

Json Trial::question(std::string const& user, std::string const& command, Json data, std::string const& reason, std::string const& key) {
  const conduct::Grant grant = grant_of(user);
  Json question{{"user", user}, {"secret", secret_of(user)}, {"role", conduct::word(grant.role)}};
  if (!grant.site.empty()) question["site"] = grant.site;
  if (!reason.empty()) question["reason"] = reason;
  if (!key.empty()) question["key"] = key, question["command"] = command;
  else question["view"] = command;
  question["data"] = std::move(data);
  return question;
}

Json Trial::ask(std::string const& user, std::string const& command, Json data, std::string const& reason, std::string const& key) {
  if (command == "sign" && !data.contains("secret")) data["secret"] = secret_of(user);
  return Json::parse(
      line(question(user, command, std::move(data), reason, key.empty() ? fmt::format("key {}", ++keys) : key).dump()));
}

Json Trial::view(std::string const& user, std::string const& name, Json data) {
  const Json answer = Json::parse(line(question(user, name, std::move(data), "", "").dump()));
  return answer.value("ok", false) ? answer.at("shown") : answer;
}

Json Trial::done(std::string const& user, std::string const& command, Json data, std::string const& reason) {
  const Json answer = ask(user, command, std::move(data), reason);
  EXPECT_TRUE(answer.value("ok", false)) << command << " by " << user << ": " << messages(answer);
  return answer;
}

Json Trial::both(std::string const& first, std::string const& second, std::string const& command, Json data, std::string const& reason) {
  const Json proposed = done(first, command, std::move(data), reason);
  if (!proposed.value("ok", false)) return proposed;
  return done(second, "approve", {{"proposal", proposed["events"][0]["data"]["proposal"]}});
}

std::string Trial::enrol(std::string const& site) {
  return done("coordinator_" + site, "enrol")["events"][0]["data"]["participant"].get<std::string>();
}

void Trial::visit(std::string const& participant, std::string const& visit, std::string const& date) {
  done("coordinator_" + site_of(participant), "visit", {{"participant", participant}, {"visit", visit}, {"date", date}});
}

Json Trial::save(std::string const& user, std::string const& participant, std::string const& visit, std::string const& form, Json values,
                 std::int64_t revision, std::string const& reason) {
  Json record{{"participant", participant}, {"form", form}};
  if (!visit.empty()) record["visit"] = visit;
  return ask(user, "record", {{"record", record}, {"revision", revision}, {"values", std::move(values)}}, reason);
}

void Trial::screen(std::string const& participant, double cd4) {
  const std::string user = "coordinator_" + site_of(participant);
  done(user, "consent", {{"participant", participant}, {"date", today()}});
  visit(participant, "screening", today());
  const auto form = [&](std::string const& id, std::vector<std::pair<std::string, std::string>> const& pairs) {
    const Json answer = save(user, participant, "screening", id, values(pairs));
    EXPECT_TRUE(answer.value("ok", false)) << id << ": " << messages(answer);
  };
  form("consent", {{"consent_date", today()}});
  form("demography", {{"age", "38"}, {"sex", "M"}});
  form("history", {{"hiv", "true"}, {"art_start", "2015-03-01"}, {"cd4_highest", "220"}, {"cdc_c", "false"}, {"karnofsky", "90"}});
  form("vitals", {{"weight", "62.5"}});
  form("lymphocytes", {{"cd4", fmt::format("{}", cd4)}, {"cd8", "800"}});
  form("virology", {{"hiv_rna", "<20"}});
}

Json Trial::randomise(std::string const& participant) {
  const std::string user = "investigator_" + site_of(participant);
  const Json seen = view(user, "read_back", {{"participant", participant}});
  return ask(user, "randomise", {{"participant", participant}, {"confirm", seen.value("confirm", "")}});
}

std::string Trial::randomised(std::string const& site, double cd4) {
  const std::string who = enrol(site);
  screen(who, cd4);
  clock.advance(std::chrono::hours(24 * 10));
  const Json answer = randomise(who);
  EXPECT_TRUE(answer.value("ok", false)) << messages(answer);
  return who;
}

void Trial::lock() {
  done("data_manager", "snapshot");
  const auto revision = service->state().data_changed;
  for (std::string const user : {"data_manager", "blinded_statistician"}) done(user, "sign", {{"meaning", "lock"}, {"revision", revision}});
  both("data_manager", "data_manager_2", "lock");
}

std::vector<conduct::TrialEvent> Trial::events() const {
  std::vector<conduct::TrialEvent> all;
  const auto read = store->read(0, [&](conduct::StoredEvent const& stored) {
    all.push_back(conduct::decoded_event(stored.bytes).value());
    return true;
  });
  EXPECT_TRUE(read);
  return all;
}

std::size_t Trial::count(std::string_view name) const {
  std::size_t found = 0;
  for (conduct::TrialEvent const& event : events()) found += conduct::name_of(event.event) == name;
  return found;
}

}  // namespace equipoise::conducted

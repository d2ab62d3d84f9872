// Has an independent program replay the vault's allocations: writes one case for each method (what is public after the reveal)
// and runs replay_allocation.py on them.
//
//     write_allocations SCRIPT [REQUESTS]             straight from the vault, 100,000 for each method
//     write_allocations SCRIPT --durable [REQUESTS]   through service, vault and a log on the disk, which is closed, opened and read again
//
// exit status  0 all the same, 1 not, 77 there is no Python 3

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "equipoise/conduct/replay.h"
#include "equipoise/core/digest.h"
#include "equipoise/protocol/load.h"
#include "equipoise/server/service.h"
#include "equipoise/store/sqlite.h"
#include "equipoise/vault/vault.h"
#include "tests/independent/replayed.h"

namespace {

using namespace equipoise;
using namespace equipoise::replayed;

/// Chance whose bytes are all alike, so that a case has a seed of its own.
class OneByte final : public Chance {
 public:
  explicit OneByte(std::uint8_t byte) : byte_(byte) {}
  void fill(std::uint8_t* bytes, std::size_t size) override { std::fill_n(bytes, size, byte_++); }

 private:
  std::uint8_t byte_;
};

vault::Vault vault_of(Method const& method, OneByte& chance, Clock const& clock) {
  const protocol::Protocol protocol = protocol::load_all(protocol_text(method), method.name).protocol;
  vault::Secrets secrets = vault::draw_secrets(protocol, "simulated", "", chance).value();
  return vault::Vault::open(protocol, std::move(secrets), vault::Ledger::in_memory(), {.clock = &clock, .chance = &chance}).value();
}

bool kept(std::int64_t number, int requests) { return number <= 60 || number % std::max(1, requests / 50) == 0; }

Outcome from_the_vault(Method const& method, std::uint8_t number, int requests) {
  OneByte chance(number);
  const SystemClock clock;
  vault::Vault vault = vault_of(method, chance, clock);
  Outcome made{.commitment = vault.commitment()};
  for (int i = 0; i < requests; ++i) {
    made.levels.push_back(levels_of(method, number, i));
    const std::int64_t next = vault.confirmed() + 1;
    const auto receipt = vault.allocate({.number = next, .participant = fmt::format("p-{}", i), .levels = made.levels.back()});
    made.refused.push_back(!receipt);
    if (!receipt) continue;
    if (!vault.confirm(next)) std::abort();
    if (kept(next, requests)) made.receipts.push_back(*receipt);
  }
  made.reveal = vault.reveal(UnblindingGrant(std::string(64, 'a'))).value();
  return made;
}

/// People who enrol and randomise at three sites, and what the log on the disk says afterwards.
class DurableTrial {
 public:
  DurableTrial(Method const& method, std::uint8_t number, std::filesystem::path const& folder)
      : method_(method), number_(number), log_((folder / "trial.db").string()), chance_(number), vault_(vault_of(method, chance_, clock_)),
        link_(vault_, {"a", "b", "c"}) {}

  Outcome conduct(int requests) {
    Outcome made{.commitment = vault_.commitment()};
    {
      const auto store = store::SqliteStore::open(log_, {.create = true}).value();
      const server::Surroundings around{*store, link_, nullptr, clock_, names_, "test"};
      server::Opening opening{.protocol = protocol_text(method_), .file = method_.name, .environment = "simulated", .users = {user("root", conduct::Role::administrator, "")}};
      for (char const* site : sites) opening.users.push_back(user(fmt::format("ivan_{}", site), conduct::Role::investigator, site));
      need(server::Service::open_trial(opening, around).has_value(), "the trial opens");
      service_ = std::move(server::Service::start(around).value());
      for (int i = 0; i < requests; ++i) randomise(made, i);
      made.reveal = vault_.reveal(UnblindingGrant(std::string(64, 'a'))).value();
      service_.reset();
    }
    // From the disk: what is replayed is what survived.
    const auto store = store::SqliteStore::open(log_).value();
    conduct::State state;
    need(conduct::replay(*store, state, [](conduct::TrialEvent const&) -> Expected<void> { return {}; }).has_value(), "the log is read");
    for (conduct::Participant const& who : state.participants) {
      made.refused.push_back(!who.randomised);
      if (!who.randomised) continue;
      need(who.randomised->request.levels == made.levels[made.refused.size() - 1], "the levels are those of the data");
      if (kept(who.randomised->request.number, requests)) made.receipts.push_back(who.randomised->receipt);
    }
    need(std::int64_t(state.allocations.size()) == vault_.confirmed(), "log and vault have as many allocations");
    return made;
  }

 private:
  static constexpr char const* sites[] = {"s1", "s2", "s3"};

  static void need(bool holds, char const* what) {
    if (!holds) std::fprintf(stderr, "write_allocations: not so: %s\n", what), std::exit(1);
  }
  static server::Opening::User user(std::string const& id, conduct::Role role, std::string const& site) {
    return {id, id, sha256("secret of " + id), {{role, site}}};
  }
  server::Json ask(char const* kind, std::string const& site, char const* name, server::Json data) {
    server::Json question{{"user", "ivan_" + site}, {"secret", "secret of ivan_" + site}, {"role", "investigator"}, {"site", site}, {kind, name}, {"data", std::move(data)}};
    if (kind == std::string_view("command")) question["key"] = std::to_string(++keys_);
    return server::Json::parse(service_->answer(question.dump()));
  }
  server::Json done(std::string const& site, char const* name, server::Json data) {
    server::Json answer = ask("command", site, name, std::move(data));
    if (!answer.value("ok", false)) std::fprintf(stderr, "%s: %s\n", name, answer.dump().c_str()), std::exit(1);
    return answer;
  }
  void randomise(Outcome& made, int i) {
    made.levels.push_back(levels_of(method_, number_, i));
    const std::string site = method_.factors ? sites[made.levels.back()[0]] : sites[i % 3];
    const std::string who = done(site, "enrol", server::Json::object())["events"][0]["data"]["participant"], today = to_string(clock_.now()).substr(0, 10);
    done(site, "consent", {{"participant", who}, {"date", today}});
    if (method_.factors) {
      done(site, "visit", {{"participant", who}, {"visit", "screening"}, {"date", today}});
      done(site, "record", {{"record", {{"participant", who}, {"form", "person"}, {"visit", "screening"}}}, {"revision", 0},
                            {"values", {{{"item", "sex"}, {"value", made.levels.back()[1] == 0 ? "F" : "M=,%"}}}}});
    }
    const server::Json seen = ask("view", site, "read_back", {{"participant", who}});
    ask("command", site, "randomise", {{"participant", who}, {"confirm", seen.at("shown").at("confirm")}});
  }

  Method const& method_;
  std::uint8_t number_;
  std::string log_;
  SystemClock clock_;
  SystemChance names_;
  OneByte chance_;
  vault::Vault vault_;
  server::LinkTo<vault::Vault> link_;
  std::unique_ptr<server::Service> service_;
  int keys_ = 0;
};

}  // namespace

int main(int count, char** words) {
  if (count < 2) return std::fprintf(stderr, "usage: write_allocations SCRIPT [--durable] [REQUESTS]\n"), 2;
  if (std::system("python3 -c 'import sys' >/dev/null 2>&1") != 0) return std::puts("skipped: there is no python3"), 77;
  const bool durable = count > 2 && words[2] == std::string_view("--durable");
  const int requests = count > 2 + durable ? std::atoi(words[2 + durable]) : durable ? 1000 : 100'000;
  std::string shape = (std::filesystem::temp_directory_path() / "allocations-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(shape.data());
  std::string command = fmt::format("python3 '{}'", words[1]);
  for (std::size_t i = 0; i < methods().size(); ++i) {
    Method const& method = methods()[i];
    if (durable && !method.whole) continue;
    const auto path = folder / fmt::format("{:02}.json", i);
    const auto number = std::uint8_t(i + 1);
    std::filesystem::remove(folder / "trial.db");
    const Outcome outcome = durable ? DurableTrial(method, number, folder).conduct(requests)
                                    : from_the_vault(method, number, method.whole ? requests : requests / 5);
    std::ofstream(path, std::ios::binary) << case_text(method, outcome);
    command += fmt::format(" '{}'", path.string());
  }
  std::fflush(stdout);
  const int status = std::system(command.c_str());
  std::filesystem::remove_all(folder);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

#include "equipoise/server/folder.h"

#include <unistd.h>

#include <cstdio>
#include <system_error>

#include "equipoise/core/lines.h"
#include "equipoise/core/record.h"
#include "equipoise/core/text.h"
#include "equipoise/protocol/load.h"
#include "equipoise/store/sqlite.h"
#include "equipoise/vault/process.h"

namespace equipoise::server {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> arms_of(protocol::Protocol const& protocol) {
  std::vector<std::string> ids;
  for (protocol::Arm const& arm : protocol.arms) ids.push_back(arm.id);
  return ids;
}

/// Removes a half-made folder unless it is kept.
class Draft {
 public:
  explicit Draft(fs::path path) : path_(std::move(path)) {}
  ~Draft() {
    std::error_code ignored;
    if (!kept_) fs::remove_all(path_, ignored);
  }
  Draft(Draft const&) = delete;
  Draft& operator=(Draft const&) = delete;
  fs::path const& path() const { return path_; }
  void keep() { kept_ = true; }

 private:
  fs::path path_;
  bool kept_ = false;
};

}  // namespace

fs::path Folder::witness() const {
  const fs::path elsewhere = root / "witness.path";
  std::error_code problem;
  if (fs::exists(elsewhere, problem))
    if (const auto path = vault::read_whole(elsewhere, 4096)) return fs::path(std::string(trimmed(*path)));
  return root / "witness";
}

Checked<allocation::Commitment> make_trial(Folder const& folder, Making const& making, vault::Lock const& lock, Clock const& clock,
                                           Chance& chance, std::string const& software) {
  const auto failed = [](Error error) { return fail(Problems{std::move(error)}); };
  std::error_code problem;
  if (fs::exists(folder.root, problem))
    return failed({Code::refused, fmt::format("there is something at '{}' already", folder.root.string()), {}, "a trial begins in a new folder"});
  Problems problems;
  const auto plan = conduct::Plan::make(making.opening.protocol, making.opening.file, problems);
  if (!plan) return fail(std::move(problems));
  auto secrets = vault::draw_secrets(plan->protocol(), making.opening.environment, making.escrow, chance);
  if (!secrets) return failed(secrets.error());
  if (making.seed) {
    if (making.opening.environment != "simulated")
      return failed({Code::refused, "only a simulated trial has a seed that somebody knows", {}, ""});
    std::ranges::copy(*making.seed, secrets->seed.bytes().begin());
    secrets->source = "given";
  }
  if (making.list)
    if (const auto imported = vault::import_list(*secrets, *making.list, plan->protocol()); !imported) return failed(imported.error());

  Draft draft(folder.root.string() + ".new");
  const Folder made{draft.path()};
  fs::remove_all(made.root, problem);
  fs::create_directories(made.root / "vault", problem);
  if (!problem) fs::permissions(made.root, fs::perms::owner_all, problem);
  if (problem) return failed({Code::io, fmt::format("'{}': {}", made.root.string(), problem.message()), {}, ""});
  const auto sealed = vault::seal_secrets(*secrets, lock, chance);
  if (!sealed) return failed(sealed.error());
  if (const auto written = vault::write_new(made.secrets(), *sealed); !written) return failed(written.error());
  if (const auto written = vault::write_new(made.vault_protocol(), making.opening.protocol); !written) return failed(written.error());
  if (!making.witness.empty())
    if (const auto written = vault::write_new(made.root / "witness.path", fs::absolute(making.witness).string()); !written)
      return failed(written.error());
  allocation::Commitment commitment;
  {
    auto ledger = vault::Ledger::open(made.ledger(), secrets->seed, chance);
    if (!ledger) return failed(ledger.error());
    auto vault = vault::Vault::open(plan->protocol(), std::move(*secrets), std::move(*ledger), {&clock, &chance});
    if (!vault) return failed(vault.error());
    LinkTo<vault::Vault> link(*vault, arms_of(plan->protocol()));
    auto store = store::SqliteStore::open(made.database(), {.create = true});
    if (!store) return failed(store.error());
    auto witness = vault::Witness::open(made.witness());
    if (!witness) return failed(witness.error());
    const auto opened = Service::open_trial(making.opening, {**store, link, &*witness, clock, chance, software});
    if (!opened) return fail(opened.error());
    commitment = vault->commitment();
  }
  fs::rename(made.root, folder.root, problem);
  if (problem) return failed({Code::io, fmt::format("'{}': {}", folder.root.string(), problem.message()), {}, ""});
  draft.keep();
  return commitment;
}

Expected<void> run_vault(Folder const& folder, vault::Lock const& lock, Clock const& clock, Chance& chance, std::atomic<bool> const& stop,
                         std::function<void()> const& ready) {
  vault::forbid_looking_in();
  const auto protocol = vault::read_whole(folder.vault_protocol());
  if (!protocol) return tl::unexpected(protocol.error());
  const auto loaded = protocol::load(*protocol, folder.vault_protocol());
  if (!loaded) return tl::unexpected(loaded.error().front());
  const auto bytes = vault::read_whole(folder.secrets());
  if (!bytes) return tl::unexpected(bytes.error());
  auto secrets = vault::open_secrets(*bytes, lock, folder.secrets());
  if (!secrets) return tl::unexpected(secrets.error());
  auto ledger = vault::Ledger::open(folder.ledger(), secrets->seed, chance);
  if (!ledger) return tl::unexpected(ledger.error());
  auto vault = vault::Vault::open(*loaded, std::move(*secrets), std::move(*ledger), {&clock, &chance});
  if (!vault) return tl::unexpected(vault.error());
  if (ready) ready();
  return vault::serve(folder.vault_socket(), *vault, stop);
}

Expected<void> run_service(Folder const& folder, Clock const& clock, Chance& chance, std::string const& software,
                           std::atomic<bool> const& stop, std::function<void(Service const&)> const& ready) {
  auto store = store::SqliteStore::open(folder.database());
  if (!store) return tl::unexpected(store.error());
  const auto protocol = vault::read_whole(folder.vault_protocol());
  if (!protocol) return tl::unexpected(protocol.error());
  const auto loaded = protocol::load(*protocol, folder.vault_protocol());
  if (!loaded) return tl::unexpected(loaded.error().front());
  vault::Client client(folder.vault_socket());
  LinkTo<vault::Client> link(client, arms_of(*loaded));
  auto witness = vault::Witness::open(folder.witness());
  if (!witness) return tl::unexpected(witness.error());
  auto server = LineServer::open(folder.socket(), {.longest_line = std::size_t(16) << 20});
  if (!server) return tl::unexpected(server.error());

  struct Log {
    std::FILE* file;
    ~Log() {
      if (file) std::fclose(file);
    }
  } log{std::fopen(folder.log().c_str(), "a")};
  if (!log.file) return fail(Code::io, "'{}' cannot be written", folder.log());
  const auto to_log = [&](std::string const& line) {
    std::fputs((line + "\n").c_str(), log.file);
    std::fflush(log.file);
  };
  const auto health = [&]() -> Expected<Json> {
    const auto found = (*store)->doctor();
    if (!found) return tl::unexpected(found.error());
    return Json::parse(encoded(*found));
  };
  auto service = Service::start({**store, link, &*witness, clock, chance, software, to_log, health});
  if (!service) return tl::unexpected(service.error());
  if (ready) ready(**service);
  return server->run(stop, [&](LineServer::Connection, std::string_view line) -> std::optional<std::string> {
    return (*service)->answer(line);
  });
}

}  // namespace equipoise::server

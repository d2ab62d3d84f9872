#include "equipoise/analysis/verify.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include "equipoise/analysis/known_answers.h"
#include "equipoise/cli/commands.h"
#include "equipoise/cli/files.h"
#include "equipoise/cli/requirements.h"
#include "equipoise/core/record.h"
#include "equipoise/server/folder.h"
#include "equipoise/server/verify_trial.h"
#include "equipoise/store/sqlite.h"

namespace equipoise::cli {
namespace {

Checked<analysis::Verification> verify_file(std::string const& reference, std::string const& data) {
  const auto cases = read_file(reference);
  if (!cases) return fail(Problems{cases.error()});
  const std::filesystem::path folder =
      data.empty() ? std::filesystem::path(reference).parent_path() : std::filesystem::path(data);
  return analysis::verify(reference, *cases, [&](std::string_view name) { return read_file(folder / name); });
}

Checked<analysis::Verification> verify_installation() {
  return analysis::verify("known answers", analysis::known_answer_cases(),
                          [](std::string_view name) { return analysis::known_answer_data(name); });
}

/// What the vault of a folder ever showed. The vault must not be running.
Expected<std::vector<vault::Disclosure>> ledger_of(server::Folder const& trial, std::string const& vault_key) {
  const auto lock = vault::Lock::key_file(vault_key);
  if (!lock) return tl::unexpected(lock.error());
  const auto bytes = vault::read_whole(trial.secrets());
  if (!bytes) return tl::unexpected(bytes.error());
  const auto secrets = vault::open_secrets(*bytes, *lock, trial.secrets());
  if (!secrets) return tl::unexpected(secrets.error());
  SystemChance chance;
  const auto ledger = vault::Ledger::open(trial.ledger(), secrets->seed, chance);
  if (!ledger) return tl::unexpected(ledger.error());
  std::vector<vault::Disclosure> shown;
  for (vault::LedgerEntry const& entry : ledger->entries()) shown.push_back({entry.kind, entry.at, entry.act, entry.id});
  return shown;
}

/// A trial's folder with its witness, or a copy of its log alone.
void verify_one_trial(std::string const& path, std::string const& vault_key, Console& console) {
  std::error_code problem;
  const bool folder = std::filesystem::is_directory(path, problem);
  const server::Folder trial{path};
  const auto store = store::SqliteStore::open(folder ? trial.database() : path);
  if (!store) return console.fail(store.error());
  std::optional<vault::Witness> witness;
  if (folder) {
    auto opened = vault::Witness::open(trial.witness());
    if (!opened) return console.fail(opened.error());
    witness.emplace(std::move(*opened));
  }
  std::optional<std::vector<vault::Disclosure>> shown;
  if (!vault_key.empty()) {
    auto read = ledger_of(trial, vault_key);
    if (!read) return console.fail(read.error());
    shown.emplace(std::move(*read));
  }
  const auto verified = server::verify_trial(**store, witness ? &*witness : nullptr, shown ? &*shown : nullptr);
  if (!verified) return console.fail(verified.error());
  console.answer(encoded(*verified));
  std::string text = fmt::format("Trial '{}' ({}), {} events, head {}\n", verified->trial, verified->environment, verified->events, verified->digest);
  for (server::TrialVerification::Finding const& one : verified->findings)
    text += fmt::format("  {:<6} {:<11} {}\n", one.holds ? "holds" : "FAILS", one.what, one.sentence);
  console.say(text);
  if (!verified->holds()) console.set_status(card(Code::verification).exit_status);
}

}  // namespace

void add_verify(CLI::App& app, Console& console) {
  struct Arguments {
    std::string trial, reference, data, vault_key;
    bool requirements = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("verify", "Check one trial from its log, this installation against known answers, or a file of reference cases");
  CLI::Option* trial = command->add_option("trial", arguments->trial, "Folder of a trial, or a copy of its log");
  command->add_option("--vault-key", arguments->vault_key, "Key of the trial's vault: what it showed is held against the log too; not while the trial is open")
      ->needs(trial);
  CLI::Option* reference = command->add_option("--reference", arguments->reference, "Reference cases (JSON Lines)")->excludes(trial);
  command->add_option("--data", arguments->data, "Folder of the cases' data files; without it that of the reference file")
      ->needs(reference);
  command->add_flag("--requirements", arguments->requirements, "Which requirement of conduct is tested by what")->excludes(trial, reference);
  command->callback([arguments, &console] {
    if (!arguments->trial.empty()) return verify_one_trial(arguments->trial, arguments->vault_key, console);
    if (arguments->requirements) {
      console.answer(requirements_json());
      return console.say(requirements_text());
    }
    const auto verification =
        arguments->reference.empty() ? verify_installation() : verify_file(arguments->reference, arguments->data);
    if (!verification) return console.fail(verification.error());
    console.answer(analysis::to_json(*verification));
    console.say(analysis::to_text(*verification));
    if (!verification->reproduced()) console.set_status(card(Code::verification).exit_status);
  });
}

}  // namespace equipoise::cli

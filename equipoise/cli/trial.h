#pragma once

#include <memory>
#include <optional>
#include <string>

#include <CLI/App.hpp>
#include <nlohmann/json.hpp>

#include "equipoise/cli/console.h"
#include "equipoise/server/folder.h"
#include "equipoise/vault/imported_list.h"

/// What the subcommands of `equipoise trial` share: where the trial is, who asks, and how a question gets to the service.
namespace equipoise::cli {

/// Who asks. The secret comes from a file or from the environment (EQUIPOISE_SECRET), never from the command line.
struct Asker {
  std::string folder, user, role, site, reason, key, secret_file, vault_key;
};

/// How the vault is opened: a key file, or the passphrase in EQUIPOISE_VAULT_PASSPHRASE.
/// errors  usage (neither is given), and those of vault::Lock
Expected<vault::Lock> vault_lock(std::string const& key_file);

/// A list of arms as `trial seal-list` made it.
/// errors  refused (a list that is not sealed), usage (no key), and those of vault::open_list
Expected<vault::ImportedList> sealed_list(std::string const& path, std::string const& key_file);

/// The words of `equipoise trial` for what is made before the trial: vault-key, escrow-key; seal-list.
void add_trial_keys(CLI::App& trial, Console& console);
void add_trial_lists(CLI::App& trial, Console& console);

/// Asks the service of the folder; when none runs, one is started for this question, and its vault too.
/// errors  unavailable; io
Expected<std::string> ask_service(Asker const& asker, std::string const& question);

/// A command (with a key) or a view as a question; a refusal is printed, and there is no answer.
std::optional<nlohmann::ordered_json> answered(Asker const& asker, bool looks, std::string const& name, nlohmann::ordered_json data,
                                               Console& console);

/// The same; prints the answer and sets the exit status that it asks for.
void ask(Asker const& asker, bool looks, std::string const& name, nlohmann::ordered_json data, Console& console,
         std::string const& output = "");

}  // namespace equipoise::cli

#pragma once

#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "equipoise/cli/console.h"
#include "equipoise/server/folder.h"

/// What the subcommands of `equipoise trial` share: where the trial is, who asks, and how a question gets to the service.
namespace equipoise::cli {

/// Who asks. The secret comes from a file or from the environment (EQUIPOISE_SECRET), never from the command line.
struct Asker {
  std::string folder, user, role, site, reason, key, secret_file, vault_key;
};

/// How the vault is opened: a key file, or the passphrase in EQUIPOISE_VAULT_PASSPHRASE.
/// errors  usage (neither is given), and those of vault::Lock
Expected<vault::Lock> vault_lock(std::string const& key_file);

/// Asks the service of the folder; when none runs, one is started for this question, and its vault too.
/// errors  unavailable; io
Expected<std::string> ask_service(Asker const& asker, std::string const& question);

/// A command (with a key) or a view as a question; prints the answer and sets the exit status that it asks for.
void ask(Asker const& asker, bool looks, std::string const& name, nlohmann::ordered_json data, Console& console,
         std::string const& output = "");

}  // namespace equipoise::cli

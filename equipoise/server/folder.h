#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>

#include "equipoise/server/service.h"
#include "equipoise/vault/secrets.h"

/// A trial on a disk, and the two processes that serve it.
namespace equipoise::server {

/// Where things are:
///
///     trial.db           the log (backups are of this file)
///     conduct.sock       where the conduct service answers
///     conduct.log        what was asked, and with which status: no values, no arms, no secrets
///     vault/             of the vault alone: secrets.sealed, ledger, protocol.toml, vault.sock
///     witness            the head of the log as last confirmed; better on another disk (`trial init --witness`)
struct Folder {
  std::filesystem::path root;

  std::string database() const { return root / "trial.db"; }
  std::string socket() const { return root / "conduct.sock"; }
  std::string log() const { return root / "conduct.log"; }
  std::string vault_socket() const { return root / "vault" / "vault.sock"; }
  std::filesystem::path secrets() const { return root / "vault" / "secrets.sealed"; }
  std::filesystem::path ledger() const { return root / "vault" / "ledger"; }
  std::filesystem::path vault_protocol() const { return root / "vault" / "protocol.toml"; }
  /// The witness, or the file that says where it is.
  std::filesystem::path witness() const;
};

struct Making {
  Opening opening;
  std::string escrow{};               ///< public key, 64 hex; empty: the seed is sealed to nobody
  std::optional<vault::ImportedList> list{};  ///< in place of the seed's arms
  std::filesystem::path witness{};    ///< elsewhere; empty: in the folder
  std::optional<Key32> seed{};        ///< of a simulated trial; otherwise the operating system's
};

/// Makes the folder with a new seed, and opens the trial: whole or not at all.
/// returns  the commitment
/// errors   refused (there is something at that place), and every problem of protocol, users and list
Checked<allocation::Commitment> make_trial(Folder const& folder, Making const& making, vault::Lock const& lock, Clock const& clock,
                                           Chance& chance, std::string const& software);

/// The vault process, until `stop`. `ready` is called when it answers.
/// errors  io, refused (wrong passphrase), conflict (it runs)
Expected<void> run_vault(Folder const& folder, vault::Lock const& lock, Clock const& clock, Chance& chance, std::atomic<bool> const& stop,
                         std::function<void()> const& ready = {});

/// The conduct service, until `stop`. The vault must answer.
/// errors  io, unavailable (another instance, no vault), inconsistent (the log does not hold)
Expected<void> run_service(Folder const& folder, Clock const& clock, Chance& chance, std::string const& software,
                           std::atomic<bool> const& stop, std::function<void(Service const&)> const& ready = {});

}  // namespace equipoise::server

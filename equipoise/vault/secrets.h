#pragma once

#include <optional>
#include <string>

#include "equipoise/protocol/protocol.h"
#include "equipoise/vault/commitment.h"
#include "equipoise/vault/imported_list.h"
#include "equipoise/vault/sealed_box.h"

namespace equipoise::vault {

/// What only the vault knows of a trial, and for which trial it knows it.
struct Secrets {
  Trial trial;
  SecretBytes seed{32};
  std::string source;  ///< where the seed comes from, in words
  std::string escrow;  ///< public key to which the seed is sealed, 64 hex; empty: to nobody's
  std::optional<ImportedList> list;
};

/// A new seed for this protocol.
/// environment  "live", "test" or "simulated"
/// escrow       of `make_escrow_keys`, or empty
/// errors       unknown_keyword (environment); out_of_range (escrow); refused (a live seed from anything but the operating
/// system)
Expected<Secrets> draw_secrets(protocol::Protocol const& protocol, std::string const& environment, std::string const& escrow,
                               Chance& chance);

/// Puts a list in the place of the seed's arms.
/// errors  refused (made for another environment or trial); what `check_list` reports, joined
Expected<void> import_list(Secrets& secrets, ImportedList list, protocol::Protocol const& protocol);

/// The secrets as a sealed file; its length tells at most how many places an imported list has.
Expected<std::string> seal_secrets(Secrets const& secrets, Lock const& lock, Chance& chance);
Expected<Secrets> open_secrets(std::string_view bytes, Lock const& lock, std::string const& name);

/// The rule of a protocol that has been checked.
/// errors  inconsistent: it has none, or one that does not compile
Expected<allocation::Rule> rule_of(protocol::Protocol const& protocol);

}  // namespace equipoise::vault

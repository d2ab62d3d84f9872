#pragma once

#include <string>
#include <string_view>

#include "equipoise/core/expected.h"
#include "equipoise/vault/memory.h"

/// The seed for a day on which the vault is lost: sealed to the public key of somebody who has no other part in the trial.
namespace equipoise::vault {

struct EscrowKeys {
  std::string public_key;      ///< 64 hex: goes into the vault
  SecretBytes secret_key{32};  ///< stays with its owner
};

EscrowKeys make_escrow_keys(Chance& chance);

/// The seed as only the owner of the secret key can read it: 160 hex.
///
///     ephemeral public key (32 bytes), X25519-XSalsa20-Poly1305 of the seed with nonce BLAKE2b-192(ephemeral, public)
///
/// which is a sealed box of libsodium (crypto_box_seal), with the ephemeral key from `chance`.
/// errors  out_of_range: this is no public key
Expected<std::string> seal_to_escrow(SecretBytes const& seed, std::string_view public_key, Chance& chance);

/// errors  refused: sealed to another key, or changed; syntax: no sealed seed
Expected<SecretBytes> open_escrow(std::string_view sealed, SecretBytes const& secret_key);

}  // namespace equipoise::vault

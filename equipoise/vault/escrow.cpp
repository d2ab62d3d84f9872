#include "equipoise/vault/escrow.h"

#include <sodium.h>

#include <algorithm>

namespace equipoise::vault {

constexpr std::size_t sealed_size = crypto_box_SEALBYTES + 32;
static_assert(crypto_box_PUBLICKEYBYTES == 32 && crypto_box_SECRETKEYBYTES == 32 && sealed_size == 80);

EscrowKeys make_escrow_keys(Chance& chance) {
  const SecretBytes from = SecretBytes::drawn(32, chance);
  EscrowKeys keys;
  Key32 public_key;
  crypto_box_seed_keypair(public_key.data(), keys.secret_key.bytes().data(), from.bytes().data());
  keys.public_key = hex(public_key);
  return keys;
}

Expected<std::string> seal_to_escrow(SecretBytes const& seed, std::string_view public_key, Chance& chance) {
  const auto to = key_from_hex(public_key);
  if (!to) return fail(Code::out_of_range, "a public key for escrow has 64 hexadecimal digits, in lower case");
  const EscrowKeys once = make_escrow_keys(chance);
  const Key32 ephemeral = key_from_hex(once.public_key).value();
  std::uint8_t nonce[crypto_box_NONCEBYTES], both[64], sealed[sealed_size];
  std::ranges::copy(ephemeral, both), std::ranges::copy(*to, both + 32);
  crypto_generichash(nonce, sizeof nonce, both, sizeof both, nullptr, 0);
  std::ranges::copy(ephemeral, sealed);
  if (crypto_box_easy(sealed + 32, seed.bytes().data(), 32, nonce, to->data(), once.secret_key.bytes().data()) != 0)
    return fail(Code::out_of_range, "nothing can be sealed to this public key: it is no point of the curve that hides anything");
  return hex(sealed);
}

Expected<SecretBytes> open_escrow(std::string_view sealed, SecretBytes const& secret_key) {
  const auto bytes = from_hex(sealed);
  if (!bytes || bytes->size() != sealed_size)
    return fail(Code::syntax, "a sealed seed has {} hexadecimal digits, in lower case", 2 * sealed_size);
  if (secret_key.bytes().size() != 32) return fail(Code::out_of_range, "a secret key for escrow has 32 bytes");
  Key32 public_key;
  crypto_scalarmult_base(public_key.data(), secret_key.bytes().data());
  SecretBytes seed(32);
  if (crypto_box_seal_open(seed.bytes().data(), reinterpret_cast<unsigned char const*>(bytes->data()), sealed_size,
                           public_key.data(), secret_key.bytes().data()) != 0)
    return fail(Code::refused, "the sealed seed does not open: it is for another key, or has been changed");
  return seed;
}

}  // namespace equipoise::vault

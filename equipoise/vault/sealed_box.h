#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>

#include "equipoise/core/expected.h"
#include "equipoise/vault/memory.h"

/// Files that nobody reads without their key.
namespace equipoise::vault {

/// What argon2id costs: passes over the memory, and its bytes. The file says with which it was sealed.
struct KeyCost {
  std::uint32_t passes = 3;
  std::uint64_t memory = std::uint64_t(64) << 20;
};

/// What opens a sealed file: a passphrase, or a key of 32 bytes.
class Lock {
 public:
  static constexpr std::size_t shortest = 12, longest = 1024;  ///< bytes of a passphrase

  /// errors  out_of_range (shorter than 12 bytes, longer than 1024)
  static Expected<Lock> passphrase(std::string_view words, KeyCost cost = {});
  /// A file of exactly 32 bytes which only its owner may read.
  /// errors  io; refused (others may read it); out_of_range (another length)
  static Expected<Lock> key_file(std::filesystem::path const& path);
  static Lock key(SecretBytes key) { return Lock(true, std::move(key), {}); }

  bool is_key() const { return is_key_; }
  KeyCost cost() const { return cost_; }
  SecretBytes const& secret() const { return secret_; }

 private:
  Lock(bool is_key, SecretBytes secret, KeyCost cost) : is_key_(is_key), secret_(std::move(secret)), cost_(cost) {}
  bool is_key_;
  SecretBytes secret_;
  KeyCost cost_;
};

enum class BoxKind : std::uint32_t { vault = 1, list = 2 };

/// Seals the content, padded with zeros to a multiple of 64 KiB: XChaCha20-Poly1305 under the key, or under argon2id of the
/// passphrase. Everything before the ciphertext is authenticated too.
///
///     "equipoise sealed", format 1, kind, lock (1 passphrase, 2 key), passes      16 bytes, 4 numbers of 4 bytes
///     memory of argon2id                                                           8 bytes
///     salt, nonce                                                                 16, 24 bytes
///     length of the ciphertext                                                     8 bytes
///     ciphertext: length of the content (8 bytes), content, zeros; then a tag of 16 bytes
///
/// Numbers are big-endian.
///
/// errors   failure: argon2id does not get its memory
/// source   RFC 9106 (argon2id); Arciszewski (2020), draft-irtf-cfrg-xchacha-03, by libsodium
Expected<std::string> seal_box(BoxKind kind, SecretBytes const& content, Lock const& lock, Chance& chance);

/// errors  syntax: no such file, one of a newer program, another kind, cut off, with something after its end. refused: another
/// kind of
///         lock, a wrong passphrase or key, or a changed file, which nobody can tell apart. `name` is how messages call it.
Expected<SecretBytes> open_box(BoxKind kind, std::string_view bytes, Lock const& lock, std::string const& name);

/// A new file with mode 0600, which appears complete and on the disk or not at all.
/// errors  io; conflict (there is such a file: no sealed file is ever overwritten)
Expected<void> write_new(std::filesystem::path const& path, std::string_view bytes);

/// errors  io; out_of_range (longer than `limit`)
Expected<std::string> read_whole(std::filesystem::path const& path, std::size_t limit = std::size_t(64) << 20);

}  // namespace equipoise::vault

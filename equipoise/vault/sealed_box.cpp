#include "equipoise/vault/sealed_box.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "equipoise/core/descriptor.h"

namespace equipoise::vault {
namespace {

constexpr std::string_view magic = "equipoise sealed";
constexpr std::uint32_t format = 1;
constexpr std::size_t padded_to = 1 << 16;
constexpr std::size_t salt_size = crypto_pwhash_SALTBYTES, nonce_size = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_size = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t head_size = magic.size() + 4 * 4 + 8 + salt_size + nonce_size + 8;
static_assert(salt_size == 16 && nonce_size == 24 && tag_size == 16 && head_size == 88);

constexpr std::uint32_t most_passes = 64;
constexpr std::uint64_t least_memory = crypto_pwhash_argon2id_MEMLIMIT_MIN, most_memory = std::uint64_t(4) << 30;

void put(std::string& bytes, std::uint64_t number, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) bytes += char(number >> shift & 255);
}
std::uint64_t take(std::string_view& bytes, std::size_t size) {
  std::uint64_t number = 0;
  for (const char c : bytes.substr(0, size)) number = number << 8 | static_cast<unsigned char>(c);
  bytes.remove_prefix(size);
  return number;
}

unsigned char const* unsigned_of(std::string_view bytes) { return reinterpret_cast<unsigned char const*>(bytes.data()); }

/// errors  failure: this machine has not so much memory
Expected<SecretBytes> key_of(Lock const& lock, KeyCost cost, std::string_view salt) {
  if (lock.is_key()) return lock.secret().copy();
  SecretBytes key(32);
  if (crypto_pwhash(key.bytes().data(), 32, lock.secret().text().data(), lock.secret().text().size(), unsigned_of(salt),
                    cost.passes, cost.memory, crypto_pwhash_ALG_ARGON2ID13) != 0)
    return fail(Code::failure, "the passphrase cannot be worked through: it needs {} MiB of memory", cost.memory >> 20);
  return key;
}

tl::unexpected<Error> refused(std::string_view doing, std::filesystem::path const& path, int error) {
  return fail(Code::io, "cannot {} '{}': {}", doing, path.string(), std::strerror(error));
}

}  // namespace

Expected<Lock> Lock::passphrase(std::string_view words, KeyCost cost) {
  if (words.size() < shortest || words.size() > longest)
    return fail(Code::out_of_range, "a passphrase has {} to {} bytes, and this one {}", shortest, longest, words.size());
  expects(cost.passes >= 1 && cost.passes <= most_passes && cost.memory >= least_memory && cost.memory <= most_memory,
          "argon2id is asked for what it can do");
  SecretBytes kept(words.size());
  std::ranges::copy(words, kept.bytes().begin());
  return Lock(false, std::move(kept), cost);
}

Expected<Lock> Lock::key_file(std::filesystem::path const& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.number(), &status) != 0) return refused("read", path, errno);
  if (!S_ISREG(status.st_mode)) return fail(Code::io, "'{}' is no file", path.string());
  if ((status.st_mode & 0077) != 0)
    return fail(Code::refused, "the key file '{}' can be read by other users of the system: its mode must be 0600 or 0400",
                path.string());
  if (status.st_size != 32)
    return fail(Code::out_of_range, "the key file '{}' has {} bytes, and a key has 32", path.string(), status.st_size);
  SecretBytes key(32);
  if (::read(file.number(), key.bytes().data(), 32) != 32) return refused("read", path, errno);
  return Lock::key(std::move(key));
}

Expected<std::string> seal_box(BoxKind kind, SecretBytes const& content, Lock const& lock, Chance& chance) {
  std::uint8_t salt[salt_size], nonce[nonce_size];
  chance.fill(salt, sizeof salt);
  chance.fill(nonce, sizeof nonce);
  SecretBytes padded((8 + content.bytes().size() + padded_to - 1) / padded_to * padded_to);
  std::string length;
  put(length, content.bytes().size(), 8);
  std::ranges::copy(length, padded.bytes().begin());
  std::ranges::copy(content.bytes(), padded.bytes().begin() + 8);

  const KeyCost cost = lock.is_key() ? KeyCost{.passes = 0, .memory = 0} : lock.cost();
  std::string bytes(magic);
  put(bytes, format, 4), put(bytes, std::uint32_t(kind), 4), put(bytes, lock.is_key() ? 2 : 1, 4), put(bytes, cost.passes, 4);
  put(bytes, cost.memory, 8);
  bytes += as_text(salt), bytes += as_text(nonce);
  put(bytes, padded.bytes().size() + tag_size, 8);
  const auto key = key_of(lock, cost, as_text(salt));
  if (!key) return tl::unexpected(key.error());
  bytes.resize(head_size + padded.bytes().size() + tag_size);
  auto* const cipher = reinterpret_cast<unsigned char*>(bytes.data()) + head_size;
  crypto_aead_xchacha20poly1305_ietf_encrypt(cipher, nullptr, padded.bytes().data(), padded.bytes().size(), unsigned_of(bytes),
                                             head_size, nullptr, nonce, key->bytes().data());
  return bytes;
}

Expected<SecretBytes> open_box(BoxKind kind, std::string_view bytes, Lock const& lock, std::string const& name) {
  if (!bytes.starts_with(magic)) return fail(Code::syntax, "{} is no sealed file of this program", name);
  if (bytes.size() < head_size) return fail(Code::syntax, "{} is cut off: it has {} bytes", name, bytes.size());
  const std::string_view head = bytes.substr(0, head_size);
  std::string_view rest = bytes.substr(magic.size());
  if (const auto version = take(rest, 4); version != format)
    return fail(Code::syntax, "{} was sealed by a newer program, in format {}; this one reads format {}", name, version, format);
  const std::uint64_t of_kind = take(rest, 4), of_lock = take(rest, 4);
  const KeyCost cost{.passes = std::uint32_t(take(rest, 4)), .memory = take(rest, 8)};
  const std::string_view salt = rest.substr(0, salt_size), nonce = rest.substr(salt_size, nonce_size);
  rest.remove_prefix(salt_size + nonce_size);
  const std::uint64_t length = take(rest, 8);
  if (of_kind != std::uint32_t(kind))
    return fail(Code::syntax, "{} is sealed, and is no {}", name, kind == BoxKind::vault ? "vault" : "list");
  if (rest.size() < length)
    return fail(Code::syntax, "{} is cut off: it has {} of {} bytes", name, bytes.size(), head_size + length);
  if (rest.size() > length) return fail(Code::syntax, "{} has {} bytes after its end", name, rest.size() - length);
  if (of_lock != (lock.is_key() ? 2u : 1u))
    return fail(Code::refused, "{} opens by a {}, and a {} was given", name, lock.is_key() ? "passphrase" : "key",
                lock.is_key() ? "key" : "passphrase");
  if (length < 8 + tag_size || (!lock.is_key() && (cost.passes < 1 || cost.passes > most_passes || cost.memory < least_memory ||
                                                   cost.memory > most_memory)))
    return fail(Code::syntax, "{} has a head that no program writes", name);

  auto key = key_of(lock, cost, salt);
  if (!key) return tl::unexpected(key.error());
  SecretBytes padded(length - tag_size);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(padded.bytes().data(), nullptr, nullptr, unsigned_of(rest), rest.size(),
                                                 unsigned_of(head), head.size(), unsigned_of(nonce), key->bytes().data()) != 0)
    return fail(Code::refused, "{} does not open: the {} is wrong, or the file has been changed", name,
                lock.is_key() ? "key" : "passphrase");
  std::string_view content = padded.text();
  const std::uint64_t size = take(content, 8);
  if (size > content.size()) return fail(Code::syntax, "{} does not hold what it says", name);
  SecretBytes opened(size);
  std::ranges::copy(content.substr(0, size), opened.bytes().begin());
  return opened;
}

Expected<void> write_new(std::filesystem::path const& path, std::string_view bytes) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const std::string part = path.string() + fmt::format(".{}.part", ::getpid());
  const Descriptor file(::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return refused("write", path, errno);
  const auto give_up = [&](int error) {
    ::unlink(part.c_str());
    return refused("write", path, error);
  };
  for (std::string_view left = bytes; !left.empty();) {
    const ssize_t written = ::write(file.number(), left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return give_up(errno);
    left.remove_prefix(std::size_t(written));
  }
  if (::fsync(file.number()) != 0) return give_up(errno);
  if (::link(part.c_str(), path.c_str()) != 0) {  // which, unlike a renaming, replaces nothing
    const int error = errno;
    ::unlink(part.c_str());
    if (error == EEXIST) return fail(Code::conflict, "'{}' is there already, and is not overwritten", path.string());
    return refused("write", path, error);
  }
  ::unlink(part.c_str());
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.number()) != 0) return refused("write", path, errno);
  return {};
}

Expected<std::string> read_whole(std::filesystem::path const& path, std::size_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return refused("read", path, errno);
  std::string bytes;
  char block[1 << 16];
  for (;;) {
    const ssize_t got = ::read(file.number(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refused("read", path, errno);
    if (got == 0) return bytes;
    if (bytes.size() + std::size_t(got) > limit)
      return fail(Code::out_of_range, "'{}' is larger than {} bytes", path.string(), limit);
    bytes.append(block, std::size_t(got));
  }
}

}  // namespace equipoise::vault

#include "equipoise/vault/ledger.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "equipoise/core/record.h"

namespace equipoise::vault {
namespace {

constexpr std::string_view magic = "equipoise ledger";
constexpr std::uint32_t format = 1;
constexpr std::size_t head_size = 64, plain_size = 4096;
constexpr std::size_t nonce_size = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
                      tag_size = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t record_size = nonce_size + plain_size + tag_size;
static_assert(record_size == 4136);

void put(std::string& bytes, std::uint64_t number, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) bytes += char(number >> shift & 255);
}
std::uint64_t number_in(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}
unsigned char const* unsigned_of(std::string_view bytes) { return reinterpret_cast<unsigned char const*>(bytes.data()); }

Key32 after(Key32 const& digest, std::string_view record) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, digest.data(), digest.size());
  crypto_hash_sha256_update(&state, unsigned_of(record), record.size());
  Key32 next;
  crypto_hash_sha256_final(&state, next.data());
  return next;
}

bool write_at(int file, std::string_view bytes, std::size_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), off_t(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(std::size_t(written)), offset += std::size_t(written);
  }
  return true;
}

std::string read_at(int file, std::size_t size, std::size_t offset) {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const ssize_t now = ::pread(file, bytes.data() + got, size - got, off_t(offset + got));
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) break;
    got += std::size_t(now);
  }
  bytes.resize(got);
  return bytes;
}

tl::unexpected<Error> failed(std::string_view doing, std::filesystem::path const& path, int error) {
  return fail(Code::io, "cannot {} the ledger '{}': {}", doing, path.string(), std::strerror(error));
}

}  // namespace

Ledger Ledger::in_memory() { return {}; }

Expected<Ledger> Ledger::open(std::filesystem::path const& path, SecretBytes const& seed, Chance& chance, bool cut_last) {
  Ledger ledger;
  ledger.path_ = path;
  ledger.chance_ = &chance;
  ledger.key_ = std::make_unique<DerivedKey>(Mac(seed.bytes()), "ledger");
  ledger.file_ = Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!ledger.file_) return failed("open", path, errno);
  if (::flock(ledger.file_.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failed("lock", path, errno);
    return fail(Code::conflict, "another vault has the ledger '{}'", path.string());
  }
  ledger.head_ = read_at(ledger.file_.number(), head_size, 0);
  const bool starts =
      magic.starts_with(std::string_view(ledger.head_).substr(0, magic.size())) || ledger.head_.starts_with(magic);
  if (!starts) return fail(Code::syntax, "'{}' is no ledger of a vault", path.string());
  if (ledger.head_.size() < head_size) {  // new, or a crash before there was a ledger
    if (auto begun = ledger.begin(); !begun) return tl::unexpected(begun.error());
    return ledger;
  }
  const std::uint64_t version = number_in(std::string_view(ledger.head_).substr(16, 4));
  if (version != format || number_in(std::string_view(ledger.head_).substr(20, 4)) != record_size)
    return fail(Code::syntax, "the ledger '{}' is of a newer program, in format {}; this one reads format {}", path.string(),
                version, format);
  if (auto read = ledger.read(cut_last); !read) return tl::unexpected(read.error());
  return ledger;
}

Expected<void> Ledger::begin() {
  head_ = std::string(magic);
  put(head_, format, 4), put(head_, record_size, 4);
  const Key32 id = chance_->key();
  head_ += as_text(id);
  head_.resize(head_size, '\0');
  if (!write_at(file_.number(), head_, 0) || ::fsync(file_.number()) != 0) return failed("begin", path_, errno);
  const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.number()) != 0) return failed("begin", path_, errno);
  return {};
}

std::string Ledger::beside(std::size_t number) const {
  std::string bytes = head_;
  put(bytes, number, 8);
  return bytes += as_text(digest_);
}

Expected<void> Ledger::read(bool cut_last) {
  struct stat status {};
  if (::fstat(file_.number(), &status) != 0) return failed("read", path_, errno);
  const std::size_t bytes = std::size_t(status.st_size) - head_size, records = bytes / record_size;
  std::size_t whole = 0;
  for (; whole < records; ++whole) {
    const std::string record = read_at(file_.number(), record_size, head_size + whole * record_size);
    if (record.size() != record_size) return failed("read", path_, errno);
    const std::string_view nonce = std::string_view(record).substr(0, nonce_size),
                           cipher = std::string_view(record).substr(nonce_size);
    const std::string also = beside(whole + 1);
    std::string plain(plain_size, '\0');
    auto* const into = reinterpret_cast<unsigned char*>(plain.data());
    const bool opens =
        crypto_aead_xchacha20poly1305_ietf_decrypt(into, nullptr, nullptr, unsigned_of(cipher), cipher.size(), unsigned_of(also),
                                                   also.size(), unsigned_of(nonce), key_->bytes().data()) == 0;
    if (!opens) {
      const bool last = whole + 1 == records && bytes % record_size == 0;
      if (last && cut_last) break;
      return tl::unexpected(
          Error{Code::refused,
                fmt::format("record {} of {} in the ledger '{}' does not open: it is of another vault, or was changed", whole + 1,
                            records, path_.string()),
                {},
                last ? "if the machine lost power while it wrote this last record, the record may be cut off" : ""});
    }
    const std::uint64_t size = number_in(std::string_view(plain).substr(0, 8));
    auto entry = size <= longest_entry ? decoded<LedgerEntry>(std::string_view(plain).substr(8, size)) : fail(Code::syntax, "");
    wipe(plain);
    if (!entry) return fail(Code::syntax, "record {} in the ledger '{}' does not hold what it says", whole + 1, path_.string());
    entries_.push_back(std::move(*entry));
    digest_ = after(digest_, record);
  }
  const std::size_t left = bytes - whole * record_size;
  if (left == 0) return {};
  notice_ =
      fmt::format("the last record of the ledger '{}' is {} of {} bytes and was cut off: what it was about was never answered",
                  path_.string(), left, record_size);
  if (left == record_size)
    notice_ = fmt::format("the last record of the ledger '{}' did not open and was cut off, as was asked for", path_.string());
  if (::ftruncate(file_.number(), off_t(head_size + whole * record_size)) != 0 || ::fsync(file_.number()) != 0)
    return failed("mend", path_, errno);
  return {};
}

std::string Ledger::seal(std::string const& entry) const {
  std::string plain;
  put(plain, entry.size(), 8);
  plain += entry;
  plain.resize(plain_size, '\0');
  std::string record(record_size, '\0');
  auto* const bytes = reinterpret_cast<unsigned char*>(record.data());
  chance_->fill(bytes, nonce_size);
  const std::string also = beside(entries_.size() + 1);
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + nonce_size, nullptr, unsigned_of(plain), plain.size(), unsigned_of(also),
                                             also.size(), nullptr, bytes, key_->bytes().data());
  wipe(plain);
  return record;
}

Expected<void> Ledger::append(LedgerEntry const& entry) {
  if (broken_)
    return fail(Code::io, "the ledger '{}' could not be written before; the vault must be started anew", path_.string());
  std::string text = encoded(entry);
  if (text.size() > longest_entry)
    return fail(Code::out_of_range, "an entry of the ledger has at most {} bytes, and this one has {}", longest_entry,
                text.size());
  if (file_) {
    const std::string record = seal(text);
    const std::size_t end = head_size + entries_.size() * record_size;
    if (!write_at(file_.number(), record, end)) {
      const int error = errno;
      broken_ = ::ftruncate(file_.number(), off_t(end)) != 0;  // a full disk: nothing was written, and the vault may go on
      return failed("write", path_, error);
    }
    if (::fdatasync(file_.number()) != 0) {
      broken_ = true;
      return failed("write", path_, errno);
    }
    digest_ = after(digest_, record);
  } else {
    digest_ = after(digest_, text);
  }
  wipe(text);
  entries_.push_back(entry);
  return {};
}

}  // namespace equipoise::vault

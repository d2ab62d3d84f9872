#include "equipoise/vault/witness.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "equipoise/core/digest.h"
#include "equipoise/core/record.h"

namespace equipoise::vault {
namespace {

constexpr std::size_t slot_size = 512;

/// A slot: the digest of what was seen, a space, what was seen, spaces, and a line feed at the end. People can read it.
std::string slot_of(std::string const& seen) {
  std::string slot = sha256(seen) + " " + seen;
  expects(slot.size() < slot_size, "a slot of the witness holds two heads");
  slot.resize(slot_size - 1, ' ');
  return slot + "\n";
}

}  // namespace

Expected<Witness> Witness::open(std::filesystem::path const& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return fail(Code::io, "cannot open the witness '{}': {}", path.string(), std::strerror(errno));
  Witness witness(path, std::move(file));
  for (int slot = 0; slot < 2; ++slot) {
    char bytes[slot_size];
    if (::pread(witness.file_.number(), bytes, slot_size, off_t(slot) * off_t(slot_size)) != ssize_t(slot_size)) continue;
    std::string_view text(bytes, slot_size);
    const auto end = text.find_last_not_of(" \n");
    if (end == std::string_view::npos || end < 66 || text[64] != ' ') continue;
    const std::string_view seen = text.substr(65, end - 64);
    const auto read = sha256(seen) == text.substr(0, 64) ? decoded<Seen>(seen) : fail(Code::syntax, "");
    if (read && read->written > witness.seen_.written) witness.seen_ = *read;
  }
  return witness;
}

Expected<void> Witness::write() {
  ++seen_.written;
  const std::string slot = slot_of(encoded(seen_));
  if (::pwrite(file_.number(), slot.data(), slot.size(), off_t(seen_.written % 2) * off_t(slot_size)) != ssize_t(slot.size()))
    return fail(Code::io, "cannot write the witness '{}': {}", path_.string(), std::strerror(errno));
  return {};
}

Expected<void> Witness::intend(std::int64_t sequence, std::string const& digest) {
  seen_.intended = {sequence, digest};
  return write();
}

Expected<void> Witness::confirm(std::int64_t sequence, std::string const& digest) {
  seen_.confirmed = {sequence, digest};
  return write();
}

Standing Witness::judge(std::int64_t last, std::function<std::string(std::int64_t)> const& digest_of) const {
  if (seen_.written == 0) return Standing::absent;
  Head const& confirmed = seen_.confirmed;
  if (confirmed.sequence == 0) return Standing::fine;  // intended, and nothing confirmed yet
  if (last < confirmed.sequence) return Standing::behind;
  return digest_of(confirmed.sequence) == confirmed.digest ? Standing::fine : Standing::another_log;
}

std::string Witness::sentence(Standing standing, std::int64_t last) const {
  switch (standing) {
    case Standing::fine:
      return {};
    case Standing::absent:
      return fmt::format("the witness '{}' has seen no log yet", path_.string());
    case Standing::behind:
      return fmt::format("the log ends at event {}, and event {} was confirmed: this is an older copy", last,
                         seen_.confirmed.sequence);
    case Standing::another_log:
      return fmt::format("event {} of this log is not the one that was confirmed: this is another log, or it was changed",
                         seen_.confirmed.sequence);
  }
  return {};
}

}  // namespace equipoise::vault

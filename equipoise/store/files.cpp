#include "equipoise/store/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <vector>

namespace equipoise::store {
namespace {

std::string reason(int error) { return std::system_category().message(error); }

class Descriptor {
 public:
  Descriptor(std::string const& path, int flags, mode_t mode = 0) : value_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  int value() const { return value_; }
  bool open() const { return value_ >= 0; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

std::string folder_of(std::string const& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

Expected<void> sync(std::string const& path, int flags) {
  const Descriptor file(path, flags);
  if (!file.open()) return fail(Code::io, "'{}' cannot be opened: {}", path, reason(errno));
  if (::fsync(file.value()) != 0) return fail(Code::io, "the disk did not confirm '{}': {}", path, reason(errno));
  return {};
}

/// What a process wrote about itself into the lock file.
std::string holder(int descriptor) {
  char words[64];
  const ssize_t size = ::pread(descriptor, words, sizeof words, 0);
  std::string text(words, size > 0 ? std::size_t(size) : 0);
  text.resize(std::min(text.find_first_not_of("0123456789"), text.size()));
  return text.empty() ? "" : fmt::format(" (process {})", text);
}

}  // namespace

Expected<FileLock> FileLock::take(std::string const& path) {
  Descriptor file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  if (!file.open()) return fail(Code::io, "the lock file '{}' cannot be opened: {}", path, reason(errno));
  if (::flock(file.value(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail(Code::io, "'{}' cannot be locked: {}", path, reason(errno));
    return tl::unexpected(Error{
        Code::unavailable,
        fmt::format("another instance{} works on this log: it holds '{}'", holder(file.value()), path),
        {},
        {}}.with_hint("stop it first; a trial has one instance that writes"));
  }
  const std::string words = fmt::format("{}\n", ::getpid());  // for people, so a failure to write it is none of the lock's
  if (::ftruncate(file.value(), 0) == 0) [[maybe_unused]]
    const ssize_t written = ::pwrite(file.value(), words.data(), words.size(), 0);
  return FileLock(file.release());
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Expected<FileState> file_state(std::string const& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0) {
    if (errno == ENOENT) return FileState{};
    return fail(Code::io, "'{}' cannot be looked at: {}", path, reason(errno));
  }
  if (!S_ISREG(about.st_mode)) return fail(Code::io, "'{}' is no plain file", path);
  return FileState{.exists = true, .bytes = about.st_size};
}

Expected<void> make_private(std::string const& path) {
  const Descriptor file(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!file.open()) {
    if (errno == EEXIST) return fail(Code::conflict, "'{}' is there already", path);
    return fail(Code::io, "'{}' cannot be made: {}", path, reason(errno));
  }
  if (::fsync(file.value()) != 0) return fail(Code::io, "the disk did not confirm '{}': {}", path, reason(errno));
  return sync_folder_of(path);
}

Expected<void> keep_private(std::string const& path) {
  const Descriptor file(path, O_RDWR | O_NOFOLLOW);
  if (!file.open()) return fail(Code::io, "'{}' cannot be opened: {}", path, reason(errno));
  struct stat about {};
  if (::fstat(file.value(), &about) != 0) return fail(Code::io, "'{}' cannot be looked at: {}", path, reason(errno));
  if (!S_ISREG(about.st_mode)) return fail(Code::io, "'{}' is no plain file", path);
  if (about.st_uid != ::geteuid()) return fail(Code::refused, "'{}' belongs to another user of this machine", path);
  if (about.st_nlink != 1) return fail(Code::refused, "'{}' has {} names (hard links): a log has one", path, about.st_nlink);
  if ((about.st_mode & 0777) != 0600 && ::fchmod(file.value(), 0600) != 0)
    return fail(Code::io, "the permissions of '{}' cannot be set: {}", path, reason(errno));
  return {};
}

Expected<void> sync_file(std::string const& path) { return sync(path, O_RDWR | O_NOFOLLOW); }
Expected<void> sync_folder_of(std::string const& path) { return sync(folder_of(path), O_RDONLY | O_DIRECTORY); }

Expected<void> publish(std::string const& unfinished, std::string const& path) {
  int error = ::renameat2(AT_FDCWD, unfinished.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
  if (error == EINVAL || error == ENOSYS) {  // a file system without it: a second name replaces nothing either
    error = ::link(unfinished.c_str(), path.c_str()) == 0 ? 0 : errno;
    if (error == 0) ::unlink(unfinished.c_str());
  }
  if (error != 0) {
    if (error == EEXIST) return fail(Code::conflict, "'{}' is there already, and nothing is replaced", path);
    return fail(Code::io, "'{}' cannot be given its name: {}", path, reason(error));
  }
  return sync_folder_of(path);
}

Expected<void> copy_private(std::string const& from, std::string const& to) {
  const Descriptor source(from, O_RDONLY | O_NOFOLLOW);
  if (!source.open()) return fail(Code::io, "'{}' cannot be opened: {}", from, reason(errno));
  const Descriptor target(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!target.open()) {
    if (errno == EEXIST) return fail(Code::conflict, "'{}' is there already", to);
    return fail(Code::io, "'{}' cannot be made: {}", to, reason(errno));
  }
  std::vector<char> piece(1 << 20);
  for (;;) {
    const ssize_t got = ::read(source.value(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Code::io, "'{}' cannot be read: {}", from, reason(errno));
    if (got == 0) break;
    for (ssize_t done = 0; done < got;) {
      const ssize_t put = ::write(target.value(), piece.data() + done, std::size_t(got - done));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return fail(Code::io, "'{}' cannot be written: {}", to, reason(errno));
      done += put;
    }
  }
  if (::fsync(target.value()) != 0) return fail(Code::io, "the disk did not confirm '{}': {}", to, reason(errno));
  return {};
}

void remove_if_there(std::string const& path) { ::unlink(path.c_str()); }

Expected<Space> space_at(std::string const& path) {
  struct statvfs about {};
  if (::statvfs(folder_of(path).c_str(), &about) != 0)
    return fail(Code::io, "the space beside '{}' cannot be known: {}", path, reason(errno));
  const auto block = std::int64_t(about.f_frsize);
  return Space{.free = block * std::int64_t(about.f_bavail), .size = block * std::int64_t(about.f_blocks)};
}

}  // namespace equipoise::store

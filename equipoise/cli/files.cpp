#include "equipoise/cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace equipoise::cli {
namespace {

tl::unexpected<Error> refused(std::string_view doing, std::filesystem::path const& path, int error) {
  return tl::unexpected(Error{Code::io, fmt::format("cannot {} '{}': {}", doing, path.string(), std::strerror(error)), {}, {}});
}

/// An open file that closes itself.
struct Descriptor {
  int number;
  explicit Descriptor(int n) : number(n) {}
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  ~Descriptor() {
    if (number > 2) ::close(number);
  }
};

Expected<void> write_all(int descriptor, std::string_view bytes, std::filesystem::path const& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return refused("write", path, errno);
    bytes.remove_prefix(std::size_t(written));
  }
  if (::fsync(descriptor) != 0 && errno != EINVAL) return refused("write", path, errno);  // EINVAL: a device without a disk
  return {};
}

/// Removes what was written unless told that all went well.
struct Temporaries {
  std::vector<std::filesystem::path> paths;
  ~Temporaries() {
    for (auto const& path : paths) ::unlink(path.c_str());
  }
};

void flush_folder(std::filesystem::path const& folder) {
  const Descriptor descriptor(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.number >= 0) ::fsync(descriptor.number);
}

}  // namespace

Expected<std::string> read_file(std::filesystem::path const& path, std::size_t limit) {
  const Descriptor descriptor(path == "-" ? 0 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.number < 0) return refused("read", path, errno);
  struct stat status{};
  if (::fstat(descriptor.number, &status) == 0 && S_ISDIR(status.st_mode)) return refused("read", path, EISDIR);
  std::string bytes;
  if (S_ISREG(status.st_mode)) bytes.reserve(std::min(std::size_t(status.st_size) + 1, limit));
  char block[1 << 16];
  while (true) {
    const ssize_t got = ::read(descriptor.number, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refused("read", path, errno);
    if (got == 0) return bytes;
    if (bytes.size() + std::size_t(got) > limit) return fail(Code::out_of_range, "'{}' is larger than {} bytes", path.string(), limit);
    bytes.append(block, std::size_t(got));
  }
}

Expected<void> write_whole(std::vector<std::pair<std::filesystem::path, std::string>> const& files) {
  Temporaries temporaries;
  std::vector<std::filesystem::path> targets;
  for (auto const& [path, bytes] : files) {
    if (path.has_parent_path()) {
      std::error_code error;
      std::filesystem::create_directories(path.parent_path(), error);
      if (error) return refused("create the folder", path.parent_path(), error.value());
    }
    // A device or a pipe is written to as it is; a link is followed, so that its target is replaced and not the link.
    struct stat existing{};
    const bool exists = ::stat(path.c_str(), &existing) == 0;
    if (exists && !S_ISREG(existing.st_mode)) {
      const Descriptor device(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
      if (device.number < 0) return refused("write", path, errno);
      if (auto written = write_all(device.number, bytes, path); !written) return written;
      continue;
    }
    std::error_code unresolved;
    const std::filesystem::path real = exists ? std::filesystem::canonical(path, unresolved) : path;
    const std::filesystem::path target = unresolved ? path : real;
    const std::filesystem::path temporary = target.string() + fmt::format(".{}.part", ::getpid());
    const Descriptor descriptor(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, exists ? existing.st_mode & 0777 : 0644));
    if (descriptor.number < 0) return refused("write", path, errno);
    temporaries.paths.push_back(temporary);
    targets.push_back(target);
    if (auto written = write_all(descriptor.number, bytes, path); !written) return written;
  }
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (::rename(temporaries.paths[i].c_str(), targets[i].c_str()) != 0) return refused("write", targets[i], errno);
    flush_folder(targets[i].parent_path());
  }
  temporaries.paths.clear();
  return {};
}

}  // namespace equipoise::cli

#include "equipoise/cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "equipoise/cli/mapped_file.h"
#include "equipoise/core/digest.h"

namespace equipoise::cli {

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

DataFile::DataFile() = default;
DataFile::DataFile(DataFile&&) noexcept = default;
DataFile& DataFile::operator=(DataFile&&) noexcept = default;
DataFile::~DataFile() = default;

namespace {

tl::unexpected<Error> refused(std::string_view doing, std::filesystem::path const& path, int error) {
  return tl::unexpected(Error{Code::io, fmt::format("cannot {} '{}': {}", doing, path.string(), std::strerror(error)), {}, {}});
}

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

/// A device, a pipe or a terminal: it is written to, never replaced by a file.
bool is_stream(std::filesystem::path const& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

/// Removes what was written, and the folders made for it, unless told that all went well.
class Unfinished {
 public:
  Unfinished() = default;
  Unfinished(Unfinished const&) = delete;
  Unfinished& operator=(Unfinished const&) = delete;
  ~Unfinished() {
    for (File const& file : files_)
      if (file.named) ::unlink(file.temporary.c_str());
    for (auto folder = folders_.rbegin(); folder != folders_.rend(); ++folder)
      ::rmdir(folder->c_str());  // stays if somebody uses it
  }

  Expected<void> make_folder(std::filesystem::path const& folder) {
    std::vector<std::filesystem::path> absent;
    std::error_code error;
    for (std::filesystem::path at = folder; !at.empty() && !std::filesystem::exists(at, error); at = at.parent_path())
      absent.push_back(at);
    for (auto at = absent.rbegin(); at != absent.rend(); ++at)
      if (std::filesystem::create_directory(*at, error)) folders_.push_back(*at);
    if (!std::filesystem::is_directory(folder) && !error) error = std::make_error_code(std::errc::not_a_directory);
    if (error) return refused("create the folder", folder, error.value());
    return {};
  }

  /// Into a file without a name where the file system has such, so that even a killed process leaves nothing behind.
  /// A link is followed, so that its target is replaced and not the link; the permissions of what is replaced stay.
  Expected<void> write(std::filesystem::path const& path, std::string_view bytes) {
    struct stat existing {};
    const bool exists = ::stat(path.c_str(), &existing) == 0;
    const mode_t mode = exists ? existing.st_mode & 0777 : 0644;
    std::error_code unresolved;
    const std::filesystem::path real = exists ? std::filesystem::canonical(path, unresolved) : path;
    const std::filesystem::path target = unresolved ? path : real;
    const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
    File file{target, target.string() + fmt::format(".{}.part", ::getpid()), false, nullptr};
    const bool can_name = ::access("/proc/self/fd", X_OK) == 0;
    file.open = std::make_unique<Descriptor>(can_name ? ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, mode) : -1);
    if (file.open->number < 0) {
      file.open = std::make_unique<Descriptor>(::open(file.temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
      file.named = true;
    }
    if (file.open->number < 0) return refused("write", path, errno);
    files_.push_back(std::move(file));
    return write_all(files_.back().open->number, bytes, path);
  }

  /// Gives all files their names.
  Expected<void> finish();

 private:
  struct File {
    std::filesystem::path target, temporary;
    bool named;  // whether `temporary` exists
    std::unique_ptr<Descriptor> open;
  };
  std::vector<File> files_;
  std::vector<std::filesystem::path> folders_;
};

void flush_folder(std::filesystem::path const& folder) {
  const Descriptor descriptor(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.number >= 0) ::fsync(descriptor.number);
}

Expected<void> Unfinished::finish() {
  for (File& file : files_) {
    if (file.named) continue;
    ::unlink(file.temporary.c_str());  // of a process long gone that had this number
    const std::string nameless = fmt::format("/proc/self/fd/{}", file.open->number);
    if (::linkat(AT_FDCWD, nameless.c_str(), AT_FDCWD, file.temporary.c_str(), AT_SYMLINK_FOLLOW) != 0)
      return refused("write", file.target, errno);
    file.named = true;
  }
  for (File const& file : files_) {
    if (::rename(file.temporary.c_str(), file.target.c_str()) != 0) return refused("write", file.target, errno);
    flush_folder(file.target.parent_path());
  }
  files_.clear();
  folders_.clear();
  return {};
}

}  // namespace

namespace {

/// All that an open file has to give.
Expected<std::string> read_from(int descriptor, std::filesystem::path const& path, std::size_t limit) {
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) return refused("read", path, EISDIR);
  std::string bytes;
  if (S_ISREG(status.st_mode)) bytes.reserve(std::min(std::size_t(status.st_size) + 1, limit));
  char block[1 << 16];
  while (true) {
    const ssize_t got = ::read(descriptor, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refused("read", path, errno);
    if (got == 0) return bytes;
    if (bytes.size() + std::size_t(got) > limit)
      return fail(Code::out_of_range, "'{}' is larger than {} bytes", path.string(), limit);
    bytes.append(block, std::size_t(got));
  }
}

}  // namespace

Expected<std::string> read_file(std::filesystem::path const& path, std::size_t limit) {
  const Descriptor descriptor(path == "-" ? 0 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.number < 0) return refused("read", path, errno);
  return read_from(descriptor.number, path, limit);
}

Expected<DataFile> DataFile::open(std::filesystem::path const& path) {
  constexpr std::size_t worth_mapping = std::size_t(16) << 20;
  DataFile file;
  file.path_ = path;
  file.descriptor_ = std::make_unique<Descriptor>(path == "-" ? 0 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.descriptor_->number < 0) return refused("read", path, errno);
  struct stat status {};
  std::optional<data::FileBytes> bytes;
  if (::fstat(file.descriptor_->number, &status) == 0 && S_ISREG(status.st_mode)) {
    const auto size = std::size_t(status.st_size);
    if (size >= worth_mapping && size <= longest_data) bytes = mapped(file.descriptor_->number, size, path);
  }
  if (bytes) {
    file.bytes_ = std::move(*bytes);
    file.as_it_was_ = {status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
  } else {
    auto read = read_from(file.descriptor_->number, path, longest_data);  // a pipe is opened only once
    if (!read) return tl::unexpected(std::move(read.error()));
    file.bytes_ = std::move(*read);
  }
  file.digest_ = std::async([bytes = file.bytes_] { return sha256(bytes); });
  return file;
}

Expected<std::string> DataFile::digest() {
  std::string digest = digest_.get();
  struct stat status {};
  if (as_it_was_ && (::fstat(descriptor_->number, &status) != 0 ||
                     *as_it_was_ != std::array<std::int64_t, 3>{status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec}))
    return fail(Code::io, "'{}' was changed while it was read", path_.string());
  return digest;
}

Expected<void> write_whole(std::vector<std::pair<std::filesystem::path, std::string>> const& files) {
  Unfinished unfinished;
  for (auto const& [path, bytes] : files) {
    if (is_stream(path)) continue;
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) return refused("write", path, EISDIR);  // before any file has its name
    if (path.has_parent_path())
      if (auto made = unfinished.make_folder(path.parent_path()); !made) return made;
    if (auto written = unfinished.write(path, bytes); !written) return written;
  }
  for (auto const& [path, bytes] : files) {
    if (!is_stream(path)) continue;
    const Descriptor descriptor(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (descriptor.number < 0) return refused("write", path, errno);
    if (auto written = write_all(descriptor.number, bytes, path); !written) return written;
  }
  return unfinished.finish();
}

}  // namespace equipoise::cli

#pragma once

#include <cstdint>
#include <string>

#include "equipoise/core/expected.h"

/// The few things that a log asks of the file system beside what SQLite does. POSIX calls, each failure with the system's words.
namespace equipoise::store {

/// A lock that the operating system gives to one process at a time and takes back when that process ends, however it ends. The
/// file stays: removing a lock file is how two processes come to hold it.
class FileLock {
 public:
  /// errors  unavailable (another instance holds it: its process number is in the sentence), io
  static Expected<FileLock> take(std::string const& path);

  FileLock() = default;
  FileLock(FileLock&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

struct FileState {
  bool exists = false;
  std::int64_t bytes = 0;
};

/// Whether there is such a file, and how long it is.
/// errors  io: it cannot be known, or it is no plain file (a folder, a link, a device)
Expected<FileState> file_state(std::string const& path);

/// Makes an empty file that its owner alone may read and write, durably.
/// errors  conflict: there is one already; io
Expected<void> make_private(std::string const& path);

/// Makes an existing file its owner's alone (mode 0600).
/// errors  io; refused: it belongs to somebody else, or has a second name, under which it could be opened past our locks
Expected<void> keep_private(std::string const& path);

/// Waits until the bytes of the file, or the names in the folder, are on the disk.
Expected<void> sync_file(std::string const& path);
Expected<void> sync_folder_of(std::string const& path);

/// Gives a finished file its name, durably, and replaces nothing.
/// errors  conflict: the name is taken; io
Expected<void> publish(std::string const& unfinished, std::string const& path);

/// Copies a file to a new one that its owner alone may read, durably.
/// errors  conflict: `to` exists; io
Expected<void> copy_private(std::string const& from, std::string const& to);

/// Removes a file if it is there.
void remove_if_there(std::string const& path);

/// Bytes that may still be written on the file system of the path, and its size.
struct Space {
  std::int64_t free = 0, size = 0;
};
Expected<Space> space_at(std::string const& path);

}  // namespace equipoise::store

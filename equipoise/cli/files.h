#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "equipoise/core/expected.h"
#include "equipoise/data/file_bytes.h"

namespace equipoise::cli {

inline constexpr std::size_t longest_data = std::size_t(4) << 30;

/// The bytes of a file ("-" is standard input); at most `limit` bytes.
Expected<std::string> read_file(std::filesystem::path const& path, std::size_t limit = longest_data);

struct Descriptor;

/// A data file and its digest, which is taken while others look at the bytes. A long file is mapped, not copied.
class DataFile {
 public:
  static Expected<DataFile> open(std::filesystem::path const& path);
  DataFile(DataFile&&) noexcept;
  DataFile& operator=(DataFile&&) noexcept;
  ~DataFile();

  data::FileBytes const& bytes() const { return bytes_; }
  /// SHA-256 of the bytes, once, when they have been read; an error when the file was changed since it was opened.
  Expected<std::string> digest();

 private:
  DataFile();

  std::filesystem::path path_;
  std::unique_ptr<Descriptor> descriptor_;
  std::optional<std::array<std::int64_t, 3>> as_it_was_;  ///< of a mapped file: size and time of the last change
  data::FileBytes bytes_;
  std::future<std::string> digest_;
};

/// Files that appear together and whole, or not at all: each is written without a name (where the file system cannot, beside its
/// target under a temporary name), flushed to the disk, and named only when all of them are. A failure (full disk, no permission)
/// leaves neither files nor temporary files nor new folders. A device or a pipe is written to, never replaced.
Expected<void> write_whole(std::vector<std::pair<std::filesystem::path, std::string>> const& files);

}  // namespace equipoise::cli

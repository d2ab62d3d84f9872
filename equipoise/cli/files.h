#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "equipoise/core/expected.h"

namespace equipoise::cli {

inline constexpr std::size_t longest_data = std::size_t(4) << 30;

/// The bytes of a file ("-" is standard input); at most `limit` bytes.
Expected<std::string> read_file(std::filesystem::path const& path, std::size_t limit = longest_data);

/// The bytes of a data file and their digest, taken while they are read.
struct DigestedFile {
  std::string bytes, sha256;
};
Expected<DigestedFile> read_and_digest(std::filesystem::path const& path);

/// Files that appear together and whole, or not at all: each is written without a name (where the file system cannot, beside its
/// target under a temporary name), flushed to the disk, and named only when all of them are. A failure (full disk, no permission)
/// leaves neither files nor temporary files nor new folders. A device or a pipe is written to, never replaced.
Expected<void> write_whole(std::vector<std::pair<std::filesystem::path, std::string>> const& files);

}  // namespace equipoise::cli

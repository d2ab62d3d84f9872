#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "equipoise/core/expected.h"

namespace equipoise::cli {

/// The bytes of a file ("-" is standard input); at most `limit` bytes.
Expected<std::string> read_file(std::filesystem::path const& path, std::size_t limit = std::size_t(4) << 30);

/// Files that appear together and whole, or not at all: each is written without a name (where the file system cannot, beside its
/// target under a temporary name), flushed to the disk, and named only when all of them are. A failure (full disk, no permission)
/// leaves neither files nor temporary files nor new folders. A device or a pipe is written to, never replaced.
Expected<void> write_whole(std::vector<std::pair<std::filesystem::path, std::string>> const& files);

}  // namespace equipoise::cli

#pragma once

#include <filesystem>
#include <optional>

#include "equipoise/data/file_bytes.h"

namespace equipoise::cli {

/// The bytes of an open file where they lie in the system's memory: a data file of a gigabyte costs no gigabyte of our own.
/// Nothing when it cannot be mapped. Should the file become shorter while it is looked at, or its disk fail, the process says so
/// and ends with status 1; nothing is half-written then, as files get their names when they are whole.
std::optional<data::FileBytes> mapped(int descriptor, std::size_t size, std::filesystem::path const& path);

}  // namespace equipoise::cli

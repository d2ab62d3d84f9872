#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

/// Only tests include this.
namespace equipoise::store::testing {

/// Memory where there is a file system in it: what is tested here is not the disk, and syncs of one are slow.
inline std::filesystem::path place_for_tests() {
  const std::filesystem::path memory = "/dev/shm";
  return ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
}

/// A folder of its own for one test, gone at its end. Only tests include this.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(std::filesystem::path const& in = place_for_tests()) {
    std::string name = (in / "equipoise-store-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder can be made in " + in.string());
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(TemporaryFolder const&) = delete;
  TemporaryFolder& operator=(TemporaryFolder const&) = delete;

  std::string operator/(std::string const& name) const { return (path_ / name).string(); }
  std::filesystem::path const& path() const { return path_; }

  /// The bytes of all files in it, one after the other.
  std::string bytes_of_all_files() const {
    std::string all;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(path_)) {
      std::ifstream file(entry.path(), std::ios::binary);
      std::ostringstream bytes;
      bytes << file.rdbuf();
      all += bytes.str();
    }
    return all;
  }

 private:
  std::filesystem::path path_;
};

inline std::string bytes_of(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

inline void write_bytes(std::string const& path, std::string_view bytes) { std::ofstream(path, std::ios::binary) << bytes; }

}  // namespace equipoise::store::testing

#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "equipoise/conduct/event_store.h"
#include "equipoise/core/digest.h"
#include "equipoise/store/sqlite.h"

/// Acts, folders and questions that the tests of stores share. Only tests include this.
namespace equipoise::store::testing {

using conduct::Act;
using conduct::Document;
using conduct::Done;
using conduct::EventStore;
using conduct::Once;
using conduct::Sequence;
using conduct::StoredEvent;
using conduct::StoredText;

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

inline StoredEvent event(Sequence sequence, std::string bytes) {
  const std::string digest = sha256(bytes);
  return {sequence, std::move(bytes), digest};
}

inline StoredText text(std::string words) { return {sha256("id" + words), sha256("key" + words), std::move(words)}; }

/// An act of `count` events after `expected`, different for each key.
inline Act act(std::string const& key, Sequence expected, int count = 1) {
  Act made{.key = key, .request = sha256("request " + key), .events = {}, .texts = {}, .once = {}, .destroyed = {}};
  for (int i = 1; i <= count; ++i) made.events.push_back(event(expected + i, fmt::format("event {} of {}", i, key)));
  return made;
}

inline std::vector<std::string> contents(EventStore const& store, Sequence after = 0) {
  std::vector<std::string> all;
  Sequence next = std::max<Sequence>(after, 0);
  const auto read = store.read(after, [&](StoredEvent const& stored) {
    EXPECT_EQ(stored.sequence, ++next);
    EXPECT_EQ(stored.digest, sha256(stored.bytes));
    all.push_back(stored.bytes);
    return true;
  });
  EXPECT_TRUE(read) << read.error().message;
  return all;
}

inline void must(Expected<void> const& done) { ASSERT_TRUE(done) << to_string(done.error()); }

inline Code code_of(auto const& result) { return result ? Code::failure : result.error().code; }

/// Opens a log, or makes it.
inline std::unique_ptr<SqliteStore> opened(std::string const& path, SqliteOptions options = {}) {
  options.create = true;
  auto store = SqliteStore::open(path, options);
  if (!store) throw std::runtime_error(to_string(store.error()));
  return std::move(*store);
}

}  // namespace equipoise::store::testing

#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "equipoise/conduct/event_store.h"
#include "equipoise/core/digest.h"
#include "equipoise/store/sqlite.h"
#include "equipoise/store/temporary_folder.h"

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

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "equipoise/core/expected.h"
#include "equipoise/store/sqlite_file.h"

namespace equipoise::store {

/// What `doctor` finds about a log and the disk it is on.
struct Health {
  std::vector<std::string> problems{};  ///< what somebody should do something about; none: all is well
  std::string integrity{};              ///< SQLite's full check: "ok", or what it found
  std::int64_t events = 0, acts = 0, texts = 0, destroyed_texts = 0, documents = 0, lease = 0;
  std::string journal_mode{}, locking_mode{};
  std::int64_t synchronous = 0, secure_delete = 0;  ///< 2 full, 3 extra; 1 on
  std::string sqlite_version{}, sqlite_source{};
  std::int64_t schema = 0;
  std::int64_t page_bytes = 0, pages = 0, free_pages = 0;
  std::int64_t log_bytes = 0;  ///< of the write-ahead log's file
  std::int64_t disk_free_bytes = 0, disk_bytes = 0;
  static void fields(auto& self, auto&& f) {
    f("problems", self.problems), f("integrity", self.integrity), f("events", self.events), f("acts", self.acts),
        f("texts", self.texts);
    f("destroyed_texts", self.destroyed_texts), f("documents", self.documents), f("lease", self.lease);
    f("journal_mode", self.journal_mode), f("locking_mode", self.locking_mode), f("synchronous", self.synchronous);
    f("secure_delete", self.secure_delete), f("sqlite_version", self.sqlite_version), f("sqlite_source", self.sqlite_source);
    f("schema", self.schema), f("page_bytes", self.page_bytes), f("pages", self.pages), f("free_pages", self.free_pages);
    f("log_bytes", self.log_bytes), f("disk_free_bytes", self.disk_free_bytes), f("disk_bytes", self.disk_bytes);
  }
};

/// The report of an open file. Damage is part of the report; an error is that there is none.
Expected<Health> examine(SqliteFile& file, SqliteOptions const& options);

}  // namespace equipoise::store

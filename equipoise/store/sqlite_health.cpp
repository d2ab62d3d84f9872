#include "equipoise/store/sqlite_health.h"

#include <sqlite3.h>

#include <algorithm>

namespace equipoise::store {
namespace {

constexpr std::int64_t mebibyte = 1 << 20;
constexpr std::int64_t least_free = 256 * mebibyte;  ///< years of a trial, and the copy that a backup beside it would be

}  // namespace

Expected<Health> examine(SqliteFile& file, SqliteOptions const& options) {
  Database& database = file.database;
  Health health;
  auto integrity = integrity_problems(database, false, file.path);
  if (!integrity) return tl::unexpected(integrity.error());
  health.integrity = integrity->empty() ? "ok" : *integrity;
  if (!integrity->empty()) health.problems.push_back(fmt::format("the file is damaged: {}", *integrity));

  std::int64_t last = 0, acts_end = 0;
  const std::pair<char const*, std::int64_t*> numbers[] = {
      {"SELECT count(*) FROM event", &health.events},
      {"SELECT max(sequence) FROM event", &last},
      {"SELECT count(*) FROM act", &health.acts},
      {"SELECT max(last) FROM act", &acts_end},
      {"SELECT count(*) FROM text WHERE present = 1", &health.texts},
      {"SELECT count(*) FROM text WHERE present = 0", &health.destroyed_texts},
      {"SELECT count(*) FROM document", &health.documents},
      {"SELECT number FROM lease", &health.lease},
      {"PRAGMA synchronous", &health.synchronous},
      {"PRAGMA secure_delete", &health.secure_delete},
      {"PRAGMA user_version", &health.schema},
      {"PRAGMA page_size", &health.page_bytes},
      {"PRAGMA page_count", &health.pages},
      {"PRAGMA freelist_count", &health.free_pages},
  };
  const std::pair<char const*, std::string*> words[] = {
      {"PRAGMA journal_mode", &health.journal_mode},
      {"PRAGMA locking_mode", &health.locking_mode},
      {"SELECT sqlite_source_id()", &health.sqlite_source},
  };
  for (auto const& [question, into] : numbers) {
    const auto answer = database.ask(question);
    if (!answer) return tl::unexpected(to_error(answer.error(), fmt::format("'{}' cannot be examined", file.path)));
    *into = answer->empty() ? 0 : std::stoll(*answer);
  }
  for (auto const& [question, into] : words) {
    auto answer = database.ask(question);
    if (!answer) return tl::unexpected(to_error(answer.error(), fmt::format("'{}' cannot be examined", file.path)));
    *into = std::move(*answer);
  }
  health.sqlite_version = sqlite_version_text();
  const auto log = file_state(file.path + "-wal");
  if (!log) return tl::unexpected(log.error());
  health.log_bytes = log->bytes;
  const auto space = space_at(file.path);
  if (!space) return tl::unexpected(space.error());
  health.disk_free_bytes = space->free, health.disk_bytes = space->size;

  if (last != health.events)
    health.problems.push_back(fmt::format("the log ends at event {} and has {} events: some are missing", last, health.events));
  if (acts_end > last)
    health.problems.push_back(fmt::format("an act says that it ends at event {}, and the log ends at {}", acts_end, last));
  if (health.synchronous < 2)
    health.problems.push_back("synchronous is below FULL: confirmed acts are lost when the power fails");
  if (health.secure_delete != 1) health.problems.push_back("secure_delete is off: destroyed texts may stay in the file");
  if (const auto bad = known_bad(::sqlite3_libversion_number(), options.journal, options.alone))
    health.problems.push_back(fmt::format("SQLite {} is not safe here: {}", health.sqlite_version, *bad));
  const std::int64_t wanted = std::max(least_free, 2 * health.page_bytes * health.pages);
  if (space->free < wanted)
    health.problems.push_back(fmt::format("the disk has {} MiB left: make room for {} MiB, or the log stops when it is full",
                                          space->free / mebibyte, wanted / mebibyte));
  if (health.log_bytes > 64 * mebibyte)
    health.problems.push_back(fmt::format("the write-ahead log has grown to {} MiB: it is not being moved to the database",
                                          health.log_bytes / mebibyte));
  return health;
}

}  // namespace equipoise::store

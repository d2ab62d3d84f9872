#include "tests/faults/wrong_store.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace equipoise::faults {
namespace {

using store::Blob, store::Rows, store::SqliteResult, store::Statement;

constexpr std::string_view tables = R"sql(
CREATE TABLE IF NOT EXISTS event (sequence INTEGER PRIMARY KEY, bytes BLOB NOT NULL, digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS act (key TEXT PRIMARY KEY, request TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS once (kind TEXT NOT NULL, what TEXT NOT NULL, PRIMARY KEY (kind, what));
CREATE TABLE IF NOT EXISTS document (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL);
)sql";

template <class T>
T sure(SqliteResult<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

Expected<void> done_or_why(SqliteResult<void> const& result) {
  if (result) return {};
  if (result.error().constraint()) return fail(Code::conflict, "it has happened before");
  return tl::unexpected(store::to_error(result.error(), "the draft of a log"));
}

}  // namespace

WrongStore::WrongStore(std::string const& path, StoreFault fault, std::function<void()> between)
    : fault_(fault), between_(std::move(between)) {
  if (!std::filesystem::exists(path)) std::ofstream(path).flush();
  database_ = sure(store::Database::open(path));
  sure(database_.run("PRAGMA journal_mode = WAL"));
  sure(database_.run(fault == StoreFault::no_sync ? "PRAGMA synchronous = OFF" : "PRAGMA synchronous = FULL"));
  sure(database_.run(std::string(tables)));
  last_ = std::stoll(sure(database_.ask("SELECT coalesce(max(sequence), 0) FROM event")));
}

Expected<void> WrongStore::run(std::string const& statements) { return done_or_why(database_.run(statements)); }

/// Where a transaction ends before the act does.
Expected<void> WrongStore::end_part() {
  if (auto ended = run("COMMIT"); !ended) return ended;
  between_();
  return run("BEGIN IMMEDIATE");
}

Expected<void> WrongStore::append(conduct::Sequence expected, conduct::Act const& act) {
  const bool parts = fault_ == StoreFault::no_transaction;
  const auto write = [&]() -> Expected<void> {
    if (auto begun = run(fault_ == StoreFault::read_first ? "BEGIN DEFERRED" : "BEGIN IMMEDIATE"); !begun) return begun;
    if (std::stoll(sure(database_.ask("SELECT coalesce(max(sequence), 0) FROM event"))) != expected)
      return fail(Code::conflict, "the log does not end there");
    auto add_once = sure(database_.prepare("INSERT INTO once VALUES (?1, ?2)"));
    auto add_act = sure(database_.prepare("INSERT INTO act VALUES (?1, ?2, ?3, ?4)"));
    auto add_event = sure(database_.prepare("INSERT INTO event VALUES (?1, ?2, ?3)"));
    for (conduct::Once const& one : act.once)
      if (fault_ != StoreFault::not_unique || one.kind != "randomised") {
        if (auto added = done_or_why(add_once.run(one.kind, one.what)); !added) return added;
        if (parts || (fault_ == StoreFault::slot_first && one.kind == "allocation"))
          if (auto ended = end_part(); !ended) return ended;
      }
    if (auto added = done_or_why(add_act.run(act.key, act.request, expected + 1, expected + std::int64_t(act.events.size())));
        !added)
      return added;
    if (parts || fault_ == StoreFault::audit_later)
      if (auto ended = end_part(); !ended) return ended;
    for (conduct::StoredEvent const& event : act.events) {
      if (auto added = done_or_why(add_event.run(event.sequence, Blob{event.bytes}, event.digest)); !added) return added;
      if (parts)
        if (auto ended = end_part(); !ended) return ended;
    }
    return run("COMMIT");
  };
  auto written = write();
  if (!written) (void)database_.run("ROLLBACK");
  else last_ = expected + conduct::Sequence(act.events.size());
  return written;
}

Expected<void> WrongStore::read(conduct::Sequence after, std::function<bool(conduct::StoredEvent const&)> const& visitor) const {
  auto statement = sure(database_.prepare("SELECT sequence, bytes, digest FROM event WHERE sequence > ?1 ORDER BY sequence"));
  Rows rows(statement, after);
  while (sure(rows.next()))
    if (!visitor({rows.integer(0), std::string(rows.bytes(1)), std::string(rows.bytes(2))})) break;
  return {};
}

Expected<std::optional<conduct::Done>> WrongStore::done(std::string_view key) const {
  auto statement = sure(database_.prepare("SELECT request, first, last FROM act WHERE key = ?1"));
  Rows rows(statement, key);
  if (!sure(rows.next())) return std::optional<conduct::Done>();
  return std::optional(conduct::Done{std::string(rows.bytes(0)), rows.integer(1), rows.integer(2)});
}

Expected<void> WrongStore::put(conduct::Document const& document) {
  auto statement = sure(database_.prepare("INSERT OR IGNORE INTO document VALUES (?1, ?2)"));
  return done_or_why(statement.run(document.digest, Blob{document.bytes}));
}

Expected<std::optional<conduct::Document>> WrongStore::document(std::string_view digest) const {
  auto statement = sure(database_.prepare("SELECT bytes FROM document WHERE digest = ?1"));
  Rows rows(statement, digest);
  if (!sure(rows.next())) return std::optional<conduct::Document>();
  return std::optional(conduct::Document{std::string(digest), std::string(rows.bytes(0))});
}

}  // namespace equipoise::faults

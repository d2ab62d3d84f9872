#include "equipoise/store/sqlite.h"

#include <sqlite3.h>

#include <thread>

#include "equipoise/store/conflicts.h"

namespace equipoise::store {

using conduct::Act;
using conduct::Document;
using conduct::Done;
using conduct::Once;
using conduct::Sequence;
using conduct::StoredEvent;
using conduct::StoredText;

namespace {

// Long reading goes in pieces of so many events or bytes, whichever comes first: what an append may have to wait for.
constexpr std::int64_t piece_events = 512;
constexpr std::size_t piece_bytes = 1 << 20;

}  // namespace

Expected<std::unique_ptr<SqliteStore>> SqliteStore::open(std::string const& path, SqliteOptions const& options) {
  auto file = open_sqlite_file(path, options);
  if (!file) return tl::unexpected(file.error());
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(*file), options));
  if (auto ready = store->prepare(); !ready) return tl::unexpected(ready.error());
  return store;
}

SqliteStore::SqliteStore(SqliteFile file, SqliteOptions options) : options_(std::move(options)), file_(std::move(file)) {}

SqliteStore::~SqliteStore() = default;  // statements, then the connection (which empties the write-ahead log), then the lock file

Expected<void> SqliteStore::prepare() {
  const std::pair<Statement*, char const*> all[] = {
      {&statements_.begin, "BEGIN IMMEDIATE"},
      {&statements_.commit, "COMMIT"},
      {&statements_.rollback, "ROLLBACK"},
      {&statements_.end_of_log, "SELECT max(sequence) FROM event"},
      {&statements_.lease, "SELECT number FROM lease"},
      {&statements_.take_lease, "UPDATE lease SET number = number + 1"},
      {&statements_.add_event, "INSERT INTO event (sequence, bytes, digest) VALUES (?1, ?2, ?3)"},
      {&statements_.add_act, "INSERT INTO act (key, request, first, last) VALUES (?1, ?2, ?3, ?4)"},
      {&statements_.add_once, "INSERT INTO once (kind, what) VALUES (?1, ?2)"},
      {&statements_.add_text, "INSERT INTO text (id, present, key, text) VALUES (?1, 1, ?2, ?3)"},
      {&statements_.destroy_text,
       "UPDATE text SET present = 0, key = zeroblob(length(key)), text = zeroblob(length(text)) WHERE id = ?1 AND present = 1"},
      {&statements_.add_document, "INSERT OR IGNORE INTO document (digest, bytes) VALUES (?1, ?2)"},
      {&statements_.events,
       "SELECT sequence, bytes, digest FROM event WHERE sequence > ?1 AND sequence <= ?2 ORDER BY sequence LIMIT ?3"},
      {&statements_.done, "SELECT request, first, last FROM act WHERE key = ?1"},
      {&statements_.text, "SELECT key, text FROM text WHERE id = ?1 AND present = 1"},
      {&statements_.document, "SELECT bytes FROM document WHERE digest = ?1"},
  };
  for (auto const& [into, words] : all) {
    auto prepared = file_.database.prepare(words);
    if (!prepared) return tl::unexpected(problem(prepared.error(), "opened"));
    *into = std::move(*prepared);
  }
  sqlite3_wal_hook(
      file_.database.handle(),
      [](void* pages, sqlite3*, char const*, int count) {
        *static_cast<int*>(pages) = count;
        return SQLITE_OK;
      },
      &log_pages_);
  // What an earlier run left in the write-ahead log goes into the database now, and with it the last copies of destroyed texts.
  if (auto moved = move_log(true); !moved) return moved;
  const auto last = ask(statements_.end_of_log);
  if (!last) return tl::unexpected(last.error());
  last_ = *last;
  return {};
}

Error SqliteStore::problem(SqliteProblem const& problem, std::string_view doing) const {
  return to_error(problem, fmt::format("the log '{}' cannot be {}", file_.path, doing));
}

/// After an error of the disk nothing goes on.
Error SqliteStore::stop(Error error) const {
  if (error.code == Code::unavailable || error.code == Code::out_of_range)
    return error;  // nothing was written, and that is known
  error.code = Code::io;
  if (!stopped_) {
    stopped_ = error;
    stopped_->message = fmt::format("the log '{}' has stopped, and is to be opened again: {}", file_.path, error.message);
  }
  return error;
}

Expected<void> SqliteStore::usable() const {
  if (stopped_) return tl::unexpected(*stopped_);
  return {};
}

Expected<std::int64_t> SqliteStore::ask(Statement& question) const {
  Rows rows(question);
  const auto row = rows.next();
  if (!row) return tl::unexpected(stop(problem(row.error(), "read")));
  return *row ? rows.integer(0) : 0;
}

Expected<void> SqliteStore::check_lease() {
  const auto current = ask(statements_.lease);
  if (!current) return tl::unexpected(current.error());
  if (*current != lease_) return lease_is_gone(lease_, *current);
  return {};
}

/// Runs `body` between BEGIN and COMMIT: all of it is on the disk when this returns, or nothing is in the log.
template <class Body>
Expected<void> SqliteStore::transaction(std::string_view doing, Body const& body) {
  if (auto fine = usable(); !fine) return fine;
  if (file_.database.moved())
    return tl::unexpected(stop(
        {Code::io, fmt::format("'{}' is not the file that was opened: somebody has moved or replaced it", file_.path), {}, {}}));
  if (log_pages_ >= options_.checkpoint_pages)
    if (auto moved = move_log(false); !moved) return moved;
  if (auto begun = statements_.begin.run(); !begun) return tl::unexpected(stop(problem(begun.error(), doing)));
  Expected<void> result = body();
  if (result) {
    auto committed = statements_.commit.run();
    if (committed) return {};
    result = tl::unexpected(stop(problem(committed.error(), doing)));
  }
  // SQLite has rolled back by itself after some errors. If it cannot, its file and its memory differ.
  if (file_.database.in_transaction())
    if (auto undone = statements_.rollback.run(); !undone) {
      const Error error = problem(undone.error(), "put back");
      return tl::unexpected(stop({Code::io, error.message, {}, error.hint}));
    }
  return result;
}

Expected<void> SqliteStore::append(Sequence expected, Act const& act) {
  check_promises(expected, act);
  const std::scoped_lock lock(lock_);
  if (auto written = transaction("written", [&] { return write(expected, act); }); !written) return written;
  last_ = expected + Sequence(act.events.size());
  if (act.destroyed.empty()) return {};
  return move_log(true);  // the act is in the log by now; an error here stops the store, and opening it again finishes the job
}

Expected<void> SqliteStore::write(Sequence expected, Act const& act) {
  if (auto mine = check_lease(); !mine) return mine;
  const auto last = ask(statements_.end_of_log);
  if (!last) return tl::unexpected(last.error());
  last_ = *last;
  if (expected != *last) return log_moved(expected, *last);

  const auto failed = [&](SqliteProblem const& p) { return tl::unexpected(stop(problem(p, "written"))); };
  if (auto added = statements_.add_act.run(act.key, act.request, expected + 1, expected + Sequence(act.events.size())); !added) {
    if (!added.error().constraint()) return failed(added.error());
    Rows rows(statements_.done, act.key);
    const auto row = rows.next();
    if (!row) return failed(row.error());
    return key_is_taken({std::string(rows.bytes(0)), rows.integer(1), rows.integer(2)});
  }
  for (Once const& one : act.once)
    if (auto added = statements_.add_once.run(one.kind, one.what); !added)
      return added.error().constraint() ? has_happened(one) : failed(added.error());
  for (StoredText const& text : act.texts)
    if (auto added = statements_.add_text.run(text.id, Blob{text.key}, Blob{text.text}); !added)
      return added.error().constraint() ? text_is_there(text.id) : failed(added.error());
  for (std::string const& id : act.destroyed) {
    if (auto gone = statements_.destroy_text.run(id); !gone) return failed(gone.error());
    if (sqlite3_changes(file_.database.handle()) != 1) return text_is_not_there(id);
  }
  for (StoredEvent const& event : act.events)
    if (auto added = statements_.add_event.run(event.sequence, Blob{event.bytes}, event.digest); !added)
      return failed(added.error());
  return {};
}

Sequence SqliteStore::last() const {
  const std::scoped_lock lock(lock_);
  return last_;
}

Expected<void> SqliteStore::read(Sequence after, std::function<bool(StoredEvent const&)> const& visitor) const {
  const Sequence until = last();
  after = std::max<Sequence>(after, 0);
  std::vector<StoredEvent> piece;  // its texts are used again, so that reading a long log does not ask for memory at each event
  while (after < until) {
    std::size_t filled = 0;
    {
      const std::scoped_lock lock(lock_);
      if (auto fine = usable(); !fine) return fine;
      Rows rows(statements_.events, after, until, piece_events);
      for (std::size_t bytes = 0; bytes < piece_bytes;) {
        const auto row = rows.next();
        if (!row) return tl::unexpected(stop(problem(row.error(), "read")));
        if (!*row) break;
        if (filled == piece.size()) piece.emplace_back();
        StoredEvent& event = piece[filled++];
        event.sequence = rows.integer(0);
        event.bytes.assign(rows.bytes(1)), event.digest.assign(rows.bytes(2));
        bytes += event.bytes.size() + event.digest.size();
        if (event.sequence != after + Sequence(filled)) break;
      }
      if (filled == 0 || piece[filled - 1].sequence != after + Sequence(filled))
        return tl::unexpected(stop({Code::io,
                                    fmt::format("the log '{}' is damaged: event {} is missing", file_.path,
                                                after + std::max<Sequence>(Sequence(filled), 1)),
                                    {},
                                    "keep the file as it is, and restore a backup"}));
    }
    for (std::size_t i = 0; i < filled; ++i)
      if (!visitor(piece[i])) return {};
    after += Sequence(filled);
  }
  return {};
}

Expected<std::optional<Done>> SqliteStore::done(std::string_view key) const {
  const std::scoped_lock lock(lock_);
  if (auto fine = usable(); !fine) return tl::unexpected(fine.error());
  Rows rows(statements_.done, key);
  const auto row = rows.next();
  if (!row) return tl::unexpected(stop(problem(row.error(), "read")));
  if (!*row) return std::nullopt;
  return Done{std::string(rows.bytes(0)), rows.integer(1), rows.integer(2)};
}

Expected<std::optional<StoredText>> SqliteStore::text(std::string_view id) const {
  const std::scoped_lock lock(lock_);
  if (auto fine = usable(); !fine) return tl::unexpected(fine.error());
  Rows rows(statements_.text, id);
  const auto row = rows.next();
  if (!row) return tl::unexpected(stop(problem(row.error(), "read")));
  if (!*row) return std::nullopt;
  return StoredText{std::string(id), std::string(rows.bytes(0)), std::string(rows.bytes(1))};
}

Expected<void> SqliteStore::put(Document const& document) {
  check_promises(document);
  const std::scoped_lock lock(lock_);
  return transaction("written", [&]() -> Expected<void> {
    if (auto mine = check_lease(); !mine) return mine;
    auto added = statements_.add_document.run(document.digest, Blob{document.bytes});
    if (!added) return tl::unexpected(stop(problem(added.error(), "written")));
    return {};
  });
}

Expected<std::optional<Document>> SqliteStore::document(std::string_view digest) const {
  const std::scoped_lock lock(lock_);
  if (auto fine = usable(); !fine) return tl::unexpected(fine.error());
  Rows rows(statements_.document, digest);
  const auto row = rows.next();
  if (!row) return tl::unexpected(stop(problem(row.error(), "read")));
  if (!*row) return std::nullopt;
  return Document{std::string(digest), std::string(rows.bytes(0))};
}

Expected<std::int64_t> SqliteStore::take_lease() {
  const std::scoped_lock lock(lock_);
  std::int64_t number = 0;
  Sequence last = 0;
  auto taken = transaction("written", [&]() -> Expected<void> {
    if (auto grown = statements_.take_lease.run(); !grown) return tl::unexpected(stop(problem(grown.error(), "written")));
    const auto asked = ask(statements_.lease);
    if (!asked) return tl::unexpected(asked.error());
    const auto end = ask(statements_.end_of_log);
    if (!end) return tl::unexpected(end.error());
    number = *asked, last = *end;
    return {};
  });
  if (!taken) return tl::unexpected(taken.error());
  last_ = last;  // what another instance appended before
  return lease_ = number;
}

/// Moves the pages of the write-ahead log into the database. `truncate` also empties the file, and so the copies of pages in it.
Expected<void> SqliteStore::move_log(bool truncate) {
  if (options_.journal == Journal::rollback) return {};
  int in_log = 0, moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(file_.database.handle(), "main",
                                             truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, &in_log, &moved);
  if (code == SQLITE_OK && in_log == moved) {
    log_pages_ = 0;
    return {};
  }
  // We are alone and hold no read open, so nothing can be in the way: what is, is a failure like any other.
  SqliteProblem why = code == SQLITE_OK ? SqliteProblem{SQLITE_IOERR, fmt::format("{} of {} pages were moved", moved, in_log)}
                                        : file_.database.problem();
  const Error error = problem(why, "moved from its write-ahead log");
  return tl::unexpected(stop({Code::io, error.message, {}, error.hint}));
}

Expected<void> SqliteStore::checkpoint() {
  const std::scoped_lock lock(lock_);
  if (auto fine = usable(); !fine) return fine;
  return move_log(false);
}

Expected<Health> SqliteStore::doctor() const {
  const std::scoped_lock lock(lock_);
  if (auto fine = usable(); !fine) return tl::unexpected(fine.error());
  return examine(file_, options_);
}

}  // namespace equipoise::store

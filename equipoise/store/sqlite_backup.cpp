#include <sqlite3.h>

#include <chrono>
#include <memory>
#include <thread>

#include "equipoise/core/digest.h"
#include "equipoise/store/sqlite.h"

namespace equipoise::store {
namespace {

// A step is what an append may have to wait for: some tenths of a millisecond. The pause lets a waiting append through. What was
// copied is synced now and then, or the disk would be busy with all of it at the end, while an act waits for its own sync (a
// third of a second for a log of 650 MiB).
constexpr int step_pages = 256, steps_to_a_sync = 16;
constexpr auto pause = std::chrono::microseconds(200);

/// A file that is not finished: it goes when its maker fails.
class Unfinished {
 public:
  explicit Unfinished(std::string const& path) : path_(path + ".incomplete") { remove(); }
  ~Unfinished() { remove(); }
  Unfinished(Unfinished const&) = delete;
  Unfinished& operator=(Unfinished const&) = delete;
  std::string const& path() const { return path_; }

 private:
  void remove() const {
    for (char const* part : {"", "-journal", "-wal", "-shm"}) remove_if_there(path_ + part);
  }
  std::string path_;
};

Expected<void> must_be_free(std::string const& path) {
  for (char const* part : {"", "-journal", "-wal", "-shm"}) {
    const auto state = file_state(path + part);
    if (!state) return tl::unexpected(state.error());
    if (state->exists)
      return tl::unexpected(
          Error{Code::conflict, fmt::format("'{}{}' is there already, and nothing is replaced", path, part), {}, {}}.with_hint(
              "move it away first"));
  }
  return {};
}

/// Whether a database that nobody uses is a whole log; leaves it as one file without companions. Content that is changed within
/// its place is no damage to SQLite: only the digests tell (`digests`).
Expected<void> check_whole(std::string const& path, std::string const& vfs, bool digests) {
  const auto problem = [&](SqliteProblem const& p) {
    return tl::unexpected(to_error(p, fmt::format("'{}' cannot be checked", path)));
  };
  auto database = Database::open(path, vfs);
  if (!database) return problem(database.error());
  if (auto set = database->run("PRAGMA locking_mode = EXCLUSIVE; PRAGMA cell_size_check = ON"); !set) return problem(set.error());
  const auto version = identify(*database, path);
  if (!version) return tl::unexpected(version.error());
  if (*version == 0) return fail(Code::syntax, "'{}' is no log of a trial: it is an empty database", path);
  // One file, however it is carried: a database in WAL mode would ask for its companions.
  if (auto set = database->ask("PRAGMA journal_mode = DELETE"); !set) return problem(set.error());
  const auto found = integrity_problems(*database, false, path);
  if (!found) return tl::unexpected(found.error());
  if (!found->empty()) return fail(Code::io, "'{}' is damaged: {}", path, *found);
  const auto gaps = database->ask("SELECT count(*) - coalesce(max(sequence), 0) FROM event");
  if (!gaps) return problem(gaps.error());
  if (*gaps != "0") return fail(Code::io, "'{}' is damaged: {} events are missing", path, std::string_view(*gaps).substr(1));
  if (!digests) return {};
  auto events = database->prepare("SELECT sequence, bytes, digest FROM event ORDER BY sequence");
  if (!events) return problem(events.error());
  for (Rows rows(*events);;) {
    const auto row = rows.next();
    if (!row) return problem(row.error());
    if (!*row) return {};
    if (sha256(rows.bytes(1)) != rows.bytes(2))
      return fail(Code::io, "'{}' is damaged: event {} is not what its digest says", path, rows.integer(0));
  }
}

}  // namespace

Expected<void> SqliteStore::backup(std::string const& path) const {
  const std::unique_lock only(one_backup_, std::try_to_lock);
  if (!only) return fail(Code::conflict, "another backup of the log '{}' is being made", file_.path);
  if (path.empty() || path.find('\0') != std::string::npos) return fail(Code::io, "a backup needs a path without zero bytes");
  if (auto free = must_be_free(path); !free) return free;
  const Unfinished unfinished(path);
  if (auto made = make_private(unfinished.path()); !made) return made;
  {
    auto copy = Database::open(unfinished.path(), options_.vfs);
    const auto problem = [&](SqliteProblem const& p) {
      return tl::unexpected(to_error(p, fmt::format("the backup '{}' cannot be made", path)));
    };
    if (!copy) return problem(copy.error());
    // Nobody looks at it before it is whole, so it is synced once, at the end.
    if (auto set = copy->run("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF"); !set)
      return problem(set.error());
    if (auto copied = copy_steps(*copy, unfinished.path()); !copied) return copied;
  }
  if (auto whole = check_whole(unfinished.path(), options_.vfs, false); !whole) return whole;
  if (auto synced = sync_file(unfinished.path()); !synced) return synced;
  return publish(unfinished.path(), path);
}

/// Copies page by page. Pages that an append changes meanwhile through this same connection are changed in the copy too (SQLite's
/// backup interface does that), so the copy never starts again however busy the trial is.
Expected<void> SqliteStore::copy_steps(Database& copy, std::string const& path) const {
  const auto problem = [&] { return to_error(copy.problem(), "the backup cannot be made"); };
  std::unique_ptr<sqlite3_backup, int (*)(sqlite3_backup*)> steps(nullptr, sqlite3_backup_finish);
  for (int step = 1;; ++step) {
    {
      const std::scoped_lock lock(lock_);
      if (auto fine = usable(); !fine) {
        steps.reset();
        return fine;
      }
      if (!steps) {
        steps.reset(sqlite3_backup_init(copy.handle(), "main", file_.database.handle(), "main"));
        if (!steps) return tl::unexpected(problem());
      }
      const int code = sqlite3_backup_step(steps.get(), step_pages);
      if (code != SQLITE_OK) {
        const int finished = sqlite3_backup_finish(steps.release());  // under the lock: it takes itself off our connection
        if (code == SQLITE_DONE && finished == SQLITE_OK) return {};
        return tl::unexpected(
            to_error({code == SQLITE_DONE ? finished : code, sqlite3_errstr(code == SQLITE_DONE ? finished : code)},
                     "the backup cannot be made"));
      }
    }
    if (step % steps_to_a_sync ==
        0)  // through a descriptor of our own: nobody else knows the file, so nobody misses SQLite's locks on it
      if (auto synced = sync_file(path); !synced) {
        const std::scoped_lock lock(lock_);
        steps.reset();
        return synced;
      }
    std::this_thread::sleep_for(pause);
  }
}

Expected<void> restore(std::string const& backup, std::string const& path) {
  if (path.empty() || path.find('\0') != std::string::npos) return fail(Code::io, "a log needs a path without zero bytes");
  const auto source = file_state(backup);
  if (!source) return tl::unexpected(source.error());
  if (!source->exists) return fail(Code::io, "there is no backup at '{}'", backup);
  if (const auto log = file_state(backup + "-wal"); log && log->exists)
    return fail(Code::refused, "'{}' is no backup: a write-ahead log lies beside it, so it is, or was, a log in use", backup);
  const auto lock = FileLock::take(path + ".lock");
  if (!lock) return tl::unexpected(lock.error());
  if (auto free = must_be_free(path); !free) return free;
  const Unfinished unfinished(path);
  if (auto copied = copy_private(backup, unfinished.path()); !copied) return copied;
  if (auto whole = check_whole(unfinished.path(), "", true); !whole) return whole;
  if (auto synced = sync_file(unfinished.path()); !synced) return synced;
  return publish(unfinished.path(), path);
}

}  // namespace equipoise::store

#include "equipoise/store/sqlite_file.h"

#include <sqlite3.h>

#include <array>
#include <string_view>

extern "C" char const equipoise_sqlite_schema_1[], equipoise_sqlite_schema_1_end[];

namespace equipoise::store {
namespace {

/// Schema N is what schema N - 1 becomes by migration N.
std::array<std::string_view, std::size_t(schema_version)> migrations() {
  return {{{equipoise_sqlite_schema_1, std::size_t(equipoise_sqlite_schema_1_end - equipoise_sqlite_schema_1)}}};
}

std::string about(std::string_view path) { return fmt::format("the log '{}' cannot be opened", path); }

Expected<std::int64_t> ask_number(Database& database, std::string_view question, std::string_view path) {
  auto answer = database.ask(question);
  if (!answer) return tl::unexpected(to_error(answer.error(), about(path)));
  return answer->empty() ? 0 : std::stoll(*answer);
}

/// What must be true of the names at and beside `path` before SQLite sees them.
Expected<void> prepare_path(std::string const& path, SqliteOptions const& options) {
  const auto state = file_state(path);
  if (!state) return tl::unexpected(state.error());
  const auto log = file_state(path + "-wal");
  if (!log) return tl::unexpected(log.error());
  if (state->bytes == 0 && log->bytes > 0)
    return tl::unexpected(Error{
        Code::io,
        fmt::format("'{}' is {}, but its write-ahead log '{}-wal' is there", path, state->exists ? "empty" : "missing", path),
        {},
        {}}.with_hint("acts may be in that file alone: put the database back beside it"));
  if (!state->exists) {
    if (!options.create) return fail(Code::io, "there is no log at '{}'", path);
    return make_private(path);
  }
  return keep_private(path);
}

/// Settings that concern this connection alone, and touch no file.
SqliteResult<void> settle_connection(Database& database, bool alone) {
  sqlite3* const handle = database.handle();
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 256 << 20);
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_busy_timeout(handle, 5000);
  return database.run(
      fmt::format("PRAGMA locking_mode = {}; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON;"
                  "PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = ON",
                  alone ? "EXCLUSIVE" : "NORMAL"));
}

/// Sets how commits reach the disk, and asks SQLite what it has understood.
Expected<SqliteSettings> settle_durability(Database& database, std::string_view path, SqliteOptions const& options,
                                           Synchronous wanted) {
  const auto problem = [&](SqliteProblem const& p) { return tl::unexpected(to_error(p, about(path))); };
  const std::string_view journal = options.journal == Journal::wal ? "wal" : "delete";
  // `synchronous` first: the change of the journal is itself a write.
  if (auto set = database.run(fmt::format("PRAGMA synchronous = {}", int(wanted))); !set) return problem(set.error());
  if (auto set = database.ask(fmt::format("PRAGMA journal_mode = {}", journal)); !set) return problem(set.error());
  // Who holds the file alone has the rollback journal kept, with the pages as they were before: also with the texts that were
  // destroyed.
  if (options.journal == Journal::rollback)
    if (auto set = database.ask("PRAGMA journal_size_limit = 0"); !set) return problem(set.error());

  SqliteSettings settings;
  for (auto const& [name, text] :
       {std::pair("journal_mode", &settings.journal_mode), std::pair("locking_mode", &settings.locking_mode)}) {
    auto answer = database.ask(fmt::format("PRAGMA {}", name));
    if (!answer) return problem(answer.error());
    *text = *answer;
  }
  for (auto const& [name, number] :
       {std::pair("synchronous", &settings.synchronous), std::pair("secure_delete", &settings.secure_delete)}) {
    const auto answer = ask_number(database, fmt::format("PRAGMA {}", name), path);
    if (!answer) return tl::unexpected(answer.error());
    *number = *answer;
  }
  const auto differs = [&](std::string_view name, auto const& is, auto const& shall) {
    return fail(Code::io, "{}: SQLite's {} is {} and not {}", about(path), name, is, shall);
  };
  if (settings.journal_mode != journal) return differs("journal_mode", settings.journal_mode, journal);
  if (settings.synchronous != int(wanted)) return differs("synchronous", settings.synchronous, int(wanted));
  if (const std::string_view shall = options.alone ? "exclusive" : "normal"; settings.locking_mode != shall)
    return differs("locking_mode", settings.locking_mode, shall);
  if (settings.secure_delete != 1) return differs("secure_delete", settings.secure_delete, 1);
  return settings;
}

/// Brings the schema to the newest one, each step complete or not at all.
Expected<void> migrate(Database& database, std::string_view path, std::int64_t from) {
  const auto steps = migrations();
  for (std::int64_t version = from + 1; version <= schema_version; ++version) {
    const std::string statements = fmt::format("BEGIN IMMEDIATE;{}PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT",
                                               steps[std::size_t(version - 1)], application_id, version);
    if (auto done = database.run(statements); !done) {
      if (database.in_transaction()) (void)database.run("ROLLBACK");
      return tl::unexpected(to_error(done.error(), about(path)));
    }
  }
  return {};
}

}  // namespace

std::optional<std::string> known_bad(int version, Journal journal, bool alone) {
  if (version < 3037000) return "SQLite before 3.37 does not know the tables of a log";
  // The WAL-reset bug (sqlite.org/wal.html#walresetbug): a checkpoint that runs while another connection's commit resets the log
  // may count pages as moved that were not. Every version from 3.7.0 to 3.51.2 but for the corrected 3.44.6 and 3.50.7. It needs
  // two connections that write or checkpoint one file, and nobody but us can open a file that we hold alone.
  const bool corrected =
      version >= 3051003 || (version >= 3044006 && version < 3045000) || (version >= 3050007 && version < 3051000);
  if (journal == Journal::wal && !alone && !corrected)
    return "with a write-ahead log and more than one connection, SQLite before 3.51.3 can lose pages (its WAL-reset bug)";
  return std::nullopt;
}

Expected<std::int64_t> identify(Database& database, std::string_view path) {
  const auto id = ask_number(database, "PRAGMA application_id", path);
  if (!id) return id;
  const auto version = ask_number(database, "PRAGMA user_version", path);
  if (!version) return version;
  if (*id != application_id) {
    const auto objects = ask_number(database, "SELECT count(*) FROM sqlite_schema", path);
    if (!objects) return objects;
    if (*id == 0 && *version == 0 && *objects == 0) return 0;
    return fail(Code::syntax, "'{}' is no log of a trial: it is some other program's SQLite database", path);
  }
  if (*version > schema_version)
    return fail(Code::unavailable, "'{}' has schema {}, which a newer version of this program made; this one knows {}", path,
                *version, schema_version);
  if (*version < 1) return fail(Code::io, "'{}' is damaged: its schema has no number", path);
  return version;
}

Expected<std::string> integrity_problems(Database& database, bool quick, std::string_view path) {
  auto found = database.ask_all(quick ? "PRAGMA quick_check(20)" : "PRAGMA integrity_check(20)");
  if (!found) return tl::unexpected(to_error(found.error(), fmt::format("'{}' cannot be checked", path)));
  return *found == "ok" ? std::string() : *found;
}

Expected<SqliteFile> open_sqlite_file(std::string const& path, SqliteOptions const& options) {
  if (path.empty() || path.find('\0') != std::string::npos) return fail(Code::io, "a log needs a path without zero bytes");
  const Synchronous wanted =
      options.synchronous.value_or(options.journal == Journal::wal ? Synchronous::full : Synchronous::extra);
  if (wanted < Synchronous::full && !options.unsafe_for_a_test)
    return fail(
        Code::refused,
        "a log is written with synchronous FULL or EXTRA: with less, acts that were confirmed are lost when the power fails");
  if (options.journal == Journal::rollback && wanted != Synchronous::extra && !options.unsafe_for_a_test)
    return fail(
        Code::refused,
        "with a rollback journal a log is written with synchronous EXTRA: with FULL, a journal whose removal did not reach the "
        "disk takes back acts that were confirmed");
  if (const auto bad = known_bad(sqlite_version(), options.journal, options.alone))
    return fail(Code::refused, "SQLite {} is not used here: {}", sqlite_version_text(), *bad);

  if (!options.create) {  // before a lock file is made beside a wrong path
    const auto state = file_state(path);
    if (!state) return tl::unexpected(state.error());
    const auto log = file_state(path + "-wal");
    if (!state->exists && log && !log->exists) return fail(Code::io, "there is no log at '{}'", path);
  }

  SqliteFile file;
  file.path = path;
  if (options.alone) {
    auto lock = FileLock::take(path + ".lock");
    if (!lock) return tl::unexpected(lock.error());
    file.lock = std::move(*lock);
  }
  // From here on SQLite holds the file by POSIX locks, which end when *any* descriptor of the process on that file is closed:
  // nothing of ours may open it while the connection is there.
  if (auto ready = prepare_path(path, options); !ready) return tl::unexpected(ready.error());
  auto database = Database::open(path, options.vfs);
  if (!database) return tl::unexpected(to_error(database.error(), about(path)));
  file.database = std::move(*database);

  if (auto settled = settle_connection(file.database, options.alone); !settled)
    return tl::unexpected(to_error(settled.error(), about(path)));
  // Whose file it is comes before the first write: a journal mode is written into the file.
  const auto version = identify(file.database, path);
  if (!version) return tl::unexpected(version.error());
  if (*version == 0 && !options.create) return fail(Code::io, "there is no log in '{}': the database is empty", path);
  const auto problems = integrity_problems(file.database, true, path);
  if (!problems) return tl::unexpected(problems.error());
  if (!problems->empty())
    return tl::unexpected(Error{Code::io, fmt::format("'{}' is damaged: {}", path, *problems), {}, {}}.with_hint(
        "keep the file as it is, and restore a backup"));

  auto settings = settle_durability(file.database, path, options, wanted);
  if (!settings) return tl::unexpected(settings.error());
  file.settings = std::move(*settings);
  if (auto migrated = migrate(file.database, path, *version); !migrated) return tl::unexpected(migrated.error());
  return file;
}

}  // namespace equipoise::store

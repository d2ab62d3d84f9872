#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "equipoise/store/files.h"
#include "equipoise/store/sqlite_database.h"

/// From a path to a database that may be written: whose file it is, whether it is whole, and that SQLite is set so that what it
/// confirms is on the disk. Why each setting is as it is: docs/adr/0015-sqlite-settings.md.
namespace equipoise::store {

enum class Journal {
  wal,       ///< write-ahead log: one sync an act
  rollback,  ///< rollback journal, emptied (alone) or removed (not alone) at each commit: three or four syncs an act
};
enum class Synchronous { off, normal, full, extra };  ///< as SQLite numbers them: 0 to 3

struct SqliteOptions {
  bool create = false;  ///< makes the file when there is none; else a missing file is an error, so that a wrong path is found out
  Journal journal = Journal::wal;
  std::optional<Synchronous> synchronous{};  ///< full with `wal`, extra with `rollback`; less is refused
  /// Nobody else may open the file while we have it: a lock file beside it, and SQLite's own exclusive lock. Without this only
  /// the fencing number of the lease keeps two instances apart.
  bool alone = true;
  int checkpoint_pages = 1000;  ///< pages in the write-ahead log from which the next act first moves them to the database
  std::string vfs{};            ///< SQLite's file layer; "": the default
  /// Lets `synchronous` be too low. For the program that shows what happens then (tests/faults/power_loss.cpp).
  bool unsafe_for_a_test = false;
};

/// PRAGMA application_id of our files: "Eqpo".
inline constexpr std::int64_t application_id = 0x4571706F;
/// The newest schema this build knows: schema/sqlite/N.sql.
inline constexpr std::int64_t schema_version = 1;

/// What is in force, as SQLite says when asked.
struct SqliteSettings {
  std::string journal_mode{}, locking_mode{};
  std::int64_t synchronous = 0, secure_delete = 0;
};

struct SqliteFile {
  FileLock lock{};  ///< released after the database is closed
  std::string path{};
  Database database{};
  SqliteSettings settings{};
};

/// Opens the log at `path`, or makes it.
/// errors  unavailable: another instance has it; or a newer build made it
///         io: missing (without `create`), damaged, not writable, or the settings did not take
///         syntax: some other program's file
///         refused: synchronous too low, a version of SQLite that is known to be bad in this setting, a file that is not ours
///         alone
Expected<SqliteFile> open_sqlite_file(std::string const& path, SqliteOptions const& options);

/// Why this version of SQLite (3040001 for 3.40.1) must not be used in this setting; nothing when it may.
std::optional<std::string> known_bad(int version, Journal journal, bool alone);

/// Whose file this is: refuses other programs' files and newer schemas. Returns the schema version, 0 for an empty database.
Expected<std::int64_t> identify(Database& database, std::string_view path);

/// Problems that SQLite finds in the file, one a line; "" when it is whole. `quick` leaves out whether indexes agree with tables.
Expected<std::string> integrity_problems(Database& database, bool quick, std::string_view path);

}  // namespace equipoise::store

#include "equipoise/store/sqlite_database.h"

#include <sqlite3.h>

#include <filesystem>
#include <system_error>

namespace equipoise::store {
namespace {

SqliteProblem problem_of(sqlite3* database) {
  if (database == nullptr) return {SQLITE_NOMEM, "there is no memory for a connection"};
  SqliteProblem problem{sqlite3_extended_errcode(database), sqlite3_errmsg(database)};
  if ((problem.code & 0xff) == SQLITE_IOERR || (problem.code & 0xff) == SQLITE_CANTOPEN)
    if (const int error = sqlite3_system_errno(database); error != 0)
      problem.message += fmt::format(" ({})", std::system_category().message(error));
  return problem;
}

/// A path as SQLite's URI wants it: every byte that could mean something there, by its number.
std::string uri(std::string const& path) {
  std::string text = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '-' ||
                       c == '.' || c == '_';
    if (plain) text += c;
    else text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return text + "?psow=0";
}

}  // namespace

bool SqliteProblem::busy() const { return (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED; }
bool SqliteProblem::constraint() const { return (code & 0xff) == SQLITE_CONSTRAINT; }
bool SqliteProblem::too_big() const { return (code & 0xff) == SQLITE_TOOBIG; }

Error to_error(SqliteProblem const& problem, std::string_view doing) {
  if (problem.busy()) return {Code::unavailable, fmt::format("{}: another process has it open", doing), {}, {}};
  if (problem.too_big()) return {Code::out_of_range, fmt::format("{}: a value is larger than a log takes", doing), {}, {}};
  switch (problem.code) {
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
      return {Code::io, fmt::format("{}: the disk did not confirm what was written: {}", doing, problem.message), {}, {}};
    default:
      break;
  }
  switch (problem.code & 0xff) {
    case SQLITE_FULL:
      return {Code::io, fmt::format("{}: the disk is full", doing), {}, "make room, then start again"};
    case SQLITE_NOTADB:
      return {Code::syntax, fmt::format("{}: it is no SQLite database", doing), {}, {}};
    case SQLITE_CORRUPT:
      return {Code::io,
              fmt::format("{}: the file is damaged: {}", doing, problem.message),
              {},
              "keep the file as it is, and restore a backup"};
    default:
      return {Code::io, fmt::format("{}: {}", doing, problem.message), {}, {}};
  }
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::bind_integer(int place, std::int64_t value) {
  bound_wrongly_ |= sqlite3_bind_int64(statement_, place, value) != SQLITE_OK;
}

// The bytes live until the statement is reset, so SQLite need not copy them. A null pointer would be NULL, and not the empty
// text.
void Statement::bind(int place, std::string_view text) {
  bound_wrongly_ |= sqlite3_bind_text64(statement_, place, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC,
                                        SQLITE_UTF8) != SQLITE_OK;
}
void Statement::bind(int place, Blob blob) {
  bound_wrongly_ |= sqlite3_bind_blob64(statement_, place, blob.bytes.empty() ? "" : blob.bytes.data(), blob.bytes.size(),
                                        SQLITE_STATIC) != SQLITE_OK;
}

SqliteResult<bool> Statement::step() {
  if (bound_wrongly_) return tl::unexpected(problem());
  switch (sqlite3_step(statement_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return tl::unexpected(problem());
  }
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  bound_wrongly_ = false;
}

SqliteProblem Statement::problem() const { return problem_of(database_); }

std::int64_t Rows::integer(int column) const { return sqlite3_column_int64(statement_.statement_, column); }

std::string_view Rows::bytes(int column) const {
  auto const* const data = static_cast<char const*>(sqlite3_column_blob(statement_.statement_, column));
  return {data == nullptr ? "" : data, std::size_t(sqlite3_column_bytes(statement_.statement_, column))};
}

Database::~Database() { sqlite3_close_v2(handle_); }

SqliteResult<Database> Database::open(std::string const& path, std::string const& vfs) {
  expects(sqlite3_threadsafe() != 0, "SQLite was built for threads");
  Database database;
  // One thread at a time uses a connection: its owner has a lock of its own.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(uri(path).c_str(), &database.handle_, flags, vfs.empty() ? nullptr : vfs.c_str());
  if (code != SQLITE_OK) return tl::unexpected(database.problem());
  sqlite3_extended_result_codes(database.handle_, 1);
  return database;
}

SqliteResult<void> Database::run(std::string const& statements) {
  if (sqlite3_exec(handle_, statements.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return tl::unexpected(problem());
  return {};
}

SqliteResult<Statement> Database::prepare(std::string_view statement) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v3(handle_, statement.data(), int(statement.size()), SQLITE_PREPARE_PERSISTENT, &prepared, nullptr) !=
      SQLITE_OK)
    return tl::unexpected(problem());
  return Statement(handle_, prepared);
}

SqliteResult<std::string> Database::ask(std::string_view statement) {
  auto prepared = prepare(statement);
  if (!prepared) return tl::unexpected(prepared.error());
  Rows rows(*prepared);
  const auto row = rows.next();
  if (!row) return tl::unexpected(row.error());
  return *row ? std::string(rows.bytes(0)) : std::string();
}

SqliteResult<std::string> Database::ask_all(std::string_view statement, std::string_view between) {
  auto prepared = prepare(statement);
  if (!prepared) return tl::unexpected(prepared.error());
  Rows rows(*prepared);
  std::string all;
  for (bool first = true;; first = false) {
    const auto row = rows.next();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return all;
    if (!first) all += between;
    all += rows.bytes(0);
  }
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

bool Database::moved() const {
  int moved = 0;
  return sqlite3_file_control(handle_, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

SqliteProblem Database::problem() const { return problem_of(handle_); }

int sqlite_version() { return sqlite3_libversion_number(); }
std::string sqlite_version_text() { return sqlite3_libversion(); }

}  // namespace equipoise::store

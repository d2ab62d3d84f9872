#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "equipoise/core/expected.h"

struct sqlite3;
struct sqlite3_stmt;

/// SQLite's C interface with owners: a connection, its statements, and what went wrong as a value. Nothing here decides anything.
namespace equipoise::store {

/// What SQLite answered instead of doing it.
struct SqliteProblem {
  int code = 0;  ///< extended result code
  std::string message{};

  bool busy() const;        ///< somebody else holds the database
  bool constraint() const;  ///< a unique index or a trigger said no
  bool too_big() const;     ///< a value beyond the limits
};

template <class T>
using SqliteResult = tl::expected<T, SqliteProblem>;

/// The problem as a sentence about what was being done: "the log 'a.db' cannot be written: the disk is full".
/// Codes: unavailable (busy), out_of_range (too big), syntax (no SQLite database), io (everything else).
Error to_error(SqliteProblem const& problem, std::string_view doing);

/// Marks bytes as a BLOB where a plain text would be a TEXT.
struct Blob {
  std::string_view bytes;
};

/// A prepared statement. It is reset at the end of `run` and by whoever reads rows (`Rows`).
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
  Statement(Statement&& other) noexcept { *this = std::move(other); }
  Statement& operator=(Statement&& other) noexcept {
    std::swap(database_, other.database_), std::swap(statement_, other.statement_);
    return *this;
  }
  ~Statement();

  /// Carries it out with these values for ?1, ?2, ... (whole numbers, texts, blobs), for its effect alone.
  template <class... Values>
  SqliteResult<void> run(Values const&... values) {
    int place = 0;
    (bind(++place, values), ...);
    auto stepped = step();
    reset();
    if (!stepped) return tl::unexpected(std::move(stepped.error()));
    return {};
  }

 private:
  friend class Rows;
  void bind(int place, std::integral auto value) { bind_integer(place, value); }
  void bind(int place, std::string_view text);
  void bind(int place, Blob blob);
  void bind_integer(int place, std::int64_t value);
  SqliteResult<bool> step();
  void reset();
  SqliteProblem problem() const;

  sqlite3* database_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  bool bound_wrongly_ = false;
};

/// The rows of one carrying out of a statement; at its end the statement is reset, so that no read transaction is left open.
///
///     Rows rows(select, after);
///     for (;;) { auto more = rows.next(); if (!more) return ...; if (!*more) break; use(rows.integer(0)); }
class Rows {
 public:
  template <class... Values>
  explicit Rows(Statement& statement, Values const&... values) : statement_(statement) {
    int place = 0;
    (statement_.bind(++place, values), ...);
  }
  ~Rows() { statement_.reset(); }
  Rows(Rows const&) = delete;
  Rows& operator=(Rows const&) = delete;

  SqliteResult<bool> next() { return statement_.step(); }
  std::int64_t integer(int column) const;
  std::string_view bytes(int column) const;  ///< of a TEXT or BLOB, until the next row

 private:
  Statement& statement_;
};

class Database {
 public:
  Database() = default;
  Database(Database&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Database& operator=(Database&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Database();

  /// Opens an existing file to read and write, never a new one, through the named VFS ("": the default one). Rests on the bytes
  /// of other writes in a sector being kept are not assumed (psow=0).
  static SqliteResult<Database> open(std::string const& path, std::string const& vfs = "");

  SqliteResult<void> run(std::string const& statements);
  SqliteResult<Statement> prepare(std::string_view statement);
  /// First column of the first row as a text; "" without a row.
  SqliteResult<std::string> ask(std::string_view statement);
  /// All rows of the first column.
  SqliteResult<std::string> ask_all(std::string_view statement, std::string_view between = "\n");

  bool in_transaction() const;
  /// Whether the file that was opened no longer stands under its name.
  bool moved() const;
  SqliteProblem problem() const;
  sqlite3* handle() const { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
};

/// "3.40.1" as 3040001.
int sqlite_version();
std::string sqlite_version_text();

}  // namespace equipoise::store

#pragma once

#include <memory>
#include <mutex>

#include "equipoise/conduct/event_store.h"
#include "equipoise/store/sqlite_file.h"
#include "equipoise/store/sqlite_health.h"

namespace equipoise::store {

/// The log of a trial in one SQLite file: docs/methods/event_log.md. Safe to use from several threads; one connection does
/// everything, so what reads long (`read`, `backup`) does so in pieces, between which acts are appended.
///
/// After a failure to write or to reach the disk nobody knows what the disk holds (a second sync may succeed without the data of
/// the first), so the store refuses everything from then on, with code io and the first cause. To open it again is to find out:
/// the log then holds every act that was confirmed, and of the one that was not, all or nothing.
class SqliteStore final : public conduct::EventStore {
 public:
  /// errors  as open_sqlite_file
  static Expected<std::unique_ptr<SqliteStore>> open(std::string const& path, SqliteOptions const& options = {});
  ~SqliteStore() override;

  /// Also io when the file no longer stands under its name: somebody has put another in its place. A text of `destroyed` is gone
  /// from every file of the log when this returns. An instance that has never taken the lease holds number 0, as a new log does.
  Expected<void> append(conduct::Sequence expected, conduct::Act const& act) override;
  conduct::Sequence last() const override;
  /// The events that were there when it was called; the visitor may ask the store, and append. A gap in the log is an io error.
  Expected<void> read(conduct::Sequence after, std::function<bool(conduct::StoredEvent const&)> const& visitor) const override;
  Expected<std::optional<conduct::Done>> done(std::string_view key) const override;
  Expected<std::optional<conduct::StoredText>> text(std::string_view id) const override;
  /// Storing the same document twice is storing it once. Needs the lease, as `append` does.
  Expected<void> put(conduct::Document const& document) override;
  Expected<std::optional<conduct::Document>> document(std::string_view digest) const override;
  Expected<std::int64_t> take_lease() override;

  /// Copies in steps of a megabyte between which acts are appended; the copy has all that were appended until it ended. It is
  /// checked (integrity_check), synced and only then given its name. One backup at a time. errors  conflict: there is such a file
  /// (nothing is replaced), or another backup runs; io: the store itself goes on
  Expected<void> backup(std::string const& path) const override;

  /// Moves the write-ahead log into the database: work for an idle moment, which the next act then need not do.
  Expected<void> checkpoint();

  /// Looks at everything, which reads the whole file: appends wait meanwhile.
  Expected<Health> doctor() const;

 private:
  struct Statements {
    Statement begin, commit, rollback, end_of_log, lease, take_lease, add_event, add_act, add_once, add_text, destroy_text,
        add_document;
    Statement events, done, text, document;
  };
  SqliteStore(SqliteFile file, SqliteOptions options);
  Expected<void> prepare();
  Expected<void> usable() const;
  template <class Body>
  Expected<void> transaction(std::string_view doing, Body const& body);
  Expected<void> write(conduct::Sequence expected, conduct::Act const& act);
  Expected<void> check_lease();
  Expected<void> move_log(bool truncate);
  Error stop(Error error) const;
  Error problem(SqliteProblem const& problem, std::string_view doing) const;
  Expected<std::int64_t> ask(Statement& question) const;
  Expected<void> copy_steps(Database& copy, std::string const& path) const;

  mutable std::mutex lock_;
  mutable std::mutex one_backup_;
  const SqliteOptions options_;
  // What reads is const to its callers, and moves a cursor of the connection.
  mutable SqliteFile file_;
  mutable Statements statements_;
  mutable std::optional<Error> stopped_;
  conduct::Sequence last_ = 0;
  std::int64_t lease_ = 0;
  int log_pages_ = 0;  ///< in the write-ahead log
};

/// Puts a backup in the place of a lost log: copies it, checks it (integrity_check, no gap in the events, each event as its
/// digest says) and gives it its name. Whether the copy is older than what the trial has seen is for the witness of the log's
/// head to say, not for this. errors  conflict: there is a log, or a part of one, at `path`; unavailable: an instance works
/// there; syntax, io: it is no whole log
Expected<void> restore(std::string const& backup, std::string const& path);

}  // namespace equipoise::store

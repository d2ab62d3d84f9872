#include "equipoise/store/sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "equipoise/core/record.h"
#include "equipoise/store/testing.h"

namespace equipoise::store {
namespace {

using namespace testing;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

Error refusal(std::string const& path, SqliteOptions const& options = {}) {
  const auto store = SqliteStore::open(path, options);
  EXPECT_FALSE(store) << "'" << path << "' was opened";
  return store ? Error{} : store.error();
}

/// What another program does to a database: anything.
void tamper(std::string const& path, std::string const& statements) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  char* problem = nullptr;
  EXPECT_EQ(sqlite3_exec(database, statements.c_str(), nullptr, nullptr, &problem), SQLITE_OK) << problem;
  sqlite3_free(problem);
  sqlite3_close(database);
}

bool quick_check(std::string const& path) {
  sqlite3* database = nullptr;
  bool fine = false;
  if (sqlite3_open(path.c_str(), &database) == SQLITE_OK) {
    const auto look = [](void* result, int, char** values, char**) {
      *static_cast<bool*>(result) = std::string_view(values[0]) == "ok";
      return 0;
    };
    if (sqlite3_exec(database, "PRAGMA quick_check", look, &fine, nullptr) != SQLITE_OK) fine = false;
  }
  sqlite3_close(database);
  return fine;
}

void fill(EventStore& store, int acts) {
  for (int i = 0; i < acts; ++i) {
    const Sequence end = store.last();
    Act one = act(fmt::format("act {}", end), end);
    one.texts = {text(fmt::format("text {}", end))};
    one.once = {{"allocation", fmt::format("trial/{}", end)}};
    must(store.append(end, one));
  }
}

mode_t mode_of(std::string const& path) {
  struct stat about {};
  EXPECT_EQ(::stat(path.c_str(), &about), 0) << path;
  return about.st_mode & 0777;
}

TEST(SqliteStore, IsOnlyMadeWhenAsked) {
  const TemporaryFolder folder;
  EXPECT_EQ(refusal(folder / "trial.db").message, fmt::format("there is no log at '{}'", folder / "trial.db"));
  EXPECT_TRUE(fs::is_empty(folder.path())) << "a wrong path is left as it is";
  opened(folder / "trial.db");
  EXPECT_TRUE(SqliteStore::open(folder / "trial.db"));
  EXPECT_EQ(refusal(folder / "no folder/trial.db", {.create = true}).code, Code::io);
  EXPECT_EQ(refusal("").code, Code::io);
  EXPECT_EQ(refusal(std::string("a\0b", 3), {.create = true}).code, Code::io);
  write_bytes(folder / "empty.db", "");
  EXPECT_THAT(refusal(folder / "empty.db").message, HasSubstr("the database is empty"));
}

TEST(SqliteStore, AnyPathWillDo) {
  const TemporaryFolder folder;
  for (char const* name : {"a b.db", "what?mode=memory.db", "50%41.db", "a#b.db", ":memory:", "试验.db", "file:x.db", "'.db"}) {
    fill(*opened(folder / name), 1);
    EXPECT_TRUE(fs::exists(folder / name)) << name;
    EXPECT_EQ(opened(folder / name)->last(), 1) << name;
  }
}

TEST(SqliteStore, EveryFileIsItsOwnersAlone) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(0);
  {
    const auto store = opened(folder / "trial.db");
    fill(*store, 1);
    for (char const* name : {"trial.db", "trial.db-wal", "trial.db.lock"}) EXPECT_EQ(mode_of(folder / name), 0600u) << name;
    must(store->backup(folder / "backup.db"));
    EXPECT_EQ(mode_of(folder / "backup.db"), 0600u);
  }
  must(restore(folder / "backup.db", folder / "restored.db"));
  EXPECT_EQ(mode_of(folder / "restored.db"), 0600u);
  ASSERT_EQ(::chmod((folder / "trial.db").c_str(), 0644), 0);
  opened(folder / "trial.db");
  EXPECT_EQ(mode_of(folder / "trial.db"), 0600u);
  ::umask(before);
}

TEST(SqliteStore, ConfirmsOnlyWhatIsOnTheDisk) {
  const TemporaryFolder folder;
  for (const auto weak : {Synchronous::off, Synchronous::normal})
    for (const auto journal : {Journal::wal, Journal::rollback}) {
      const Error error = refusal(folder / "trial.db", {.create = true, .journal = journal, .synchronous = weak});
      EXPECT_EQ(error.code, Code::refused);
      EXPECT_THAT(error.message, HasSubstr("FULL or EXTRA"));
      EXPECT_FALSE(fs::exists(folder / "trial.db"));
    }
  const Error error =
      refusal(folder / "trial.db", {.create = true, .journal = Journal::rollback, .synchronous = Synchronous::full});
  EXPECT_EQ(error.code, Code::refused);
  EXPECT_THAT(error.message, HasSubstr("with synchronous EXTRA"));
  const auto settings = [&](SqliteOptions const& options) {
    const Health health = opened(folder / "trial.db", options)->doctor().value();
    EXPECT_EQ(health.secure_delete, 1);
    return fmt::format("{} {} {}", health.journal_mode, health.synchronous, health.locking_mode);
  };
  EXPECT_EQ(settings({}), "wal 2 exclusive");
  EXPECT_EQ(settings({.synchronous = Synchronous::extra}), "wal 3 exclusive");
  EXPECT_EQ(settings({.journal = Journal::rollback}), "delete 3 exclusive");
  EXPECT_EQ(settings({.journal = Journal::rollback, .alone = false}), "delete 3 normal");
  EXPECT_EQ(settings({}), "wal 2 exclusive");  // and back
}

TEST(SqliteStore, F17_RefusesVersionsOfSqliteWhereTheyAreBadAndOnlyThere) {
  for (const int bad : {3037000, 3040001, 3044005, 3045000, 3050006, 3051000, 3051002}) {
    EXPECT_TRUE(known_bad(bad, Journal::wal, false)) << bad;
    EXPECT_FALSE(known_bad(bad, Journal::wal, true)) << bad;
    EXPECT_FALSE(known_bad(bad, Journal::rollback, false)) << bad;
  }
  for (const int good : {3044006, 3044007, 3050007, 3051003, 3052000, 4000000})
    EXPECT_FALSE(known_bad(good, Journal::wal, false)) << good;
  for (const bool alone : {false, true}) EXPECT_TRUE(known_bad(3036000, Journal::rollback, alone));
  const TemporaryFolder folder;
  if (known_bad(sqlite_version(), Journal::wal, false)) {
    EXPECT_THAT(refusal(folder / "trial.db", {.create = true, .alone = false}).message, HasSubstr("WAL-reset bug"));
  }
}

TEST(SqliteStore, F20_ASecondInstanceOnTheSameFileIsRefused) {
  const TemporaryFolder folder;
  auto store = opened(folder / "trial.db");
  fill(*store, 1);
  const Error error = refusal(folder / "trial.db");
  EXPECT_EQ(error.code, Code::unavailable);
  EXPECT_THAT(error.message, HasSubstr(fmt::format("(process {})", ::getpid())));
  // Another program, which knows nothing of the lock file, can neither read nor write past SQLite's own lock.
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    sqlite3* database = nullptr;
    sqlite3_open((folder / "trial.db").c_str(), &database);
    const int read = sqlite3_exec(database, "SELECT count(*) FROM event", nullptr, nullptr, nullptr);
    const int write = sqlite3_exec(database, "PRAGMA wal_checkpoint; DROP TABLE once", nullptr, nullptr, nullptr);
    ::_exit(read == SQLITE_BUSY && write == SQLITE_BUSY ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  fill(*store, 1);
  store.reset();
  EXPECT_TRUE(SqliteStore::open(folder / "trial.db"));
}

TEST(SqliteStore, F20_AFileThatWasReplacedUnderItIsNotWritten) {
  const TemporaryFolder folder;
  auto store = opened(folder / "trial.db");
  fill(*store, 2);
  must(store->backup(folder / "backup.db"));
  fill(*store, 1);
  fs::rename(folder / "backup.db", folder / "trial.db");
  const auto appended = store->append(3, act("lost", 3));
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code, Code::io);
  EXPECT_THAT(appended.error().message, HasSubstr("moved or replaced"));
  EXPECT_EQ(code_of(store->done("act 1")), Code::io);
}

TEST(SqliteStore, OtherFilesAreRefusedAndLeftAsTheyAre) {
  const TemporaryFolder folder;
  const auto refused = [&](std::string const& name, Code code, char const* words) {
    SCOPED_TRACE(name);
    const std::string before = fs::is_regular_file(folder / name) ? bytes_of(folder / name) : "";
    const Error error = refusal(folder / name, {.create = true});
    EXPECT_EQ(error.code, code) << error.message;
    EXPECT_THAT(error.message, HasSubstr(words));
    if (fs::is_regular_file(folder / name)) {
      EXPECT_EQ(bytes_of(folder / name), before);
    }
  };
  write_bytes(folder / "letter.txt", "Dear Sir or Madam, " + std::string(5000, 'x'));
  refused("letter.txt", Code::syntax, "it is no SQLite database");
  write_bytes(folder / "short", "SQLite format 3");
  refused("short", Code::syntax, "it is no SQLite database");
  tamper(folder / "other.db", "PRAGMA journal_mode = WAL; CREATE TABLE photograph (x); INSERT INTO photograph VALUES (1)");
  refused("other.db", Code::syntax, "some other program's SQLite database");
  tamper(folder / "marked.db", "PRAGMA application_id = 252006673");
  refused("marked.db", Code::syntax, "some other program's SQLite database");
  opened(folder / "newer.db");
  tamper(folder / "newer.db", "PRAGMA user_version = 2");
  refused("newer.db", Code::unavailable, "has schema 2, which a newer version of this program made; this one knows 1");
  fs::create_directory(folder / "folder");
  refused("folder", Code::io, "no plain file");
  opened(folder / "trial.db");
  fs::create_symlink(folder / "trial.db", folder / "link.db");
  refused("link.db", Code::io, "no plain file");
  fs::create_hard_link(folder / "trial.db", folder / "twin.db");
  refused("twin.db", Code::refused, "2 names");
}

TEST(SqliteStore, AWriteAheadLogWithoutItsDatabaseIsNotThrownAway) {
  const TemporaryFolder folder;
  {
    const auto store = opened(folder / "trial.db");
    fill(*store, 3);
    fs::copy_file(folder / "trial.db-wal", folder / "kept-wal");
  }
  fs::rename(folder / "trial.db", folder / "away");
  fs::rename(folder / "kept-wal", folder / "trial.db-wal");
  const Error error = refusal(folder / "trial.db", {.create = true});
  EXPECT_EQ(error.code, Code::io);
  EXPECT_THAT(error.message, HasSubstr("is missing, but its write-ahead log"));
  EXPECT_GT(fs::file_size(folder / "trial.db-wal"), 0u);
  EXPECT_EQ(code_of(restore(folder / "away", folder / "trial.db")), Code::conflict);  // nor laid beside another database
}

TEST(SqliteStore, ADamagedFileIsRefusedOrFoundOut) {
  const TemporaryFolder folder;
  {
    const auto store = opened(folder / "trial.db");
    fill(*store, 200);
  }
  const std::string whole = bytes_of(folder / "trial.db");
  int refused = 0, found = 0;
  for (std::size_t page = 0; page < whole.size() / 4096; ++page) {  // half of every page
    std::string spoilt = whole;
    for (std::size_t i = 0; i < 2048; ++i) spoilt[page * 4096 + i] ^= char(0x5a);
    write_bytes(folder / "trial.db", spoilt);
    const bool shows = !quick_check(folder / "trial.db");
    const auto store = SqliteStore::open(folder / "trial.db");
    EXPECT_FALSE(shows && store) << "page " << page;
    if (!store) {
      ++refused;
      EXPECT_TRUE(store.error().code == Code::io || store.error().code == Code::syntax) << store.error().message;
      continue;
    }
    const auto health = (*store)->doctor();
    found += !health || !health->problems.empty();
  }
  EXPECT_EQ(refused + found, int(whole.size() / 4096));
  EXPECT_GT(refused, found);
  write_bytes(folder / "trial.db", whole.substr(0, whole.size() / 2));
  EXPECT_EQ(refusal(folder / "trial.db").code, Code::io);
}

TEST(SqliteStore, C04_ALostEventIsFoundWhenTheLogIsRead) {
  const TemporaryFolder folder;
  fill(*opened(folder / "trial.db"), 20);
  tamper(folder / "trial.db", "DROP TRIGGER event_is_not_removed; DELETE FROM event WHERE sequence = 7");
  auto store = opened(folder / "trial.db");
  Sequence seen = 0;
  const auto read = store->read(0, [&](StoredEvent const& event) { return seen = event.sequence, true; });
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("event 7 is missing"));
  EXPECT_EQ(seen, 0);
  EXPECT_EQ(code_of(store->append(20, act("x", 20))), Code::io);
  store.reset();
  EXPECT_THAT(opened(folder / "trial.db")->doctor().value().problems, ::testing::Contains(HasSubstr("some are missing")));
}

TEST(SqliteStore, C04_NobodyChangesOrRemovesWhatWasWrittenByAccident) {
  const TemporaryFolder folder;
  {
    const auto store = opened(folder / "trial.db");
    fill(*store, 3);
    must(store->put({sha256("p"), "p"}));
    store->take_lease().value();
  }
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((folder / "trial.db").c_str(), &database), SQLITE_OK);
  for (char const* attempt : {"UPDATE event SET bytes = x'00' WHERE sequence = 2", "DELETE FROM event", "UPDATE act SET last = 9",
                              "DELETE FROM act", "UPDATE once SET what = 'x'", "DELETE FROM once", "DELETE FROM text",
                              "UPDATE text SET text = x'00'", "UPDATE text SET id = 'x'", "UPDATE document SET bytes = x'00'",
                              "DELETE FROM document", "UPDATE lease SET number = 0", "INSERT INTO lease VALUES (2, 9)",
                              "INSERT INTO event VALUES (2, x'00', 'x')", "INSERT INTO event VALUES (4, 'a text', 'x')"})
    EXPECT_EQ(sqlite3_exec(database, attempt, nullptr, nullptr, nullptr), SQLITE_CONSTRAINT) << attempt;
  sqlite3_close(database);
}

TEST(SqliteStore, DestroyedTextsAreInNoFile) {
  // Markers of their own in every text, so that any whole copy is found. Texts of many sizes, in pages of their own and shared
  // ones.
  for (const auto journal : {Journal::wal, Journal::rollback}) {
    const TemporaryFolder folder;
    auto store = opened(folder / "trial.db", {.journal = journal, .checkpoint_pages = 50});
    const auto marker = [](std::size_t i) { return fmt::format("<{:06}>", i); };
    std::vector<StoredText> texts;
    std::vector<bool> gone;
    const auto found = [&] {
      const std::string bytes = folder.bytes_of_all_files();
      std::vector<bool> there(texts.size(), false);
      for (std::size_t at = bytes.find('<'); at != std::string::npos; at = bytes.find('<', at + 1))
        if (at + 8 <= bytes.size() && bytes[at + 7] == '>')
          if (const std::size_t i = std::size_t(std::atoi(bytes.substr(at + 1, 6).c_str())); i < texts.size()) there[i] = true;
      return there;
    };
    for (std::size_t i = 0; i < 400; ++i) {
      std::string words;
      for (std::size_t n = 1 + i * i % 61 * (i % 7 == 0 ? 40 : 1); n > 0; --n) words += marker(i);
      texts.push_back({sha256(words), sha256(sha256(words)), words}), gone.push_back(false);
      const Sequence end = store->last();
      Act one = act(fmt::format("a{}", i), end);
      one.texts = {texts.back()};
      if (i % 5 == 4)
        if (const std::size_t victim = (i / 2 + i % 3 * 17) % i; !gone[victim])
          one.destroyed = {texts[victim].id}, gone[victim] = true;
      must(store->append(end, one));
      if (i % 40 == 39 && !one.destroyed.empty()) {  // at once, while the trial runs
        const auto there = found();
        for (std::size_t t = 0; t < texts.size(); ++t)
          ASSERT_NE(there[t], gone[t]) << "text " << t << " after act " << i << " " << int(journal);
      }
    }
    const std::string all = folder.bytes_of_all_files();
    for (std::size_t t = 0; t < texts.size(); ++t)  // the key as well: with it the id would tell a guesser the text
      EXPECT_EQ(all.find(texts[t].key) != std::string::npos, !gone[t]) << t;
    must(store->backup(folder / "backup.db"));
    store.reset();
    const auto there = found();
    for (std::size_t t = 0; t < texts.size(); ++t) EXPECT_NE(there[t], gone[t]) << t;
    EXPECT_GT(std::ranges::count(gone, true), 50);
  }
}

TEST(SqliteStore, C21_TheSameActsGiveTheSameBytes) {
  // Two worlds of a blinded trial are compared byte by byte, so nothing in a file may depend on chance or on the clock.
  const TemporaryFolder folder;
  for (char const* name : {"a", "b"}) {
    auto store = opened(folder / (name + std::string(".db")), {.checkpoint_pages = 20});
    store->take_lease().value();
    must(store->put({sha256("protocol"), "protocol"}));
    fill(*store, 60);
    Act redaction = act("redaction", 60);
    redaction.destroyed = {text("text 3").id};
    must(store->append(60, redaction));
    must(store->backup(folder / (name + std::string(".backup"))));
  }
  EXPECT_EQ(bytes_of(folder / "a.db"), bytes_of(folder / "b.db"));
  EXPECT_EQ(bytes_of(folder / "a.backup"), bytes_of(folder / "b.backup"));
}

TEST(SqliteStore, DoctorSaysWhatThereIs) {
  const TemporaryFolder folder;
  const auto store = opened(folder / "trial.db");
  store->take_lease().value();
  must(store->put({sha256("p"), "p"}));
  fill(*store, 5);
  Act redaction = act("redaction", 5);
  redaction.destroyed = {text("text 3").id};
  must(store->append(5, redaction));
  const Health health = store->doctor().value();
  EXPECT_EQ(health.integrity, "ok");
  EXPECT_EQ(health.events, 6);
  EXPECT_EQ(health.acts, 6);
  EXPECT_EQ(health.texts, 4);
  EXPECT_EQ(health.destroyed_texts, 1);
  EXPECT_EQ(health.documents, 1);
  EXPECT_EQ(health.lease, 1);
  EXPECT_EQ(health.schema, 1);
  EXPECT_EQ(health.page_bytes, 4096);
  EXPECT_GT(health.pages, 8);
  EXPECT_EQ(health.sqlite_version, sqlite3_libversion());
  EXPECT_GT(health.disk_bytes, health.disk_free_bytes);
  for (std::string const& problem : health.problems) EXPECT_THAT(problem, HasSubstr("MiB left"));  // the machine's affair
  EXPECT_THAT(encoded(health), HasSubstr("\"journal_mode\":\"wal\""));
}

TEST(SqliteStore, CheckpointsKeepTheWriteAheadLogShort) {
  const TemporaryFolder folder;
  const auto store = opened(folder / "trial.db", {.checkpoint_pages = 100});
  fill(*store, 400);
  EXPECT_LT(fs::file_size(folder / "trial.db-wal"), 2u * 100 * 4120);
  must(store->checkpoint());
  fill(*store, 1);
  EXPECT_EQ(contents(*store).size(), 401u);
}

}  // namespace
}  // namespace equipoise::store

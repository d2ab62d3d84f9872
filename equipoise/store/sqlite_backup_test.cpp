#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <thread>

#include "equipoise/store/memory.h"
#include "equipoise/store/sqlite.h"
#include "equipoise/store/testing.h"

namespace equipoise::store {
namespace {

using namespace testing;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

void fill(EventStore& store, int acts, std::size_t bytes = 100) {
  for (int i = 0; i < acts; ++i) {
    const Sequence end = store.last();
    Act one = act(fmt::format("act {}", end), end);
    one.events[0] = event(end + 1, fmt::format("{} {}", end, std::string(bytes, 'x')));
    must(store.append(end, one));
  }
}

TEST(Backup, C37_ABackupRestoresToTheLogAsItWas) {
  const TemporaryFolder folder;
  for (const auto journal : {Journal::wal, Journal::rollback}) {
    const std::string name = journal == Journal::wal ? "wal" : "rollback";
    const auto store = opened(folder / (name + ".db"), {.journal = journal});
    fill(*store, 30);
    must(store->put({sha256("p"), "p"}));
    must(store->backup(folder / (name + ".backup")));
    const auto then = contents(*store);
    fill(*store, 5);
    must(restore(folder / (name + ".backup"), folder / (name + "-restored.db")));
    const auto restored = opened(folder / (name + "-restored.db"), {.journal = journal});
    EXPECT_EQ(contents(*restored), then);
    EXPECT_TRUE(restored->done("act 29").value().has_value());
    EXPECT_FALSE(restored->done("act 30").value().has_value());
    EXPECT_EQ(restored->document(sha256("p")).value()->bytes, "p");
    EXPECT_EQ(restored->doctor().value().integrity, "ok");
    fill(*restored, 3);
  }
  for (auto const& entry : fs::directory_iterator(folder.path()))
    EXPECT_EQ(entry.path().string().find("incomplete"), std::string::npos) << entry.path();
}

TEST(Backup, ABackupIsOneFile) {
  const TemporaryFolder folder;
  const auto store = opened(folder / "trial.db");
  fill(*store, 10);
  must(store->backup(folder / "backup.db"));
  fs::create_directory(folder / "elsewhere");
  fs::rename(folder / "backup.db", folder / "elsewhere/b");
  sqlite3* database = nullptr;  // any program that reads SQLite reads it, from a medium that cannot be written
  ASSERT_EQ(sqlite3_open_v2((folder / "elsewhere/b").c_str(), &database, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, "SELECT count(*) FROM event", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "elsewhere"), fs::directory_iterator()), 1);
}

TEST(Backup, C37_IsMadeWhileActsAreAppended) {
  const TemporaryFolder folder;
  const auto store = opened(folder / "trial.db", {.checkpoint_pages = 200});
  for (int i = 0; i < 60; ++i) fill(*store, 1, 100'000);  // some steps of pages
  std::atomic<bool> go_on = true;
  std::atomic<int> appended = 0;
  std::jthread writer([&] {
    while (go_on) fill(*store, 1, 2000), ++appended, std::this_thread::sleep_for(std::chrono::microseconds(300));
  });
  std::vector<Sequence> ends;
  for (int i = 0; i < 5; ++i) {
    const Sequence before = store->last();
    const int appended_before = appended;
    must(store->backup(folder / fmt::format("backup{}", i)));
    EXPECT_GT(appended, appended_before) << "nothing was appended meanwhile";
    must(restore(folder / fmt::format("backup{}", i), folder / fmt::format("restored{}", i)));
    const auto restored = opened(folder / fmt::format("restored{}", i));
    EXPECT_GE(restored->last(), before);
    EXPECT_LE(restored->last(), store->last());
    EXPECT_EQ(Sequence(contents(*restored).size()), restored->last());
    EXPECT_TRUE(restored->done(fmt::format("act {}", restored->last() - 1)).value().has_value());
    EXPECT_FALSE(restored->done(fmt::format("act {}", restored->last())).value().has_value());
  }
  go_on = false;
  writer.join();
  EXPECT_EQ(Sequence(contents(*store).size()), store->last());
}

TEST(Backup, ReplacesNothing) {
  const TemporaryFolder folder;
  const auto store = opened(folder / "trial.db");
  fill(*store, 2);
  write_bytes(folder / "precious", "words");
  EXPECT_EQ(code_of(store->backup(folder / "precious")), Code::conflict);
  EXPECT_EQ(bytes_of(folder / "precious"), "words");
  EXPECT_EQ(code_of(store->backup(folder / "trial.db")), Code::conflict);
  EXPECT_EQ(code_of(store->backup(folder / "no folder/backup")), Code::io);
  EXPECT_EQ(code_of(store->backup("")), Code::io);
  write_bytes(folder / "backup.incomplete", "from a backup that was interrupted");
  must(store->backup(folder / "backup"));
  EXPECT_FALSE(fs::exists(folder / "backup.incomplete"));
  fill(*store, 1);
}

TEST(Restore, RefusesWhatIsNoWholeLog) {
  const TemporaryFolder folder;
  {
    const auto store = opened(folder / "trial.db");
    fill(*store, 50, 500);
    must(store->backup(folder / "backup"));
  }
  const auto refused = [&](std::string const& from, Code code, char const* words) {
    const auto restored = restore(folder / from, folder / "restored.db");
    ASSERT_FALSE(restored) << from;
    EXPECT_EQ(restored.error().code, code) << restored.error().message;
    EXPECT_THAT(restored.error().message, HasSubstr(words));
    EXPECT_FALSE(fs::exists(folder / "restored.db")) << from;
    EXPECT_FALSE(fs::exists(folder / "restored.db.incomplete")) << from;
  };
  refused("nothing", Code::io, "there is no backup");
  write_bytes(folder / "empty", "");
  refused("empty", Code::syntax, "empty database");
  write_bytes(folder / "letter", "Dear Sir");
  refused("letter", Code::syntax, "no SQLite database");
  const std::string whole = bytes_of(folder / "backup");
  write_bytes(folder / "half", whole.substr(0, whole.size() / 2 / 4096 * 4096));
  refused("half", Code::io, "damaged");
  std::string spoilt = whole;
  for (std::size_t i = 0; i < 300; ++i) spoilt[whole.size() - 5000 + i] ^= char(0x55);
  write_bytes(folder / "spoilt", spoilt);
  refused("spoilt", Code::io, "damaged");
  {
    sqlite3* database = nullptr;
    write_bytes(folder / "gap", whole);
    ASSERT_EQ(sqlite3_open((folder / "gap").c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, "DROP TRIGGER event_is_not_removed; DELETE FROM event WHERE sequence IN (7, 8)", nullptr,
                           nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(database);
  }
  refused("gap", Code::io, "2 events are missing");
  {
    const auto running = opened(folder / "trial.db");
    fill(*running, 1);
    refused("trial.db", Code::refused, "no backup: a write-ahead log lies beside it");
    EXPECT_EQ(code_of(restore(folder / "backup", folder / "trial.db")), Code::unavailable);  // over a log in use
  }
  EXPECT_EQ(code_of(restore(folder / "backup", folder / "trial.db")), Code::conflict);
  must(restore(folder / "backup", folder / "restored.db"));
}

TEST(Backup, ALogInMemoryHasNone) { EXPECT_EQ(code_of(MemoryStore().backup("/dev/null/x")), Code::not_available); }

}  // namespace
}  // namespace equipoise::store

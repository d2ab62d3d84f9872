#include "tests/faults/power_loss_vfs.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstring>
#include <set>

#include "equipoise/store/temporary_folder.h"

// The simulated machine does what it says: the test of what the power-loss test rests on. Files are used as SQLite uses them.
namespace equipoise::faults {
namespace {

using store::testing::bytes_of;
using store::testing::TemporaryFolder;
using store::testing::write_bytes;

class OpenFile {
 public:
  OpenFile(Machine const& machine, std::string const& path, int kind = SQLITE_OPEN_MAIN_DB)
      : vfs_(sqlite3_vfs_find(machine.vfs().c_str())),
        memory_(std::size_t(vfs_->szOsFile), '\0'),
        name_(path + std::string(4, '\0')) {
    int flags = 0;
    opened_ = vfs_->xOpen(vfs_, name_.c_str(), file(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | kind, &flags) == SQLITE_OK;
  }
  ~OpenFile() {
    if (file()->pMethods) file()->pMethods->xClose(file());
  }
  bool opened() const { return opened_; }
  int write(std::int64_t offset, std::string_view bytes) {
    return file()->pMethods->xWrite(file(), bytes.data(), int(bytes.size()), offset);
  }
  int sync() { return file()->pMethods->xSync(file(), SQLITE_SYNC_NORMAL); }
  int truncate(std::int64_t size) { return file()->pMethods->xTruncate(file(), size); }

 private:
  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory_.data()); }
  sqlite3_vfs* vfs_;
  std::string memory_, name_;
  bool opened_ = false;
};

std::string sectors(std::string_view letters) {
  std::string bytes;
  for (const char letter : letters) bytes += std::string(512, letter);
  return bytes;
}

class MachineTest : public ::testing::Test {
 protected:
  TemporaryFolder folder;
  Machine machine{"machine-test"};
  std::mt19937_64 chance{1};
  const std::string path = folder / "f";
};

TEST_F(MachineTest, WhatWasSyncedStaysAndWhatWasNotGoes) {
  write_bytes(path, sectors("ab"));
  {
    OpenFile file(machine, path);
    file.write(512, sectors("cd"));
    file.sync();
    file.write(0, sectors("x"));
    file.write(1000, "yyyyyy");  // parts of two sectors
    file.write(2048, "z");
    EXPECT_EQ(bytes_of(path).substr(1000, 6), "yyyyyy") << "a program reads what it wrote";
  }
  machine.power_on(Loss::everything, chance);
  EXPECT_EQ(bytes_of(path), sectors("acd"));
}

TEST_F(MachineTest, ASuffixOfTheWritesIsLost) {
  std::set<std::string> states;
  for (int i = 0; i < 60; ++i) {
    write_bytes(path, sectors("a"));
    {
      OpenFile file(machine, path);
      file.write(0, sectors("b"));
      file.write(512, sectors("c"));
      file.write(0, sectors("d"));
      file.truncate(100);
    }
    machine.power_on(Loss::suffix, chance);
    states.insert(bytes_of(path));
  }
  EXPECT_EQ(states, (std::set<std::string>{sectors("a"), sectors("b"), sectors("bc"), sectors("dc"), std::string(100, 'd')}));
}

TEST_F(MachineTest, SectorsAreLostInAnyOrder) {
  std::set<std::string> states;
  for (int i = 0; i < 200; ++i) {
    write_bytes(path, sectors("abc"));
    {
      OpenFile file(machine, path);
      file.write(0, sectors("xyz"));
    }
    machine.power_on(Loss::sectors, chance);
    states.insert(bytes_of(path));
  }
  EXPECT_EQ(states.size(), 8u);
  EXPECT_TRUE(states.contains(sectors("ayc")));
}

TEST_F(MachineTest, SpoiltSectorsTakeTheirSyncedNeighboursAlong) {
  bool spoilt = false, kept = false;
  for (int i = 0; i < 40; ++i) {
    write_bytes(path, std::string(8192, 'a'));
    {
      OpenFile file(machine, path);
      file.write(100, "bbb");
    }
    machine.power_on(Loss::garbled, chance);
    const std::string bytes = bytes_of(path);
    EXPECT_EQ(bytes.substr(4096), std::string(4096, 'a'));
    spoilt |= bytes.substr(3000, 50) != std::string(50, 'a');
    kept |= bytes == std::string(8192, 'a');
  }
  EXPECT_TRUE(spoilt && kept);
}

TEST_F(MachineTest, NamesAreDurableWhenTheFolderIsSynced) {
  sqlite3_vfs* const vfs = sqlite3_vfs_find(machine.vfs().c_str());
  write_bytes(path, "old");
  {
    OpenFile journal(machine, folder / "f-journal", SQLITE_OPEN_MAIN_JOURNAL), other(machine, folder / "o");
    ASSERT_TRUE(journal.opened() && other.opened());
    journal.write(0, "j"), journal.sync();  // the first sync of a journal syncs the folder: both names are durable
  }
  EXPECT_EQ(vfs->xDelete(vfs, path.c_str(), 0), SQLITE_OK);
  machine.power_on(Loss::everything, chance);
  EXPECT_EQ(bytes_of(path), "old");
  EXPECT_EQ(bytes_of(folder / "f-journal"), "j");
  EXPECT_TRUE(std::filesystem::exists(folder / "o"));

  { OpenFile late(machine, folder / "late"); }
  machine.power_on(Loss::everything, chance);
  EXPECT_FALSE(std::filesystem::exists(folder / "late"));

  EXPECT_EQ(vfs->xDelete(vfs, path.c_str(), 1), SQLITE_OK);  // with the folder
  machine.power_on(Loss::everything, chance);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(MachineTest, AfterTheCutNothingWorks) {
  write_bytes(path, sectors("a"));
  {
    OpenFile file(machine, path);
    machine.cut_after(2);
    EXPECT_EQ(file.write(0, sectors("b")), SQLITE_OK);
    EXPECT_NE(file.sync(), SQLITE_OK);
    EXPECT_TRUE(machine.off());
    EXPECT_NE(file.write(0, sectors("c")), SQLITE_OK);
    EXPECT_FALSE(OpenFile(machine, folder / "other").opened());
  }
  machine.power_on(Loss::everything, chance);
  EXPECT_EQ(bytes_of(path), sectors("a"));
  EXPECT_FALSE(machine.off());
}

TEST_F(MachineTest, WhatAFailingSyncLostIsLostUnlessItIsWrittenAgain) {
  write_bytes(path, sectors("abc"));
  {
    OpenFile file(machine, path);
    machine.fail_after(FaultKind::failing_sync, 1, false);
    file.write(0, sectors("xy"));
    EXPECT_EQ(file.sync(), SQLITE_IOERR_FSYNC);
    file.write(512, sectors("z"));
    EXPECT_EQ(file.sync(), SQLITE_OK) << "as Linux has it";
  }
  EXPECT_EQ(bytes_of(path), sectors("xzc"));
  machine.power_on(Loss::nothing, chance);
  EXPECT_EQ(bytes_of(path), sectors("azc"));
}

TEST_F(MachineTest, AFullDiskTakesHalfAndThenNothing) {
  OpenFile file(machine, path);
  machine.fail_after(FaultKind::disk_full, 2, true);
  EXPECT_EQ(file.write(0, "aaaa"), SQLITE_OK);
  EXPECT_EQ(file.write(4, "bbbb"), SQLITE_FULL);
  EXPECT_EQ(file.sync(), SQLITE_OK);
  EXPECT_EQ(file.write(8, "cccc"), SQLITE_FULL);
  EXPECT_EQ(machine.failures(), 2);
  machine.repair();
  EXPECT_EQ(file.write(6, "dd"), SQLITE_OK);
}

}  // namespace
}  // namespace equipoise::faults

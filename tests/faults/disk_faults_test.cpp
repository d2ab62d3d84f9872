#include <gtest/gtest.h>

#include <filesystem>

#include "equipoise/core/digest.h"
#include "equipoise/store/sqlite.h"
#include "equipoise/store/temporary_folder.h"
#include "tests/faults/log_model.h"
#include "tests/faults/power_loss_vfs.h"

// Single cases of what power_loss does in bulk, in words.
namespace equipoise::faults {
namespace {

using store::SqliteOptions;
using store::SqliteStore;
using store::testing::TemporaryFolder;

class DiskFaults : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteStore> open() {
    auto opened = SqliteStore::open(path, {.create = true, .vfs = machine.vfs()});
    if (!opened) throw std::runtime_error(to_string(opened.error()));
    return std::move(*opened);
  }
  void append(SqliteStore& log, int acts) {
    for (int i = 0; i < acts; ++i) {
      const conduct::Act act = model.next();
      const auto appended = log.append(model.last(), act);
      ASSERT_TRUE(appended) << appended.error().message;
      model.confirmed(act);
    }
  }
  void stopped(SqliteStore& log, std::string_view why) {
    const auto says = [&](Error const& error) {
      EXPECT_EQ(error.code, Code::io);
      EXPECT_NE(error.message.find("has stopped, and is to be opened again"), std::string::npos) << error.message;
      EXPECT_NE(error.message.find(why), std::string::npos) << error.message;
    };
    says(log.append(model.last(), model.next()).error());
    says(log.read(0, [](auto const&) { return true; }).error());
    says(log.done("x").error());
    says(log.text("x").error());
    says(log.put({sha256("x"), "x"}).error());
    says(log.document("x").error());
    says(log.take_lease().error());
    says(log.backup(folder / "late").error());
    says(log.checkpoint().error());
    says(log.doctor().error());
    EXPECT_EQ(log.last(), model.last());
  }
  void intact(SqliteStore& log, std::optional<conduct::Act> const& unconfirmed = std::nullopt) {
    const Judgement judgement = model.judge(log, unconfirmed);
    EXPECT_EQ(judgement.verdict, Verdict::fine) << judgement.why;
    if (judgement.last_arrived) model.confirmed(*unconfirmed);
  }

  const TemporaryFolder folder;
  const std::string path = folder / "trial.db";
  Machine machine{"disk-faults"};
  LogModel model{11};
  std::mt19937_64 chance{3};
};

TEST_F(DiskFaults, F16_AfterASyncThatFailedNothingGoesOnAndReopeningFindsWhatWasConfirmed) {
  auto log = open();
  append(*log, 10);
  machine.fail_after(FaultKind::failing_sync, 1, false);
  const conduct::Act act = model.next();
  const auto appended = log->append(model.last(), act);
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code, Code::io);
  EXPECT_NE(appended.error().message.find("the disk did not confirm"), std::string::npos) << appended.error().message;
  stopped(*log, "the disk did not confirm");  // though the disk would say yes now
  log.reset();
  log = open();
  intact(*log, act);
  append(*log, 3);
  log.reset();
  machine.power_on(Loss::everything, chance);
  intact(*open());
}

TEST_F(DiskFaults, F16_AFullDiskStopsTheStoreAndRoomLetsItGoOn) {
  auto log = open();
  append(*log, 10);
  machine.fail_after(FaultKind::disk_full, 2, true);
  const conduct::Act act = model.next();
  const auto appended = log->append(model.last(), act);
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code, Code::io);
  EXPECT_NE(appended.error().message.find("the disk is full"), std::string::npos);
  stopped(*log, "the disk is full");
  log.reset();
  machine.repair();
  log = open();
  intact(*log);
  append(*log, 3);
}

TEST_F(DiskFaults, F16_ACheckpointThatFailsStopsTheStoreBeforeTheNextAct) {
  auto log = open();
  append(*log, 10);
  machine.fail_after(FaultKind::failing_sync, 2, false);  // of the log, then of the database
  const auto moved = log->checkpoint();
  ASSERT_FALSE(moved);
  stopped(*log, "moved from its write-ahead log");
  log.reset();
  machine.power_on(Loss::everything, chance);
  log = open();
  intact(*log);
  append(*log, 3);
}

TEST_F(DiskFaults, ABackupThatFailsLeavesNoFileAndTheLogGoesOn) {
  auto log = open();
  append(*log, 50);
  machine.fail_after(FaultKind::disk_full, 20, true);
  const auto backup = log->backup(folder / "backup");
  ASSERT_FALSE(backup);
  EXPECT_EQ(backup.error().code, Code::io);
  EXPECT_FALSE(std::filesystem::exists(folder / "backup"));
  EXPECT_FALSE(std::filesystem::exists(folder / "backup.incomplete"));
  machine.repair();
  append(*log, 3);
  ASSERT_TRUE(log->backup(folder / "backup"));
  intact(*log);
}

TEST_F(DiskFaults, F13_NoConfirmedActIsLostWhenThePowerFails) {
  for (int cut = 0; cut < 20; ++cut) {
    auto log = open();
    machine.cut_after(std::int64_t(1 + chance() % 60));
    std::optional<conduct::Act> unconfirmed;
    while (!unconfirmed) {
      const conduct::Act act = model.next();
      if (log->append(model.last(), act)) model.confirmed(act);
      else unconfirmed = act;
    }
    log.reset();
    machine.power_on(Loss::sectors, chance);
    intact(*open(), unconfirmed);
  }
  EXPECT_GT(model.acts(), 20);
}

}  // namespace
}  // namespace equipoise::faults

#include <gtest/gtest.h>

#include "equipoise/store/sqlite.h"
#include "equipoise/store/temporary_folder.h"
#include "tests/faults/log_model.h"
#include "tests/faults/power_loss_vfs.h"

// What an act asks of the disk, counted at the file layer: times depend on the machine, these do not.
namespace equipoise::faults {
namespace {

struct Cost {
  std::int64_t syncs = 0, writes = 0;
};

Cost cost_of(int acts, store::SqliteOptions options) {
  const store::testing::TemporaryFolder folder;
  Machine machine("cost-test");
  options.create = true, options.vfs = machine.vfs(), options.checkpoint_pages = 1 << 20;
  const auto log = store::SqliteStore::open(folder / "trial.db", options).value();
  LogModel model(7);
  const auto append = [&](conduct::Act act) {
    act.destroyed.clear();
    EXPECT_TRUE(log->append(model.last(), act));
    model.confirmed(act);
  };
  append(model.next());
  const Cost before{machine.operations(FaultKind::failing_sync), machine.operations(FaultKind::disk_full)};
  for (int i = 0; i < acts; ++i) append(model.next());
  return {machine.operations(FaultKind::failing_sync) - before.syncs, machine.operations(FaultKind::disk_full) - before.writes};
}

TEST(LogCost, AnActIsOneSyncInWalMode) {
  const Cost cost = cost_of(200, {});
  EXPECT_EQ(cost.syncs, 200);
  // A frame is two writes, and one frame of each act fills up the sector. Acts of the model have one to three events, and in
  // every third case a text and its index: about seven pages.
  EXPECT_LT(cost.writes, 200 * 2 * 9);
}

TEST(LogCost, AnActIsAFewSyncsWithARollbackJournal) {
  EXPECT_LE(cost_of(50, {.journal = store::Journal::rollback}).syncs, 50 * 4);
  EXPECT_GE(cost_of(50, {.journal = store::Journal::rollback}).syncs, 50 * 3);
}

}  // namespace
}  // namespace equipoise::faults

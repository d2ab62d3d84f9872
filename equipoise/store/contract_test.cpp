// Every implementation of EventStore, under one suite: event_store_contract.h.

#include "equipoise/store/event_store_contract.h"
#include "equipoise/store/memory.h"
#include "equipoise/store/sqlite.h"

namespace equipoise::store::testing {
namespace {

class InMemory final : public LogUnderTest {
 public:
  std::unique_ptr<EventStore> open() override {
    auto store = std::make_unique<MemoryStore>();
    first_ = store.get();
    return store;
  }
  Expected<std::unique_ptr<EventStore>> second() override { return first_->another(); }
  bool survives() const override { return false; }

 private:
  MemoryStore const* first_ = nullptr;
};

class InSqlite final : public LogUnderTest {
 public:
  explicit InSqlite(SqliteOptions options) : options_(std::move(options)) { options_.create = true; }
  std::unique_ptr<EventStore> open() override {
    auto store = SqliteStore::open(folder_ / "trial.db", options_);
    EXPECT_TRUE(store) << to_string(store.error());
    return store ? std::move(*store) : nullptr;
  }
  Expected<std::unique_ptr<EventStore>> second() override { return SqliteStore::open(folder_ / "trial.db", options_); }
  bool survives() const override { return true; }

 private:
  TemporaryFolder folder_;
  SqliteOptions options_;
};

Implementation sqlite(char const* name, SqliteOptions const& options) {
  return {name, [options] { return std::make_unique<InSqlite>(options); }};
}

INSTANTIATE_TEST_SUITE_P(All, EventStoreContract,
                         ::testing::Values(Implementation{"memory", [] { return std::make_unique<InMemory>(); }},
                                           sqlite("sqlite_wal", {}), sqlite("sqlite_rollback", {.journal = Journal::rollback}),
                                           sqlite("sqlite_checkpoint_at_every_act", {.checkpoint_pages = 1}),
                                           sqlite("sqlite_not_alone", {.journal = Journal::rollback, .alone = false})),
                         [](auto const& about) { return about.param.name; });

}  // namespace
}  // namespace equipoise::store::testing

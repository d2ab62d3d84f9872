#pragma once

#include <optional>

#include "equipoise/conduct/event_store.h"
#include "equipoise/store/sqlite_database.h"

namespace equipoise::faults {

/// What is wrong with a store that somebody might have written in place of ours.
enum class StoreFault {
  none,            ///< nothing: the same tables, one transaction an act
  no_transaction,  ///< every statement stands alone
  audit_later,     ///< what happened is stored, and its events in a second transaction
  slot_first,      ///< the allocation's number is marked as used in an earlier transaction
  not_unique,      ///< that a participant is randomised once is not kept
  no_sync,         ///< synchronous = OFF: only a power cut shows it
  read_first,      ///< BEGIN DEFERRED, and a read before the write: with one writer, right
};

/// A log in SQLite as a first draft of one might be, with the tables of schema/sqlite/1.sql. For the test of the test.
class WrongStore final : public conduct::EventStore {
 public:
  /// between  told wherever a transaction has ended and the act is not yet whole
  WrongStore(std::string const& path, StoreFault fault, std::function<void()> between);

  Expected<void> append(conduct::Sequence expected, conduct::Act const& act) override;
  conduct::Sequence last() const override { return last_; }
  Expected<void> read(conduct::Sequence after, std::function<bool(conduct::StoredEvent const&)> const& visitor) const override;
  Expected<std::optional<conduct::Done>> done(std::string_view key) const override;
  Expected<std::optional<conduct::StoredText>> text(std::string_view) const override {
    return std::optional<conduct::StoredText>();
  }
  Expected<void> put(conduct::Document const& document) override;
  Expected<std::optional<conduct::Document>> document(std::string_view digest) const override;
  Expected<std::int64_t> take_lease() override { return 1; }
  Expected<void> backup(std::string const&) const override { return fail(Code::not_available, "no backup"); }

 private:
  Expected<void> run(std::string const& statements);
  Expected<void> end_part();

  mutable store::Database database_;
  StoreFault fault_;
  std::function<void()> between_;
  conduct::Sequence last_ = 0;
};

}  // namespace equipoise::faults

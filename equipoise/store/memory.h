#pragma once

#include <memory>

#include "equipoise/conduct/event_store.h"

namespace equipoise::store {

/// The log of a trial in memory: for tests and virtual trials. It keeps the contract in everything but survival. Safe to use from
/// several threads.
class MemoryStore final : public conduct::EventStore {
 public:
  MemoryStore();
  ~MemoryStore() override;

  /// A second instance on the same log, as a second process would be one on the same database.
  std::unique_ptr<MemoryStore> another() const;

  Expected<void> append(conduct::Sequence expected, conduct::Act const& act) override;
  conduct::Sequence last() const override;
  Expected<void> read(conduct::Sequence after, std::function<bool(conduct::StoredEvent const&)> const& visitor) const override;
  Expected<std::optional<conduct::Done>> done(std::string_view key) const override;
  Expected<std::optional<conduct::StoredText>> text(std::string_view id) const override;
  Expected<void> put(conduct::Document const& document) override;
  Expected<std::optional<conduct::Document>> document(std::string_view digest) const override;
  Expected<std::int64_t> take_lease() override;
  Expected<void> backup(std::string const& path) const override;

 private:
  struct Log;
  explicit MemoryStore(std::shared_ptr<Log> log);

  std::shared_ptr<Log> log_;
  std::int64_t lease_ = 0;  ///< guarded by the log's lock
};

}  // namespace equipoise::store

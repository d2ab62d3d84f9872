#include "equipoise/conduct/replay.h"

#include <future>

#include "equipoise/core/digest.h"

namespace equipoise::conduct {
namespace {

constexpr std::size_t batch_size = 2048;  ///< events; enough that a thread for each batch costs nothing

struct Batch {
  std::vector<StoredEvent> stored{};
  std::vector<TrialEvent> events{};  ///< those before the first problem
  std::optional<Error> problem{};
};

Batch decode(Batch batch) {
  batch.events.reserve(batch.stored.size());
  for (StoredEvent const& one : batch.stored) {
    auto event = sha256(one.bytes) == one.digest
                     ? decoded_event(one.bytes)
                     : Expected<TrialEvent>(fail(Code::inconsistent, "its bytes are not those of its digest"));
    if (!event) {
      batch.problem = Error{Code::inconsistent, fmt::format("event {}: {}", one.sequence, event.error().message), {}, ""};
      return batch;
    }
    batch.events.push_back(std::move(*event));
  }
  return batch;
}

}  // namespace

Expected<void> replay(EventStore const& store, State& state, std::function<Expected<void>(TrialEvent const&)> const& after) {
  std::optional<Error> problem;
  const auto fold_batch = [&](Batch const& batch) {
    for (std::size_t i = 0; i < batch.events.size() && !problem; ++i) {
      if (const auto folded = fold(state, batch.events[i], batch.stored[i].digest); !folded) problem = folded.error();
      else if (const auto fine = after(batch.events[i]); !fine) problem = fine.error();
    }
    if (!problem) problem = batch.problem;
  };
  Batch filling;
  std::future<Batch> decoding;
  const auto read = store.read(0, [&](StoredEvent const& stored) {
    filling.stored.push_back(stored);
    if (filling.stored.size() < batch_size) return true;
    std::future<Batch> next = std::async(std::launch::async, decode, std::exchange(filling, {}));
    if (decoding.valid()) fold_batch(decoding.get());
    decoding = std::move(next);
    return !problem;
  });
  if (decoding.valid() && !problem) fold_batch(decoding.get());
  if (!problem) fold_batch(decode(std::move(filling)));
  if (!read) return tl::unexpected(read.error());
  if (problem) return tl::unexpected(std::move(*problem));
  return {};
}

}  // namespace equipoise::conduct

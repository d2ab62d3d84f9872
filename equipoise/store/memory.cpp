#include "equipoise/store/memory.h"

#include <deque>
#include <map>
#include <mutex>
#include <set>

#include "equipoise/store/conflicts.h"

namespace equipoise::store {

using conduct::Act;
using conduct::Document;
using conduct::Done;
using conduct::Once;
using conduct::Sequence;
using conduct::StoredEvent;
using conduct::StoredText;

struct MemoryStore::Log {
  std::mutex lock;
  std::deque<StoredEvent> events;  // a deque, so that an event stays where it is while a visitor looks at it
  std::map<std::string, Done, std::less<>> done;
  std::set<std::pair<std::string, std::string>> once;
  std::map<std::string, std::optional<StoredText>, std::less<>> texts;  // nothing: destroyed
  std::map<std::string, std::string, std::less<>> documents;
  std::int64_t lease = 0;

  Sequence last() const { return Sequence(events.size()); }
};

MemoryStore::MemoryStore() : log_(std::make_shared<Log>()) {}
MemoryStore::MemoryStore(std::shared_ptr<Log> log) : log_(std::move(log)) {}
MemoryStore::~MemoryStore() = default;

std::unique_ptr<MemoryStore> MemoryStore::another() const { return std::unique_ptr<MemoryStore>(new MemoryStore(log_)); }

Expected<void> MemoryStore::append(Sequence expected, Act const& act) {
  check_promises(expected, act);
  const std::scoped_lock lock(log_->lock);
  if (lease_ != log_->lease) return lease_is_gone(lease_, log_->lease);
  if (expected != log_->last()) return log_moved(expected, log_->last());
  if (const auto found = log_->done.find(act.key); found != log_->done.end()) return key_is_taken(found->second);
  // All questions come before the first change.
  std::set<std::pair<std::string, std::string>> once;
  for (Once const& one : act.once)
    if (log_->once.contains({one.kind, one.what}) || !once.emplace(one.kind, one.what).second) return has_happened(one);
  std::set<std::string> added, destroyed;
  for (StoredText const& text : act.texts)
    if (log_->texts.contains(text.id) || !added.insert(text.id).second) return text_is_there(text.id);
  for (std::string const& id : act.destroyed) {
    const auto found = log_->texts.find(id);
    const bool there = (found != log_->texts.end() && found->second) || added.contains(id);
    if (!there || !destroyed.insert(id).second) return text_is_not_there(id);
  }

  log_->events.insert(log_->events.end(), act.events.begin(), act.events.end());
  log_->done.emplace(act.key, Done{act.request, expected + 1, log_->last()});
  log_->once.merge(once);
  for (StoredText const& text : act.texts) log_->texts.emplace(text.id, text);
  for (std::string const& id : act.destroyed) log_->texts.find(id)->second.reset();
  return {};
}

Sequence MemoryStore::last() const {
  const std::scoped_lock lock(log_->lock);
  return log_->last();
}

Expected<void> MemoryStore::read(Sequence after, std::function<bool(StoredEvent const&)> const& visitor) const {
  const Sequence until = last();
  for (Sequence next = std::max<Sequence>(after, 0); next < until; ++next) {
    StoredEvent const* event = nullptr;
    {
      const std::scoped_lock lock(log_->lock);
      event = &log_->events[std::size_t(next)];
    }
    if (!visitor(*event)) break;  // without the lock: a visitor may ask the store
  }
  return {};
}

Expected<std::optional<Done>> MemoryStore::done(std::string_view key) const {
  const std::scoped_lock lock(log_->lock);
  const auto found = log_->done.find(key);
  return found == log_->done.end() ? std::nullopt : std::optional(found->second);
}

Expected<std::optional<StoredText>> MemoryStore::text(std::string_view id) const {
  const std::scoped_lock lock(log_->lock);
  const auto found = log_->texts.find(id);
  return found == log_->texts.end() ? std::nullopt : found->second;
}

Expected<void> MemoryStore::put(Document const& document) {
  check_promises(document);
  const std::scoped_lock lock(log_->lock);
  if (lease_ != log_->lease) return lease_is_gone(lease_, log_->lease);
  log_->documents.emplace(document.digest, document.bytes);
  return {};
}

Expected<std::optional<Document>> MemoryStore::document(std::string_view digest) const {
  const std::scoped_lock lock(log_->lock);
  const auto found = log_->documents.find(digest);
  return found == log_->documents.end() ? std::nullopt : std::optional(Document{found->first, found->second});
}

Expected<std::int64_t> MemoryStore::take_lease() {
  const std::scoped_lock lock(log_->lock);
  return lease_ = ++log_->lease;
}

Expected<void> MemoryStore::backup(std::string const&) const {
  return fail(Code::not_available, "a log in memory has no backup: it ends with the process");
}

}  // namespace equipoise::store

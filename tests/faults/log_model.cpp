#include "tests/faults/log_model.h"

#include <algorithm>
#include <iterator>

#include "equipoise/core/digest.h"

namespace equipoise::faults {

using conduct::Act;
using conduct::Done;
using conduct::EventStore;
using conduct::Sequence;
using conduct::StoredEvent;
using conduct::StoredText;

namespace {

std::string filling(std::mt19937_64& chance, std::size_t most) {
  std::string bytes(chance() % (most + 1), ' ');
  for (char& byte : bytes) byte = char('a' + chance() % 26);
  return bytes;
}

std::string mark_of(std::string const& text) { return text.substr(0, text.find('>') + 1); }

}  // namespace

Act LogModel::next() {
  const std::int64_t number = ++made_;
  Act act{.key = sha256(fmt::format("key {} {}", number, chance_())),
          .request = sha256(fmt::format("request {}", number)),
          .events = {},
          .texts = {},
          .once = {},
          .destroyed = {}};
  const auto events = std::int64_t(1 + chance_() % 3);
  for (std::int64_t i = 1; i <= events; ++i) {
    std::string bytes = fmt::format("{{\"sequence\":{},\"of\":{},\"filling\":\"{}\"}}", last_ + i, number,
                                    filling(chance_, chance_() % 20 == 0 ? 9000 : 600));
    std::string digest = sha256(bytes);
    act.events.push_back({last_ + i, std::move(bytes), std::move(digest)});
  }
  if (chance_() % 3 == 0) {
    std::string words = fmt::format("<mark {} {}>", number, chance_()) + filling(chance_, chance_() % 6 == 0 ? 9000 : 300);
    std::string id = sha256("id" + words), key = sha256("key" + words);
    act.texts.push_back({std::move(id), std::move(key), std::move(words)});
  }
  if (chance_() % 2 == 0) act.once.push_back({"allocation", fmt::format("trial/{}", number)});
  if (chance_() % 4 == 0) act.once.push_back({"kit", fmt::format("{:08x}", chance_())});
  if (chance_() % 8 == 0 && !texts_.empty())
    act.destroyed.push_back(std::next(texts_.begin(), std::ptrdiff_t(chance_() % texts_.size()))->first);
  return act;
}

void LogModel::confirmed(Act const& act) {
  acts_.push_back({act.key, act.request, last_ + 1, last_ + Sequence(act.events.size())});
  last_ += Sequence(act.events.size());
  events_.insert(events_.end(), act.events.begin(), act.events.end());
  for (StoredText const& text : act.texts) texts_.emplace(text.id, text);
  for (std::string const& id : act.destroyed) {
    destroyed_marks_.push_back(mark_of(texts_.at(id).text));
    destroyed_.emplace(id, destroyed_marks_.back());
    texts_.erase(id);
  }
}

Judgement LogModel::judge(EventStore const& store, std::optional<Act> const& unconfirmed) const {
  const Sequence end = store.last();
  const auto finding = [](Verdict verdict, std::string why) { return Judgement{verdict, std::move(why), false}; };
  if (end < last_) return finding(Verdict::lost, fmt::format("the log ends at event {}, and {} was confirmed", end, last_));
  const bool arrived = end > last_;
  if (arrived && !unconfirmed)
    return finding(Verdict::half, fmt::format("the log ends at event {}, and nobody appended after {}", end, last_));
  if (arrived && end != last_ + Sequence(unconfirmed->events.size()))
    return finding(Verdict::half, fmt::format("the log ends at event {}, within an act", end));

  std::vector<StoredEvent> expected = events_;
  if (arrived) expected.insert(expected.end(), unconfirmed->events.begin(), unconfirmed->events.end());
  Sequence wrong = 0, next = 0;
  const auto read = store.read(0, [&](StoredEvent const& event) {
    StoredEvent const& shall = expected[std::size_t(next++)];
    if (event.sequence != next || event.bytes != shall.bytes || event.digest != shall.digest) wrong = next;
    return wrong == 0;
  });
  if (!read) return finding(Verdict::corrupt, to_string(read.error()));
  if (wrong != 0 || next != end)
    return finding(Verdict::corrupt, fmt::format("event {} is not as it was appended", wrong != 0 ? wrong : next + 1));

  const auto unlike = [&](Kept const& act, bool shall) -> std::optional<std::string> {
    const auto done = store.done(act.key);
    if (!done) return to_string(done.error());
    if (done->has_value() != shall) return fmt::format("the key of the act at {} is {}", act.first, shall ? "missing" : "there");
    if (shall && ((*done)->request != act.request || (*done)->first != act.first || (*done)->last != act.last))
      return fmt::format("the key of the act at {} names another act", act.first);
    return std::nullopt;
  };
  for (Kept const& act : acts_)
    if (auto why = unlike(act, true)) return finding(Verdict::half, std::move(*why));
  const auto text_is = [&](std::string const& id, StoredText const* shall) {
    const auto found = store.text(id);
    if (!found) return false;
    if (shall == nullptr) return !found->has_value();
    return found->has_value() && (*found)->text == shall->text && (*found)->key == shall->key;
  };
  const auto destroyed_now = [&](std::string const& id) {
    return arrived && std::ranges::find(unconfirmed->destroyed, id) != unconfirmed->destroyed.end();
  };
  for (auto const& [id, text] : texts_)
    if (!text_is(id, destroyed_now(id) ? nullptr : &text))
      return finding(Verdict::half, fmt::format("the text '{}' is not as it shall be", mark_of(text.text)));
  for (auto const& [id, mark] : destroyed_)
    if (!text_is(id, nullptr)) return finding(Verdict::half, fmt::format("the text '{}' was destroyed and is there", mark));
  if (unconfirmed) {
    const Kept act{unconfirmed->key, unconfirmed->request, last_ + 1, last_ + Sequence(unconfirmed->events.size())};
    if (auto why = unlike(act, arrived)) return finding(Verdict::half, std::move(*why));
    for (StoredText const& text : unconfirmed->texts)
      if (!text_is(text.id, arrived ? &text : nullptr))
        return finding(Verdict::half, "a text of the act that was not confirmed is not as its events are");
  }
  return {Verdict::fine, {}, arrived};
}

}  // namespace equipoise::faults

#include "equipoise/vault/commitment.h"

#include <sodium.h>

#include "equipoise/vault/live_draw.h"
#include "equipoise/vault/streams.h"

namespace equipoise::vault {
namespace {

std::vector<Key32> leaves_of(allocation::Rule const& rule, Trial const& trial, Mac const& seed, ListedArms const& arms) {
  std::vector<Key32> leaves;
  for (std::size_t stream = 0; stream < arms.size(); ++stream) {
    const std::string name = stream_of(rule, levels_of(rule, stream));
    for (std::size_t i = 0; i < arms[stream].size(); ++i) {
      const auto position = std::int64_t(i) + 1;
      leaves.push_back(
          leaf_of(nonce_of(seed, name, position), trial, name, position, rule.setting().arms[std::size_t(arms[stream][i])]));
    }
  }
  return leaves;
}

}  // namespace

std::string seed_commitment(Trial const& trial, SecretBytes const& seed) {
  std::string bytes = Message("seed").text(trial.id).text(trial.protocol).text(trial.environment).text(seed.text()).bytes();
  std::string digest = sha256(bytes);
  wipe(bytes);
  return digest;
}

Key32 nonce_of(Mac const& seed, std::string_view stream, std::int64_t position) {
  return seed(Message("nonce").text(stream).number(position).bytes());
}

Key32 leaf_of(Key32 const& nonce, Trial const& trial, std::string_view stream, std::int64_t position, std::string_view arm) {
  return hmac_sha256(nonce, Message("leaf").text(trial.id).text(trial.protocol).text(stream).number(position).text(arm).bytes());
}

std::string mark_of(DerivedKey const& key, allocation::Receipt const& receipt, std::vector<std::int32_t> const& levels) {
  Message message("receipt");
  message.number(receipt.number).text(receipt.participant).text(receipt.stream).number(receipt.position);
  message.number(std::int64_t(levels.size()));
  for (const std::int32_t level : levels) message.number(level);
  return hex(hmac_sha256(key.bytes(), message.bytes()));
}

ListedArms listed_arms(allocation::Rule const& rule, Mac const& seed) {
  const std::vector<std::int64_t> places = listed_places(rule);
  const allocation::Rule open = rule.without_level_caps();  // other strata do not count here
  allocation::State state = open.start();
  ListedArms arms(places.size());
  for (std::size_t stream = 0; stream < places.size(); ++stream) {
    const std::vector<std::int32_t> levels = levels_of(rule, stream);
    const std::string name = stream_of(rule, levels);
    for (std::int64_t position = 1; position <= places[stream]; ++position)
      arms[stream].push_back(open.next(state, levels, LiveDraw(seed, name, position)).value());
  }
  return arms;
}

CommittedList::CommittedList(allocation::Rule const& rule, Trial const& trial, Mac const& seed, ListedArms const& arms)
    : leaves_(leaves_of(rule, trial, seed, arms)), tree_(leaves_) {
  std::size_t first = 0;
  for (std::size_t stream = 0; stream < arms.size(); first += arms[stream++].size())
    streams_[stream_of(rule, levels_of(rule, stream))] = {first, arms[stream].size()};
}

std::optional<std::size_t> CommittedList::place(std::string const& stream, std::int64_t position) const {
  const auto range = streams_.find(stream);
  if (range == streams_.end() || position < 1 || std::size_t(position) > range->second.places) return {};
  return range->second.first + std::size_t(position) - 1;
}

std::optional<CommittedList::Shown> CommittedList::at(std::string const& stream, std::int64_t position) const {
  const auto leaf = place(stream, position);
  if (!leaf) return {};
  Shown shown{.leaf = hex(leaves_[*leaf]), .path = {}};
  for (Key32 const& digest : tree_.path(*leaf)) shown.path.push_back(hex(digest));
  return shown;
}

bool CommittedList::holds(std::string const& stream, std::int64_t position, std::string_view leaf,
                          std::vector<std::string> const& path) const {
  const auto where = place(stream, position);
  const auto digest = key_from_hex(leaf);
  std::vector<Key32> digests;
  for (std::string const& one : path) {
    const auto read = key_from_hex(one);
    if (!read) return false;
    digests.push_back(*read);
  }
  return where && digest && root_from(*digest, *where, leaves_.size(), digests) == tree_.root();
}

}  // namespace equipoise::vault

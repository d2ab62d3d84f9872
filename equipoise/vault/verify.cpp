#include "equipoise/vault/verify.h"

#include <algorithm>
#include <optional>
#include <set>

#include "equipoise/vault/commitment.h"
#include "equipoise/vault/imported_list.h"
#include "equipoise/vault/message.h"
#include "equipoise/vault/replay.h"
#include "equipoise/vault/secrets.h"
#include "equipoise/vault/streams.h"

namespace equipoise::vault {
namespace {

class Verification {
 public:
  Verification(PublicRecord const& record, allocation::Reveal const& reveal) : record_(record), reveal_(reveal) {}

  std::vector<Discrepancy> run() {
    allocation::Commitment const& commitment = record_.commitment;
    compare(0, "trial of the commitment", commitment.trial, record_.protocol.trial.id);
    compare(0, "protocol of the commitment", commitment.protocol, record_.protocol.digest);
    imported_ = commitment.algorithm == list_algorithm;
    if (!imported_) compare(0, "algorithm of the commitment", commitment.algorithm, algorithm);
    auto rule = rule_of(record_.protocol);
    if (!rule) return report(0, "the protocol has no rule: {}", rule.error().message), std::move(found_);
    auto last_rule = record_.amended ? rule_of(*record_.amended) : rule;
    if (!last_rule) return report(0, "the amended protocol has no rule: {}", last_rule.error().message), std::move(found_);
    const auto key = key_from_hex(reveal_.seed);
    if (!key) return report(0, "the revealed seed has not 64 hexadecimal digits"), std::move(found_);
    SecretBytes seed(32);
    std::ranges::copy(*key, seed.bytes().begin());
    trial_ = {.id = commitment.trial, .protocol = commitment.protocol, .environment = commitment.environment};
    compare(0, "commitment to the seed", commitment.seed, seed_commitment(trial_, seed));

    const auto mac = std::make_shared<Mac const>(seed.bytes());
    std::shared_ptr<ArmsByStream const> arms;
    if (imported_) {
      const ImportedList list{.trial = commitment.trial, .environment = commitment.environment, .streams = reveal_.list};
      const Problems problems = check_list(list, *rule);
      for (Error const& problem : problems) report(0, "the revealed list: {}", problem.message);
      if (!problems.empty()) return std::move(found_);
      arms = std::make_shared<ArmsByStream const>(arms_by_stream(reveal_.list, *rule));
    }
    const ListedArms listed = arms ? in_order(*arms, *rule) : listed_arms(*rule, *mac);
    if (!listed.empty()) list_.emplace(*rule, trial_, *mac, listed);
    compare(0, "root of the list", commitment.root, list_ ? list_->root() : "");
    compare(0, "number of leaves", std::to_string(commitment.leaves), std::to_string(list_ ? list_->size() : 0));
    allocations(Replay(*last_rule, mac, arms), *mac);
    return std::move(found_);
  }

 private:
  template <class... A>
  void report(std::int64_t number, fmt::format_string<A...> text, A&&... values) {
    found_.push_back({number, fmt::format(text, std::forward<A>(values)...)});
  }
  void compare(std::int64_t number, std::string_view what, std::string_view said, std::string_view rebuilt) {
    if (said != rebuilt) report(number, "the {} is '{}', and from the seed it is '{}'", what, said, rebuilt);
  }

  void allocations(Replay replay, Mac const& mac) {
    const DerivedKey mark_key(mac, mark_purpose);
    const std::size_t all = record_.requests.size();
    if (record_.receipts.size() != all) report(0, "there are {} receipts for {} requests", record_.receipts.size(), all);
    if (reveal_.allocations.size() != all)
      report(0, "{} allocations are revealed, of {} requests", reveal_.allocations.size(), all);
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < all; ++i) {
      allocation::Request const& request = record_.requests[i];
      const auto number = std::int64_t(i) + 1;
      if (!seen.insert(request.participant).second) report(number, "'{}' has another allocation before", request.participant);
      const auto made = replay.next(request);
      if (!made) {
        report(number, "the request cannot be replayed, nor can those after it: {}", made.error().message);
        return;
      }
      if (i < record_.receipts.size()) check_receipt(number, request, *made, record_.receipts[i], mark_key);
      if (i < reveal_.allocations.size()) {
        allocation::Opening const& opening = reveal_.allocations[i];
        if (opening.number != number) report(number, "the revealed allocation in its place has the number {}", opening.number);
        compare(number, "revealed participant", opening.participant, request.participant);
        compare(number, "revealed arm", opening.arm, replay.rule().setting().arms[std::size_t(made->arm)]);
        const bool has_leaf = list_ && list_->at(made->stream, made->position);
        compare(number, "revealed nonce", opening.nonce, has_leaf ? hex(nonce_of(mac, made->stream, made->position)) : "");
      }
    }
  }

  void check_receipt(std::int64_t number, allocation::Request const& request, Made const& made,
                     allocation::Receipt const& receipt, DerivedKey const& mark_key) {
    if (receipt.number != number) report(number, "the receipt in its place has the number {}", receipt.number);
    compare(number, "participant of the receipt", receipt.participant, request.participant);
    compare(number, "stream of the receipt", receipt.stream, made.stream);
    if (receipt.position != made.position)
      report(number, "the receipt says position {}, and from the requests it is {}", receipt.position, made.position);
    const auto shown = list_ ? list_->at(made.stream, made.position) : std::nullopt;
    compare(number, "leaf of the receipt", receipt.leaf, shown ? shown->leaf : "");
    if (receipt.path != (shown ? shown->path : std::vector<std::string>{}))
      report(number, "the path of the receipt does not lead to the root");
    const allocation::Receipt rebuilt{
        .number = number, .participant = request.participant, .stream = made.stream, .position = made.position};
    compare(number, "mark of the receipt", receipt.mark, mark_of(mark_key, rebuilt, request.levels));
  }

  PublicRecord const& record_;
  allocation::Reveal const& reveal_;
  Trial trial_;
  bool imported_ = false;
  std::optional<CommittedList> list_;
  std::vector<Discrepancy> found_;
};

}  // namespace

std::vector<Discrepancy> verify(PublicRecord const& record, allocation::Reveal const& reveal) {
  return Verification(record, reveal).run();
}

Expected<void> verify_opening(protocol::Protocol const& protocol, allocation::Commitment const& commitment,
                              allocation::Receipt const& receipt, allocation::Opening const& opening) {
  if (commitment.algorithm != algorithm || commitment.root.empty() || receipt.leaf.empty())
    return fail(Code::not_available,
                "this allocation is in no list whose shape is known, so that it can be checked only after the reveal");
  const auto rule = rule_of(protocol);
  if (!rule) return tl::unexpected(rule.error());
  const Trial trial{.id = commitment.trial, .protocol = commitment.protocol, .environment = commitment.environment};
  if (protocol.digest != commitment.protocol)
    return fail(Code::verification, "the commitment is to the protocol {}, and this is {}", commitment.protocol, protocol.digest);
  const auto nonce = key_from_hex(opening.nonce), leaf = key_from_hex(receipt.leaf);
  if (opening.number != receipt.number || opening.participant != receipt.participant)
    return fail(Code::verification, "the opening is of allocation {} of '{}', and the receipt of {} of '{}'", opening.number,
                opening.participant, receipt.number, receipt.participant);
  if (!nonce || !leaf || leaf_of(*nonce, trial, receipt.stream, receipt.position, opening.arm) != *leaf)
    return fail(Code::verification, "the arm '{}' and its nonce do not make the leaf of the receipt", opening.arm);

  std::size_t first = 0, place = 0, leaves = 0;
  bool found = false;
  const std::vector<std::int64_t> places = listed_places(*rule);
  for (std::size_t stream = 0; stream < places.size(); ++stream, first = leaves) {
    leaves += std::size_t(places[stream]);
    if (receipt.stream != stream_of(*rule, levels_of(*rule, stream))) continue;
    found = receipt.position >= 1 && receipt.position <= places[stream];
    place = first + std::size_t(receipt.position) - 1;
  }
  std::vector<Key32> path;
  for (std::string const& digest : receipt.path) path.push_back(key_from_hex(digest).value_or(Key32{}));
  const auto root = found ? root_from(*leaf, place, leaves, path) : std::nullopt;
  if (!root || hex(*root) != commitment.root)
    return fail(Code::verification, "the leaf of the receipt does not stand at position {} of '{}' in the committed list",
                receipt.position, receipt.stream);
  return {};
}

}  // namespace equipoise::vault

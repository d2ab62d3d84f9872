#include "equipoise/vault/vault.h"

#include <algorithm>

#include "equipoise/core/text.h"
#include "equipoise/vault/message.h"

namespace equipoise::vault {
namespace {

constexpr std::size_t longest_name = 200;

Expected<Doses> doses_of(protocol::Protocol const& protocol) {
  Problems problems;
  Doses doses = Doses::parse(protocol, problems);
  if (!problems.empty()) return tl::unexpected(problems.front());
  return doses;
}

bool is_permutation(std::vector<std::int32_t> numbers) {
  std::ranges::sort(numbers);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (numbers[i] != std::int32_t(i)) return false;
  return true;
}

}  // namespace

Expected<Vault> Vault::open(protocol::Protocol const& protocol, Secrets secrets, Ledger ledger, Surroundings surroundings,
                            std::vector<std::int32_t> exchanged) {
  Trial const& trial = secrets.trial;
  if (trial.id != protocol.trial.id)
    return fail(Code::inconsistent, "the vault is of the trial '{}', and the protocol of '{}'", trial.id, protocol.trial.id);
  if (trial.protocol != protocol.digest)
    return fail(Code::inconsistent, "the vault was made for the protocol {}, and this is {}", trial.protocol, protocol.digest);
  auto rule = rule_of(protocol);
  if (!rule) return tl::unexpected(rule.error());
  auto doses = doses_of(protocol);
  if (!doses) return tl::unexpected(doses.error());
  if (!exchanged.empty()) {
    expects(exchanged.size() == rule->setting().arms.size() && is_permutation(exchanged), "arms are exchanged one for one");
    if (trial.environment == "live") return fail(Code::refused, "arms of a live trial are never exchanged");
  }

  const auto seed = std::make_shared<Mac const>(secrets.seed.bytes());
  const auto arms = arms_of_list(secrets, *rule);
  if (!arms) return tl::unexpected(arms.error());
  const ListedArms listed = *arms ? in_order(**arms, *rule) : listed_arms(*rule, *seed);
  Vault vault(std::move(secrets), seed, Replay(*rule, seed, *arms), std::move(ledger), surroundings);
  vault.exchanged_ = std::move(exchanged);
  vault.doses_ = std::move(*doses);
  for (std::string const& arm : rule->setting().arms) vault.arm_labels_.emplace_back(arm, protocol.arm(arm)->label.in("en"));
  if (!listed.empty()) vault.list_.emplace(*rule, vault.secrets_.trial, *seed, listed);
  Secrets const& kept = vault.secrets_;
  vault.commitment_ = {
      .algorithm = std::string(*arms ? list_algorithm : algorithm),
      .trial = kept.trial.id,
      .environment = kept.trial.environment,
      .protocol = kept.trial.protocol,
      .rule = *arms ? fmt::format("an imported list of {} places; the protocol says {}", vault.list_->size(), rule->sentence())
                    : rule->sentence(),
      .seed = seed_commitment(kept.trial, kept.seed),
      .root = vault.list_ ? vault.list_->root() : "",
      .leaves = vault.list_ ? std::int64_t(vault.list_->size()) : 0,
      .escrow = kept.escrow};
  if (auto loaded = vault.load_kits(); !loaded) return tl::unexpected(loaded.error());
  return vault;
}

Expected<std::shared_ptr<ArmsByStream const>> Vault::arms_of_list(Secrets const& secrets, allocation::Rule const& rule) {
  if (!secrets.list) return nullptr;
  if (const Problems problems = check_list(*secrets.list, rule); !problems.empty()) return tl::unexpected(problems.front());
  return std::make_shared<ArmsByStream const>(arms_by_stream(secrets.list->streams, rule));
}

// ---- Allocations -----------------------------------------------------------------------------------------------------------

Expected<void> Vault::resume(std::span<const allocation::Request> history) {
  Replay replay = start_;
  std::vector<Allocated> made;
  std::map<std::string, std::size_t, std::less<>> by_participant;
  made.reserve(history.size());
  for (allocation::Request const& request : history) {
    if (!by_participant.emplace(request.participant, made.size()).second)
      return fail(Code::inconsistent, "allocation {} of the history is for '{}', who has one", request.number,
                  request.participant);
    auto one = replay.next(request);
    if (!one)
      return fail(one.error().code, "the history cannot be replayed at allocation {}: {}", request.number, one.error().message);
    made.push_back({request, std::move(*one)});
  }
  replay_ = std::move(replay), history_ = std::move(made), by_participant_ = std::move(by_participant);
  pending_.reset();
  return {};
}

Expected<void> Vault::amend(protocol::Protocol const& protocol) {
  if (protocol.trial.id != secrets_.trial.id)
    return fail(Code::inconsistent, "the vault is of the trial '{}', and the amended protocol of '{}'", secrets_.trial.id,
                protocol.trial.id);
  auto rule = rule_of(protocol);
  if (!rule) return tl::unexpected(rule.error());
  auto doses = doses_of(protocol);
  if (!doses) return tl::unexpected(doses.error());
  allocation::Setting const &before = start_.rule().setting(), &after = rule->setting();
  if (before.arms != after.arms) return fail(Code::inconsistent, "the arms of the amended protocol are not those of the trial");
  const auto goes_on = [](allocation::Factor const& was, allocation::Factor const& is) {
    return was.id == is.id && was.levels.size() <= is.levels.size() &&
           std::ranges::equal(was.levels, std::span(is.levels).first(was.levels.size()));
  };
  if (!std::ranges::equal(before.factors, after.factors, goes_on))
    return fail(Code::inconsistent, "the factors of the amended protocol are others, or do not begin with the levels of before");
  const auto arms = arms_of_list(secrets_, *rule);
  if (!arms) return tl::unexpected(arms.error());

  Replay replay(*rule, seed_, *arms);
  const Replay start = replay;
  for (Allocated const& one : history_) {
    const auto made = replay.next(one.request);
    if (!made || made->stream != one.made.stream || made->position != one.made.position || made->arm != one.made.arm)
      return fail(Code::inconsistent, "under the amended protocol allocation {} would have been another one", one.request.number);
  }
  start_ = start, replay_ = std::move(replay), doses_ = std::move(*doses);
  pending_.reset();
  return {};
}

Expected<allocation::Receipt> Vault::allocate(allocation::Request const& request) {
  if (request.participant.empty() || request.participant.size() > longest_name || !is_utf8(request.participant))
    return fail(Code::out_of_range, "a participant has a name of 1 to {} bytes", longest_name);
  if (const auto before = by_participant_.find(request.participant); before != by_participant_.end())
    return fail(Code::refused, "'{}' has allocation {}", request.participant, before->second + 1);
  Replay after = replay_;
  auto made = after.next(request);
  if (!made) return tl::unexpected(made.error());
  pending_.emplace(Pending{{request, std::move(*made)}, std::move(after)});
  return receipt_of(pending_->allocated);
}

Expected<void> Vault::confirm(std::int64_t number) {
  if (!pending_ || pending_->allocated.request.number != number)
    return fail(Code::conflict, "allocation {} was not the last one asked for; {} are confirmed", number, confirmed());
  replay_ = std::move(pending_->after);
  by_participant_[pending_->allocated.request.participant] = history_.size();
  history_.push_back(std::move(pending_->allocated));
  pending_.reset();
  return {};
}

Expected<Vault::Allocated const*> Vault::allocated(std::int64_t number) const {
  if (pending_ && pending_->allocated.request.number == number) return &pending_->allocated;
  if (number < 1 || number > confirmed())
    return fail(Code::unresolved, "there is no allocation {}; {} are confirmed", number, confirmed());
  return &history_[std::size_t(number) - 1];
}

allocation::Receipt Vault::receipt_of(Allocated const& one) const {
  allocation::Receipt receipt{.number = one.request.number,
                              .participant = one.request.participant,
                              .stream = one.made.stream,
                              .position = one.made.position};
  if (list_)
    if (auto shown = list_->at(one.made.stream, one.made.position))
      receipt.leaf = shown->leaf, receipt.path = std::move(shown->path);
  receipt.mark = mark_of(*mark_key_, receipt, one.request.levels);
  return receipt;
}

Expected<allocation::Receipt> Vault::receipt(std::int64_t number) const {
  if (number > confirmed()) return fail(Code::unresolved, "there is no allocation {}; {} are confirmed", number, confirmed());
  return allocated(number).map([&](Allocated const* one) { return receipt_of(*one); });
}

std::string const& Vault::arm_id(Made const& made) const { return arm_labels_[std::size_t(shown(made.arm))].first; }

}  // namespace equipoise::vault

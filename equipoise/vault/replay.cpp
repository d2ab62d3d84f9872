#include "equipoise/vault/replay.h"

#include "equipoise/vault/live_draw.h"
#include "equipoise/vault/streams.h"

namespace equipoise::vault {

Replay::Replay(allocation::Rule rule, std::shared_ptr<Mac const> seed, std::shared_ptr<ArmsByStream const> list)
    : rule_(std::move(rule)), seed_(std::move(seed)), list_(std::move(list)), state_(rule_.start()) {}

Expected<std::int32_t> Replay::arm_of(std::string const& stream, std::int64_t position, std::vector<std::int32_t> const& levels) {
  if (!list_) return rule_.next(state_, levels, LiveDraw(*seed_, stream, position));
  const auto arms = list_->find(stream);
  if (arms == list_->end() || std::size_t(position) > arms->second.size())
    return fail(Code::refused, "the imported list has no further place in the stream '{}', after {} allocations there", stream,
                position - 1);
  return arms->second[std::size_t(position) - 1];
}

Expected<Made> Replay::next(allocation::Request const& request) {
  if (request.number != made_ + 1)
    return fail(Code::conflict, "allocation {} was asked for, and the next one is {}", request.number, made_ + 1);
  std::vector<allocation::Factor> const& factors = rule_.setting().factors;
  if (request.levels.size() != factors.size())
    return fail(Code::out_of_range, "allocation {} has {} levels for the {} factors of the randomisation", request.number,
                request.levels.size(), factors.size());
  for (std::size_t i = 0; i < factors.size(); ++i)
    if (request.levels[i] < 0 || std::size_t(request.levels[i]) >= factors[i].levels.size())
      return fail(Code::out_of_range, "allocation {}: the factor '{}' has no level {}", request.number, factors[i].id,
                  request.levels[i]);
  Made made{.stream = stream_of(rule_, request.levels)};
  const auto so_far = positions_.find(made.stream);
  made.position = so_far == positions_.end() ? 1 : so_far->second + 1;
  const Expected<std::int32_t> arm = arm_of(made.stream, made.position, request.levels);
  if (!arm) return tl::unexpected(arm.error());
  made.arm = *arm;
  positions_[made.stream] = made.position;
  ++made_;
  return made;
}

}  // namespace equipoise::vault

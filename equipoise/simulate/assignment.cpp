#include "equipoise/simulate/assignment.h"

namespace equipoise::simulate {

std::optional<Assignment> Assignment::parse(protocol::Protocol const& protocol, Problems&) {
  Assignment assignment;
  double total = 0;
  const Node* ratio = protocol.randomisation ? protocol.randomisation->section.find("ratio") : nullptr;
  for (protocol::Arm const& arm : protocol.arms) {
    const Node* own = ratio ? ratio->find(arm.id) : nullptr;
    assignment.reached_.push_back(total += own ? own->number().value_or(1) : 1.0);
  }
  for (double& reached : assignment.reached_) reached /= total;
  return assignment;
}

std::int32_t Assignment::next(std::span<const std::int32_t>, random::PhiloxKey key, std::uint64_t replicate, std::uint32_t participant) const {
  const auto words = random::philox({0, participant << 12, std::uint32_t(replicate), std::uint32_t(replicate >> 32)}, key);
  const double u = (words[0] + 0.5) * 0x1p-32;
  std::int32_t arm = 0;
  while (std::size_t(arm) + 1 < reached_.size() && u >= reached_[std::size_t(arm)]) ++arm;
  return arm;
}

}  // namespace equipoise::simulate

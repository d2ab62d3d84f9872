#include "equipoise/random/stream.h"

#include "equipoise/core/error.h"

namespace equipoise::random {

PhiloxKey derived_key(StreamKey key) {
  const PhiloxCounter block =
      philox({std::uint32_t(key.purpose), 0, 0, 0}, {std::uint32_t(key.seed), std::uint32_t(key.seed >> 32)});
  return {block[0], block[1]};
}

Stream::Stream(StreamKey key, std::uint64_t replicate) : key_(derived_key(key)), replicate_(replicate) {}

std::uint32_t Stream::word() {
  if (next_ == words_.size()) {
    words_ = philox({block_++, 0, std::uint32_t(replicate_), std::uint32_t(replicate_ >> 32)}, key_);
    next_ = 0;
  }
  return words_[next_++];
}

std::uint32_t Stream::below(std::uint32_t bound) {
  expects(bound > 0, "a number is drawn below 1 or more");
  const std::uint32_t incomplete = (0u - bound) % bound;  // 2^32 mod bound
  for (;;)
    if (const std::uint32_t drawn = word(); drawn >= incomplete) return drawn % bound;
}

void Stream::shuffle(std::span<std::int32_t> codes) {
  for (std::size_t i = codes.size(); i > 1; --i) std::swap(codes[i - 1], codes[below(std::uint32_t(i))]);
}

}  // namespace equipoise::random

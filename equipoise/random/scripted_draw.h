#pragma once

#include <vector>

#include "equipoise/random/draw.h"

/// Chance that a test writes down. Only tests include this.
namespace equipoise::random {

/// Gives the word of each position from a list, and says afterwards how many positions were asked for. A position beyond the list
/// is a broken promise of the test.
class ScriptedDraw final : public Draw {
 public:
  explicit ScriptedDraw(std::vector<std::uint64_t> words) : words_(std::move(words)) {}

  std::uint64_t word(std::uint32_t position, std::uint32_t attempt) const override {
    expects(attempt == 0 && position < words_.size(), "the script has a word for every draw, and none is rejected");
    asked_ = std::max(asked_, std::size_t(position) + 1);
    return words_[position];
  }
  std::size_t asked() const { return asked_; }

 private:
  std::vector<std::uint64_t> words_;
  mutable std::size_t asked_ = 0;
};

/// The middle of cell k of `cells` equal ones: below(bound) gives each number in equally many cells when bound divides cells, and
/// unit() is below p in p cells of them when p times cells is whole.
inline std::uint64_t middle_of_cell(std::uint64_t k, std::uint64_t cells) {
  return std::uint64_t(((Word128(2 * k + 1) << 64) / (2 * cells)));
}

}  // namespace equipoise::random

#include "equipoise/data/cell_column.h"

namespace equipoise::data {

std::uint64_t TextKey::hash(const char* text, std::size_t length) {
  std::uint64_t bits = length, word = 0;
  std::size_t at = 0;
  for (; at + 8 <= length; at += 8) {
    std::memcpy(&word, text + at, 8);
    bits = (std::rotl(bits, 27) ^ word) * 0x9E3779B97F4A7C15u;
    bits ^= bits >> 29;
  }
  std::memcpy(&word, text + length - 8, 8);  // longer than 16: the last eight bytes, some of them again
  return (std::rotl(bits, 27) ^ word) * 0x9E3779B97F4A7C15u;
}

std::uint32_t TextDictionary::add(std::size_t at, TextKey const& key, TextPlace place) {
  const auto code = std::uint32_t(texts_.size());
  slots_[at] = {key.low, key.high, key.length, code};
  texts_.push_back(place);
  if (2 * texts_.size() > slots_.size()) grow();
  return code;
}

void TextDictionary::grow() {
  numerics::Column<Slot> before(2 * slots_.size(), Slot{});
  before.swap(slots_);
  shift_ -= 1;
  for (Slot const& slot : before) {
    if (slot.code == gave_up) continue;
    std::size_t at = std::size_t(slot.key().mixed() >> shift_);
    while (slots_[at].code != gave_up) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
}

bool CellEncoder::look_up(std::size_t row, TextKey const& key, TextPlace place, TextBytes const& bytes) {
  constexpr std::size_t judged_from = std::size_t(1) << 16;
  const std::size_t known = dictionary_.texts().size();
  const std::uint32_t code = dictionary_.code(key, place, bytes);
  // A dictionary of which most texts come once costs more than it saves.
  if (code == TextDictionary::gave_up || (code == known && known >= judged_from && 2 * known > row)) {
    make_row_by_row(row);
    each_[row] = place;
    return true;
  }
  codes_[row] = code;
  last_key_ = key, last_code_ = code;
  return code == known;
}

void CellEncoder::make_row_by_row(std::size_t rows) {
  if (row_by_row()) return;
  each_.resize(std::max<std::size_t>(rows_, 1));
  for (std::size_t row = 0; row < rows; ++row) each_[row] = dictionary_.texts()[codes_[row]];
}

}  // namespace equipoise::data

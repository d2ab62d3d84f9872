#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "equipoise/core/error.h"
#include "equipoise/numerics/uninitialised.h"

/// The texts of one column of a table, each distinct one mostly once: what is asked of a text is then worked out once for all
/// rows that hold it.
namespace equipoise::data {

/// Where a text stands among the bytes of its table, and its length, in one word.
struct TextPlace {
  static constexpr unsigned length_bits = 24;
  static constexpr std::uint64_t longest = (std::uint64_t(1) << length_bits) - 1;

  std::uint64_t word = 0;

  static TextPlace of(std::size_t begin, std::size_t length) { return {std::uint64_t(begin) << length_bits | length}; }
  std::size_t begin() const { return std::size_t(word >> length_bits); }
  std::size_t length() const { return std::size_t(word & longest); }
  TextPlace moved(std::size_t by) const { return {word + (std::uint64_t(by) << length_bits)}; }
};

/// The bytes that texts stand in: those of the file as it came, and after them, as if they followed, those that were made of it
/// (quotes undoubled, numbers written out).
struct TextBytes {
  std::string_view file;
  std::string const* made = nullptr;

  std::string_view text(TextPlace place) const {
    if (place.begin() < file.size()) return {file.data() + place.begin(), place.length()};
    return place.length() == 0 ? std::string_view{} : std::string_view(*made).substr(place.begin() - file.size(), place.length());
  }
};

/// A column as codes: equal codes are equal texts. A column of texts that seldom come twice has a code a row instead, and then
/// equal texts have several codes.
class CellColumn {
 public:
  CellColumn() = default;
  /// codes  of each row, places in `texts`
  CellColumn(numerics::Column<TextPlace> texts, numerics::Column<std::uint32_t> codes)
      : rows_(codes.size()), texts_(std::move(texts)), codes_(std::move(codes)) {}
  /// A text a row.
  explicit CellColumn(numerics::Column<TextPlace> texts) : rows_(texts.size()), row_by_row_(true), texts_(std::move(texts)) {}

  std::size_t rows() const { return rows_; }
  std::size_t codes() const { return texts_.size(); }
  std::uint32_t code(std::size_t row) const { return row_by_row_ ? std::uint32_t(row) : codes_[row]; }
  TextPlace place(std::uint32_t code) const { return texts_[code]; }
  /// Whether different codes are different texts.
  bool distinct() const { return !row_by_row_ && added_ == 0; }
  void add_row(TextPlace text) {
    if (!row_by_row_) codes_.push_back(std::uint32_t(texts_.size()));
    texts_.push_back(text);
    ++rows_, ++added_;
  }

 private:
  std::size_t rows_ = 0, added_ = 0;
  bool row_by_row_ = false;
  numerics::Column<TextPlace> texts_;
  numerics::Column<std::uint32_t> codes_;
};

/// A text as a key: one of up to 16 bytes is its own key, of a longer one `low` is a hash.
struct TextKey {
  std::uint64_t low = 0, high = 0;
  std::uint32_t length = 0;
  friend bool operator==(TextKey const&, TextKey const&) = default;

  static constexpr std::size_t whole = 16;
  bool is_whole() const { return length <= whole; }

  /// room  bytes that may be read from where the text begins
  static TextKey of(const char* text, std::size_t length, std::size_t room) {
    TextKey key{.length = std::uint32_t(length)};
    if (length == 0) return key;
    if (length > whole) {
      key.low = hash(text, length);
    } else if (length >= 8) {
      std::memcpy(&key.low, text, 8);
      std::memcpy(&key.high, text + length - 8, 8);  // overlaps the first eight bytes: still the text and nothing else
    } else if (room >= 8) {
      std::memcpy(&key.low, text, 8);
      key.low &= ~std::uint64_t(0) >> (64 - 8 * length);
    } else {
      std::memcpy(&key.low, text, length);
    }
    return key;
  }
  std::uint64_t mixed() const {
    std::uint64_t bits = low * 0x9E3779B97F4A7C15u ^ std::rotl(high + length, 29) * 0xC2B2AE3D27D4EB4Fu;
    bits ^= bits >> 32;
    return bits * 0xD6E8FEB86659FD93u;
  }

 private:
  static std::uint64_t hash(const char* text, std::size_t length);
};

/// The distinct texts of a column in the order in which they first came, each with a code: 0, 1, 2, ...
class TextDictionary {
 public:
  static constexpr std::uint32_t gave_up = std::uint32_t(-1);

  /// The code of a text, new or known. `gave_up` when looking it up has become slow, as many texts share their place.
  std::uint32_t code(TextKey const& key, TextPlace place, TextBytes const& bytes) {
    std::size_t at = std::size_t(key.mixed() >> shift_);
    for (std::size_t tries = 0; tries < most_tries; ++tries, at = (at + 1) & (slots_.size() - 1)) {
      Slot const& slot = slots_[at];
      if (slot.code == gave_up) return add(at, key, place);
      const bool same = slot.low == key.low && slot.high == key.high && slot.length == key.length;
      if (same && (key.is_whole() || bytes.text(texts_[slot.code]) == bytes.text(place))) return slot.code;
    }
    return gave_up;
  }
  numerics::Column<TextPlace>& texts() { return texts_; }
  numerics::Column<TextPlace> const& texts() const { return texts_; }

 private:
  struct Slot {
    std::uint64_t low = 0, high = 0;
    std::uint32_t length = 0;
    std::uint32_t code = gave_up;
    TextKey key() const { return {low, high, length}; }
  };
  static constexpr std::size_t most_tries = 128;

  std::uint32_t add(std::size_t at, TextKey const& key, TextPlace place);
  void grow();

  unsigned shift_ = 64 - 6;
  numerics::Column<Slot> slots_ = numerics::Column<Slot>(64, Slot{});
  numerics::Column<TextPlace> texts_;
};

/// Puts the texts of consecutive rows into a column: by dictionary as long as that is worth while, then row by row.
class CellEncoder {
 public:
  /// codes  storage for a code of each of `rows` rows
  CellEncoder(std::uint32_t* codes, std::size_t rows) : codes_(codes), rows_(rows) {}

  /// The text of a row; rows come in order, and the last one may come again. room: bytes that may be read from where the text
  /// begins. Returns whether the text was not known before.
  bool put(std::size_t row, const char* text, std::size_t length, std::size_t room, TextPlace place, TextBytes const& bytes) {
    if (row_by_row()) {
      each_[row] = place;
      return true;
    }
    const TextKey key = TextKey::of(text, length, room);
    if (key == last_key_ && last_code_ != TextDictionary::gave_up && key.is_whole()) {
      codes_[row] = last_code_;
      return false;
    }
    return look_up(row, key, place, bytes);
  }

  bool row_by_row() const { return !each_.empty(); }
  TextDictionary& dictionary() { return dictionary_; }
  /// Of each row, when it is so.
  numerics::Column<TextPlace>& each() { return each_; }
  /// Gives up the dictionary after so many rows.
  void make_row_by_row(std::size_t rows);

 private:
  bool look_up(std::size_t row, TextKey const& key, TextPlace place, TextBytes const& bytes);

  std::uint32_t* codes_;
  std::size_t rows_;
  TextKey last_key_{};
  std::uint32_t last_code_ = TextDictionary::gave_up;
  TextDictionary dictionary_;
  numerics::Column<TextPlace> each_;
};

}  // namespace equipoise::data

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace equipoise::vault {

/// The algorithm whose bytes docs/methods/live_allocation.md writes down. Another one gets another name.
inline constexpr std::string_view algorithm = "equipoise allocation 1";
/// The same with arms from a list that was made elsewhere.
inline constexpr std::string_view list_algorithm = "equipoise imported list 1";

/// What is authenticated or digested: a row of texts and whole numbers that can be read in one way only.
///
///     text     its length in bytes (8 bytes, big-endian), then its UTF-8 bytes
///     number   8 bytes, big-endian, two's complement
///
/// Every message begins with the texts `algorithm` and its purpose, so that none is ever taken for one of another kind.
class Message {
 public:
  explicit Message(std::string_view purpose) { text(algorithm).text(purpose); }

  Message& text(std::string_view text) {
    number(std::int64_t(text.size()));
    bytes_ += text;
    return *this;
  }
  Message& number(std::int64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) bytes_ += char(std::uint64_t(number) >> shift & 255);
    return *this;
  }
  std::string const& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace equipoise::vault

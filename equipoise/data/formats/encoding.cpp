#include "equipoise/data/formats/encoding.h"

#include <array>
#include <cstdint>

namespace equipoise::data {
namespace {

/// Bytes 0x80 to 0x9F of Windows-1252; 0 = not assigned.
constexpr std::array<std::uint16_t, 32> windows{
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
    0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178};

}  // namespace

bool append_single_byte(std::string& out, unsigned char byte, bool latin1) {
  unsigned code = byte;
  if (!latin1 && byte >= 0x80 && byte <= 0x9F) code = windows[byte - 0x80u];
  if (code == 0 && byte != 0) return false;
  if (code < 0x80) {
    out += char(code);
  } else if (code < 0x800) {
    out += char(0xC0 | code >> 6);
    out += char(0x80 | (code & 0x3F));
  } else {
    out += char(0xE0 | code >> 12);
    out += char(0x80 | (code >> 6 & 0x3F));
    out += char(0x80 | (code & 0x3F));
  }
  return true;
}

bool is_ascii(std::string_view text) {
  unsigned char seen = 0;
  for (const char c : text) seen |= static_cast<unsigned char>(c);
  return seen < 0x80;
}

std::string_view whole_characters(std::string_view utf8, std::size_t most) {
  if (utf8.size() <= most) return utf8;
  while (most > 0 && (static_cast<unsigned char>(utf8[most]) & 0xC0) == 0x80) --most;
  return utf8.substr(0, most);
}

}  // namespace equipoise::data

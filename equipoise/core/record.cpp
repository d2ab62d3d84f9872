#include "equipoise/core/record.h"

#include <cmath>

#include "equipoise/core/text.h"

namespace equipoise::record {

void write_text(std::string& out, std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (byte < 0x20) out += "\\u00", out += digits[byte >> 4], out += digits[byte & 15];
    else out += c;
  }
  out += '"';
}

void write_number(std::string& out, double value) {
  expects(std::isfinite(value), "a record holds finite numbers");
  out += shortest(value);
}

bool Reader::text(std::string& into) {
  if (!take('"')) return false;
  into.clear();
  for (;;) {
    char const* plain = at_;
    while (at_ < end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20) ++at_;
    into.append(plain, at_);
    if (at_ == end_) return false;
    if (*at_ == '"') break;
    if (*at_ != '\\' || end_ - at_ < 2) return false;
    if (at_[1] == '"' || at_[1] == '\\') {
      into += at_[1], at_ += 2;
      continue;
    }
    const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
    if (end_ - at_ < 6 || at_[1] != 'u' || at_[2] != '0' || at_[3] != '0') return false;
    const int high = digit(at_[4]), low = digit(at_[5]);
    if (high < 0 || low < 0 || high > 1) return false;  // what is not a control character is written as it is
    into += char(16 * high + low), at_ += 6;
  }
  ++at_;
  return true;
}

bool Reader::number(double& into) {
  char const* const from = at_;
  const auto [next, problem] = std::from_chars(at_, end_, into);
  if (problem != std::errc() || !std::isfinite(into)) return false;
  at_ = next;
  return std::string_view(from, std::size_t(at_ - from)) == shortest(into);
}

bool Reader::flag(bool& into) {
  constexpr std::string_view yes = "true";  // false is left out
  if (std::size_t(end_ - at_) < yes.size() || std::string_view(at_, yes.size()) != yes) return false;
  into = true, at_ += yes.size();
  return true;
}

}  // namespace equipoise::record

#include "equipoise/data/formats/json_cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace equipoise::data {
namespace {

/// Bytes that end the plain part of a string.
constexpr std::array<bool, 256> ends_plain = [] {
  std::array<bool, 256> ends{};
  for (int c = 0; c < 0x20; ++c) ends[std::size_t(c)] = true;
  ends['"'] = ends['\\'] = true;
  return ends;
}();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool JsonCursor::fail(std::string what) {
  if (problem_.empty()) problem_ = std::move(what);
  return false;
}

std::pair<int, int> JsonCursor::line_and_column(std::size_t position) const {
  const std::string_view before = text_.substr(0, position);
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 = 0
  return {int(std::ranges::count(before, '\n')) + 1, int(std::min<std::size_t>(position - line_begin + 1, 2'000'000'000))};
}

JsonCursor::Kind JsonCursor::peek() {
  skip_blanks();
  if (at_ == text_.size()) return Kind::end;
  switch (text_[at_]) {
    case '"':
      return Kind::string;
    case '{':
      return Kind::object;
    case '[':
      return Kind::array;
    case 't':
      return Kind::true_word;
    case 'f':
      return Kind::false_word;
    case 'n':
      return Kind::null_word;
    default:
      return text_[at_] == '-' || is_digit(text_[at_]) ? Kind::number : Kind::other;
  }
}

bool JsonCursor::take(char c) {
  if (failed()) return false;
  skip_blanks();
  if (at_ == text_.size() || text_[at_] != c) return false;
  ++at_;
  return true;
}

bool JsonCursor::expect(char c) {
  if (failed()) return false;
  if (take(c)) return true;
  if (at_ == text_.size()) return fail(fmt::format("the file ends where '{}' must come: it is cut off", c));
  return fail(fmt::format("'{}' must come here", c));
}

bool JsonCursor::string(std::string_view& out) {
  if (!expect('"')) return false;
  const std::size_t begin = at_;
  while (at_ < text_.size() && !ends_plain[static_cast<unsigned char>(text_[at_])]) ++at_;
  if (at_ < text_.size() && text_[at_] == '"') {
    out = text_.substr(begin, at_ - begin);
    ++at_;
    return true;
  }
  unescaped_.assign(text_.substr(begin, at_ - begin));
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      ++at_;
      out = unescaped_;
      return true;
    }
    if (static_cast<unsigned char>(c) < 0x20) return fail("a control character in a text must be written as an escape");
    if (c != '\\') {
      unescaped_ += c;
      ++at_;
    } else if (!escape()) {
      return false;
    }
  }
  return fail("the file ends within a text: it is cut off");
}

bool JsonCursor::hex(unsigned& code) {
  code = 0;
  if (text_.size() - at_ < 4) return fail("the file ends within an escape: it is cut off");
  for (int i = 0; i < 4; ++i) {
    const char c = text_[at_++];
    const int digit = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return fail("an escape \\u must have four hexadecimal digits");
    code = code * 16 + unsigned(digit);
  }
  return true;
}

bool JsonCursor::escape() {
  ++at_;
  if (at_ == text_.size()) return fail("the file ends within an escape: it is cut off");
  const char c = text_[at_++];
  constexpr std::string_view names = "\"\\/bfnrt", means = "\"\\/\b\f\n\r\t";
  if (const std::size_t known = names.find(c); known != std::string_view::npos) {
    unescaped_ += means[known];
    return true;
  }
  if (c != 'u') return fail(fmt::format("'\\{}' is no escape of JSON", static_cast<unsigned char>(c) < 0x80 ? c : '?'));
  unsigned code = 0, low = 0;
  if (!hex(code)) return false;
  if (code >= 0xD800 && code <= 0xDBFF) {
    if (text_.substr(at_, 2) != "\\u") return fail("half of a surrogate pair stands alone");
    at_ += 2;
    if (!hex(low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) return fail("half of a surrogate pair stands alone");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  } else if (code >= 0xDC00 && code <= 0xDFFF) {
    return fail("half of a surrogate pair stands alone");
  }
  if (code < 0x80) {
    unescaped_ += char(code);
    return true;
  }
  if (code < 0x800) {
    unescaped_ += char(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    unescaped_ += char(0xE0 | code >> 12);
    unescaped_ += char(0x80 | (code >> 6 & 0x3F));
  } else {
    unescaped_ += char(0xF0 | code >> 18);
    unescaped_ += char(0x80 | (code >> 12 & 0x3F));
    unescaped_ += char(0x80 | (code >> 6 & 0x3F));
  }
  unescaped_ += char(0x80 | (code & 0x3F));
  return true;
}

bool JsonCursor::number(std::string_view& out) {
  if (failed()) return false;
  skip_blanks();
  const std::size_t begin = at_;
  const auto digits = [&] {
    const std::size_t first = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ > first;
  };
  const auto next = [&](char c) { return at_ < text_.size() && text_[at_] == c; };
  if (next('-')) ++at_;
  const bool zero = next('0');
  const std::size_t first = at_;
  if (!digits()) return fail(at_ == text_.size() ? "the file ends within a number: it is cut off" : "a value must come here");
  if (zero && at_ - first > 1) return fail("a number must not begin with 0");
  if (next('.')) {
    ++at_;
    if (!digits()) return fail("digits must follow the point of a number");
  }
  if (next('e') || next('E')) {
    ++at_;
    if (next('+') || next('-')) ++at_;
    if (!digits()) return fail("digits must follow the exponent of a number");
  }
  out = text_.substr(begin, at_ - begin);
  return true;
}

bool JsonCursor::word() {
  if (failed()) return false;
  for (const std::string_view known : {"true", "false", "null"})
    if (text_.substr(at_, known.size()) == known) {
      at_ += known.size();
      return true;
    }
  return fail("a value must come here");
}

bool JsonCursor::skip() {
  // The brackets that are open: depth costs memory of the heap, never of the stack.
  std::string open;
  std::string_view unused;
  do {
    const Kind kind = peek();
    bool value_done = true;
    if (kind == Kind::object || kind == Kind::array) {
      const char closing = kind == Kind::object ? '}' : ']';
      ++at_;
      if (!take(closing)) {
        open += closing;
        value_done = false;
        if (closing == '}' && !(string(unused) && expect(':'))) return false;
      }
    } else if (kind == Kind::string) {
      if (!string(unused)) return false;
    } else if (kind == Kind::number) {
      if (!number(unused)) return false;
    } else if (kind == Kind::end) {
      return fail("the file ends where a value must come: it is cut off");
    } else if (!word()) {
      return false;
    }
    while (value_done && !open.empty()) {
      if (take(',')) {
        if (open.back() == '}' && !(string(unused) && expect(':'))) return false;
        break;
      }
      if (!expect(open.back())) return false;
      open.pop_back();
    }
  } while (!open.empty());
  return !failed();
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (!ends_plain[c]) continue;
    out.append(text.substr(from, i - from));
    from = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    }
  }
  out.append(text.substr(from));
  out += '"';
}

}  // namespace equipoise::data

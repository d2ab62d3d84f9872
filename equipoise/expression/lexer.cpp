#include "equipoise/expression/lexer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "equipoise/core/text.h"
#include "equipoise/expression/locator.h"

namespace equipoise::expression {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

constexpr std::array<std::string_view, 13> symbols{"==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "(", ")", ","};

/// What people write from habit or by a word processor, and what the language writes instead.
constexpr std::array<std::pair<std::string_view, std::string_view>, 22> habits{{
    {"&&", "write 'and'"},
    {"&", "write 'and'"},
    {"||", "write 'or'"},
    {"|", "write 'or'"},
    {"<>", "write !="},
    {"=", "write == to compare"},
    {"!", "write 'not'"},
    {"\"", "write text in single quotes: 'text'"},
    {"≥", "write >="},
    {"≤", "write <="},
    {"≠", "write !="},
    {"−", "write -"},
    {"–", "write -"},
    {"×", "write *"},
    {"÷", "write /"},
    {"‘", "write text in straight single quotes: 'text'"},
    {"’", "write text in straight single quotes: 'text'"},
    {"“", "write text in straight single quotes: 'text'"},
    {"”", "write text in straight single quotes: 'text'"},
    {"（", "write ("},
    {"）", "write )"},
    {"，", "write ,"},
}};

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  tl::expected<std::vector<Token>, Slip> run() {
    std::vector<Token> found;
    while (true) {
      while (at_ < source_.size() && is_blank(source_[at_])) ++at_;
      auto token = next();
      if (!token) return tl::unexpected(std::move(token.error()));
      found.push_back(std::move(*token));
      if (found.back().kind == TokenKind::end) return found;
    }
  }

 private:
  using Found = tl::expected<Token, Slip>;

  std::string_view rest() const { return source_.substr(at_); }

  template <class... Args>
  static tl::unexpected<Slip> slip(std::size_t position, std::string hint, Code code, fmt::format_string<Args...> text,
                                   Args&&... args) {
    return tl::unexpected(Slip{Error{code, fmt::format(text, std::forward<Args>(args)...), {}, std::move(hint)}, position});
  }

  Token take(TokenKind kind, std::size_t length) {
    Token token{.kind = kind, .written = source_.substr(at_, length), .position = at_};
    at_ += length;
    return token;
  }

  std::size_t word_length(std::size_t from) const {
    std::size_t end = from;
    while (end < source_.size() && is_word(source_[end])) ++end;
    return end - from;
  }

  Found next() {
    if (at_ == source_.size()) return take(TokenKind::end, 0);
    const char c = source_[at_];
    if (is_digit(c) || c == '.') return number();
    if (c == '\'') return text();
    if (is_word(c)) return name();
    for (auto const& [habit, hint] : habits)
      if (rest().starts_with(habit) && !rest().starts_with("!=") && !rest().starts_with("=="))
        return slip(at_, std::string(hint), Code::syntax, "'{}' is not a sign of this language", habit);
    for (const std::string_view symbol : symbols)
      if (rest().starts_with(symbol)) return take(TokenKind::symbol, symbol.size());
    return stray();
  }

  Found number() {
    std::size_t end = at_;
    const auto digits = [&] {
      while (end < source_.size() && (is_digit(source_[end]) || source_[end] == '.')) ++end;
    };
    digits();
    if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
      const std::size_t mantissa = end++;
      if (end < source_.size() && (source_[end] == '+' || source_[end] == '-')) ++end;
      if (end < source_.size() && is_digit(source_[end])) digits();
      else end = mantissa;  // the 'e' begins a word, which the next lines refuse
    }
    end += word_length(end);
    const std::string_view written = source_.substr(at_, end - at_);
    const auto value = to_number(written);
    if (value) {
      Token token = take(TokenKind::number, written.size());
      token.number = *value;
      return token;
    }
    const bool decimal =
        std::ranges::count(written, '.') <= 1 && is_digit(written.back()) && std::ranges::all_of(written, [](char d) {
          return is_digit(d) || std::string_view(".eE+-").find(d) != std::string_view::npos;
        });
    if (decimal) return slip(at_, "", Code::out_of_range, "the number {} is too large or too small to be kept", excerpt(written));
    return slip(at_, "", Code::syntax, "'{}' is neither a number nor a name", excerpt(written));
  }

  Found text() {
    std::string value;
    for (std::size_t end = at_ + 1; end < source_.size(); ++end) {
      if (source_[end] != '\'') {
        value += source_[end];
        continue;
      }
      if (end + 1 < source_.size() && source_[end + 1] == '\'') {
        value += source_[end++];
        continue;
      }
      Token token = take(TokenKind::text, end + 1 - at_);
      token.text = std::move(value);
      return token;
    }
    return slip(at_, "close it with a single quote; a quote inside a text is written twice", Code::syntax,
                "this text has no closing quote");
  }

  Found name() {
    std::size_t length = word_length(at_);
    if (at_ + length < source_.size() && source_[at_ + length] == '@') {
      const std::size_t visit = word_length(at_ + length + 1);
      if (visit == 0)
        return slip(at_ + length, "write item@visit without blanks, as in cd4@baseline", Code::syntax,
                    "'@' without a visit behind it");
      length += 1 + visit;
    }
    return take(TokenKind::name, length);
  }

  Found stray() {
    if (source_[at_] == '@')
      return slip(at_, "write item@visit without blanks, as in cd4@baseline", Code::syntax, "'@' without an item before it");
    const auto byte = static_cast<unsigned char>(source_[at_]);
    if (byte < 0x20 || byte == 0x7F)
      return slip(at_, "", Code::syntax, "a control character (U+{:04X}) has no meaning here", unsigned(byte));
    std::size_t length = 1;
    while (at_ + length < source_.size() && (static_cast<unsigned char>(source_[at_ + length]) & 0xC0) == 0x80) ++length;
    return slip(at_, byte < 0x80 ? "" : "outside quotes only a to z, 0 to 9, _ and the signs of the language are read",
                Code::syntax, "'{}' is not a sign of this language", source_.substr(at_, length));
  }

  std::string_view source_;
  std::size_t at_ = 0;
};

}  // namespace

tl::expected<std::vector<Token>, Slip> tokens(std::string_view source) { return Lexer(source).run(); }

}  // namespace equipoise::expression

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/expected.h"

namespace equipoise::expression {

enum class TokenKind { number, text, name, symbol, end };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string_view written{};  ///< as in the source
  std::size_t position = 0;
  double number = 0;   ///< of a number
  std::string text{};  ///< of a text: without quotes, doubled quotes made single

  bool is(std::string_view symbol_or_word) const {
    return (kind == TokenKind::symbol || kind == TokenKind::name) && written == symbol_or_word;
  }
};

/// A mistake and the byte at which it stands.
struct Slip {
  Error error;
  std::size_t position = 0;
};

/// Cuts the text into tokens, the last of kind `end`; stops at the first mistake.
/// A name is `word` or `word@word`, without blanks. The views look into `source`.
tl::expected<std::vector<Token>, Slip> tokens(std::string_view source);

}  // namespace equipoise::expression

#include "equipoise/expression/parser.h"

#include <algorithm>
#include <array>

#include "equipoise/core/text.h"
#include "equipoise/expression/locator.h"

namespace equipoise::expression {
namespace {

using Parsed = tl::expected<Syntax, Slip>;

/// One loop for all binary operators: `operand (operator operand)*` at each strength. Recursion happens for brackets, calls and
/// prefix operators only, and each of them passes the gate of `Deeper`.
class Parser {
 public:
  explicit Parser(std::vector<Token> found) : tokens_(std::move(found)) {}

  Parsed run() {
    if (now().kind == TokenKind::end) return slip(now(), "", "the expression is empty");
    Parsed whole = expression();
    if (whole && now().kind != TokenKind::end) return after_value();
    return whole;
  }

 private:
  struct Level {
    int precedence;
    Operator op;
  };

  /// Counts nesting while it lives.
  struct Deeper {
    explicit Deeper(int& nesting) : count(nesting) { ++count; }
    ~Deeper() { --count; }
    Deeper(Deeper const&) = delete;
    Deeper& operator=(Deeper const&) = delete;
    int& count;
  };

  Token const& now() const { return tokens_[at_]; }
  void advance() {
    if (now().kind != TokenKind::end) ++at_;
  }
  bool take(std::string_view symbol) {
    if (!now().is(symbol)) return false;
    advance();
    return true;
  }

  template <class... Args>
  static tl::unexpected<Slip> slip(Token const& where, std::string hint, fmt::format_string<Args...> text, Args&&... args) {
    return tl::unexpected(
        Slip{Error{Code::syntax, fmt::format(text, std::forward<Args>(args)...), {}, std::move(hint)}, where.position});
  }

  static std::string name_of(Token const& token) {
    return token.kind == TokenKind::end    ? "the end"
           : token.kind == TokenKind::text ? excerpt(token.written)
                                           : fmt::format("'{}'", excerpt(token.written));
  }

  /// A token where an operator or the end should stand.
  tl::unexpected<Slip> after_value() const {
    static constexpr std::array<std::string_view, 3> words{"and", "or", "not"};
    std::string lower(now().written);
    for (char& c : lower)
      if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    if (now().kind == TokenKind::name && std::ranges::find(words, std::string_view(lower)) != words.end() &&
        lower != now().written)
      return slip(now(), fmt::format("write '{}' in small letters", lower), "expected an operator or the end, found {}",
                  name_of(now()));
    return slip(now(), now().is(")") ? "this bracket was never opened" : "", "expected an operator or the end, found {}",
                name_of(now()));
  }

  static std::optional<Level> binary(Token const& token) {
    if (token.kind != TokenKind::symbol && token.kind != TokenKind::name) return {};
    static constexpr std::array<Operator, 12> all{Operator::either,    Operator::both,          Operator::equal,
                                                  Operator::not_equal, Operator::less,          Operator::less_equal,
                                                  Operator::greater,   Operator::greater_equal, Operator::add,
                                                  Operator::subtract,  Operator::multiply,      Operator::divide};
    for (const Operator op : all)
      if (token.written == spelling(op)) return Level{precedence(Syntax{.what = Operation{op}}), op};
    return {};
  }

  static int depth_over(std::vector<Syntax> const& operands) {
    int deepest = 0;
    for (Syntax const& operand : operands) deepest = std::max(deepest, operand.depth);
    return deepest + 1;
  }

  Parsed operation(Operator op, Token const& sign, std::vector<Syntax> operands) const {
    Syntax node{.what = Operation{op}, .operands = std::move(operands), .position = sign.position};
    node.depth = depth_over(node.operands);
    if (node.depth > deepest_tree)
      return slip(sign, "name a part of it as a derivation", "more than {} operators depend on each other", deepest_tree);
    return node;
  }

  Parsed expression() { return chain(1); }

  Parsed chain(int strength) {
    constexpr int negation = 3, comparison = 4, sign = 7;
    if (strength == negation && now().is("not")) return prefix(Operator::negation, strength);
    if (strength == sign) return now().is("-") ? prefix(Operator::minus, strength) : value();
    Parsed left = chain(strength + 1);
    int comparisons = 0;
    while (left) {
      const auto next = binary(now());
      if (!next || next->precedence != strength) break;
      if (strength == comparison && ++comparisons > 1)
        return slip(now(), "join two comparisons with 'and', as in 0 < x and x < 1", "comparisons do not chain");
      const Token operator_token = now();
      advance();
      Parsed right = chain(strength + 1);
      if (!right) return right;
      std::vector<Syntax> operands;
      operands.push_back(std::move(*left));
      operands.push_back(std::move(*right));
      left = operation(next->op, operator_token, std::move(operands));
    }
    return left;
  }

  Parsed prefix(Operator op, int strength) {
    const Deeper deeper(nesting_);
    const Token sign = now();
    if (nesting_ > deepest_nesting) return too_deep(sign);
    advance();
    Parsed operand = chain(strength);
    if (!operand) return operand;
    std::vector<Syntax> operands;
    operands.push_back(std::move(*operand));
    return operation(op, sign, std::move(operands));
  }

  static tl::unexpected<Slip> too_deep(Token const& where) {
    return slip(where, "name a part of it as a derivation", "brackets, calls and signs are nested more than {} deep",
                deepest_nesting);
  }

  Parsed value() {
    const Token token = now();
    if (token.kind == TokenKind::number) return literal(NumberLiteral{token.number}, Type::number);
    if (token.kind == TokenKind::text) return literal(TextLiteral{token.text}, Type::text);
    if (token.is("true") || token.is("false")) return literal(TruthLiteral{token.written == "true"}, Type::truth);
    if (token.is("(")) return brackets();
    if (token.is("not")) return slip(token, "put it in brackets: (not ...)", "'not' cannot stand here");
    if (token.kind != TokenKind::name || token.is("and") || token.is("or"))
      return slip(token, token.is("+") ? "a plus sign stands between two numbers only" : "", "expected a value, found {}",
                  name_of(token));
    advance();
    return now().is("(") ? call(token) : Parsed(variable(token));
  }

  Syntax literal(decltype(Syntax::what) what, Type type) {
    Syntax node{.what = std::move(what), .type = type, .position = now().position};
    advance();
    return node;
  }

  static Syntax variable(Token const& token) {
    const std::size_t at = token.written.find('@');
    VariableName name{.name = std::string(token.written.substr(0, at))};
    if (at != std::string_view::npos) name.visit = std::string(token.written.substr(at + 1));
    return Syntax{.what = std::move(name), .position = token.position};
  }

  Parsed brackets() {
    const Deeper deeper(nesting_);
    const Token open = now();
    if (nesting_ > deepest_nesting) return too_deep(open);
    advance();
    Parsed inside = expression();
    if (!inside) return inside;
    if (!take(")")) return unclosed(open);
    return inside;
  }

  tl::unexpected<Slip> unclosed(Token const& open) const {
    if (now().kind == TokenKind::end) return slip(open, "", "this bracket is never closed");
    tl::unexpected<Slip> other = after_value();
    other.value().error.message = fmt::format("expected an operator or ')', found {}", name_of(now()));
    return other;
  }

  Parsed call(Token const& name) {
    const Deeper deeper(nesting_);
    const Token open = now();
    if (nesting_ > deepest_nesting) return too_deep(name);
    advance();
    Syntax node = variable(name);
    if (const auto function = to_function(name.written)) node.what = Call{.function = *function};
    if (node.as<VariableName>() && now().is(")")) return slip(now(), "", "expected a value, found ')'");
    while (!now().is(")")) {
      Parsed argument = expression();
      if (!argument) return argument;
      node.operands.push_back(std::move(*argument));
      if (now().is(")")) break;
      if (!take(",")) return unclosed(open);
      if (now().is(")")) return slip(now(), "", "expected a value, found ')'");
    }
    advance();
    node.depth = depth_over(node.operands);
    if (node.depth > deepest_tree)
      return slip(name, "name a part of it as a derivation", "more than {} operators depend on each other", deepest_tree);
    return node;
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace

tl::expected<Syntax, Slip> parse_syntax(std::string_view text) {
  auto found = tokens(text);
  if (!found) return tl::unexpected(std::move(found.error()));
  return Parser(std::move(*found)).run();
}

}  // namespace equipoise::expression

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "equipoise/core/dates.h"
#include "equipoise/expression/expression.h"

/// The tree of an expression: built by the parser, annotated by the checker, read by printer and evaluator.
namespace equipoise::expression {

enum class Operator {
  either,
  both,
  negation,  ///< or, and, not
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  add,
  subtract,
  multiply,
  divide,
  minus  ///< `minus` is the sign
};

enum class Function { first, last, min, max, mean, every, confirmed, any, count, log, missing, days };

/// Of which value a variable speaks; decided by the checker.
enum class Reading {
  participant,    ///< the one value a participant has
  given_visit,    ///< item@visit
  current_visit,  ///< bare, at the visit under evaluation
  entry,          ///< bare, in the entry under evaluation
};

struct NumberLiteral {
  double value = 0;
  friend bool operator==(NumberLiteral const&, NumberLiteral const&) = default;
};
struct TruthLiteral {
  bool value = false;
  friend bool operator==(TruthLiteral const&, TruthLiteral const&) = default;
};
struct TextLiteral {
  std::string value;
  friend bool operator==(TextLiteral const&, TextLiteral const&) = default;
};
/// A text in the place of a date; made by the checker.
struct DateLiteral {
  PartialDate value{};
  friend bool operator==(DateLiteral const&, DateLiteral const&) = default;
};
struct VariableName {
  std::string name;
  std::optional<std::string> visit{};
  Reading reading = Reading::participant;
  friend bool operator==(VariableName const&, VariableName const&) = default;
};
struct Operation {
  Operator op = Operator::both;
  friend bool operator==(Operation const&, Operation const&) = default;
};
/// The operands are the arguments, less the form, which the checker moves from the first argument into `form`, and the number of
/// visits.
struct Call {
  Function function = Function::first;
  std::string form{};  ///< empty: over visits, or of a value
  int visits = 0;      ///< n of confirmed(x, n)
  friend bool operator==(Call const&, Call const&) = default;
};

struct Syntax {
  std::variant<NumberLiteral, TruthLiteral, TextLiteral, DateLiteral, VariableName, Operation, Call> what;
  std::vector<Syntax> operands{};
  Type type = Type::truth;   ///< set by the checker
  std::size_t position = 0;  ///< byte in the text where messages point: of an operator, the operator itself
  int depth = 1;             ///< nodes on the longest path down, this one included

  template <class T>
  T const* as() const {
    return std::get_if<T>(&what);
  }
  template <class T>
  T* as() {
    return std::get_if<T>(&what);
  }
};

/// Same meaning: everything but the positions.
bool same(Syntax const& a, Syntax const& b);

std::string_view spelling(Operator op);
std::string_view spelling(Function function);
std::optional<Function> to_function(std::string_view name);
std::vector<std::string> all_functions();

inline bool is_comparison(Operator op) { return op >= Operator::equal && op <= Operator::greater_equal; }

/// Binding strength, 1 (or) to 7 (sign); 8 for what needs no brackets ever.
int precedence(Syntax const& node);

/// canonical_text of a tree.
std::string print(Syntax const& node);

}  // namespace equipoise::expression

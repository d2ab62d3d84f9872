#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/expected.h"

/// The protocol's small typed language: parse, check, evaluate column by column. Grammar: docs/methods/expressions.md.
namespace equipoise::expression {

/// `moment` is the time of a visit or of an entry, found by first(...) or every(...); `truth` is true, false or unknown.
enum class Type { number, truth, text, code, date, moment };

/// "a number", "a truth", ...: for messages.
std::string_view phrase(Type type);

/// What the names of a trial mean: the checker's only knowledge of it. Implemented by `protocol`.
class Names {
 public:
  virtual ~Names() = default;

  struct Variable {
    Type type = Type::number;
    std::string form{};                ///< the form an item belongs to; empty for derivations and built-in names
    std::vector<std::string> codes{};  ///< of a code
    bool at_visit = true;              ///< false: one value a participant (randomised, randomisation, arm, site)
    std::string unit{};                ///< UCUM; empty = none
  };
  virtual std::optional<Variable> variable(std::string_view name) const = 0;
  virtual bool has_visit(std::string_view visit) const = 0;
  virtual bool has_form(std::string_view form) const = 0;
  /// Whether the item (or what the derivation reads) is collected at the visit.
  virtual bool collected(std::string_view name, std::string_view visit) const = 0;
  virtual std::vector<std::string> all_variables() const = 0;
  virtual std::vector<std::string> all_visits() const = 0;
  virtual std::vector<std::string> all_forms() const = 0;
};

struct Syntax;  ///< the tree; see syntax.h

/// A checked expression: immutable, cheap to copy.
class Expression {
 public:
  Expression() = default;
  Expression(std::string text, Type type, std::shared_ptr<const Syntax> tree)
      : text_(std::move(text)), type_(type), tree_(std::move(tree)) {}

  std::string const& text() const { return text_; }
  Type type() const { return type_; }
  Syntax const& tree() const;  ///< throws ContractViolation for an empty expression
  explicit operator bool() const { return tree_ != nullptr; }

  /// The variables it reads, each as written (item or item@visit), in order of appearance, once each.
  std::vector<std::string> variables() const;
  /// The forms whose entries it goes through, in order of appearance, once each.
  std::vector<std::string> forms() const;
  /// True for every(...), which gives several dates a participant: read it with `evaluate_moments`.
  bool gives_several() const;
  /// True for first(x), x a condition that is evaluated at the visits: between two of them nothing is seen.
  bool is_first_of_visits() const;

 private:
  std::string text_;
  Type type_ = Type::truth;
  std::shared_ptr<const Syntax> tree_;
};

/// Where an expression stands: what bare names and which functions are allowed.
struct Context {
  std::optional<std::string> form{};  ///< inside a form (edit checks): bare items of that form only
  bool at_visit = false;              ///< evaluated visit by visit, so bare items are read at the visit under evaluation
};

inline constexpr std::size_t longest_text = 4096;  ///< bytes of an expression
inline constexpr int deepest_nesting = 64;         ///< brackets, calls, 'not' and '-' inside each other
inline constexpr int deepest_tree = 256;  ///< operators on one path of the tree, so also the length of a chain a + b + c ...

/// Parses and type-checks. After a mistake of syntax nothing more is looked for; names and types are all checked. A problem
/// stands at line place.line, column place.column + 1 (the quote) + the characters before it in the text; after a line break
/// inside the text, at the lines and columns that follow. errors  syntax, unresolved (unknown name, visit, form, function; with
/// did-you-mean), wrong_type, out_of_range, inconsistent
std::optional<Expression> parse(std::string_view text, Names const& names, Context const& context, Place place,
                                Problems& problems);

/// The expression in one fixed spelling: single blanks, as few brackets as the grammar allows, numbers in shortest form.
/// Parsing it gives the same tree, so two expressions that differ in spelling only have the same canonical text. Its blanks may
/// make it longer than `longest_text` when the text was near that.
std::string canonical_text(Expression const& expression);

}  // namespace equipoise::expression

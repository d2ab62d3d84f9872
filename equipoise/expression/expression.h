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

/// `moment` is a date or the time of a visit; `truth` is true, false or unknown.
enum class Type { number, truth, text, code, date, moment };

/// What the names of a trial mean: the checker's only knowledge of it. Implemented by `protocol`.
class Names {
 public:
  virtual ~Names() = default;

  struct Variable {
    Type type = Type::number;
    std::string form{};                 ///< the form an item belongs to; empty for derivations and built-in names
    std::vector<std::string> codes{};   ///< of a code
    bool at_visit = true;               ///< false: one value a participant (randomised, randomisation, arm, site)
    std::string unit{};                 ///< UCUM; empty = none
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
  Syntax const& tree() const { return *tree_; }
  explicit operator bool() const { return tree_ != nullptr; }

  /// The variables it reads, each as written (item or item@visit), in order of appearance, once each.
  std::vector<std::string> variables() const;

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

/// Parses and type-checks; every problem is reported at its place in the protocol (`place` is where the text stands in the file: the
/// column of a problem is place.column + 1 (the quote) + the position inside the text).
/// errors  syntax, unresolved (unknown name, visit, form; with did-you-mean), wrong_type, out_of_range, inconsistent
std::optional<Expression> parse(std::string_view text, Names const& names, Context const& context, Place place, Problems& problems);

}  // namespace equipoise::expression

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/expression/expression.h"
#include "equipoise/expression/flat_program.h"
#include "equipoise/expression/syntax.h"

/// Expressions compiled for data of which every known value is exact, as those of a simulated trial are: no bounds and no partial
/// dates. What `evaluate` finds node by node with tables that it asks by name, a program computes from arrays that were found
/// once. evaluate.h is the rule and this the copy: flat_test.cpp holds the two equal on random expressions and data.
namespace equipoise::expression::flat {

/// What the names of expressions are in the caller's arrays; asked while compiling. Puts operations of its own in the graph where
/// a name is not an array as it stands.
class Resolver {
 public:
  virtual ~Resolver() = default;

  struct Visit {
    Node attended;  ///< 1 or 0 for each participant
    Node day;       ///< its date, of those who attended
  };
  /// One of the two: a value (of a code with its levels), or the rule of a derivation, to be read at the same visit.
  struct Variable {
    std::optional<Node> node{};
    std::vector<std::string> levels{};
    Expression const* rule = nullptr;
  };
  /// Entries with rows of their own, or (no space) one at each attended one of `visits`.
  struct Form {
    Space space = participants;
    Node date = 0;
    std::vector<std::string> visits{};
  };

  virtual std::vector<std::string> post_baseline_visits() = 0;
  virtual Visit visit(std::string_view id) = 0;
  /// At a visit or, of what a participant has once, at none. Texts must be missing everywhere: they are no numbers.
  virtual Variable variable(std::string_view name, std::optional<std::string_view> visit) = 0;
  virtual Form form(std::string_view id) = 0;
  /// An item of a form with rows of its own.
  virtual Variable entry_item(std::string_view form, std::string_view item) = 0;
  /// A day of the calendar, days since 1970-01-01, as the caller counts days.
  virtual Node calendar_day(double day) = 0;
};

/// Expressions to nodes of a graph. What cannot be put flat (every(...), texts that are not missing) is said by `why_not`, and
/// the nodes given then mean nothing: the caller goes by `evaluate`.
class Compiler {
 public:
  Compiler(Graph& graph, Resolver& resolver) : graph_(graph), resolver_(resolver) {}

  struct Value {
    Node node = 0;
    std::vector<std::string> levels{};  ///< of a code
  };
  /// `evaluate` of the same expression at the same visit.
  Value value(Expression const& expression, std::optional<std::string_view> visit = {});

  /// The value of a name: of an item or derivation at a visit, or of what a participant has once.
  Value named(std::string_view name, std::optional<std::string_view> visit = {}) {
    return opened(resolver_.variable(name, visit), name, std::string(visit.value_or("")));
  }

  /// Of first(x) over visits: x at each visit after baseline, unknown for those who did not attend it, and the date of the visit.
  /// The dates of visits with x false before the first with x true are `Occurrences::without`.
  struct Seen {
    Node truth, day;
  };
  std::vector<Seen> seen(Expression const& expression);

  std::optional<std::string> const& why_not() const { return why_not_; }

 private:
  struct Frame {
    std::string visit{};  // under evaluation; empty: none
    std::string form{};   // whose entries: in `space`, or those of `entry_visit`
    std::string entry_visit{};
    Space space = participants;
    auto operator<=>(Frame const&) const = default;
  };

  Value value(Syntax const& node, Frame const& frame);
  Value computed(Syntax const& node, Frame const& frame);
  Value variable_value(VariableName const& variable, Frame const& frame);
  Value opened(Resolver::Variable variable, std::string_view name, std::string const& visit);
  Node operation_value(Syntax const& node, Operator op, Frame const& frame);
  Node comparison(Syntax const& node, Operator op, Frame const& frame);
  Node codes_equal(Syntax const& node, Value const& x, Value const& y, Frame const& frame);
  Value call_value(Syntax const& node, Call const& call, Frame const& frame);
  Value participant_value(Syntax const& node, Call const& call);
  Node of_entries(Syntax const& node, Call const& call);
  Node first_moment(Syntax const& node);
  Value first_or_last(Syntax const& node, Call const& call);
  Node summary(Syntax const& node, Call const& call);
  Node confirmed(Syntax const& node, Call const& call, std::string const& visit);

  Value at_visit(Syntax const& node, std::string const& visit) { return value(node, Frame{.visit = visit}); }
  /// Where x is read at all, of those who attended: missing elsewhere.
  Node of_attended(Node x, Resolver::Visit const& visit);
  /// 1 where x is true at an attended visit; elsewhere something else.
  Node hit(Node x, Resolver::Visit const& visit);
  std::vector<Resolver::Visit> const& after_baseline();
  void refuse(std::string why);

  Graph& graph_;
  Resolver& resolver_;
  std::vector<std::string> visits_;
  std::vector<Resolver::Visit> attended_;  // of visits_
  bool visits_known_ = false;
  std::map<std::pair<Syntax const*, Frame>, Value> kept_;
  std::map<Syntax const*, Value> of_participants_;
  std::vector<Expression> alive_;  // whose parts are the keys
  std::optional<std::string> why_not_;
};

}  // namespace equipoise::expression::flat

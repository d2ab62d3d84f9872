#include "equipoise/expression/flat.h"

#include <algorithm>

#include "equipoise/expression/syntax.h"

namespace equipoise::expression::flat {

void Compiler::refuse(std::string why) {
  if (!why_not_) why_not_ = std::move(why);
}

std::vector<Resolver::Visit> const& Compiler::after_baseline() {
  if (!visits_known_) {
    visits_ = resolver_.post_baseline_visits();
    for (std::string const& visit : visits_) attended_.push_back(resolver_.visit(visit));
    visits_known_ = true;
  }
  return attended_;
}

Node Compiler::of_attended(Node x, Resolver::Visit const& visit) {
  return graph_.implies(x, visit.attended) ? x : graph_.add(Op::select, {visit.attended, x, graph_.missing()});
}

Node Compiler::hit(Node x, Resolver::Visit const& visit) {
  return graph_.implies(x, visit.attended) ? x : graph_.add(Op::both, {visit.attended, x});
}

Compiler::Value Compiler::value(Expression const& expression, std::optional<std::string_view> visit) {
  alive_.push_back(expression);
  return value(expression.tree(), Frame{.visit = std::string(visit.value_or(""))});
}

/// The same part of a tree in the same place is compiled once; else nested rounds cost visits to the power of their depth.
Compiler::Value Compiler::value(Syntax const& node, Frame const& frame) {
  const std::pair key(&node, frame);
  if (const auto found = kept_.find(key); found != kept_.end()) return found->second;
  return kept_.emplace(key, computed(node, frame)).first->second;
}

Compiler::Value Compiler::computed(Syntax const& node, Frame const& frame) {
  if (const auto* number = node.as<NumberLiteral>()) return {graph_.constant(number->value, frame.space)};
  if (const auto* truth = node.as<TruthLiteral>()) return {graph_.constant(truth->value, frame.space)};
  if (node.as<TextLiteral>()) return {graph_.constant(0, frame.space)};  // known; compared by `comparison`
  if (const auto* date = node.as<DateLiteral>()) {
    const Node day = resolver_.calendar_day(day_number(date->value.earliest));
    return {frame.space == participants ? day : graph_.gather(day, frame.space)};
  }
  if (const auto* variable = node.as<VariableName>()) {
    Value found = variable_value(*variable, frame);
    if (node.type == Type::text && !graph_.always_missing(found.node)) refuse("'" + variable->name + "' is a text");
    return found;
  }
  if (const auto* operation = node.as<Operation>()) return {operation_value(node, operation->op, frame)};
  return call_value(node, *node.as<Call>(), frame);
}

Compiler::Value Compiler::opened(Resolver::Variable variable, std::string_view name, std::string const& visit) {
  if (variable.rule) return value(*variable.rule, visit);
  if (variable.node) return {*variable.node, std::move(variable.levels)};
  refuse("'" + std::string(name) + "' is in no array");
  return {graph_.missing()};
}

Compiler::Value Compiler::variable_value(VariableName const& variable, Frame const& frame) {
  if (variable.reading == Reading::entry) {
    if (frame.space == participants)
      return opened(resolver_.variable(variable.name, frame.entry_visit), variable.name, frame.entry_visit);
    Resolver::Variable item = resolver_.entry_item(frame.form, variable.name);
    if (item.node) return {*item.node, std::move(item.levels)};
    refuse("'" + variable.name + "' is in no array");
    return {graph_.missing(frame.space)};
  }
  std::optional<std::string> visit;
  if (variable.reading == Reading::given_visit) visit = *variable.visit;
  if (variable.reading == Reading::current_visit) {
    expects(!frame.visit.empty(), "an expression parsed for visits is compiled for one");
    visit = frame.visit;
  }
  Value found = opened(resolver_.variable(variable.name, visit), variable.name, visit.value_or(""));
  if (frame.space != participants) found.node = graph_.gather(found.node, frame.space);
  return found;
}

// ---- Operators -------------------------------------------------------------------------------------------------------

Node Compiler::operation_value(Syntax const& node, Operator op, Frame const& frame) {
  if (is_comparison(op)) return comparison(node, op, frame);
  const Node x = value(node.operands[0], frame).node;
  if (op == Operator::negation) return graph_.add(Op::negation, {x});
  if (op == Operator::minus) return graph_.add(Op::negate, {x});
  const Node y = value(node.operands[1], frame).node;
  switch (op) {
    case Operator::either:
      return graph_.add(Op::either, {x, y});
    case Operator::both:
      return graph_.add(Op::both, {x, y});
    case Operator::add:
      return graph_.add(Op::add, {x, y});
    case Operator::subtract:
      return graph_.add(Op::subtract, {x, y});
    case Operator::multiply:
      return graph_.add(Op::multiply, {x, y});
    default:
      return graph_.add(Op::divide, {x, y});
  }
}

Node Compiler::comparison(Syntax const& node, Operator op, Frame const& frame) {
  const Value x = value(node.operands[0], frame), y = value(node.operands[1], frame);
  const auto* left = node.operands[0].as<TextLiteral>();
  const auto* right = node.operands[1].as<TextLiteral>();
  Node equal = 0;
  switch (op) {
    case Operator::less:
      return graph_.add(Op::less, {x.node, y.node});
    case Operator::less_equal:
      return graph_.add(Op::less_equal, {x.node, y.node});
    case Operator::greater:
      return graph_.add(Op::less, {y.node, x.node});
    case Operator::greater_equal:
      return graph_.add(Op::less_equal, {y.node, x.node});
    default:
      break;
  }
  if (left && right) equal = graph_.constant(left->value == right->value, frame.space);
  else if (node.operands[0].type == Type::code || node.operands[1].type == Type::code) equal = codes_equal(node, x, y, frame);
  else equal = graph_.add(Op::equal, {x.node, y.node});
  return op == Operator::equal ? equal : graph_.add(Op::negation, {equal});
}

/// A text beside a code is that code; of two codes the words decide, not their places.
Node Compiler::codes_equal(Syntax const& node, Value const& x, Value const& y, Frame const& frame) {
  const auto place = [](std::vector<std::string> const& levels, std::string const& level) {
    const auto found = std::ranges::find(levels, level);
    return found == levels.end() ? -1.0 : double(found - levels.begin());  // no code is -1: known to be another
  };
  if (const auto* text = node.operands[0].as<TextLiteral>())
    return graph_.add(Op::equal, {graph_.constant(place(y.levels, text->value), frame.space), y.node});
  if (const auto* text = node.operands[1].as<TextLiteral>())
    return graph_.add(Op::equal, {x.node, graph_.constant(place(x.levels, text->value), frame.space)});
  if (x.levels == y.levels) return graph_.add(Op::equal, {x.node, y.node});
  std::vector<double> table;
  for (std::string const& level : y.levels) table.push_back(place(x.levels, level));
  return graph_.add(Op::equal, {x.node, graph_.remap(y.node, std::move(table))});
}

// ---- Functions -------------------------------------------------------------------------------------------------------

Compiler::Value Compiler::call_value(Syntax const& node, Call const& call, Frame const& frame) {
  switch (call.function) {
    case Function::log:
      return {graph_.add(Op::log, {value(node.operands[0], frame).node})};
    case Function::missing:
      return {graph_.add(Op::missing, {value(node.operands[0], frame).node})};
    case Function::days: {
      const Node from = value(node.operands[0], frame).node;
      return {graph_.add(Op::subtract, {value(node.operands[1], frame).node, from})};
    }
    case Function::confirmed:
      expects(!frame.visit.empty(), "confirmed is evaluated at a visit");
      return {confirmed(node, call, frame.visit)};
    case Function::every:
      refuse("every(...) gives several dates a participant");
      return {graph_.missing(frame.space)};
    default:
      break;
  }
  auto kept = of_participants_.find(&node);
  if (kept == of_participants_.end()) {
    Value computed_once = participant_value(node, call);
    kept = of_participants_.emplace(&node, std::move(computed_once)).first;
  }
  Value found = kept->second;
  if (frame.space != participants) found.node = graph_.gather(found.node, frame.space);
  return found;
}

Compiler::Value Compiler::participant_value(Syntax const& node, Call const& call) {
  if (call.function == Function::any || call.function == Function::count) return {of_entries(node, call)};
  if (!call.form.empty()) return {of_entries(node, call)};
  if (node.type == Type::moment && node.operands[0].type == Type::truth) return {first_moment(node)};
  if (call.function == Function::first || call.function == Function::last) return first_or_last(node, call);
  return {summary(node, call)};
}

/// any, count and first over the entries of a form.
Node Compiler::of_entries(Syntax const& node, Call const& call) {
  const Resolver::Form form = resolver_.form(call.form);
  const auto truth_in = [&](Frame const& frame) {
    return node.operands.empty() ? graph_.constant(1, frame.space) : value(node.operands[0], frame).node;
  };
  if (form.space != participants) {
    const Node truth = truth_in({.form = call.form, .space = form.space});
    if (call.function == Function::any) return graph_.back(Op::any_of, {truth});
    if (call.function == Function::count) return graph_.back(Op::count_of, {truth});
    return graph_.back(Op::earliest_of, {truth, form.date});
  }
  Node found = call.function == Function::first ? graph_.missing() : graph_.constant(0);
  for (std::string const& id : form.visits) {
    const Resolver::Visit visit = resolver_.visit(id);
    const Node truth = truth_in({.form = call.form, .entry_visit = id});
    const Node there = graph_.add(Op::both, {visit.attended, truth});
    if (call.function == Function::any) found = graph_.add(Op::either, {found, there});
    else if (call.function == Function::count) found = graph_.add(Op::add, {found, there});
    else found = graph_.add(Op::smaller, {found, graph_.add(Op::select, {there, visit.day, graph_.missing()})});
  }
  return found;
}

Node Compiler::first_moment(Syntax const& node) {
  Node found = graph_.missing();
  for (std::size_t v = after_baseline().size(); v-- > 0;)
    found = graph_.add(Op::select, {hit(at_visit(node.operands[0], visits_[v]).node, attended_[v]), attended_[v].day, found});
  return found;
}

std::vector<Compiler::Seen> Compiler::seen(Expression const& expression) {
  expects(expression.is_first_of_visits(), "only of the first visit at which something is true");
  alive_.push_back(expression);
  std::vector<Seen> found;
  for (std::size_t v = 0; v < after_baseline().size(); ++v)
    found.push_back({of_attended(at_visit(expression.tree().operands[0], visits_[v]).node, attended_[v]), attended_[v].day});
  return found;
}

Compiler::Value Compiler::first_or_last(Syntax const& node, Call const& call) {
  Value found{graph_.missing()};
  for (std::size_t v = 0; v < after_baseline().size(); ++v) {
    const Value x = at_visit(node.operands[0], visits_[v]);
    if (graph_.always_missing(x.node)) continue;
    if (graph_.always_missing(found.node)) found.levels = x.levels;
    if (x.levels != found.levels) refuse("codes have other levels at other visits");
    const Node there = of_attended(x.node, attended_[v]);
    found.node = call.function == Function::first ? graph_.add(Op::coalesce, {found.node, there})
                                                  : graph_.add(Op::coalesce, {there, found.node});
  }
  return found;
}

/// min, max and mean of the known values.
Node Compiler::summary(Syntax const& node, Call const& call) {
  Node found = graph_.missing(), n = graph_.constant(0);
  for (std::size_t v = 0; v < after_baseline().size(); ++v) {
    const Node x = of_attended(at_visit(node.operands[0], visits_[v]).node, attended_[v]);
    if (call.function == Function::min) found = graph_.add(Op::smaller, {found, x});
    else if (call.function == Function::max) found = graph_.add(Op::larger, {found, x});
    else {
      found = graph_.add(Op::accumulate, {found, x, n});
      n = graph_.add(Op::add, {n, graph_.add(Op::negation, {graph_.add(Op::missing, {x})})});
    }
  }
  return call.function == Function::mean ? graph_.add(Op::divide, {found, n}) : found;
}

/// The conjunction of x over this visit and the next n - 1 attended ones. With c(k, v) that over the next k attended visits from
/// the v-th on: c(0, v) true; c(k, v) = x(v) and c(k - 1, v + 1) at an attended visit, else c(k, v + 1); false when no visits are
/// left.
Node Compiler::confirmed(Syntax const& node, Call const& call, std::string const& visit) {
  const std::size_t visits = after_baseline().size();
  const auto place = std::size_t(std::ranges::find(visits_, visit) - visits_.begin());
  const std::size_t next = place == visits ? 0 : place + 1, wanted = std::size_t(call.visits) - 1;
  if (wanted > visits - next) return graph_.constant(0);
  std::vector<Node> shorter(visits + 1, graph_.constant(1));
  for (std::size_t k = 1; k <= wanted; ++k) {
    std::vector<Node> now(visits + 1, graph_.constant(0));
    for (std::size_t v = visits; v-- > next;) {
      const Node x = at_visit(node.operands[0], visits_[v]).node;
      now[v] = graph_.add(Op::select, {attended_[v].attended, graph_.add(Op::both, {x, shorter[v + 1]}), now[v + 1]});
    }
    shorter = std::move(now);
  }
  const Resolver::Visit here = resolver_.visit(visit);
  return graph_.add(Op::both, {here.attended, graph_.add(Op::both, {at_visit(node.operands[0], visit).node, shorter[next]})});
}

}  // namespace equipoise::expression::flat

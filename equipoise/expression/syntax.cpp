#include "equipoise/expression/syntax.h"

#include <algorithm>
#include <array>
#include <utility>

#include "equipoise/core/text.h"

namespace equipoise::expression {
namespace {

constexpr std::array<std::pair<Function, std::string_view>, 12> functions{{
    {Function::first, "first"},
    {Function::last, "last"},
    {Function::min, "min"},
    {Function::max, "max"},
    {Function::mean, "mean"},
    {Function::every, "every"},
    {Function::confirmed, "confirmed"},
    {Function::any, "any"},
    {Function::count, "count"},
    {Function::log, "log"},
    {Function::missing, "missing"},
    {Function::days, "days"},
}};

constexpr int never_bracketed = 8;

std::string quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return fmt::format("'{}'", out);
}

std::string in_brackets(Syntax const& node, bool brackets) { return brackets ? fmt::format("({})", print(node)) : print(node); }

std::string print_operation(Operator op, Syntax const& node) {
  const int own = precedence(node);
  Syntax const& first = node.operands.front();
  if (op == Operator::negation) return fmt::format("not {}", in_brackets(first, precedence(first) < own));
  if (op == Operator::minus) return fmt::format("-{}", in_brackets(first, precedence(first) < own));
  Syntax const& second = node.operands.back();
  const bool chains = !is_comparison(op);  // a < b < c is no expression, so a comparison brackets both sides
  return fmt::format("{} {} {}", in_brackets(first, chains ? precedence(first) < own : precedence(first) <= own), spelling(op),
                     in_brackets(second, precedence(second) <= own));
}

std::string print_call(Call const& call, Syntax const& node) {
  std::vector<std::string> arguments;
  if (!call.form.empty()) arguments.push_back(call.form);
  for (Syntax const& operand : node.operands) arguments.push_back(print(operand));
  if (call.function == Function::confirmed) arguments.push_back(std::to_string(call.visits));
  return fmt::format("{}({})", spelling(call.function), join(arguments, ", "));
}

}  // namespace

std::string_view phrase(Type type) {
  switch (type) {
    case Type::number:
      return "a number";
    case Type::truth:
      return "a truth";
    case Type::text:
      return "a text";
    case Type::code:
      return "a code";
    case Type::date:
      return "a date";
    case Type::moment:
      return "a moment";
  }
  return "";
}

std::string_view spelling(Operator op) {
  constexpr std::array<std::string_view, 14> words{"or", "and", "not", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "-"};
  return words[std::size_t(op)];
}

std::string_view spelling(Function function) {
  return std::ranges::find(functions, function, &std::pair<Function, std::string_view>::first)->second;
}

std::optional<Function> to_function(std::string_view name) {
  const auto* found = std::ranges::find(functions, name, &std::pair<Function, std::string_view>::second);
  return found == functions.end() ? std::nullopt : std::optional(found->first);
}

std::vector<std::string> all_functions() {
  std::vector<std::string> names;
  for (auto const& [function, name] : functions) names.emplace_back(name);
  return names;
}

int precedence(Syntax const& node) {
  const auto* operation = node.as<Operation>();
  if (!operation) return never_bracketed;
  switch (operation->op) {
    case Operator::either:
      return 1;
    case Operator::both:
      return 2;
    case Operator::negation:
      return 3;
    case Operator::add:
    case Operator::subtract:
      return 5;
    case Operator::multiply:
    case Operator::divide:
      return 6;
    case Operator::minus:
      return 7;
    default:
      return 4;
  }
}

bool same(Syntax const& a, Syntax const& b) {
  return a.what == b.what && a.type == b.type && a.operands.size() == b.operands.size() &&
         std::equal(a.operands.begin(), a.operands.end(), b.operands.begin(), same);
}

std::string print(Syntax const& node) {
  if (const auto* number = node.as<NumberLiteral>()) return shortest(number->value);
  if (const auto* truth = node.as<TruthLiteral>()) return truth->value ? "true" : "false";
  if (const auto* text = node.as<TextLiteral>()) return quoted(text->value);
  if (const auto* date = node.as<DateLiteral>()) return quoted(to_string(date->value));
  if (const auto* variable = node.as<VariableName>())
    return variable->visit ? variable->name + "@" + *variable->visit : variable->name;
  if (const auto* operation = node.as<Operation>()) return print_operation(operation->op, node);
  return print_call(std::get<Call>(node.what), node);
}

}  // namespace equipoise::expression

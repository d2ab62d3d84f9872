#include "equipoise/expression/expression.h"

#include <algorithm>

#include "equipoise/core/text.h"
#include "equipoise/expression/checker.h"
#include "equipoise/expression/locator.h"
#include "equipoise/expression/parser.h"
#include "equipoise/expression/syntax.h"

namespace equipoise::expression {
namespace {

void add_once(std::vector<std::string>& list, std::string word) {
  if (std::ranges::find(list, word) == list.end()) list.push_back(std::move(word));
}

void collect_variables(Syntax const& node, std::vector<std::string>& found) {
  if (node.as<VariableName>()) add_once(found, print(node));
  for (Syntax const& operand : node.operands) collect_variables(operand, found);
}

void collect_forms(Syntax const& node, std::vector<std::string>& found) {
  if (const auto* call = node.as<Call>(); call && !call->form.empty()) add_once(found, call->form);
  for (Syntax const& operand : node.operands) collect_forms(operand, found);
}

}  // namespace

Syntax const& Expression::tree() const {
  expects(tree_ != nullptr, "an empty expression has no tree");
  return *tree_;
}

std::vector<std::string> Expression::variables() const {
  std::vector<std::string> found;
  if (tree_) collect_variables(*tree_, found);
  return found;
}

std::vector<std::string> Expression::forms() const {
  std::vector<std::string> found;
  if (tree_) collect_forms(*tree_, found);
  return found;
}

bool Expression::gives_several() const {
  const Call* call = tree_ ? tree_->as<Call>() : nullptr;
  return call && call->function == Function::every;
}

bool Expression::is_first_of_visits() const {
  const Call* call = tree_ ? tree_->as<Call>() : nullptr;
  return call && call->function == Function::first && call->form.empty() && tree_->operands[0].type == Type::truth;
}

std::optional<Expression> parse(std::string_view text, Names const& names, Context const& context, Place place,
                                Problems& problems) {
  if (text.size() > longest_text) {
    add_problem(problems, Locator(text, place)(0), Code::out_of_range, "the expression has {} bytes, more than {}", text.size(),
                longest_text)
        .hint = "name a part of it as a derivation";
    return {};
  }
  if (!is_utf8(text)) {
    add_problem(problems, Locator({}, place)(0), Code::syntax, "the expression is not valid UTF-8");
    return {};
  }
  const Locator locate(text, place);
  std::vector<Slip> slips;
  auto tree = parse_syntax(text);
  if (!tree) slips.push_back(std::move(tree.error()));
  const bool good = tree && check(*tree, names, context, slips);
  std::ranges::stable_sort(slips, {}, &Slip::position);
  for (Slip& slip : slips) problems.push_back(std::move(slip.error).at(locate(slip.position)));
  if (!good) return {};
  const Type type = tree->type;
  return Expression(std::string(text), type, std::make_shared<const Syntax>(std::move(*tree)));
}

std::string canonical_text(Expression const& expression) { return print(expression.tree()); }

}  // namespace equipoise::expression

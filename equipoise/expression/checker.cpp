#include "equipoise/expression/checker.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "equipoise/core/text.h"
#include "equipoise/expression/locator.h"

namespace equipoise::expression {
namespace {

/// What bare names mean.
struct Scope {
  enum class Kind { participant, visit, entry } kind = Kind::participant;
  std::string form{};  ///< of `entry`
};

/// What a part of the tree gives. `codes` and `named` belong to codes: the vocabulary, and the item it comes from.
struct Meaning {
  Type type = Type::truth;
  std::vector<std::string> codes{};
  std::string named{};
};
using Judged = std::optional<Meaning>;  ///< nothing: a mistake has been reported inside

bool is_day(Type type) { return type == Type::date || type == Type::moment; }

std::string lower_case(std::string_view word) {
  std::string out(word);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  return out;
}

/// "did you mean 'cd4'?", or nothing. Letters of another case come first: CD4 for cd4.
std::string suggestion(std::string_view word, std::vector<std::string> const& candidates) {
  const std::string lower = lower_case(word);
  for (std::string const& candidate : candidates)
    if (lower_case(candidate) == lower) return fmt::format("did you mean '{}'?", candidate);
  const auto near = nearest(word, candidates);
  return near ? fmt::format("did you mean '{}'?", *near) : std::string();
}

/// Whether a value inside depends on the visit (or entry) under evaluation. Calls that go through visits or entries themselves do
/// not.
bool varies(Syntax const& node, Reading reading) {
  if (const auto* variable = node.as<VariableName>()) return variable->reading == reading;
  if (const auto* call = node.as<Call>()) {
    const bool own_round = call->function <= Function::every || !call->form.empty();
    if (own_round) return false;
  }
  return std::ranges::any_of(node.operands, [&](Syntax const& operand) { return varies(operand, reading); });
}

class Checker {
 public:
  Checker(Names const& names, std::vector<Slip>& slips) : names_(names), slips_(slips) {}

  Judged judge(Syntax& node, Scope const& scope, bool root = false) {
    Judged found = judge_kind(node, scope, root);
    if (found) node.type = found->type;
    return found;
  }

 private:
  template <class... Args>
  std::nullopt_t slip(std::size_t position, Code code, std::string hint, fmt::format_string<Args...> text, Args&&... args) {
    slips_.push_back({Error{code, fmt::format(text, std::forward<Args>(args)...), {}, std::move(hint)}, position});
    return std::nullopt;
  }

  Judged judge_kind(Syntax& node, Scope const& scope, bool root) {
    if (node.as<NumberLiteral>()) return Meaning{Type::number};
    if (node.as<TruthLiteral>()) return Meaning{Type::truth};
    if (node.as<TextLiteral>()) return Meaning{Type::text};
    if (node.as<DateLiteral>()) return Meaning{Type::date};
    if (auto* variable = node.as<VariableName>())
      return node.operands.empty() ? judge_name(node, *variable, scope) : unknown_function(node, scope);
    if (const auto* operation = node.as<Operation>()) return judge_operation(node, operation->op, scope);
    return judge_call(node, *node.as<Call>(), scope, root);
  }

  // ---- Names ---------------------------------------------------------------------------------------------------------

  std::string visits_hint(std::string const& name) const {
    std::vector<std::string> at;
    for (std::string const& visit : names_.all_visits())
      if (names_.collected(name, visit)) at.push_back(visit);
    if (at.empty()) return {};
    constexpr std::size_t most = 12;
    const bool all = at.size() <= most;
    if (!all) at.resize(most);
    return fmt::format("it is collected at {}{}", all ? one_of(at, "and") : join(at, ", "), all ? "" : ", ...");
  }

  /// An example of a visit to name: the baseline where there is one, as most rules mean it.
  std::optional<std::string> example_visit(std::string const& name) const {
    if (names_.collected(name, "baseline")) return "baseline";
    for (std::string const& visit : names_.all_visits())
      if (names_.collected(name, visit)) return visit;
    return {};
  }

  Judged judge_name(Syntax& node, VariableName& variable, Scope const& scope) {
    const auto known = names_.variable(variable.name);
    if (!known) {
      std::string hint = suggestion(variable.name, names_.all_variables());
      if (to_function(variable.name)) hint = fmt::format("the function is written {}(...)", variable.name);
      else if (names_.has_form(variable.name))
        hint = fmt::format("it is a form: any({}) or count({}) speak of its entries", variable.name, variable.name);
      slip(node.position, Code::unresolved, std::move(hint), "there is no variable '{}'", excerpt(variable.name));
    }
    bool good = known.has_value();
    if (variable.visit && !names_.has_visit(*variable.visit)) {
      slip(node.position + variable.name.size() + 1, Code::unresolved, suggestion(*variable.visit, names_.all_visits()),
           "there is no visit '{}'", excerpt(*variable.visit));
      good = false;
    }
    if (!good || !resolve(node, variable, *known, scope)) return std::nullopt;
    return Meaning{known->type, known->codes, variable.name};
  }

  bool resolve(Syntax const& node, VariableName& variable, Names::Variable const& known, Scope const& scope) {
    std::string const& name = variable.name;
    if (!known.at_visit) {
      variable.reading = Reading::participant;
      if (variable.visit)
        slip(node.position + name.size(), Code::inconsistent, fmt::format("write {}", name),
             "'{}' has one value a participant, not one a visit", name);
      return !variable.visit;
    }
    if (variable.visit) {
      variable.reading = Reading::given_visit;
      const bool collected = names_.collected(name, *variable.visit);
      if (!collected)
        slip(node.position, Code::inconsistent, visits_hint_or_form(name, known), "'{}' is not collected at visit '{}'", name,
             *variable.visit);
      return collected;
    }
    if (scope.kind == Scope::Kind::entry && known.form == scope.form) {
      variable.reading = Reading::entry;
      return true;
    }
    const auto example = example_visit(name);
    if (!example) {
      slip(node.position, Code::unresolved, visits_hint_or_form(name, known), "'{}' has no value at a visit", name);
      return false;
    }
    if (scope.kind == Scope::Kind::visit) {
      variable.reading = Reading::current_visit;
      return true;
    }
    const std::string hint = fmt::format("say which visit: {}@{}", name, *example);
    if (scope.kind == Scope::Kind::entry)
      slip(node.position, Code::unresolved, hint, "'{}' is not an item of the form '{}'", name, scope.form);
    else slip(node.position, Code::unresolved, hint, "'{}' has a value at each visit, and no visit is named", name);
    return false;
  }

  std::string visits_hint_or_form(std::string const& name, Names::Variable const& known) const {
    std::string hint = visits_hint(name);
    if (hint.empty() && !known.form.empty())
      hint = fmt::format("the form '{}' has no visit: any({}, ...) and count({}, ...) go through its entries", known.form,
                         known.form, known.form);
    return hint;
  }

  Judged unknown_function(Syntax& node, Scope const& scope) {
    const auto* name = node.as<VariableName>();
    const std::string written = name->visit ? name->name + "@" + *name->visit : name->name;
    slip(node.position, Code::unresolved, suggestion(written, all_functions()), "there is no function '{}'", excerpt(written));
    // Its arguments cannot be judged: whether a bare name is right in them depends on the function.
    static_cast<void>(scope);
    return std::nullopt;
  }

  // ---- Operators -----------------------------------------------------------------------------------------------------

  static std::string side(Operator op, std::size_t index) {
    if (op == Operator::negation || op == Operator::minus) return fmt::format("what stands behind '{}'", spelling(op));
    return fmt::format("the {} side of '{}'", index == 0 ? "left" : "right", spelling(op));
  }

  static std::string hint_for(Type wanted, Type got, Operator op) {
    if (wanted == Type::truth && got == Type::number) return "compare it, as in x > 0";
    if (wanted == Type::truth && (got == Type::code || got == Type::text)) return "compare it, as in x == 'text'";
    if (wanted == Type::truth && is_day(got)) return "compare it, or ask not missing(x)";
    if (wanted == Type::number && is_day(got) && op == Operator::subtract) return "days(a, b) counts the days from a to b";
    return {};
  }

  Judged judge_operation(Syntax& node, Operator op, Scope const& scope) {
    std::vector<Judged> sides;
    for (Syntax& operand : node.operands) sides.push_back(judge(operand, scope));
    if (is_comparison(op)) return sides[0] && sides[1] ? judge_comparison(node, op, *sides[0], *sides[1]) : std::nullopt;
    const Type wanted = op <= Operator::negation ? Type::truth : Type::number;
    bool good = true;
    for (std::size_t i = 0; i < sides.size(); ++i) {
      good = good && sides[i].has_value();
      if (!sides[i] || sides[i]->type == wanted) continue;
      const Type got = sides[i]->type;
      slip(node.operands[i].position, Code::wrong_type, hint_for(wanted, got, op), "{} is {}, not {}", side(op, i), phrase(got),
           phrase(wanted));
      good = false;
    }
    return good ? Judged(Meaning{wanted}) : std::nullopt;
  }

  /// Turns a text in the place of a date into a date.
  bool as_date(Syntax& node) {
    const auto* text = node.as<TextLiteral>();
    const auto date = to_partial_date(text->value);
    if (!date || !date->exact()) {
      slip(node.position, Code::wrong_type, "write it 'YYYY-MM-DD'", "'{}' is not a day of the calendar", excerpt(text->value));
      return false;
    }
    node.what = DateLiteral{*date};
    node.type = Type::date;
    return true;
  }

  Judged judge_comparison(Syntax& node, Operator op, Meaning const& left, Meaning const& right) {
    Syntax& a = node.operands[0];
    Syntax& b = node.operands[1];
    const bool ordered = op >= Operator::less;
    const auto refuse_order = [&](Type type) {
      return slip(node.position, Code::wrong_type,
                  type == Type::truth ? "join truths with 'and', 'or', 'not'" : "only == and != compare it",
                  "{} has no order for '{}'", phrase(type), spelling(op));
    };
    if (is_day(left.type) && b.as<TextLiteral>()) return as_date(b) ? Judged(Meaning{Type::truth}) : std::nullopt;
    if (is_day(right.type) && a.as<TextLiteral>()) return as_date(a) ? Judged(Meaning{Type::truth}) : std::nullopt;
    if (is_day(left.type) && is_day(right.type)) return Meaning{Type::truth};
    if (left.type == Type::number && right.type == Type::number) return Meaning{Type::truth};
    if (left.type == right.type && left.type != Type::code)
      return ordered ? refuse_order(left.type) : Judged(Meaning{Type::truth});
    if (left.type == Type::code || right.type == Type::code) {
      Meaning const& code = left.type == Type::code ? left : right;
      Syntax const& other = left.type == Type::code ? b : a;
      const bool two_codes = left.type == right.type;
      if (two_codes || other.as<TextLiteral>()) {
        if (ordered) return refuse_order(Type::code);
        return two_codes ? judge_two_codes(node, left, right) : judge_code(other, code);
      }
    }
    return refuse_types(node, left, right);
  }

  Judged judge_code(Syntax const& literal, Meaning const& code) {
    std::string const& value = literal.as<TextLiteral>()->value;
    if (std::ranges::find(code.codes, value) != code.codes.end()) return Meaning{Type::truth};
    std::string hint = suggestion(value, code.codes);
    if (hint.empty() && !code.codes.empty() && code.codes.size() <= 12)
      hint = fmt::format("{} {}", code.codes.size() == 1 ? "its only code is" : "its codes are", one_of(code.codes, "and"));
    return slip(literal.position, Code::unresolved, std::move(hint), "'{}' is not a code of '{}'", excerpt(value), code.named);
  }

  Judged judge_two_codes(Syntax const& node, Meaning const& left, Meaning const& right) {
    const bool shared = std::ranges::any_of(
        left.codes, [&](std::string const& code) { return std::ranges::find(right.codes, code) != right.codes.end(); });
    if (shared) return Meaning{Type::truth};
    return slip(node.position, Code::inconsistent, "", "'{}' and '{}' have no code in common", left.named, right.named);
  }

  Judged refuse_types(Syntax const& node, Meaning const& left, Meaning const& right) {
    std::string hint;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto* text = node.operands[i].as<TextLiteral>();
      if (text && to_number(text->value) && (i == 0 ? right : left).type == Type::number)
        hint = "write the number without quotes";
    }
    if ((is_day(left.type) && right.type == Type::number) || (left.type == Type::number && is_day(right.type)))
      hint = "days(a, b) counts the days from a to b";
    return slip(node.position, Code::wrong_type, std::move(hint), "{} and {} do not compare", phrase(left.type),
                phrase(right.type));
  }

  // ---- Functions -----------------------------------------------------------------------------------------------------

  static std::string usage(Function function) {
    switch (function) {
      case Function::first:
        return "first(x), first(form) or first(form, x)";
      case Function::every:
        return "every(x), every(form) or every(form, x)";
      case Function::confirmed:
        return "confirmed(x, n)";
      case Function::any:
        return "any(form) or any(form, x)";
      case Function::count:
        return "count(form) or count(form, x)";
      case Function::days:
        return "days(a, b)";
      default:
        return fmt::format("{}(x)", spelling(function));
    }
  }

  bool argument_count(Syntax const& node, Function function) {
    const bool form =
        function == Function::any || function == Function::count || function == Function::first || function == Function::every;
    const bool two = function == Function::confirmed || function == Function::days;
    const std::size_t least = two ? 2 : 1, most = two || form ? 2 : 1, given = node.operands.size();
    if (given >= least && given <= most) return true;
    slip(node.position, Code::syntax, fmt::format("write {}", usage(function)), "{} takes {} argument{}, not {}",
         spelling(function), least == most ? std::to_string(least) : "1 or 2", least == 1 && most == 1 ? "" : "s", given);
    return false;
  }

  Judged judge_call(Syntax& node, Call& call, Scope const& scope, bool root) {
    if (!argument_count(node, call.function)) return std::nullopt;
    if (call.function == Function::every && !root)
      return slip(node.position, Code::inconsistent, "first(...) gives one date",
                  "every(...) gives several dates, so it stands alone as an event");
    switch (call.function) {
      case Function::any:
      case Function::count:
        return judge_entries(node, call);
      case Function::first:
      case Function::every:
        return speaks_of_form(node) ? judge_entries(node, call) : judge_visits(node, call);
      case Function::last:
      case Function::min:
      case Function::max:
      case Function::mean:
        return judge_visits(node, call);
      case Function::confirmed:
        return judge_confirmed(node, call, scope);
      case Function::missing:
        return judge(node.operands[0], scope) ? Judged(Meaning{Type::truth}) : std::nullopt;
      case Function::log:
        return judge_log(node, scope);
      case Function::days:
        return judge_days(node, scope);
    }
    return std::nullopt;
  }

  /// first(word): a variable over visits, or a form.
  bool speaks_of_form(Syntax const& node) {
    if (node.operands.size() == 2) return true;
    const auto* word = node.operands[0].as<VariableName>();
    return word && !word->visit && node.operands[0].operands.empty() && names_.has_form(word->name);
  }

  /// Moves the form from the first argument into the call.
  bool take_form(Syntax& node, Call& call) {
    Syntax const& first = node.operands[0];
    const auto* word = first.as<VariableName>();
    if (!word || word->visit || !first.operands.empty()) {
      slip(first.position, Code::wrong_type, fmt::format("write {}", usage(call.function)),
           "the first argument of {} is the id of a form", spelling(call.function));
      return false;
    }
    if (!names_.has_form(word->name)) {
      slip(first.position, Code::unresolved, suggestion(word->name, names_.all_forms()), "there is no form '{}'",
           excerpt(word->name));
      return false;
    }
    const bool either = (call.function == Function::first || call.function == Function::every) && node.operands.size() == 1;
    if (either && names_.variable(word->name)) {
      slip(first.position, Code::inconsistent, "give one of them another id", "'{}' is both a form and a variable", word->name);
      return false;
    }
    call.form = word->name;
    node.operands.erase(node.operands.begin());
    return true;
  }

  /// Whether the entries of a form are dated: by a date item, or by the visit at which the form is filled.
  bool dated(std::string const& form) const {
    const auto visits = names_.all_visits();
    for (std::string const& name : names_.all_variables()) {
      const auto variable = names_.variable(name);
      if (!variable || variable->form != form) continue;
      if (variable->type == Type::date) return true;
      if (std::ranges::any_of(visits, [&](std::string const& visit) { return names_.collected(name, visit); })) return true;
    }
    return false;
  }

  Judged judge_entries(Syntax& node, Call& call) {
    if (!take_form(node, call)) return std::nullopt;
    const bool moment = call.function == Function::first || call.function == Function::every;
    bool good = true;
    if (moment && !dated(call.form)) {
      slip(node.position, Code::inconsistent, "first and every read the first date item of the form",
           "the entries of '{}' have no date", call.form);
      good = false;
    }
    if (!node.operands.empty()) {
      Syntax& condition = node.operands[0];
      const Judged found = judge(condition, {Scope::Kind::entry, call.form});
      good = good && found;
      if (found && found->type != Type::truth) {
        slip(condition.position, Code::wrong_type, hint_for(Type::truth, found->type, Operator::both),
             "the condition of {} is {}, not a truth", spelling(call.function), phrase(found->type));
        good = false;
      } else if (found && !varies(condition, Reading::entry)) {
        slip(condition.position, Code::inconsistent, fmt::format("name an item of '{}' in it", call.form),
             "the condition is the same for every entry of '{}'", call.form);
        good = false;
      }
    }
    if (!good) return std::nullopt;
    return Meaning{moment ? Type::moment : call.function == Function::any ? Type::truth : Type::number};
  }

  /// What first, last, ... give for x of a type; nothing: they have no meaning for it.
  static std::optional<Type> over_visits(Function function, Type type) {
    switch (function) {
      case Function::first:
        return type == Type::truth ? Type::moment : type;
      case Function::every:
        return type == Type::truth ? std::optional(Type::moment) : std::nullopt;
      case Function::last:
        return type == Type::truth ? std::nullopt : std::optional(type);
      case Function::mean:
        return type == Type::number ? std::optional(type) : std::nullopt;
      default:
        return type == Type::number || is_day(type) ? std::optional(type) : std::nullopt;
    }
  }

  Judged judge_visits(Syntax& node, Call const& call) {
    Syntax& x = node.operands[0];
    const auto* word = x.as<VariableName>();
    const bool form_expected = call.function == Function::first || call.function == Function::every;
    if (form_expected && word && !word->visit && x.operands.empty() && !names_.variable(word->name)) {
      auto candidates = names_.all_variables();
      for (std::string& form : names_.all_forms()) candidates.push_back(std::move(form));
      return slip(x.position, Code::unresolved, suggestion(word->name, candidates), "there is no variable or form '{}'",
                  excerpt(word->name));
    }
    Judged found = judge(x, {Scope::Kind::visit, {}});
    if (!found) return std::nullopt;
    const auto given = over_visits(call.function, found->type);
    if (!given) {
      const bool truth = found->type == Type::truth;
      return slip(x.position, Code::wrong_type, truth ? "first(x) gives the visit at which x is first true" : "",
                  "{} of {} has no meaning", spelling(call.function), phrase(found->type));
    }
    if (!varies(x, Reading::current_visit))
      return slip(x.position, Code::inconsistent, "name an item without its visit",
                  "{} goes through the visits, and this is the same at every visit", spelling(call.function));
    return Meaning{*given, std::move(found->codes), std::move(found->named)};
  }

  Judged judge_confirmed(Syntax& node, Call& call, Scope const& scope) {
    bool good = true;
    if (scope.kind != Scope::Kind::visit) {
      slip(node.position, Code::inconsistent, "first(confirmed(x, n)) gives the first such visit",
           "confirmed speaks of a visit, and none is under evaluation");
      good = false;
    }
    const Judged found = judge(node.operands[0], {Scope::Kind::visit, {}});
    if (found && found->type != Type::truth)
      slip(node.operands[0].position, Code::wrong_type, hint_for(Type::truth, found->type, Operator::both),
           "the first argument of confirmed is {}, not a truth", phrase(found->type));
    if (found && found->type == Type::truth && !varies(node.operands[0], Reading::current_visit)) {
      slip(node.operands[0].position, Code::inconsistent, "name an item without its visit",
           "confirmed goes through the visits, and this is the same at every visit");
      good = false;
    }
    good = good && found && found->type == Type::truth;
    const auto* n = node.operands[1].as<NumberLiteral>();
    constexpr int most = 100;
    if (!n) {
      slip(node.operands[1].position, Code::wrong_type, "as in confirmed(x, 2)",
           "the second argument of confirmed is a number of visits, written out");
      return std::nullopt;
    }
    if (!(n->value >= 1 && n->value <= most) || n->value != std::floor(n->value)) {
      slip(node.operands[1].position, Code::out_of_range, "", "confirmed takes a whole number of visits from 1 to {}, not {}",
           most, shortest(n->value));
      return std::nullopt;
    }
    if (!good) return std::nullopt;
    call.visits = int(n->value);
    node.operands.pop_back();
    return Meaning{Type::truth};
  }

  Judged judge_log(Syntax& node, Scope const& scope) {
    const Judged found = judge(node.operands[0], scope);
    if (!found || found->type == Type::number) return found ? Judged(Meaning{Type::number}) : std::nullopt;
    return slip(node.operands[0].position, Code::wrong_type, "", "the argument of log is {}, not a number", phrase(found->type));
  }

  Judged judge_days(Syntax& node, Scope const& scope) {
    bool good = true;
    for (std::size_t i = 0; i < 2; ++i) {
      Syntax& argument = node.operands[i];
      const Judged found = judge(argument, scope);
      if (!found || is_day(found->type)) {
        good = good && found;
        continue;
      }
      if (argument.as<TextLiteral>()) {
        good = as_date(argument) && good;
        continue;
      }
      slip(argument.position, Code::wrong_type, "", "the {} argument of days is {}, not a date", i == 0 ? "first" : "second",
           phrase(found->type));
      good = false;
    }
    return good ? Judged(Meaning{Type::number}) : std::nullopt;
  }

  Names const& names_;
  std::vector<Slip>& slips_;
};

}  // namespace

bool check(Syntax& root, Names const& names, Context const& context, std::vector<Slip>& slips) {
  Scope scope;
  if (context.form) scope = {Scope::Kind::entry, *context.form};
  else if (context.at_visit) scope = {Scope::Kind::visit, {}};
  const std::size_t before = slips.size();
  const Judged found = Checker(names, slips).judge(root, scope, true);
  return found && slips.size() == before;
}

}  // namespace equipoise::expression

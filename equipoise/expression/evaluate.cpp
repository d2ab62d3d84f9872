#include "equipoise/expression/evaluate.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "equipoise/expression/arithmetic.h"
#include "equipoise/expression/syntax.h"

namespace equipoise::expression {
namespace {

/// The rows under evaluation: all participants (at a visit, or at none), or all entries of a form.
struct Frame {
  std::size_t rows = 0;
  std::optional<std::string_view> visit{};
  Entries const* entries = nullptr;
};

/// One true occurrence among the visits or entries of a participant, and where its date stands.
struct Round {
  std::vector<std::size_t> participant{};
  std::vector<std::uint8_t> truth{};
  Column date{};
};

class Evaluator {
 public:
  explicit Evaluator(Tables const& tables) : tables_(tables), visits_(tables.post_baseline_visits()) {}

  Frame participants(std::optional<std::string_view> visit = {}) const { return {tables_.participants(), visit, nullptr}; }

  Frame entries_of(std::string_view form) const {
    Entries const& entries = tables_.entries(form);
    expects(entries.date.size() == entries.participant.size(), "a table gives one date an entry");
    for (const std::size_t row : entries.participant)
      expects(row < tables_.participants(), "every entry belongs to a participant");
    return {entries.participant.size(), {}, &entries};
  }

  Column value(Syntax const& node, Frame const& frame) {
    if (const auto* number = node.as<NumberLiteral>()) return Column::of_numbers(std::vector<double>(frame.rows, number->value));
    if (const auto* truth = node.as<TruthLiteral>())
      return Column::of_truths(std::vector<std::uint8_t>(frame.rows, to_truth(truth->value)));
    if (const auto* text = node.as<TextLiteral>())
      return Column::of_texts(std::vector<std::optional<std::string>>(frame.rows, text->value));
    if (const auto* date = node.as<DateLiteral>())
      return Column::of_numbers(std::vector<double>(frame.rows, day_number(date->value.earliest)), Type::date);
    if (const auto* variable = node.as<VariableName>()) return variable_value(node, *variable, frame);
    if (const auto* operation = node.as<Operation>()) return operation_value(node, operation->op, frame);
    return call_value(node, *node.as<Call>(), frame);
  }

  /// The truths that a first(...), every(...), any(...) or count(...) goes through, with their dates.
  Round round(Syntax const& node, Call const& call) {
    Round found;
    if (!call.form.empty()) {
      const Frame frame = entries_of(call.form);
      found.participant = frame.entries->participant;
      found.date = sound(frame.entries->date, Type::moment, frame.rows);
      found.truth = node.operands.empty() ? std::vector<std::uint8_t>(frame.rows, is_true) : value(node.operands[0], frame).truth;
      return found;
    }
    found.date = Column::of_missing(Type::moment, visits_.size() * tables_.participants());
    found.participant.reserve(found.date.low.size()), found.truth.reserve(found.date.low.size());
    for (std::string const& visit : visits_) {
      Column const& truth = at_visit(node.operands[0], visit);
      const Column date = date_of(visit);
      const auto attended = attended_at(visit);
      const bool exact = date.exact() && found.date.exact();
      for (std::size_t i = 0; i < attended.size(); ++i) {
        if (!attended[i]) continue;
        if (exact) found.date.low[found.participant.size()] = date.low[i];
        else found.date.set(found.participant.size(), date.interval(i));
        found.participant.push_back(i);
        found.truth.push_back(truth.truth[i]);
      }
    }
    return found;
  }

 private:
  static Column spread(Column column, Frame const& frame) {
    return frame.entries ? gathered(column, frame.entries->participant) : column;
  }

  std::vector<std::uint8_t> attended_at(std::string_view visit) const {
    auto attended = tables_.attended(visit);
    expects(attended.size() == tables_.participants(), "a table says of every participant whether a visit took place");
    return attended;
  }

  Column date_of(std::string_view visit) const { return sound(tables_.visit_date(visit), Type::moment, tables_.participants()); }

  Column variable_value(Syntax const& node, VariableName const& variable, Frame const& frame) {
    if (variable.reading == Reading::entry) {
      expects(frame.entries != nullptr, "an expression parsed for a form is evaluated over its entries");
      const auto item = frame.entries->items.find(variable.name);
      expects(item != frame.entries->items.end(), "a table holds every item of a form");
      return sound(item->second, node.type, frame.rows);
    }
    std::optional<std::string_view> visit;
    if (variable.reading == Reading::given_visit) visit = *variable.visit;
    if (variable.reading == Reading::current_visit) {
      expects(frame.visit.has_value(), "an expression parsed for visits is evaluated at one");
      visit = frame.visit;
    }
    return spread(sound(tables_.variable(variable.name, visit), node.type, tables_.participants()), frame);
  }

  Column operation_value(Syntax const& node, Operator op, Frame const& frame) {
    const Column first = value(node.operands[0], frame);
    if (op == Operator::negation) return logical_not(first);
    if (op == Operator::minus) return negated_numbers(first);
    const bool code_and_text = first.type == Type::code || node.operands[1].type == Type::code;
    if (code_and_text && is_comparison(op)) return codes_compared(node, op, first, frame);
    const Column second = value(node.operands[1], frame);
    if (is_comparison(op)) return comparison(op, first, second);
    return op == Operator::both || op == Operator::either ? logical(op, first, second) : arithmetic(op, first, second);
  }

  /// A text beside a code is that code.
  Column codes_compared(Syntax const& node, Operator op, Column const& first, Frame const& frame) {
    const auto as_code = [&](Syntax const& side, Column column) {
      const auto* text = side.as<TextLiteral>();
      return text ? Column::of_codes(std::vector<std::int32_t>(frame.rows, 0), {text->value}) : column;
    };
    return comparison(op, as_code(node.operands[0], first), as_code(node.operands[1], value(node.operands[1], frame)));
  }

  Column call_value(Syntax const& node, Call const& call, Frame const& frame) {
    switch (call.function) {
      case Function::log:
        return logarithms(value(node.operands[0], frame));
      case Function::missing:
        return missing_rows(value(node.operands[0], frame));
      case Function::days: {
        const Column from = value(node.operands[0], frame);
        return arithmetic(Operator::subtract, value(node.operands[1], frame), from);
      }
      case Function::confirmed:
        expects(frame.visit.has_value(), "confirmed is evaluated at a visit");
        return kept(node, *frame.visit, [&] { return confirmed(node, call, *frame.visit); });
      default:
        return spread(kept(node, {}, [&] { return participant_value(node, call); }), frame);
    }
  }

  /// Computes once what the same part of the tree gives at the same visit; without this, nested rounds cost visits to the power
  /// of their depth.
  template <class F>
  Column const& kept(Syntax const& node, std::string_view visit, F&& compute) {
    const std::pair key(&node, std::string(visit));
    const auto found = kept_.find(key);
    return found != kept_.end() ? found->second : kept_.emplace(key, compute()).first->second;
  }

  Column const& at_visit(Syntax const& node, std::string_view visit) {
    return kept(node, visit, [&] { return value(node, participants(visit)); });
  }

  Column confirmed(Syntax const& node, Call const& call, std::string_view visit) {
    const std::size_t rows = tables_.participants();
    std::vector<std::string_view> from{visit};  // a visit that is not after baseline stands before all that are
    const auto place = std::ranges::find(visits_, visit);
    from.insert(from.end(), place == visits_.end() ? visits_.begin() : place + 1, visits_.end());
    std::vector<int> seen(rows, 0);
    std::vector<std::uint8_t> truth(rows, is_true);
    for (std::size_t v = 0; v < from.size(); ++v) {
      const auto attended = attended_at(from[v]);
      const Column& x = at_visit(node.operands[0], from[v]);
      for (std::size_t i = 0; i < rows; ++i) {
        if (v == 0 && !attended[i]) truth[i] = is_false, seen[i] = call.visits;
        if (!attended[i] || seen[i] == call.visits) continue;
        truth[i] = both(truth[i], x.truth[i]);
        ++seen[i];
      }
    }
    for (std::size_t i = 0; i < rows; ++i)
      if (seen[i] < call.visits) truth[i] = is_false;  // no visits left that could confirm it
    return Column::of_truths(std::move(truth));
  }

  Column participant_value(Syntax const& node, Call const& call) {
    if (call.function == Function::any || call.function == Function::count) return of_entries(node, call);
    if (node.type == Type::moment && (!call.form.empty() || node.operands[0].type == Type::truth))
      return first_moment(node, call);
    if (call.function == Function::first || call.function == Function::last) return first_or_last(node, call);
    return summary(node, call);
  }

  Column of_entries(Syntax const& node, Call const& call) {
    const Round found = round(node, call);
    const std::size_t rows = tables_.participants();
    std::vector<std::uint8_t> any(rows, is_false);
    std::vector<double> count(rows, 0.0);
    for (std::size_t k = 0; k < found.truth.size(); ++k) {
      const std::size_t i = found.participant[k];
      any[i] = either(any[i], found.truth[k]);
      count[i] += found.truth[k] == is_unknown ? missing_number : double(found.truth[k]);
    }
    return call.function == Function::any ? Column::of_truths(std::move(any)) : Column::of_numbers(std::move(count));
  }

  Column first_moment(Syntax const& node, Call const& call) {
    const Round found = round(node, call);
    Column first = Column::of_missing(Type::moment, tables_.participants());
    std::vector<bool> done(tables_.participants(), false);
    for (std::size_t k = 0; k < found.truth.size(); ++k) {
      const std::size_t i = found.participant[k];
      if (found.truth[k] != is_true || done[i]) continue;
      const Interval date = found.date.interval(k);
      if (call.form.empty()) done[i] = true;  // visits are in order: the first one decides, dated or not
      else if (date.missing()) continue;
      const Interval so_far = first.interval(i);
      first.set(i, so_far.missing() ? date : smaller(so_far, date));
    }
    return first;
  }

  Column first_or_last(Syntax const& node, Call const& call) {
    Column found = Column::of_missing(node.type, tables_.participants());
    for (std::string const& visit : visits_) {
      const Column& x = at_visit(node.operands[0], visit);
      const auto attended = attended_at(visit);
      const auto places = adopt_levels(found, x);
      for (std::size_t i = 0; i < found.size(); ++i)
        if (attended[i] && !x.missing(i) && (call.function == Function::last || found.missing(i)))
          copy_row(found, i, x, i, places);
    }
    return found;
  }

  /// min, max and mean of the known values.
  Column summary(Syntax const& node, Call const& call) {
    const std::size_t rows = tables_.participants();
    Column found = Column::of_missing(node.type, rows);
    std::vector<double> n(rows, 0.0);
    for (std::string const& visit : visits_) {
      const Column& x = at_visit(node.operands[0], visit);
      const auto attended = attended_at(visit);
      for (std::size_t i = 0; i < rows; ++i) {
        if (!attended[i] || x.missing(i)) continue;
        const Interval value = x.interval(i), so_far = found.interval(i);
        if (n[i] == 0) found.set(i, value);
        else if (call.function == Function::min) found.set(i, smaller(so_far, value));
        else if (call.function == Function::max) found.set(i, negate(smaller(negate(so_far), negate(value))));
        else found.set(i, add(so_far, value));
        ++n[i];
      }
    }
    if (call.function == Function::mean)
      for (std::size_t i = 0; i < rows; ++i) found.set(i, divide(found.interval(i), Interval::exactly(n[i])));
    return found;
  }

  Tables const& tables_;
  std::vector<std::string> visits_;
  std::map<std::pair<Syntax const*, std::string>, Column> kept_;
};

}  // namespace

Column evaluate(Expression const& expression, Tables const& tables, std::optional<std::string_view> visit) {
  Evaluator evaluator(tables);
  return evaluator.value(expression.tree(), evaluator.participants(visit));
}

Column evaluate_entries(Expression const& expression, Tables const& tables, std::string_view form) {
  Evaluator evaluator(tables);
  return evaluator.value(expression.tree(), evaluator.entries_of(form));
}

std::vector<Occurrences> evaluate_moments(Expression const& expression, Tables const& tables, bool with_without) {
  expects(expression.type() == Type::moment || expression.type() == Type::date, "only dates and moments have dates");
  Evaluator evaluator(tables);
  Syntax const& root = expression.tree();
  std::vector<Occurrences> found(tables.participants());
  const auto* call = root.as<Call>();
  const bool goes_round =
      call && (!call->form.empty() || (call->function <= Function::every && root.operands[0].type == Type::truth));
  if (!goes_round) {
    const Column dates = evaluator.value(root, evaluator.participants());
    for (std::size_t i = 0; i < found.size(); ++i)
      if (const Interval date = dates.interval(i); !date.missing()) found[i].dates.push_back({date.low, date.high});
    return found;
  }
  const Round round = evaluator.round(root, *call);
  const bool first = call->function == Function::first, over_visits = call->form.empty();
  for (std::size_t k = 0; k < round.truth.size(); ++k) {
    Occurrences& own = found[round.participant[k]];
    const Interval date = round.date.interval(k);
    const bool decided = first && over_visits && own.dates.size() + own.undated > 0;
    if (decided) continue;
    if (round.truth[k] == is_unknown) ++own.unknown;
    else if (round.truth[k] == is_false) {
      if (!first || !over_visits || date.missing()) continue;
      own.seen_without = date.low;
      if (with_without) own.without.push_back(date.low);
    } else if (date.missing()) ++own.undated;
    else if (first && !own.dates.empty()) {
      Occurrence& earliest = own.dates.front();
      earliest = {std::fmin(earliest.earliest, date.low), std::fmin(earliest.latest, date.high)};
    } else own.dates.push_back({date.low, date.high});
  }
  for (Occurrences& own : found)
    if (own.dates.size() > 1) std::ranges::sort(own.dates);
  return found;
}

}  // namespace equipoise::expression

#include "equipoise/expression/arithmetic.h"

#include <cmath>

namespace equipoise::expression {
namespace {

double finite_or_missing(double value) { return std::isfinite(value) ? value : missing_number; }

template <class F>
Column numbers_by_row(Column const& a, Column const& b, F&& f) {
  std::vector<double> values(a.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = finite_or_missing(f(a.low[i], b.low[i]));
  return Column::of_numbers(std::move(values));
}

Column exact_arithmetic(Operator op, Column const& a, Column const& b) {
  switch (op) {
    case Operator::add:
      return numbers_by_row(a, b, [](double x, double y) { return x + y; });
    case Operator::subtract:
      return numbers_by_row(a, b, [](double x, double y) { return x - y; });
    case Operator::multiply:
      return numbers_by_row(a, b, [](double x, double y) { return x * y; });
    default:
      return numbers_by_row(a, b, [](double x, double y) { return x / y; });  // x / 0 is not finite: missing
  }
}

Interval by_interval(Operator op, Interval const& a, Interval const& b) {
  switch (op) {
    case Operator::add:
      return add(a, b);
    case Operator::subtract:
      return add(a, negate(b));
    case Operator::multiply:
      return multiply(a, b);
    default:
      return divide(a, b);
  }
}

/// A comparison as `less` or `equal` of two sides, perhaps swapped, perhaps negated: a <= b is not b < a.
struct Form {
  bool order;
  bool swapped;
  bool negated;
};

Form form_of(Operator op) {
  switch (op) {
    case Operator::equal:
      return {false, false, false};
    case Operator::not_equal:
      return {false, false, true};
    case Operator::less:
      return {true, false, false};
    case Operator::less_equal:
      return {true, true, true};
    case Operator::greater:
      return {true, true, false};
    default:
      return {true, false, true};
  }
}

template <class F>
std::vector<std::uint8_t> truths_by_row(std::size_t rows, F&& f) {
  std::vector<std::uint8_t> truths(rows);
  for (std::size_t i = 0; i < rows; ++i) truths[i] = f(i);
  return truths;
}

std::vector<std::uint8_t> compared_numbers(Form form, Column const& a, Column const& b) {
  Column const& x = form.swapped ? b : a;
  Column const& y = form.swapped ? a : b;
  const bool exact = x.exact() && y.exact();
  return truths_by_row(a.size(), [&](std::size_t i) {
    if (exact) {
      const double p = x.low[i], q = y.low[i];
      return p != p || q != q ? is_unknown : to_truth(form.order ? p < q : p == q);
    }
    return form.order ? less(x.interval(i), y.interval(i)) : equal(x.interval(i), y.interval(i));
  });
}

std::vector<std::uint8_t> compared_codes(Column const& a, Column const& b) {
  Column common = Column::of_codes({}, a.levels);
  const auto places = adopt_levels(common, b);
  return truths_by_row(a.size(), [&](std::size_t i) {
    if (a.code[i] == missing_level || b.code[i] == missing_level) return is_unknown;
    return to_truth(a.code[i] == places[std::size_t(b.code[i])]);
  });
}

}  // namespace

Column arithmetic(Operator op, Column const& a, Column const& b) {
  if (a.exact() && b.exact()) return exact_arithmetic(op, a, b);
  Column found = Column::of_missing(Type::number, a.size());
  for (std::size_t i = 0; i < a.size(); ++i) found.set(i, by_interval(op, a.interval(i), b.interval(i)));
  return found;
}

Column comparison(Operator op, Column const& a, Column const& b) {
  const Form form = form_of(op);
  std::vector<std::uint8_t> truths;
  if (is_numeric(a.type)) truths = compared_numbers(form, a, b);
  else if (a.type == Type::code) truths = compared_codes(a, b);
  else if (a.type == Type::text)
    truths = truths_by_row(
        a.size(), [&](std::size_t i) { return a.text[i] && b.text[i] ? to_truth(*a.text[i] == *b.text[i]) : is_unknown; });
  else
    truths = truths_by_row(a.size(), [&](std::size_t i) {
      return a.truth[i] == is_unknown || b.truth[i] == is_unknown ? is_unknown : to_truth(a.truth[i] == b.truth[i]);
    });
  Column found = Column::of_truths(std::move(truths));
  return form.negated ? logical_not(std::move(found)) : found;
}

Column logical(Operator op, Column const& a, Column const& b) {
  return Column::of_truths(truths_by_row(a.size(), [&](std::size_t i) {
    return op == Operator::both ? both(a.truth[i], b.truth[i]) : either(a.truth[i], b.truth[i]);
  }));
}

Column logical_not(Column a) {
  for (std::uint8_t& value : a.truth) value = negated(value);
  return a;
}

Column negated_numbers(Column const& a) {
  Column found = Column::of_missing(Type::number, a.size());
  for (std::size_t i = 0; i < a.size(); ++i) found.set(i, negate(a.interval(i)));
  return found;
}

Column logarithms(Column const& a) {
  Column found = Column::of_missing(Type::number, a.size());
  for (std::size_t i = 0; i < a.size(); ++i) found.set(i, logarithm(a.interval(i)));
  return found;
}

Column missing_rows(Column const& a) {
  return Column::of_truths(truths_by_row(a.size(), [&](std::size_t i) { return to_truth(a.missing(i)); }));
}

}  // namespace equipoise::expression

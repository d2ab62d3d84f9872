#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/expression/column.h"
#include "equipoise/expression/expression.h"

namespace equipoise::expression {

/// All entries of one form, of all participants: parallel rows; those of one participant by date, then by row of the data.
/// A form of the schedule has one entry for each attended visit.
struct Entries {
  std::vector<std::size_t> participant{};            ///< whose entry: a row of the participants' columns
  Column date = Column::of_numbers({}, Type::date);  ///< the form's first date item, else the date of the visit
  std::map<std::string, Column, std::less<>> items{};
};

/// The data of a trial as expressions see them. Implemented by `data`, and by the simulator's workspace.
class Tables {
 public:
  virtual ~Tables() = default;

  virtual std::size_t participants() const = 0;
  /// Ids of the scheduled visits after baseline, in order.
  virtual std::vector<std::string> post_baseline_visits() const = 0;
  /// For each participant 1 if the visit took place, else 0.
  virtual std::vector<std::uint8_t> attended(std::string_view visit) const = 0;
  /// Date of the visit for each participant (date or moment); missing where it did not take place.
  virtual Column visit_date(std::string_view visit) const = 0;
  /// A variable of the protocol for each participant, of the type that `Names` declared. `visit` is absent for a variable with
  /// one value a participant. Derivations are evaluated by calling `evaluate` with their rule and the same visit; an
  /// implementation may keep them. That no derivation depends on itself is the protocol's promise.
  virtual Column variable(std::string_view name, std::optional<std::string_view> visit) const = 0;
  /// The entries of a form; the reference holds until the evaluation returns.
  virtual Entries const& entries(std::string_view form) const = 0;
};

/// The value of an expression for every participant.
///
/// visit    at which bare items are read; needed when the expression was parsed with Context::at_visit
/// returns  a column of expression.type(), one row a participant; of every(...) the earliest date
/// errors   none: what cannot be known is missing or unknown. Throws ContractViolation when `tables` breaks its promises
/// rules    docs/methods/expressions.md
/// checked  evaluate_test.cpp, kleene_test.cpp, interval_test.cpp (against enumeration)
Column evaluate(Expression const& expression, Tables const& tables, std::optional<std::string_view> visit = {});

/// The value of an expression parsed with Context::form (an edit check), for every entry of that form.
Column evaluate_entries(Expression const& expression, Tables const& tables, std::string_view form);

/// One time at which something happened, as days since 1970-01-01; earliest and latest differ when the date is partial.
struct Occurrence {
  double earliest = missing_number;
  double latest = missing_number;
  friend auto operator<=>(Occurrence const&, Occurrence const&) = default;
};

/// What is known of when an event happened to one participant.
struct Occurrences {
  std::vector<Occurrence> dates{};       ///< sorted by earliest, then latest; at most one unless the expression is every(...)
  std::size_t undated = 0;               ///< happened for sure, at no known date
  std::size_t unknown = 0;               ///< visits or entries at which it is not known whether it happened
  double seen_without = missing_number;  ///< of first(x): date of the last attended visit before at which x is known to be false
  std::vector<double> without{};         ///< of first(x), when asked for: dates of all such visits, in the order of the schedule
};

/// For each participant the dates of a first(...), an every(...), or of any other expression that is a date or a moment.
/// Of first over entries, the earliest of the dated ones; `undated` then counts all undated ones.
std::vector<Occurrences> evaluate_moments(Expression const& expression, Tables const& tables, bool with_without = true);

}  // namespace equipoise::expression

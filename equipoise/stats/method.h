#pragma once

#include <concepts>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "equipoise/core/columns.h"
#include "equipoise/core/expected.h"
#include "equipoise/core/finding.h"
#include "equipoise/core/section.h"

/// The shape every statistical method has: a keyword, a card that says what it takes and gives, a parser of its options, and a
/// pure function from columns to findings. A reference case and a protocol's analysis both end here; nothing in this room knows a
/// trial.
namespace equipoise::stats {

struct Answer {
  std::vector<Finding> findings{};
  std::vector<Series> series{};
  std::vector<std::string>
      notes{};  ///< sentences for the footnote: "Efron's approximation for tied events", "no event in arm 'x'"
  bool fell_back = false;  ///< not the first of the models that the plan declares, in their order, could be fitted
  bool penalised = false;  ///< the estimates maximise a penalised likelihood, so there is no likelihood ratio of two such fits

  /// Reads one number by the names of the reference format, or nothing when the method does not give it:
  /// the finding of that quantity at that place; else its field (se, df, p, lower, upper) there; `X_lower`/`X_upper` are limits
  /// of X; `side` at a quantile picks a limit. NaN = not estimable. The factors of a `term` may come in any order. Of several
  /// findings at a place that hold the field, the first answers: a method puts its main finding first.
  std::optional<double> read(std::string_view quantity, At const& at) const;
};

/// The differences that a caller asks for who wants nothing else of an answer, as a simulator does of each replicate: a method that
/// takes a focus may leave out whatever else costs. What it gives is what the whole
/// answer has there, to rounding.
struct Focus {
  struct Difference {
    LevelDifference of;
    Term within{};
  };
  std::vector<Difference> differences;
};

/// What a method says of the first difference of a focus, in figures alone, each as the whole answer has it: for a simulator, which
/// reads nothing else and asks a hundred thousand times a second.
struct Figures {
  double p = missing_number;
  double excess = missing_number;  ///< of a rank test: events observed less those expected in the level that is compared
};

/// How a column is needed.
enum class Need { number, category };
enum class Presence { required, optional };

struct RoleCard {
  std::string_view name;  ///< "time", "event", "group", "strata", ...
  Need need;
  Presence presence;
  std::string_view help;
};

struct OptionCard {
  std::string_view name;
  std::string_view values;  ///< "number above 0 and below 1", "efron | breslow"
  std::string_view help;
};

/// What a test without a formula does when a trial has several arms.
enum class Comparison {
  all_arms,  ///< curves and models keep every arm
  pairwise,  ///< once for each compared arm against the control, the other arms left out
  one_group  ///< one group at a time (intervals of a proportion, one-sample tests)
};

/// Name, inputs, options and outputs of a method: help, schema, documentation and checks are made from it.
struct MethodCard {
  std::string_view keyword;
  std::string_view title;  ///< "Log-rank test"
  std::vector<RoleCard> roles;
  std::vector<OptionCard> options;
  std::vector<std::string_view> quantities;
  Comparison comparison = Comparison::all_arms;
  bool binary_response = false;  ///< the role `response` is yes (1) or no (0)
};

/// Which column plays which part: role to one column name, or several for `strata`.
using Roles = std::map<std::string, std::vector<std::string>, std::less<>>;

/// Defaults on which programs differ (a protocol's `match`).
enum class Match { equipoise, r, sas };

/// One column a method reads.
struct ColumnNeed {
  std::string name;
  Need need;
  bool drop_missing = true;           ///< a row that misses it is dropped before the method runs
  std::vector<std::string> levels{};  ///< of a category, if the options name them; else those in the data, sorted by bytes
};

/// Complete cases, column by column, in the order of the needs: what a method computes on. No NaN, no missing level,
/// unless the need keeps missing values. Categories keep all their levels, also empty ones.
struct Frame {
  std::size_t rows = 0;
  std::vector<ColumnView> columns;

  NumbersView numbers(std::string_view name) const;  ///< ContractViolation when absent
  CategoriesView const& categories(std::string_view name) const;
};

/// A statistical method. `parse` checks options (reporting every problem) and roles; `needs` says which columns; `run` computes.
/// `parse` leaves `options.finish()` to its caller, who knows which other keys the table may have.
/// A method may also have `run(frame, focus)`, and `figures(frame, focus)`.
template <class M>
concept Method = requires(M const& method, Roles const& roles, Section& options, Match match, Frame const& frame) {
  { M::card() } -> std::same_as<MethodCard const&>;
  { M::parse(roles, options, match) } -> std::same_as<std::optional<M>>;
  { method.needs() } -> std::same_as<std::vector<ColumnNeed>>;
  { method.run(frame) } -> std::same_as<Expected<Answer>>;
};

}  // namespace equipoise::stats

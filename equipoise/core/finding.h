#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "equipoise/core/columns.h"

namespace equipoise {

/// One factor of a model coefficient: a numeric covariate (no level) or one level of a category.
struct Factor {
  std::string column;
  std::optional<std::string> level{};
  friend auto operator<=>(Factor const&, Factor const&) = default;
};
using Term = std::vector<Factor>;  ///< sorted; empty = the intercept

/// One level of a factor less (over) another: where a difference of means is read.
struct LevelDifference {
  std::string column, level, minus;
  friend auto operator<=>(LevelDifference const&, LevelDifference const&) = default;
};

/// (from, to], `to` infinite when open: where an interval-censored curve has mass.
struct TimeInterval {
  double from, to;
  friend auto operator<=>(TimeInterval const&, TimeInterval const&) = default;
};

/// The place at which a number is read: key of the reference format to its value.
///     group, side, cause, ...   text          term           the factors of a coefficient
///     time, prob, index, ...    number        effect         the columns of a model effect, as factors without level
///     difference                LevelDifference   lsmean, within   factor levels
///     interval                  TimeInterval      global           text "all": all coefficients together
using AtValue = std::variant<std::string, double, Term, LevelDifference, TimeInterval>;
using At = std::map<std::string, AtValue, std::less<>>;

/// Scale on which an interval is symmetric.
enum class Scale { identity, log, log_log, logit, arcsin, exact };

/// One number of an answer with what belongs to it. In `value`, `lower` and `upper` NaN means "not estimable" (printed NE);
/// an absent optional means that the method does not give it.
struct Finding {
  std::string quantity;  ///< a quantity of reference/README.md: "survival", "hazard_ratio", "chi_square", ...
  At at{};
  double value = missing_number;
  std::optional<double> se{}, df{}, lower{}, upper{}, level{}, p{};
  std::optional<std::int64_t> n{};
  Scale scale = Scale::identity;
};

/// A curve for a figure: parallel columns, same length. KM: time, survival, lower, upper, n_at_risk, n_events, n_censored.
struct Series {
  std::string quantity;
  At at{};
  std::vector<std::pair<std::string, std::vector<double>>> columns;
};

}  // namespace equipoise

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/stats/method.h"

/// What the parsers and answers of methods share.
namespace equipoise::stats {

/// True when every role of the card that is required is given, every given role is on the card, and each but `strata` and
/// `factors` is one column. Reports every problem at the place of the options.
bool check_roles(MethodCard const& card, Roles const& roles, Section& options);

/// The column of a role of one column, or "" when the role is not given.
std::string role(Roles const& roles, std::string_view name);
/// The columns of a role of many.
std::vector<std::string> role_columns(Roles const& roles, std::string_view name);

/// Adds a column once. Returns false, and reports, when it is already there as the other kind.
bool add_need(std::vector<ColumnNeed>& needs, ColumnNeed need, Section& options);

/// The two groups compared: `level` minus (over) `minus`.
struct Difference {
  std::string level, minus;
};

/// `difference = { level = "a", minus = "b" }`. Nothing when absent (reported if `required`) or wrong (reported).
std::optional<Difference> parse_difference(Section& options, bool required);

/// The two level numbers of a difference. errors: unresolved, when the category has no such level.
struct DifferenceCodes {
  std::int32_t level, minus;
};
Expected<DifferenceCodes> find_levels(Difference const& difference, CategoriesView const& groups, std::string_view column);

/// `KEY = { group = number, ... }`: a score for each group, as given. Nothing when absent (reported if `required`) or wrong
/// (reported).
std::optional<std::map<std::string, double>> parse_scores(Section& options, std::string_view key, bool required);

/// The scores in the order of the levels. NaN for a level without a score that no row has. errors: unresolved, naming every level
/// without a score that some row has, or a score whose group the column does not have
Expected<std::vector<double>> scores_by_level(std::map<std::string, double> const& scores, CategoriesView const& groups,
                                              std::string_view column);

/// `level`: confidence level of two-sided limits, 0.95 when absent.
double parse_level(Section& options);

/// "the default", "the default of R (match = \"r\")", "the default of SAS (match = \"sas\")": for notes.
std::string_view default_of(Match match);

/// "'a'", "'a' and 'b'", "'a', 'b' and 'c'": for notes.
std::string quoted(std::vector<std::string> const& names);

}  // namespace equipoise::stats

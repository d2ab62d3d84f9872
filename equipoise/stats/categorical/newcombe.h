#pragma once

#include <optional>
#include <vector>

#include "equipoise/stats/categorical/two_groups.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// A difference of proportions, `level` minus `minus`, with limits.
struct DifferenceInterval {
  double estimate = missing_number, lower = missing_number, upper = missing_number;
};

/// Square-and-add interval of a risk difference: with the Wilson limits (l1, u1) and (l2, u2) of the two groups
///
///     lower = d - sqrt((p1 - l1)^2 + (u2 - p2)^2)        upper = d + sqrt((u1 - p1)^2 + (p2 - l2)^2)
///
/// A group with nobody gives NaN.
/// source   Newcombe (1998), Stat. Med. 17, 873-890 (method 10; with correction method 11)
/// checked  proportions_test.cpp, tests/independent/proportions_test.cpp, the reference cases newcombe
DifferenceInterval newcombe(TwoByTwo const& table, double level, bool correction = false);

/// The stratified form. w_j = n1_j n2_j / N_j, scaled to sum 1; in group k the stratified Wilson limits
///
///     L_k, U_k = sum_j w_j (Wilson limits of stratum j at the quantile z_k),   z_k = z sqrt(sum w_j^2 v_j) / sum w_j sqrt(v_j),
///     v_j = p_j (1 - p_j) / n_j,   lambda_k = sum_j w_j^2 / n_kj
///     lower = d - z sqrt(lambda_1 L_1 (1 - L_1) + lambda_2 U_2 (1 - U_2)),   upper = d + z sqrt(lambda_1 U_1 (1 - U_1) + lambda_2 L_2 (1 -
///     L_2))
///
/// Where every p_j of a group is 0 or 1, v_j = 1/n_j: the limit of equal shares p (1 - p) -> 0. One stratum gives `newcombe`.
///
/// tables   one a stratum, both groups in each; none gives NaN
/// source   Yan & Su (2010), Stat. Biopharm. Res. 2, 323-335
/// checked  proportions_test.cpp, tests/independent/proportions_test.cpp
DifferenceInterval stratified_newcombe(std::vector<TwoByTwo> const& tables, double level, bool correction = false);

/// Newcombe's interval of a risk difference, stratified or not. Page: docs/methods/newcombe.md
struct Newcombe {
  TwoGroups groups;
  double level = 0.95;
  bool correction = false;

  static MethodCard const& card();
  static std::optional<Newcombe> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return groups.needs(); }
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<Newcombe>);

}  // namespace equipoise::stats

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/categorical/contingency.h"
#include "equipoise/stats/method.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {

/// Pearson's chi-square of an R x C table: sum (n - E)^2 / E, E = row sum times column sum / total. With `correction` (2 x 2) each
/// |n - E| is made smaller by 1/2, or to 0.
///
/// table    no empty margin; fewer than two rows or columns give NaN and 0 degrees of freedom
/// source   Pearson (1900), Philos. Mag. 50, 157-175; Yates (1934), Suppl. J. R. Stat. Soc. 1, 217-235
/// checked  tables_test.cpp, tests/independent/tables_test.cpp, the reference cases pearson_chi_square
struct ChiSquare {
  double value, df;
  std::size_t expected_below_5;  ///< cells
};
ChiSquare pearson_chi_square(Contingency const& table, bool correction);

/// Pearson's chi-square test. Page: docs/methods/pearson_chi_square.md
struct PearsonChiSquare {
  std::string response, group;
  std::optional<Difference> difference;  ///< with it 2 x 2: rows `level` and `minus`, columns response 1 and 0
  bool correction = false;

  static MethodCard const& card();
  static std::optional<PearsonChiSquare> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<PearsonChiSquare>);

}  // namespace equipoise::stats

#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// Trend of a share over scored groups, given n_i of which x_i events at score s_i, X events among N:
///
///     T = sum (s_i - s) x_i,  s = sum n_i s_i / N,     V = X/N (1 - X/N) sum n_i (s_i - s)^2,     z = T / sqrt V
///
/// z is positive when the share rises with the score. NaN when all scores or all responses are equal.
/// source   Cochran (1954), Biometrics 10, 417-451; Armitage (1955), Biometrics 11, 375-386
/// checked  tables_test.cpp, tests/independent/tables_test.cpp, the reference case cochran_armitage_trend
double cochran_armitage_z(std::span<const double> events, std::span<const double> sizes, std::span<const double> scores);

/// P(|T| >= |t|) given the margins: x_i of group i has C(n_i, x_i) ways. Values of T within 1e-9 of its range are one value.
/// errors   out_of_range, when more than a million values of T would have to be kept
Expected<double> cochran_armitage_exact(std::span<const double> events, std::span<const double> sizes,
                                        std::span<const double> scores);

/// Cochran-Armitage trend test. Page: docs/methods/cochran_armitage_trend.md
struct CochranArmitage {
  std::string response, group;
  std::map<std::string, double> scores;
  bool exact = false;

  static MethodCard const& card();
  static std::optional<CochranArmitage> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return {{response, Need::number}, {group, Need::category}}; }
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<CochranArmitage>);

}  // namespace equipoise::stats

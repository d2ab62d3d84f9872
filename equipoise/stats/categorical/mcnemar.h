#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// McNemar's test of two paired columns of two values: of the pairs that differ, b went one way and c the other.
///
///     chi-square = (b - c)^2 / (b + c), 1 degree of freedom; with correction (max(0, |b - c| - 1))^2 / (b + c)
///     exact: b is Binomial(b + c, 1/2); p = min(1, 2 P(X <= min(b, c))); the odds b/c with the Clopper-Pearson limits of b/(b + c)
///
/// source   McNemar (1947), Psychometrika 12, 153-157; Edwards (1948), Psychometrika 13, 185-187 (correction)
/// checked  tables_test.cpp, tests/independent/tables_test.cpp, the reference case mcnemar
/// Page: docs/methods/mcnemar.md
struct McNemar {
  std::string first, second;
  bool correction = false, exact = false;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<McNemar> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<McNemar>);

/// Two-sided exact p of b against c; 1 when both are 0.
double mcnemar_exact_p(std::int64_t b, std::int64_t c);

}  // namespace equipoise::stats

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"

namespace equipoise::stats {

struct ProportionInterval {
  double estimate, lower, upper;
};

/// Exact binomial interval: the shares p for which neither tail of Binomial(n, p) at x falls below (1 - level) / 2.
///
///     lower = B^-1((1 - level)/2; x, n - x + 1), 0 at x = 0;     upper = B^-1((1 + level)/2; x + 1, n - x), 1 at x = n
///
/// x        events, 0 <= x <= n; n = 0 gives NaN
/// source   Clopper & Pearson (1934), Biometrika 26, 404-413
/// checked  clopper_pearson_test.cpp, tests/independent/categorical_test.cpp, the reference cases clopper_pearson
ProportionInterval clopper_pearson(double x, double n, double level);

/// Share of rows with response 1 and its exact interval. Page: docs/methods/clopper_pearson.md
struct ClopperPearson {
  std::string response;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<ClopperPearson> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<ClopperPearson>);

}  // namespace equipoise::stats

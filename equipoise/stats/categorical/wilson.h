#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/categorical/clopper_pearson.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// Score interval of a proportion at the normal quantile z: the shares p with (x/n - p)^2 <= z^2 p(1 - p)/n. With `correction` the
/// distance |x/n - p| is first made smaller by 1/(2n).
///
///     (x + z^2/2 -+ z sqrt(x(n - x)/n + z^2/4)) / (n + z^2);  with correction x - 1/2 in the lower limit, x + 1/2 in the upper
///
/// x, n     events and size, 0 <= x <= n; n = 0 gives NaN. Limits beyond [0, 1] are cut
/// source   Wilson (1927), J. Am. Stat. Assoc. 22, 209-212; Newcombe (1998), Stat. Med. 17, 857-872 (methods 3 and 4)
/// checked  proportions_test.cpp, tests/independent/proportions_test.cpp, the reference cases wilson
ProportionInterval wilson_at(double x, double n, double z, bool correction);

/// The same at the two-sided confidence level.
ProportionInterval wilson(double x, double n, double level, bool correction = false);

/// Share of rows with response 1 and its score interval. Page: docs/methods/wilson.md
struct Wilson {
  std::string response;
  double level = 0.95;
  bool correction = false;

  static MethodCard const& card();
  static std::optional<Wilson> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<Wilson>);

}  // namespace equipoise::stats

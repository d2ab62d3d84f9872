#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/continuous/ranks.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// Jonckheere-Terpstra statistic with its moments when all ways of dealing the values out to the groups are equally likely.
struct OrderedStatistic {
  double j = 0, expected = 0, variance = 0;
};

/// group_of  of each value, 0 to k - 1 in the order of the alternative     groups  k
///
///     J = sum over i < j of the pairs in which the value of group j is larger, ties one half
///     E = (N^2 - sum n_j^2)/4
///     V = (N (N-1)(2N+5) - sum n_j (n_j-1)(2n_j+5) - sum t (t-1)(2t+5))/72
///         + sum n_j (n_j-1)(n_j-2) sum t (t-1)(t-2) / (36 N (N-1)(N-2)) + sum n_j (n_j-1) sum t (t-1) / (8 N (N-1))
///
/// source   Jonckheere (1954), Biometrika 41, 133-145; Terpstra (1952), Indag. Math. 14, 327-333; Hollander & Wolfe (1999),
///          Nonparametric Statistical Methods, section 6.2 (the variance with ties)
/// checked  jonckheere_terpstra_test.cpp, tests/independent/rank_test.cpp, the reference case jonckheere_terpstra
OrderedStatistic ordered_statistic(Midranks const& ranks, std::span<const std::int32_t> group_of, std::size_t groups);

/// Jonckheere-Terpstra test of ordered groups. Page: docs/methods/jonckheere_terpstra.md
struct JonckheereTerpstra {
  std::string response, group;
  std::vector<std::string> order;
  bool exact = false;
  Tail tail = Tail::two_sided;

  static MethodCard const& card();
  static std::optional<JonckheereTerpstra> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<JonckheereTerpstra>);

}  // namespace equipoise::stats

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/continuous/ranks.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// Mann-Whitney statistic of two groups with its moments when all ways of dealing out the values are equally likely.
///
///     U = R - m (m + 1)/2,  E = m n/2,  V = m n/12 (N + 1 - sum (t^3 - t)/(N (N - 1)))
///
/// R is the sum of the midranks of the first group, of m values; N = m + n; t the sizes of the blocks of tied values.
struct RankSum {
  double u = 0, expected = 0, variance = 0;
};

/// ranks   of all values together     first  1 in the first group
/// returns variance NaN when N < 2
/// source  Wilcoxon (1945), Biometrics Bull. 1, 80-83; Mann & Whitney (1947), Ann. Math. Stat. 18, 50-60; Lehmann (1975),
///         Nonparametrics, section 1.4
/// checked rank_sum_test.cpp, tests/independent/rank_test.cpp, the reference cases wilcoxon_rank_sum
RankSum rank_sum(Midranks const& ranks, std::span<const std::uint8_t> first);

/// Wilcoxon rank-sum (Mann-Whitney) test. Page: docs/methods/wilcoxon_rank_sum.md
struct WilcoxonRankSum {
  std::string response, group;
  Difference difference;
  std::optional<bool> exact;  ///< absent: the rule of R when it is to be matched, else no
  bool correction = false;
  Tail tail = Tail::two_sided;
  Match match = Match::equipoise;

  static MethodCard const& card();
  static std::optional<WilcoxonRankSum> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<WilcoxonRankSum>);

/// Van Elteren's stratified rank-sum test, weights 1/(N_h + 1). Page: docs/methods/wilcoxon_rank_sum.md
struct VanElteren {
  std::string response, group;
  std::vector<std::string> strata;
  Difference difference;
  Tail tail = Tail::two_sided;

  static MethodCard const& card();
  static std::optional<VanElteren> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<VanElteren>);

}  // namespace equipoise::stats

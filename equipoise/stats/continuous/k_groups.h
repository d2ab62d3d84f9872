#pragma once

#include <string>
#include <vector>

#include "equipoise/stats/continuous/ranks.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// Kruskal-Wallis test of k groups. Page: docs/methods/kruskal_wallis.md
///
///     H = (N - 1) sum_j n_j (R_j - (N + 1)/2)^2 / sum_i (r_i - (N + 1)/2)^2,  df = groups with values - 1
///
/// r midranks, R_j their mean in group j: the form that needs no separate correction for ties.
///
/// source   Kruskal & Wallis (1952), J. Am. Stat. Assoc. 47, 583-621
/// checked  k_groups_test.cpp, tests/independent/rank_test.cpp, the reference cases kruskal_wallis
struct KruskalWallis {
  std::string response, group;

  static MethodCard const& card();
  static std::optional<KruskalWallis> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<KruskalWallis>);

enum class GroupVariance { equal, welch };

/// One-way analysis of variance. Page: docs/methods/one_way_anova.md
///
///     equal  F = sum n_j (m_j - m)^2/(k - 1) / (sum (n_j - 1) s_j^2/(N - k)),  df k - 1 and N - k
///     welch  w_j = n_j/s_j^2, W = sum w_j, m = sum w_j m_j/W, A = sum (1 - w_j/W)^2/(n_j - 1)
///            F = sum w_j (m_j - m)^2/(k - 1) / (1 + 2 (k - 2) A/(k^2 - 1)),  df k - 1 and (k^2 - 1)/(3 A)
///
/// source   Fisher (1925), Statistical Methods for Research Workers; Welch (1951), Biometrika 38, 330-336
/// checked  k_groups_test.cpp, the reference cases one_way_anova
struct OneWayAnova {
  std::string response, group;
  GroupVariance variance = GroupVariance::equal;

  static MethodCard const& card();
  static std::optional<OneWayAnova> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<OneWayAnova>);

}  // namespace equipoise::stats

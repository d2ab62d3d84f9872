#pragma once

#include <optional>
#include <span>
#include <vector>

#include "equipoise/stats/multiplicity/graph.h"

/// Simultaneous confidence limits that agree with a procedure's decisions.
namespace equipoise::stats {

/// How one limit of an effect is found: the limit of the analysis with probability `tail` beyond it (tail 0: none, infinite);
/// with `not_past_null` the one of it and the null value that says more.
struct LimitRule {
  double tail = 0;
  bool not_past_null = false;
};

/// Lower limits of effects theta_i whose hypotheses are theta_i <= null, tested by the graph at one-sided level alpha. With w the
/// weights of the graph after all rejections:
///
///     not rejected                     the limit with tail alpha w_i
///     rejected, some other is not      null
///     rejected, as all are             the limit with tail alpha w_i of the first graph, or null if that is larger
///
/// They all hold together with probability 1 - alpha or more, and a limit is at or above null exactly for the rejected.
/// p        one-sided, shape m, NaN counts as 1
/// source   Strassburger & Bretz (2008), Stat. Med. 27, 4914-4927; Guilbaud (2008), Biom. J. 50, 678-692
/// checked  limits_test.cpp, tests/independent/multiplicity_test.cpp (inversion of the partitioning test)
std::vector<LimitRule> one_sided_limits(Graph const& graph, std::span<const double> p, double alpha);

struct TwoSidedLimits {
  std::vector<LimitRule> lower, upper;
};

/// Limits on both sides that agree with the two-sided procedure at alpha: each side is the one-sided procedure at alpha/2, in
/// which a hypothesis takes part with its p when its effect points that way, and with 1 when not. Nothing when the two together
/// reject fewer than the two-sided procedure does, which can happen only when rejected effects point both ways: no limits that
/// agree are known then. p         two-sided, shape m, with p/2 the one-sided value of its own direction; NaN counts as 1
/// positive  whether the effect is above null, shape m
std::optional<TwoSidedLimits> two_sided_limits(Graph const& graph, std::span<const double> p, std::vector<bool> const& positive,
                                               double alpha);

/// Bonferroni: tail alpha/(2m) on each side of each.
TwoSidedLimits bonferroni_limits(std::size_t m, double alpha);

}  // namespace equipoise::stats

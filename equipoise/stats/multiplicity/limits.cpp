#include "equipoise/stats/multiplicity/limits.h"

#include <algorithm>

#include "equipoise/core/error.h"

namespace equipoise::stats {

std::vector<LimitRule> one_sided_limits(Graph const& graph, std::span<const double> p, double alpha) {
  const std::vector<double> adjusted = graphical_adjusted(graph, p);
  const auto rejected = [&](std::size_t i) { return adjusted[i] <= alpha; };  // not for NaN
  Graph left = graph;
  std::size_t rejections = 0;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (rejected(i)) left.reject(i), ++rejections;
  const bool all = rejections == p.size();
  std::vector<LimitRule> rules;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double weight = all ? graph.weight(i).limit() : rejected(i) ? 0.0 : left.weight(i).limit();
    rules.push_back({.tail = alpha * weight, .not_past_null = rejected(i)});
  }
  return rules;
}

std::optional<TwoSidedLimits> two_sided_limits(Graph const& graph, std::span<const double> p, std::vector<bool> const& positive,
                                               double alpha) {
  expects(p.size() == positive.size(), "each p value has a direction");
  const std::vector<double> adjusted = graphical_adjusted(graph, p);
  std::vector<bool> seen(p.size(), false);
  // p/2 at alpha/2: halving is exact, so the decisions are those of p at alpha.
  const auto side = [&](bool up) {
    std::vector<double> one_sided;
    for (std::size_t i = 0; i < p.size(); ++i) one_sided.push_back(positive[i] == up ? p[i] / 2 : 1.0);
    std::vector<LimitRule> rules = one_sided_limits(graph, one_sided, alpha / 2);
    for (std::size_t i = 0; i < p.size(); ++i) seen[i] = seen[i] || rules[i].not_past_null;
    return rules;
  };
  TwoSidedLimits limits{.lower = side(true), .upper = side(false)};
  for (std::size_t i = 0; i < p.size(); ++i)
    if (adjusted[i] <= alpha && !seen[i]) return {};
  return limits;
}

TwoSidedLimits bonferroni_limits(std::size_t m, double alpha) {
  const std::vector<LimitRule> rules(m, LimitRule{.tail = alpha / 2 / double(m)});
  return {rules, rules};
}

}  // namespace equipoise::stats

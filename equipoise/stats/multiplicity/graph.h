#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

/// The graph of a sequentially rejective weighted Bonferroni procedure: hypotheses are nodes, `weight` is a hypothesis's share of
/// alpha, and an edge says which share of it another hypothesis gets once the first is rejected.
namespace equipoise::stats {

/// The leading term c e^k of a quantity that is never negative, as e goes to 0 from above; c = 0 is 0. Sums, products and
/// quotients of leading terms are the leading terms of the sums, products and quotients, since nothing cancels.
struct LeadingTerm {
  double coefficient = 0;
  int order = 0;

  double limit() const { return order == 0 ? coefficient : 0; }  ///< for order >= 0
  bool positive() const { return coefficient > 0; }
  friend LeadingTerm operator+(LeadingTerm a, LeadingTerm b);
  friend LeadingTerm operator*(LeadingTerm a, LeadingTerm b) { return {a.coefficient * b.coefficient, a.order + b.order}; }
  friend LeadingTerm operator/(LeadingTerm a, LeadingTerm b) { return {a.coefficient / b.coefficient, a.order - b.order}; }
};
inline constexpr LeadingTerm epsilon_share{1, 1};  ///< an infinitely small share

/// What is wrong with weights and transitions, every problem as a sentence; empty when they make a graph: weights in [0, 1] with
/// a sum of at most 1; transitions m x m, each share in [0, 1], zero diagonal, each row's finite shares summing to at most 1
/// (sums to within 1e-12).
std::vector<std::string> graph_problems(std::span<const double> weights,
                                        std::vector<std::vector<LeadingTerm>> const& transitions);

/// m hypotheses that are not rejected, with their weights w and transitions g. Rejecting i gives
///
///     w_j <- w_j + w_i g_ij        g_jk <- (g_jk + g_ji g_ik) / (1 - g_ji g_ij), or 0 where the divisor is 0     (j, k /= i)
///
/// The share that a row leaves over, r_j = 1 - sum_k g_jk, is carried along as r_j <- (r_j + g_ji r_i) / (1 - g_ji g_ij), so that
/// the divisor is r_j + sum_{k /= i} g_jk + g_ji (r_i + sum_{k /= j} g_ik), in which nothing is subtracted: the graph keeps its
/// digits, and infinitely small shares keep their leading terms. In a row whose finite shares sum to 1, those stand for what the
/// small ones leave. The graph after several rejections does not depend on their order. source   Bretz, Maurer, Brannath & Posch
/// (2009), Stat. Med. 28, 586-604 checked  graph_test.cpp, tests/independent/multiplicity_test.cpp
class Graph {
 public:
  /// Contract: graph_problems says nothing.
  Graph(std::span<const double> weights, std::vector<std::vector<LeadingTerm>> transitions);

  /// Weights 1/m and shares 1/(m - 1): Holm's procedure.
  static Graph holm(std::size_t m);

  std::size_t size() const { return weights_.size(); }
  bool has(std::size_t i) const { return present_[i]; }  ///< not rejected
  LeadingTerm weight(std::size_t i) const { return weights_[i]; }
  LeadingTerm share(std::size_t i, std::size_t j) const { return shares_[i][j]; }
  void reject(std::size_t i);

 private:
  std::vector<bool> present_;
  std::vector<LeadingTerm> weights_, rest_;
  std::vector<std::vector<LeadingTerm>> shares_;
};

/// Adjusted p values of the graph's procedure: again and again the hypothesis with the smallest p/w is rejected, its adjusted p
/// being the largest p/w so far, at most 1. A weight of 0 rejects nothing, an infinitely small one only p = 0. NaN counts as 1
/// and stays NaN. p        shape m, in [0, 1] or NaN checked  as Graph
std::vector<double> graphical_adjusted(Graph graph, std::span<const double> p);

}  // namespace equipoise::stats

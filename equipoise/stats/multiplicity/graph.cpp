#include "equipoise/stats/multiplicity/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/core/error.h"
#include "equipoise/core/text.h"

namespace equipoise::stats {
namespace {

constexpr double sum_rounding = 1e-12;  // thirds and sevenths typed with all their digits add up to 1 within this

bool is_share(double value) { return value >= 0 && value <= 1; }  // false for NaN

double finite_sum(std::vector<LeadingTerm> const& row) {
  double sum = 0;
  for (LeadingTerm const& share : row) sum += share.limit();
  return sum;
}

}  // namespace

LeadingTerm operator+(LeadingTerm a, LeadingTerm b) {
  if (!a.positive()) return b;
  if (!b.positive() || a.order < b.order) return a;
  return b.order < a.order ? b : LeadingTerm{a.coefficient + b.coefficient, a.order};
}

std::vector<std::string> graph_problems(std::span<const double> weights,
                                        std::vector<std::vector<LeadingTerm>> const& transitions) {
  std::vector<std::string> problems;
  double total = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    total += weights[i];
    if (!is_share(weights[i]))
      problems.push_back(fmt::format("the weight of hypothesis {} must be from 0 to 1, and is {}", i + 1, shortest(weights[i])));
  }
  if (total > 1 + sum_rounding) problems.push_back(fmt::format("the weights add up to {:.12g}, and must not exceed 1", total));
  if (transitions.size() != weights.size())
    problems.push_back(fmt::format("there are {} rows of transitions for {} weights", transitions.size(), weights.size()));
  for (std::size_t i = 0; i < transitions.size(); ++i) {
    if (transitions[i].size() != weights.size()) {
      problems.push_back(
          fmt::format("row {} of the transitions has {} shares for {} hypotheses", i + 1, transitions[i].size(), weights.size()));
      continue;
    }
    for (std::size_t j = 0; j < transitions[i].size(); ++j)
      if (!is_share(transitions[i][j].coefficient))
        problems.push_back(fmt::format("the share from hypothesis {} to {} must be from 0 to 1, and is {}", i + 1, j + 1,
                                       shortest(transitions[i][j].coefficient)));
    if (transitions[i][i].positive()) problems.push_back(fmt::format("hypothesis {} passes a share to itself", i + 1));
    if (const double sum = finite_sum(transitions[i]); sum > 1 + sum_rounding)
      problems.push_back(
          fmt::format("the shares that hypothesis {} passes on add up to {}, and must not exceed 1", i + 1, shortest(sum)));
  }
  return problems;
}

Graph::Graph(std::span<const double> weights, std::vector<std::vector<LeadingTerm>> transitions)
    : present_(weights.size(), true), shares_(std::move(transitions)) {
  expects(graph_problems(weights, shares_).empty(), "a graph is made of weights and transitions that were checked");
  for (const double weight : weights) weights_.push_back({weight, 0});
  for (std::vector<LeadingTerm> const& row : shares_) {
    const double sum = finite_sum(row);
    rest_.push_back({sum < 1 - sum_rounding ? 1 - sum : 0.0, 0});
  }
}

Graph Graph::holm(std::size_t m) {
  const std::vector<double> weights(m, m ? 1 / double(m) : 0.0);
  std::vector<std::vector<LeadingTerm>> transitions(m,
                                                    std::vector<LeadingTerm>(m, LeadingTerm{m > 1 ? 1 / double(m - 1) : 0.0, 0}));
  for (std::size_t i = 0; i < m; ++i) transitions[i][i] = {};
  return Graph(weights, std::move(transitions));
}

void Graph::reject(std::size_t i) {
  expects(present_[i], "a hypothesis is rejected once");
  present_[i] = false;
  for (std::size_t j = 0; j < size(); ++j)
    if (present_[j]) weights_[j] = weights_[j] + weights_[i] * shares_[i][j];
  for (std::size_t j = 0; j < size(); ++j) {
    const LeadingTerm back = shares_[j][i];
    if (!present_[j] || !back.positive()) continue;  // what does not lead to i stays
    LeadingTerm divisor = rest_[j], past_j = rest_[i];
    for (std::size_t k = 0; k < size(); ++k) {
      if (!present_[k]) continue;
      divisor = divisor + shares_[j][k];
      if (k != j) past_j = past_j + shares_[i][k];
    }
    divisor = divisor + back * past_j;
    const auto passed = [&](LeadingTerm own, LeadingTerm of_i) {
      return divisor.positive() ? (own + back * of_i) / divisor : LeadingTerm{};
    };
    for (std::size_t k = 0; k < size(); ++k)
      shares_[j][k] = present_[k] && k != j ? passed(shares_[j][k], shares_[i][k]) : LeadingTerm{};
    rest_[j] = divisor.positive() ? passed(rest_[j], rest_[i]) : LeadingTerm{1, 0};
  }
  weights_[i] = {};
}

std::vector<double> graphical_adjusted(Graph graph, std::span<const double> p) {
  expects(p.size() == graph.size(), "a graph has a node for each p value");
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto ratio = [&](std::size_t i) {
    const LeadingTerm weight = graph.weight(i);
    if (!weight.positive()) return infinity;
    const double counted = std::isnan(p[i]) ? 1.0 : p[i];
    if (weight.order == 0) return counted / weight.coefficient;
    return counted == 0 ? 0.0 : infinity;
  };
  std::vector<double> adjusted(p.size(), 1.0);
  double largest = 0;
  for (std::size_t step = 0; step < p.size(); ++step) {
    std::size_t next = p.size();
    double smallest = infinity;
    for (std::size_t i = 0; i < p.size(); ++i)
      if (graph.has(i))
        if (const double one = ratio(i); one < smallest) smallest = one, next = i;
    largest = std::max(largest, smallest);
    if (largest >= 1) break;  // all that are left have 1
    adjusted[next] = largest;
    graph.reject(next);
  }
  for (std::size_t i = 0; i < p.size(); ++i)
    if (std::isnan(p[i])) adjusted[i] = p[i];
  return adjusted;
}

}  // namespace equipoise::stats

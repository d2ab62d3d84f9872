#include "equipoise/stats/categorical/newcombe.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/sum.h"
#include "equipoise/stats/categorical/wilson.h"

namespace equipoise::stats {
namespace {

/// Events and size of one group in each stratum.
struct Counts {
  std::vector<double> events, sizes;
};

ProportionInterval stratified_wilson(Counts const& group, std::vector<double> const& weights, double z, bool correction) {
  const std::size_t strata = weights.size();
  std::vector<double> variance(strata);
  bool all_zero = true;
  for (std::size_t j = 0; j < strata; ++j) {
    const double x = group.events[j], n = group.sizes[j];
    variance[j] = x * (n - x) / (n * n * n);
    all_zero = all_zero && variance[j] == 0;
  }
  numerics::Sum squares, roots;
  for (std::size_t j = 0; j < strata; ++j) {
    const double v = all_zero ? 1 / group.sizes[j] : variance[j];
    squares.add(weights[j] * weights[j] * v);
    roots.add(weights[j] * std::sqrt(v));
  }
  // One stratum: the ratio is 1, and rounding must not make it something else.
  const double shrunk = strata == 1 ? z : z * std::sqrt(squares.value()) / roots.value();
  numerics::Sum estimate, lower, upper;
  for (std::size_t j = 0; j < strata; ++j) {
    const ProportionInterval one = wilson_at(group.events[j], group.sizes[j], shrunk, correction);
    estimate.add(weights[j] * one.estimate);
    lower.add(weights[j] * one.lower);
    upper.add(weights[j] * one.upper);
  }
  return {estimate.value(), lower.value(), upper.value()};
}

}  // namespace

DifferenceInterval newcombe(TwoByTwo const& t, double level, bool correction) {
  if (!t.has_both()) return {};
  const auto [p1, l1, u1] = wilson(double(t.a), double(t.first()), level, correction);
  const auto [p2, l2, u2] = wilson(double(t.c), double(t.second()), level, correction);
  const double d = p1 - p2;
  return {d, std::max(-1.0, d - std::hypot(p1 - l1, u2 - p2)), std::min(1.0, d + std::hypot(u1 - p1, p2 - l2))};
}

DifferenceInterval stratified_newcombe(std::vector<TwoByTwo> const& tables, double level, bool correction) {
  if (tables.empty()) return {};
  std::vector<double> weights;
  Counts first, second;
  for (TwoByTwo const& t : tables) {
    const double n1 = double(t.first()), n2 = double(t.second());
    weights.push_back(n1 * n2 / (n1 + n2));
    first.events.push_back(double(t.a)), first.sizes.push_back(n1);
    second.events.push_back(double(t.c)), second.sizes.push_back(n2);
  }
  const double total = numerics::sum(weights);
  numerics::Sum lambda_1, lambda_2;
  for (std::size_t j = 0; j < weights.size(); ++j) {
    weights[j] /= total;
    lambda_1.add(weights[j] * weights[j] / first.sizes[j]);
    lambda_2.add(weights[j] * weights[j] / second.sizes[j]);
  }
  const double z = numerics::normal_interval(level);
  const auto [p1, l1, u1] = stratified_wilson(first, weights, z, correction);
  const auto [p2, l2, u2] = stratified_wilson(second, weights, z, correction);
  const double d = p1 - p2;
  const auto below = [](double limit, double lambda) { return lambda * std::max(0.0, limit * (1 - limit)); };
  return {d, std::max(-1.0, d - z * std::sqrt(below(l1, lambda_1.value()) + below(u2, lambda_2.value()))),
          std::min(1.0, d + z * std::sqrt(below(u1, lambda_1.value()) + below(l2, lambda_2.value())))};
}

MethodCard const& Newcombe::card() {
  static const MethodCard card{.keyword = "newcombe",
                               .title = "Newcombe interval of a risk difference",
                               .roles = {{"response", Need::number, Presence::required, "1 or 0"},
                                         {"group", Need::category, Presence::required, "the groups compared"},
                                         {"strata", Need::category, Presence::optional, "columns whose combinations are strata"}},
                               .options = {{"difference", "{ level, minus }", "the groups compared: level minus minus"},
                                           {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"},
                                           {"correction", "true | false", "continuity correction of the Wilson limits (false)"}},
                               .quantities = {"estimate", "lower", "upper", "n", "n_events"},
                               .comparison = Comparison::pairwise,
                               .binary_response = true};
  return card;
}

std::optional<Newcombe> Newcombe::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  Newcombe method;
  if (auto groups = TwoGroups::parse(card(), roles, options)) method.groups = std::move(*groups);
  method.level = parse_level(options);
  method.correction = options.flag("correction").value_or(false);
  if (method.correction && !method.groups.strata.empty())
    options.report_at("correction", Code::inconsistent, "the stratified Newcombe interval has no continuity correction");
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

Expected<Answer> Newcombe::run(Frame const& frame) const {
  const auto tables = groups.count(frame);
  if (!tables) return tl::unexpected(tables.error());
  const TwoByTwo all = pooled(*tables);
  Answer answer;
  DifferenceInterval interval;
  if (groups.strata.empty()) {
    interval = newcombe(all, level, correction);
  } else {
    const std::vector<TwoByTwo> used = informative(*tables, answer.notes);
    interval = stratified_newcombe(used, level);
    if (used.empty() && all.has_both())
      answer.notes.emplace_back("No stratum has both groups: the difference is not estimable.");
    else answer.notes.emplace_back("Stratified Newcombe interval (Yan and Su 2010) with Mantel-Haenszel weights.");
  }
  if (const auto note = groups.nobody_note(all)) answer.notes.push_back(*note);
  answer.findings.push_back({.quantity = "estimate",
                             .value = interval.estimate,
                             .lower = interval.lower,
                             .upper = interval.upper,
                             .level = level,
                             .n = all.total()});
  groups.add_counts(answer, all);
  return answer;
}

}  // namespace equipoise::stats

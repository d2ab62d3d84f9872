#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/interval/npmle.h"
#include "equipoise/stats/method.h"
#include "equipoise/stats/model_terms.h"

namespace equipoise::stats {

/// Proportional hazards between visits at their maximum; NaN unless estimable.
struct GroupedFit {
  std::vector<double> beta, se;                 ///< p, on the covariates as given
  std::vector<std::uint8_t> aliased, infinite;  ///< p, 0 or 1
  double log_likelihood = missing_number, log_likelihood_null = missing_number;
  std::size_t rank = 0;  ///< coefficients that are not aliased
  bool converged = false;
  int iterations = 0;
  double distance = 0;  ///< to the maximum, in standard errors
};

/// Discrete proportional hazards over the innermost intervals of the rows, with baseline cumulative hazard steps g_j >= 0 and
/// u_i = exp(z_i'b):
///
///     l(g, b) = sum_i log( S(before i)^u_i - S(after i)^u_i ),  S(after k intervals) = exp(-(g_1 + ... + g_k)), 0 after the last
///
/// With a row between each two neighbouring visits this is the binary model with complementary log-log link over persons and
/// visits; an interval over several visits keeps its own probability. Newton's method on log g and b from the Turnbull masses;
/// steps of 0 are let in where the likelihood rises. Standard errors from the observed information of all parameters.
///
/// source   Prentice & Gloeckler (1978), Biometrics 34, 57-67; Finkelstein (1986), Biometrics 42, 845-854
/// checked  grouped_hazard_test.cpp, tests/independent/interval_test.cpp
GroupedFit fit_grouped_hazard(InnermostIntervals const& innermost, Design const& design);

/// Ends of intervals moved to the nearest of `visits` and 0: an exact time becomes the gap between visits that holds it; a left
/// and a right end that would meet become the gap before that visit; an interval wholly beyond the last visit is after that
/// visit. visits  sorted, above 0, at least one
IntervalRows on_visits(IntervalRows rows, std::vector<double> const& visits);

/// Grouped-time proportional hazards model. Page: docs/methods/grouped_hazard.md
struct GroupedHazard {
  std::string left, right;
  ModelTerms model;
  std::vector<double> visits;  ///< planned times; empty: the ends as they are
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<GroupedHazard> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<GroupedHazard>);

}  // namespace equipoise::stats

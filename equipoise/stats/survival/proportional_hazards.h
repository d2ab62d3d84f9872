#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/model_terms.h"
#include "equipoise/stats/survival/partial_likelihood.h"

namespace equipoise::stats {

/// The function of time that a coefficient is tested to follow.
enum class TimeFunction {
  km,        ///< 1 - S(t-), S the Kaplan-Meier estimate of all rows
  identity,  ///< t
  rank,      ///< rank of t among the times of all rows, the mean rank of ties
  log        ///< log t
};

/// g(t) of each row's time. errors: out_of_range for the log of an event time that is not above 0
///
/// checked  proportional_hazards_test.cpp
Expected<std::vector<double>> time_function(TimeFunction function, SurvivalRows const& data);

/// Score and information, at the fitted coefficients b, of the Cox model with x and x g(t) as covariates; p of each.
///
///     score_j = sum over events of (x_j - mean_j(t)) g(t)
///     information = sum over event times of V(t) (x) [1, g; g, g^2],  V(t) the weighted covariance of x in the risk set
///
/// with Efron's or Breslow's mean and covariance at tied events. Time by time: V(t) is not replaced by its average.
struct TimeScore {
  std::vector<double> score;        ///< p, of the coefficients of x g(t); those of x are 0 at the fit
  std::vector<double> information;  ///< 2p x 2p, row by row: x first
};

/// x          design, its columns on a scale near 1
/// predictor  x'b of each row
/// g          of each row, read at events only
/// source     Grambsch & Therneau (1994), Biometrika 81, 515-526, with the exact information as in survival >= 3.0
/// checked    tests/independent/proportional_hazards_test.cpp, the reference cases proportional_hazards_test
TimeScore time_score(SurvivalRows const& data, std::span<const std::int32_t> stratum, std::size_t strata, Design const& x,
                     std::span<const double> predictor, Ties ties, std::span<const double> g);

/// Test of proportional hazards. Page: docs/methods/proportional_hazards_test.md
struct ProportionalHazardsTest {
  std::string time, event, start, cluster;  ///< columns; "" = not given
  std::vector<std::string> strata;
  ModelTerms model;
  Ties ties = Ties::efron;
  TimeFunction transform = TimeFunction::km;
  NearTies near_ties = NearTies::merge;
  std::string ties_note;  ///< which, and who chose it

  static MethodCard const& card();
  static std::optional<ProportionalHazardsTest> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<ProportionalHazardsTest>);

}  // namespace equipoise::stats

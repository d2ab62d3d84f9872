#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/parts.h"
#include "equipoise/stats/survival/log_rank.h"

namespace equipoise::stats {

/// Exponents of Fleming and Harrington's class of weights.
struct RhoGamma {
  double rho = 0, gamma = 0;
};
/// Exponents go up to this: the smallest weight, (1/n)^10 squared, is then a number for any n.
inline constexpr double largest_exponent = 10;

/// "rho 1, gamma 0": for notes.
std::string to_text(RhoGamma exponents);

/// The weight of each event time, from the participants at risk n >= 1 and the events 1 <= d <= n of all groups together.
///
///     w(t) = S(t-)^rho (1 - S(t-))^gamma,   S the Kaplan-Meier estimate of all groups together, 0^0 = 1
///
/// returns  numbers from 0 to 1; 0 at the first event time when gamma > 0
/// source   Harrington & Fleming (1982), Biometrika 69, 553-566; Fleming & Harrington (1991), Counting Processes and Survival
///          Analysis, chapter 7
/// checked  fleming_harrington_test.cpp, tests/independent/rank_tests_test.cpp, the reference cases fleming_harrington
std::vector<double> fleming_harrington_weights(RhoGamma exponents, PooledTimes const& times);

/// Fleming-Harrington test of k groups, stratified or not. Page: docs/methods/fleming_harrington.md
struct FlemingHarrington {
  std::string time, event, group;
  std::vector<std::string> strata;
  RhoGamma exponents;
  NearTies near_ties = NearTies::merge;
  std::optional<Difference> difference;

  static MethodCard const& card();
  static std::optional<FlemingHarrington> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<FlemingHarrington>);

}  // namespace equipoise::stats

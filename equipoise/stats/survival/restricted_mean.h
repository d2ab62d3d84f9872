#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/parts.h"
#include "equipoise/stats/survival/kaplan_meier.h"

namespace equipoise::stats {

/// Area under a Kaplan-Meier curve from 0 to tau and its standard error, both in the unit of time.
///
///     area = integral of S from 0 to tau,   se^2 = sum over t_i <= tau of A_i^2 d_i / (n_i (n_i - d_i))
///
/// A_i is the area from t_i to tau; a term with n_i = d_i is 0, since A_i is. Beyond the last observed time S keeps its last value.
struct RestrictedMean {
  double area = missing_number, se = missing_number;
  bool carried_on = false;  ///< tau lies beyond the last observed time, and S is not 0 there
};

/// `curve` of one group; without times both numbers are NaN. tau > 0, finite.
///
/// source   Irwin (1949), J. Hyg. 47, 188-189; Karrison (1987), J. Am. Stat. Assoc. 82, 1169-1176; Klein & Moeschberger (2003),
///          Survival Analysis, 4.5
/// checked  restricted_mean_test.cpp, tests/independent/restricted_mean_test.cpp, the reference cases rmst and rmst_difference
RestrictedMean restricted_mean(SurvivalCurve const& curve, double tau);

/// Restricted mean survival time, by group or over all rows. Page: docs/methods/rmst.md
struct Rmst {
  std::string time, event, group;  ///< columns; no group = ""
  double tau = 0;
  double level = 0.95;
  NearTies near_ties = NearTies::merge;

  static MethodCard const& card();
  static std::optional<Rmst> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<Rmst>);

/// Difference and ratio of the restricted means of two groups. Page: docs/methods/rmst.md
struct RmstDifference {
  std::string time, event, group;
  double tau = 0;
  double level = 0.95;
  NearTies near_ties = NearTies::merge;
  Difference difference;

  static MethodCard const& card();
  static std::optional<RmstDifference> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<RmstDifference>);

}  // namespace equipoise::stats

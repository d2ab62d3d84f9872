#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/competing/cause_rows.h"
#include "equipoise/stats/method.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {

/// Gray's scores of k groups and their covariance, added over strata.
struct GraySums {
  std::vector<double> score;       ///< k; sum 0
  std::vector<double> covariance;  ///< k x k, row by row
};

/// Compares the subdistribution hazards of one cause. Notation, at an event time t and for group r: n at risk, d1 events of the
/// cause, d2 of others, S survival of any cause, F cumulative incidence of the cause in the group, all with - for just before;
///
///     h_r = n_r / S_r(t-),  h = sum h_r,  R_r = h_r (1 - F_r(t-)),  dF0 = d1 / h,  L = (1 - F0(t-))^rho
///     score_i = sum_t L (d1_i - d1 R_i / sum R)
///
/// F0 is the common incidence under the hypothesis, d1 the events of all groups. The covariance, with
/// a_ir = L h_i (1{i = r} - h_r/h), c_ir(t) = sum_{s <= t} a_ir dF0/(1 - F0(s-)) and C = c at the end:
///
///     sum_r sum_t  x_ir x_jr  S_r(t-) dF0 / n_r (tie)          x_ir = a_ir + (1 - (1 - F0)/S_r) (C_ir - c_ir), F0 and S at t
///               +  y_ir y_jr  S_r(t-)^2 d2_r / n_r^2 (tie)     y_ir = (1 - F0)/S_r (C_ir - c_ir)
///
/// where (tie) = 1 - (d - 1)/(m - 1) for d tied events among m (m = h S_r(t-) in the first line, n_r in the second).
///
/// group and stratum of each row, numbered below `groups` and `strata`
/// source   Gray (1988), Ann. Stat. 16, 1141-1154, section 3 and its remark on ties
/// checked  gray_test.cpp, tests/independent/competing_test.cpp, the reference cases gray_test
GraySums gray_sums(CauseRows const& data, std::int32_t cause, double rho, std::span<const std::int32_t> group, std::size_t groups,
                   std::span<const std::int32_t> stratum, std::size_t strata);

/// Gray's test of equal cumulative incidence in k groups. Page: docs/methods/gray_test.md
struct GrayTest {
  std::string time, cause, group;
  std::vector<std::string> strata;
  std::string of;  ///< the cause tested
  double rho = 0;

  static MethodCard const& card();
  static std::optional<GrayTest> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<GrayTest>);

}  // namespace equipoise::stats

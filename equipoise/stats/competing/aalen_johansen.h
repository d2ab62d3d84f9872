#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/competing/cause_rows.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// Cumulative incidence of one cause at the distinct observed times of some rows, with its standard error.
struct IncidenceCurve {
  std::vector<double> time, incidence, se;
  std::vector<std::int64_t> n_at_risk, n_events;  ///< events of the cause
  bool complete = false;                          ///< nobody is left without an event, so the curve goes on for ever
};

/// Aalen and Johansen's estimate for one cause among others, with n(s) at risk just before s, d(s) events of any cause, d_k(s) of
/// this cause, S the Kaplan-Meier estimate for any cause:
///
///     F_k(t) = sum_{s <= t} S(s-) d_k(s) / n(s)
///     se^2   = sum_i U_i(t)^2,  U_i the derivative of F_k(t) in the weight of row i (infinitesimal jackknife)
///
/// With B(x) = sum_{u <= x} d / (n (n - d)), a row observed until x <= t with event of any cause (e) or of this (e_k) has
///
///     U_i(t) = e_k S(x-)/n(x) - sum_{s <= x} S(s-) d_k/n^2 + sum_{s <= x} B(s-) S(s-) d_k/n
///              + (F_k(t) - F_k(x)) (B(x) - e / (n(x) - d(x)))
///
/// and a row still observed at t the two sums up to t; so three running sums over rows give the standard error at every time in
/// one pass.
///
/// rows     those of one group, in increasing time
/// source   Aalen & Johansen (1978), Scand. J. Stat. 5, 141-150; jackknife: Jaeckel (1972), Bell Laboratories memorandum
/// 72-1215-11;
///          Therneau, Crowson & Atkinson, Multi-state models and competing risks (vignette of R's survival)
/// checked  aalen_johansen_test.cpp, tests/independent/competing_test.cpp, the reference cases aalen_johansen
IncidenceCurve cumulative_incidence(CauseRows const& data, std::span<const std::uint32_t> rows, std::int32_t cause);

/// Scale on which the interval of a cumulative incidence is symmetric.
enum class IncidenceInterval { plain, log, log_log };

/// Aalen-Johansen estimate of every cause, by group or over all rows. Page: docs/methods/aalen_johansen.md
struct AalenJohansen {
  std::string time, cause, group;  ///< columns; no group = ""
  IncidenceInterval interval = IncidenceInterval::log_log;
  double level = 0.95;
  std::vector<double> times;  ///< at which the curves are read
  std::string interval_note;

  static MethodCard const& card();
  static std::optional<AalenJohansen> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<AalenJohansen>);

}  // namespace equipoise::stats

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "equipoise/stats/formula.h"
#include "equipoise/stats/survival/rows.h"

namespace equipoise::stats {

enum class Ties { efron, breslow };

/// Cox's partial likelihood, laid out for repeated evaluation: rows sorted by stratum and from late to early, covariates row by
/// row, centred within strata (the likelihood does not change) and scaled to a root mean square of 1. Rows at risk at no event
/// are left out. Coefficients in here are on the scaled covariates: b_scaled = b * scale.
///
/// Notation: R(t) at risk just before t (start < t <= time), D(t) events at t, d their number, w = exp(z'b),
///
///     efron    l(b) = sum_t [ sum_{i in D} z_i'b - sum_{l < d} log(sum_R w - l/d sum_D w) ]
///     breslow  the same with l/d replaced by 0
///
/// An evaluation is one pass of O(rows p^2) and allocates nothing. Rows that leave the risk set (their start) are subtracted;
/// when that has cancelled all but a millionth of the sum, the sum is taken anew.
///
/// source   Cox (1975), Biometrika 62, 269-276; Efron (1977), JASA 72, 557-565; Breslow (1974), Biometrics 30, 89-99;
///          Andersen & Gill (1982), Ann. Stat. 10, 1100-1120
/// checked  cox_test.cpp; tests/independent/survival_test.cpp (risk sets written out); the reference cases cox
class PartialLikelihood {
 public:
  PartialLikelihood(SurvivalRows const& data, std::span<const std::int32_t> stratum, std::size_t strata, Design const& design,
                    Ties ties);

  std::size_t size() const { return p_; }           ///< coefficients
  std::size_t rows() const { return row_.size(); }  ///< at risk at some event
  std::size_t events() const { return events_; }
  /// Root mean square of each covariate around its strata's means; 0 when it is constant within strata.
  std::span<const double> scale() const { return scale_; }

  /// Log partial likelihood, its gradient (p) and minus its Hessian (p x p, row by row) at linear predictors `eta`, one for each
  /// row in the inner order. Not finite when a predictor is out of range.
  double evaluate(std::span<const double> eta, std::span<double> gradient, std::span<double> information);

  /// eta = Z b, in the inner order.
  void predict(std::span<const double> b, std::span<double> eta) const;

  /// Linear predictors of all rows of the data, in their order: what concordance compares. Rows left out have 0 and no pair.
  std::vector<double> by_row(std::span<const double> eta, std::size_t data_rows) const;

  /// Score residuals summed within clusters: clusters x p, row by row. `cluster` of each row of the data.
  ///     efron and breslow: r_i = delta_i (z_i - zbar) - sum over events t in (start_i, time_i] of w_i (z_i - zbar) / sum_R w,
  /// an event among d tied ones counting with the averages over l of its own and with 1 - l/d of its weight.
  std::vector<double> score_residuals(std::span<const double> eta, std::span<const std::int32_t> cluster, std::size_t clusters);

  /// True when no event has a row in its risk set with a larger `direction` (linear predictor): then the likelihood grows for
  /// ever along it. `slack` is what counts as equal.
  bool is_ascent_without_end(std::span<const double> direction, double slack) const;

 private:
  /// One distinct event time of a stratum. Rows enter the risk set at the latest event time not after their own time.
  struct EventTime {
    std::uint32_t stratum_begin;                       ///< first inner row of the stratum
    std::uint32_t enter_begin, events_end, enter_end;  ///< inner rows that enter here, the events of this time first
    std::uint32_t leave_begin, leave_end;              ///< in leave_: rows that entered later and start at or after this time
    bool first_of_stratum;                             ///< the latest one: the risk set is empty before it
  };

  void lay_out(SurvivalRows const& data, std::span<const std::int32_t> stratum, std::size_t strata);
  void take_covariates(Design const& design);

  /// Calls at_time(time, number) at each event time with s0_, s1_, s2_ summed over its risk set.
  template <class AtTime>
  void walk(AtTime&& at_time);
  void clear_sums();
  void add(std::uint32_t row, double sign);

  std::size_t p_ = 0, events_ = 0;
  Ties ties_;
  std::vector<double> z_, scale_;
  std::vector<std::uint32_t> row_;           ///< data row of each inner row
  std::vector<std::uint32_t> enter_, exit_;  ///< each inner row is at risk at the event times numbered enter_ to exit_ - 1
  std::vector<std::uint32_t> leave_;         ///< inner rows by their exit_
  std::vector<std::uint32_t> strata_begin_;  ///< first inner row of each stratum that has events, and the end
  std::vector<EventTime> times_;             ///< by stratum, late to early
  // Workspace of an evaluation.
  std::vector<double> weight_;
  double s0_ = 0, peak_ = 0;
  std::vector<double> s1_, s2_, d1_, d2_, mean_;
};

}  // namespace equipoise::stats

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "equipoise/numerics/uninitialised.h"
#include "equipoise/stats/formula.h"
#include "equipoise/stats/survival/rows.h"
#include "equipoise/stats/survival/staged_gather.h"

namespace equipoise::stats {

enum class Ties { efron, breslow, exact };

/// Cox's partial likelihood, laid out for repeated evaluation: rows sorted by stratum and from late to early; covariates in tiles
/// of 128 rows, each covariate of a tile side by side, centred within strata (the likelihood does not change) and scaled to a
/// root mean square of about 1. Rows at risk at no event are left out. Coefficients in here are on the scaled covariates:
/// b_scaled = b * scale.
///
/// Notation: R(t) at risk just before t (start < t <= time), D(t) events at t, d their number, w = exp(z'b),
///
///     efron    l(b) = sum_t [ sum_{i in D} z_i'b - sum_{l < d} log(sum_R w - l/d sum_D w) ]
///     breslow  the same with l/d replaced by 0
///     exact    l(b) = sum_t [ sum_{i in D} z_i'b - log sum over all subsets A of R with d rows of prod_A w ]  (discrete time)
///
/// An evaluation is one pass of O(rows p^2) and allocates nothing; with exact ties O(rows d p^2), d the most tied events of the
/// stratum (and with starts, sum_t |R(t)| d p^2). Without starts the information is summed tile by tile: of the events in a tile,
///
///     sum_t S2(t)/S0(t) = S2(before) sum_t 1/S0(t) + sum_{rows i of the tile} w_i z_i z_i' sum_{t at or after i in the pass}
///     1/S0(t)
///
/// so that no second moment is kept row by row; all terms but the means' are positive. Rows that leave the risk set (their start)
/// are subtracted; when that has cancelled all but a thousandth of the sum, the sum is taken anew.
///
/// source   Cox (1975), Biometrika 62, 269-276; Efron (1977), JASA 72, 557-565; Breslow (1974), Biometrics 30, 89-99; exact: Cox
///          (1972), J. R. Stat. Soc. B 34, 187-220; Andersen & Gill (1982), Ann. Stat. 10, 1100-1120
/// checked  cox_test.cpp; tests/independent/survival_test.cpp (risk sets written out); the reference cases cox
class PartialLikelihood {
 public:
  PartialLikelihood(SurvivalRows const& data, std::span<const std::int32_t> stratum, std::size_t strata, Design const& design,
                    Ties ties);

  std::size_t size() const { return p_; }           ///< coefficients
  std::size_t rows() const { return row_.size(); }  ///< at risk at some event
  std::size_t events() const { return events_; }
  /// About the root mean square of each covariate around its strata's means; 0 when it is constant within strata.
  std::span<const double> scale() const { return scale_; }
  /// Multiplications that one evaluation with exact ties takes, about.
  double exact_work() const;

  /// Log partial likelihood, its gradient (p) and minus its Hessian (p x p, row by row) at coefficients b. Not finite when a
  /// linear predictor is out of range.
  double evaluate(std::span<const double> b, std::span<double> gradient, std::span<double> information);

  /// eta = Z b, in the inner order.
  void predict(std::span<const double> b, std::span<double> eta) const;
  /// At least the largest |eta|, without looking at the rows.
  double predictor_bound(std::span<const double> b) const;

  /// Linear predictors of all rows of the data, in their order: what concordance compares. Rows left out have 0 and no pair.
  numerics::Numbers by_row(std::span<const double> b, std::size_t data_rows) const;

  /// Score residuals at b summed within clusters: clusters x p, row by row. `cluster` of each row of the data. Not for exact
  /// ties.
  ///     efron and breslow: r_i = delta_i (z_i - zbar) - sum over events t in (start_i, time_i] of w_i (z_i - zbar) / sum_R w,
  /// an event among d tied ones counting with the averages over l of its own and with 1 - l/d of its weight.
  std::vector<double> score_residuals(std::span<const double> b, std::span<const std::int32_t> cluster, std::size_t clusters);

  /// True when no event has a row in its risk set with a larger `direction` (linear predictor): then the likelihood grows for
  /// ever along it. `slack` is what counts as equal.
  bool is_ascent_without_end(std::span<const double> direction, double slack) const;

 private:
  static constexpr std::uint32_t tile = 128, quarter = tile / 4;

  /// One distinct event time of a stratum. Rows enter the risk set at the latest event time not after their own time.
  struct EventTime {
    std::uint32_t enter_begin, events_end, enter_end;  ///< inner rows that enter here, the events of this time first
  };
  struct Stratum {
    std::uint32_t begin, end;              ///< inner rows
    std::uint32_t times_begin, times_end;  ///< places in times_, late to early
    std::uint32_t most_tied;
  };

  void lay_out(SurvivalRows const& data, std::span<const std::int32_t> stratum, std::size_t strata);
  void lay_out_stratum(SurvivalRows const& data, std::span<const std::uint32_t> by_time, std::span<const std::uint8_t> in_order);
  void find_exits(SurvivalRows const& data);
  void take_covariates(Design const& design);
  void take_covariate(std::span<const double> column, std::size_t j, StagedGather& gather);

  /// Where a row stands in its tile: a quarter of the rows in each of four lanes, so that running sums are sums of lanes.
  static constexpr std::uint32_t slot(std::uint32_t in_tile) { return in_tile % quarter * 4 + in_tile / quarter; }
  std::size_t place(std::size_t row, std::size_t j) const {
    return (row / tile * p_ + j) * tile + slot(std::uint32_t(row % tile));
  }
  double z(std::size_t row, std::size_t j) const { return z_[place(row, j)]; }
  double predictor(std::size_t row, std::span<const double> b) const {
    double eta = 0;
    for (std::size_t j = 0; j < p_; ++j) eta += z(row, j) * b[j];
    return eta;
  }
  /// Predictors of the tile that begins at inner row `first`, by slot.
  void predict_tile(std::span<const double> b, std::size_t first, double* eta) const;
  std::uint32_t exit_of(std::uint32_t row, Stratum const& stratum) const {
    return exit_.empty() ? stratum.times_end : exit_[row];
  }

  /// Adds to the log likelihood, the gradient and the lower triangle of the information what the risk sets say. By tiles: in
  /// partial_likelihood_tiles.cpp.
  double evaluate_tiles(std::span<const double> b, std::span<double> gradient, std::span<double> information);
  /// Tied events: adds their means to `slope`, takes their part from `info`; `multiply` takes each S0(l). Returns the sum of
  /// 1/S0(l).
  template <class Weight, class Multiply>
  double add_tied(EventTime const& time, double s0, std::span<const double> s1, std::span<double> slope, std::span<double> info,
                  Weight&& weight_of, Multiply&& multiply);
  double evaluate_with_starts(std::span<const double> b, std::span<double> gradient, std::span<double> information);
  double evaluate_exact(std::span<const double> b, std::span<double> gradient, std::span<double> information);

  /// Calls at_time(time, number) at each event time with s0_, s1_, s2_ summed over its risk set.
  template <class AtTime>
  void walk(AtTime&& at_time);
  void clear_sums();
  void add(std::uint32_t row, double sign);
  void weigh(std::span<const double> b);  // fills weight_

  std::size_t p_ = 0, events_ = 0;
  Ties ties_;
  numerics::Numbers z_;
  std::vector<double> scale_, largest_;    ///< of each covariate, largest_ its largest |z|
  std::vector<double> event_sum_;          ///< sum of z over the events
  numerics::Column<std::uint32_t> row_;    ///< data row of each inner row
  std::vector<Stratum> strata_;            ///< those that have events
  numerics::Column<EventTime> times_;      ///< by stratum, late to early
  std::uint32_t time_count_ = 0;           ///< of times_ while they are laid out
  std::vector<std::uint32_t> tied_;        ///< numbers of the times with more than one event
  std::vector<std::uint8_t> single_ends_;  ///< bit l of byte i of a tile: slot 4 i + l is the last row of a time with one event
  std::vector<std::uint8_t> events_here_;  ///< the same of the rows with an event
  // With starts only: each inner row is at risk at the event times from that at which it enters to exit_ - 1.
  std::vector<std::uint32_t> exit_;
  std::vector<std::uint32_t> leave_, leave_begin_;  ///< inner rows by their exit; those of time m from leave_begin_[m] on
  // Workspace of an evaluation.
  std::vector<double> weight_;
  double s0_ = 0, peak_ = 0;
  std::vector<double> s1_, s2_, d1_, d2_, mean_;
};

}  // namespace equipoise::stats

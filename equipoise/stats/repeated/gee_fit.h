#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "equipoise/core/expected.h"
#include "equipoise/numerics/ordered_qr.h"
#include "equipoise/stats/formula.h"
#include "equipoise/stats/repeated/sandwich.h"
#include "equipoise/stats/repeated/working_correlation.h"

namespace equipoise::stats {

/// Variance of a response of mean mu, with its canonical link: binomial mu (1 - mu), logit; gaussian 1, identity; poisson mu,
/// log.
enum class Family { binomial, gaussian, poisson };

struct GeeSpec {
  Family family = Family::gaussian;
  Dependence correlation = Dependence::independence;
  Correction correction = Correction::none;
};

/// A linear function l'b of the coefficients.
struct GeeFunction {
  double value = missing_number;  ///< NaN when not estimable
  std::vector<double> weights{};  ///< on the solver's own coefficients; empty when not estimable

  bool estimable() const { return !weights.empty(); }
};

/// Generalised estimating equations of a design whose first column is the intercept:
///
///     sum_i D_i' V_i^-1 (y_i - mu_i) = 0,  V_i = phi A_i^(1/2) R_i A_i^(1/2),  phi = sum of squared Pearson residuals / n
///     Var b = B (sum_i s_i s_i') B,  B = (sum_i D_i' V_i^-1 D_i)^-1,  s_i the scores D_i' V_i^-1 (y_i - mu_i), corrected or not
///
/// From the maximum likelihood estimates of independent rows, Fisher scoring and the moments of R in turn until the next step is
/// 1e-10 standard errors; of several solutions, that to which this leads. Columns are centred and scaled first; those that
/// earlier ones determine to 1e-8 are left out.
///
/// errors   bad_cell for a product of covariates that is not finite
/// source   Liang & Zeger (1986), Biometrika 73, 13-22
/// checked  gee_test.cpp, tests/independent/gee_test.cpp
class GeeFit {
 public:
  enum class Status {
    converged,
    no_rows,
    infinite,           ///< separated: some coefficient grows for ever (see `infinite`)
    correlation_range,  ///< solved with a correlation drawn into its range: the equations have no solution in it
    no_convergence
  };

  static Expected<GeeFit> fit(Design const& design, NumbersView y, Subjects const& subjects, GeeSpec const& spec);

  Status status() const { return status_; }
  bool solved() const { return status_ == Status::converged; }
  int iterations() const { return iterations_; }
  double distance() const { return distance_; }  ///< length of the last step in standard errors
  bool perfect() const { return perfect_; }      ///< the residuals are rounding only
  bool infinite(std::size_t j) const { return infinite_[j] != 0; }

  double dispersion() const { return dispersion_; }  ///< phi
  WorkingCorrelation const& correlation() const { return correlation_; }
  /// How many pairs of rows have a correlation that no two yes/no responses of their means can have; 0 of other families.
  std::size_t impossible_pairs() const { return impossible_pairs_; }

  std::size_t rank() const { return columns_.size(); }  ///< coefficients estimated
  bool used(std::size_t j) const { return used_[j] != 0; }
  /// l'b, l in the order of the design's columns. Not estimable when l is no combination of the design's rows.
  GeeFunction function(std::span<const double> l) const;
  /// Coefficient j of the model without the columns left out; not estimable when it is one of them.
  GeeFunction coefficient(std::size_t j) const;

  /// NaN when not estimable: no function, a perfect fit, or the sandwich has nothing to estimate it from, because one participant
  /// alone determines a part of the function, so that its residual there is 0 whatever its error.
  double robust_se(GeeFunction const& f) const;
  double model_se(GeeFunction const& f) const;  ///< from phi B
  bool rests_on_one(GeeFunction const& f) const;

  struct Wald {
    double chi_square = missing_number;
    double df = 0;  ///< independent functions
  };
  /// (Lb)' (L Var b L')^-1 (Lb). NaN when a robust error is, or when fewer participants than functions leave Var b singular
  /// there.
  Wald test(std::span<const GeeFunction> functions) const;

 private:
  GeeFit(Subjects const& subjects, Dependence dependence) : correlation_(dependence, subjects) {}
  friend class GeeSolver;

  Status status_ = Status::no_rows;
  int iterations_ = 0;
  double distance_ = 0, dispersion_ = missing_number, unit_ = 1;
  bool perfect_ = false;
  std::size_t impossible_pairs_ = 0;
  WorkingCorrelation correlation_;

  std::size_t rows_ = 0;
  std::vector<double> mean_, scale_;  ///< of each column of the design; of the intercept 0 and 1
  std::vector<std::uint8_t> used_, infinite_;
  std::vector<std::size_t> columns_;  ///< of the design, in the order of the solver's coefficients
  std::optional<numerics::OrderedQr> qr_;
  // The solver's coefficients c are those of the centred columns of mean square 1: shape r; unit_ times them is in units of y.
  std::vector<double> c_;
  Sandwich sandwich_;
};

}  // namespace equipoise::stats

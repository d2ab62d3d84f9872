#pragma once

#include <span>
#include <vector>

#include "equipoise/core/expected.h"
#include "equipoise/numerics/ordered_qr.h"
#include "equipoise/stats/formula.h"

namespace equipoise::stats {

/// A linear function l'b of the coefficients.
struct LinearFunction {
  double value = missing_number;  ///< NaN when not estimable
  std::vector<double>
      direction{};  ///< w with variance sigma^2 w'w; covariance of two functions sigma^2 w'v. Empty when not estimable

  bool estimable() const { return !direction.empty(); }
};

/// Least squares fit of y on a design whose first column is the intercept.
///
/// The columns are centred and scaled to length 1 before the factorisation, and y is centred, so neither units nor a far origin
/// cost digits. A column depends on those before it when they leave less than 1e-8 of its length; then it is left out.
///
/// errors   bad_cell for a value, or a product of covariates, that is not finite
/// source   Golub & Van Loan (2013), section 5.3; estimability: Searle (1971), Linear Models, section 5.4
/// checked  ancova_test.cpp, tests/independent/linear_test.cpp
class LinearFit {
 public:
  static Expected<LinearFit> fit(Design const& design, NumbersView y, std::string_view response);

  /// l'b, l in the order of the design's columns. Not estimable when l is no combination of the design's rows.
  LinearFunction function(std::span<const double> l) const;
  /// Coefficient j of the model without the columns left out; not estimable when it is one of them.
  LinearFunction coefficient(std::size_t j) const;
  bool used(std::size_t j) const { return j == 0 ? rows_ > 0 : qr_->used(j - 1); }

  double df() const { return df_; }                      ///< rows less rank
  double sigma() const { return sigma_; }                ///< residual standard deviation; NaN without degrees of freedom
  bool perfect() const { return perfect_; }              ///< the residuals are rounding only: no error can be estimated from them
  double standard_error(LinearFunction const& f) const;  ///< NaN when not estimable
  double t(LinearFunction const& f) const;               ///< value / se; NaN when not estimable or perfect

  struct Wald {
    double f = missing_number;
    double df = 0;  ///< of the numerator: the number of independent functions
  };
  /// F = (Lb)' (L V L')^-1 (Lb) / rank(L). NaN when one function is not estimable, when there is none, or the fit is perfect.
  Wald test(std::span<const LinearFunction> functions) const;

 private:
  LinearFunction made(double first, std::span<const double> c) const;

  std::size_t rows_ = 0;
  std::vector<double> mean_, length_;  ///< of each column after the intercept; length 0 of a constant column
  std::vector<double> effects_;        ///< sqrt(n) mean of y, then Q'y, in units of y
  std::optional<numerics::OrderedQr> qr_;
  double df_ = 0, sigma_ = missing_number;
  bool perfect_ = false;
};

/// What the columns before it must leave of a column of length 1, or it depends on them.
inline constexpr double dependent_column = 1e-8;

/// In place: (x - mean)/length of a finite column, so that its length is 1. Returns mean and length; a column that is constant
/// but for rounding becomes 0 and has length 0.
std::pair<double, double> standardise(std::span<double> x);

/// w'v: the covariance of two functions in units of sigma^2.
double inner_product(std::span<const double> w, std::span<const double> v);

}  // namespace equipoise::stats

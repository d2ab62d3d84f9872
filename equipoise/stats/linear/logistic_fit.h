#pragma once

#include <optional>
#include <span>
#include <vector>

#include "equipoise/stats/formula.h"

namespace equipoise::stats {

/// Maximum of a logistic likelihood over the coefficients of some columns; Firth's penalised one on request.
///
///     l(b) = sum y x'b - log(1 + exp(x'b))        penalised: l(b) + log|X'WX| / 2,  W = p (1 - p)
///
/// Newton's method with step halving. A true maximum ends with steps that vanish; under separation every step moves the linear
/// predictor of the separated rows by about 1 while the likelihood stands still, which is how it is told.
///
/// source   McCullagh & Nelder (1989), chapter 4; Albert & Anderson (1984), Biometrika 71, 1-10 (separation);
///          Firth (1993), Biometrika 80, 27-38; Heinze & Schemper (2002), Stat. Med. 21, 2409-2419
/// checked  logistic_test.cpp, tests/independent/linear_test.cpp
class LogisticLikelihood {
 public:
  /// columns: n x r, column after column, of full rank; y 0 or 1.
  LogisticLikelihood(std::vector<double> columns, std::size_t r, NumbersView y, bool penalised);

  struct Maximum {
    std::vector<double> b;          ///< shape r
    std::vector<double> last_step;  ///< of the Newton steps: what still moves under separation
    std::vector<double> variance;   ///< inverse information, r x r; empty when singular
    double value = 0;               ///< the (penalised) log likelihood
    double log_likelihood = 0;      ///< without penalty
    bool converged = false, separated = false;
    int iterations = 0;
  };
  /// With `fixed`, coefficient *fixed stays at b[*fixed] of the start.
  Maximum maximise(std::vector<double> start, std::optional<std::size_t> fixed = {}) const;

 private:
  struct Point {
    double value, log_likelihood;
    std::vector<double> score, information;  ///< r, r x r
    std::vector<double> probability;
  };
  Point at(std::span<const double> b, bool derivatives) const;

  std::size_t n_, r_;
  std::vector<double> x_;
  NumbersView y_;
  bool penalised_;
};

/// The fit of a design with intercept, in its own units.
struct LogisticFit {
  std::vector<double> b, se;            ///< NaN of a coefficient left out (aliased) or infinite (separated)
  std::vector<double> lower, upper, p;  ///< of profile likelihoods, where asked; infinite where the profile never falls so far
  std::vector<std::uint8_t> used, infinite;
  double log_likelihood = missing_number;
  bool converged = false, separated = false;
};

struct LogisticSpec {
  bool penalised = false;
  bool profile = false;  ///< limits and likelihood ratio p by profile
  double level = 0.95;
};

/// errors  bad_cell for products of covariates that are not finite
Expected<LogisticFit> fit_logistic(Design const& design, NumbersView y, LogisticSpec const& spec);

}  // namespace equipoise::stats

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "equipoise/stats/survival/partial_likelihood.h"

namespace equipoise::stats {

/// What the data say about one coefficient.
enum class Coefficient {
  estimated,
  aliased,  ///< constant, or a combination of earlier ones, among those at risk at the events
  infinite  ///< the likelihood grows for ever as it goes to plus or minus infinity
};

/// A Cox model at its maximum. Coefficients and variances are on the scale of the covariates as given; NaN unless estimated.
struct CoxFit {
  std::vector<Coefficient> status;  ///< p
  std::vector<double> beta;         ///< p, log hazard ratios
  std::vector<double> variance;     ///< p x p, inverse of the information among the estimated
  std::vector<double> robust;       ///< p x p, sandwich summed within clusters; empty without clusters
  numerics::Numbers predictor;      ///< of each data row, up to a constant of its stratum
  double log_likelihood = 0, log_likelihood_null = 0;
  double score = 0, wald = 0;  ///< statistics of all coefficients; NaN when not estimable
  std::size_t rank = 0;        ///< coefficients that are not aliased: df of the tests
  // Convergence report.
  bool converged = false;
  bool limit_reached =
      true;  ///< false: the limit of an infinite coefficient lies beyond overflow, and nothing but ranks is known of it
  int iterations = 0;
  double gradient_norm = 0;  ///< sqrt(g' I^-1 g): distance to the maximum in standard errors, before the last step

  /// Whether coefficient j is a number: found, finite, and not short of the limit of an infinite one beside it.
  bool estimated(std::size_t j) const { return converged && limit_reached && status[j] == Coefficient::estimated; }
};

/// Maximises the partial likelihood by Newton's method from 0 with step halving, until the gradient is 1e-9 standard errors.
///
/// A coefficient without finite estimate shows itself in that the Newton step stays as it is (about 1 on the linear predictor)
/// while the gradient vanishes; or, with a continuous covariate, in that at every event its bearer has the largest predictor of
/// all at risk. Then that coefficient is held far out, where the likelihood is at its limit, and the others are fitted there.
///
/// cluster  of each data row, below `clusters`; empty for no robust variance
/// source   Newton: Therneau & Grambsch (2000), Modeling Survival Data, 3.1; robust variance: Lin & Wei (1989), JASA 84,
/// 1074-1078;
///          infinite estimates: Jacobsen (1989), Stat. Probab. Lett. 8; Heinze & Schemper (2001), Biometrics 57, 114-119
/// checked  cox_test.cpp, tests/independent/survival_test.cpp
CoxFit fit_cox(PartialLikelihood& likelihood, std::size_t data_rows, std::span<const std::int32_t> cluster, std::size_t clusters);

}  // namespace equipoise::stats

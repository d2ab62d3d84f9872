#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/repeated/covariance.h"
#include "equipoise/stats/repeated/visit_data.h"
#include "equipoise/stats/repeated/visit_likelihood.h"

namespace equipoise::stats {

enum class Estimation { reml, ml };

/// What was tried with one covariance structure.
struct FitAttempt {
  std::string structure;  ///< its title
  bool converged = false;
  int iterations = 0;
  double scaled_gradient = missing_number;  ///< sqrt(g' H^-1 g): the distance to the optimum in standard errors, at the end
  double condition = missing_number;        ///< reciprocal condition of the Hessian, of parameters scaled to unit curvature
  std::string reason{};                     ///< why it did not converge
};

/// A fitted mixed model for repeated measures, in the units and columns of its `VisitData`.
struct MmrmFit {
  Covariance covariance;
  std::vector<double> theta;             ///< blocks x K
  std::vector<double> sigma;             ///< blocks x packed
  std::vector<double> b;                 ///< p, first fit included
  std::vector<double> phi;               ///< p x p
  double neg2_log_likelihood = 0;        ///< in the units of the data, with every constant
  std::size_t parameters = 0;            ///< of the covariance
  FitAttempt report;
};

/// Maximises the likelihood over the parameters of a structure by Newton's method with exact derivatives, to a scaled gradient
/// below 1e-9. The unstructured covariance is climbed in its own elements, the others in their parameters.
///
/// `start`: a covariance to begin at (blocks x packed), say of a fit of nearly the same data; else moments of the residuals.
///
/// returns  nothing when it does not converge: `attempt` says why
/// source   Jennrich & Schluchter (1986), Biometrics 42, 805-820; -2 log restricted likelihood with the constant of SAS PROC MIXED
/// checked  mmrm_fit_test.cpp, tests/independent/mmrm_test.cpp
std::optional<MmrmFit> fit_structure(VisitData const& data, VisitLikelihood& likelihood, Covariance const& covariance,
                                     Estimation estimation, FitAttempt& attempt, std::vector<double> const* start = nullptr);

/// Covariance of the estimated parameters: twice the inverse of the Hessian of -2 l; of the elements of an unstructured
/// covariance (`natural`), else of theta. Also leaves what `slopes` and `second_products` need in the likelihood.
struct ParameterCovariance {
  std::vector<double> a;         ///< K x K over blocks
  std::vector<double> jacobian;  ///< elements x K, column by column; empty when natural
};
std::optional<ParameterCovariance> parameter_covariance(MmrmFit& fit, VisitLikelihood& likelihood);

}  // namespace equipoise::stats

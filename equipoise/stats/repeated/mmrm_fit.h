#pragma once

#include <optional>
#include <span>
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
  std::vector<double> theta;       ///< blocks x K
  std::vector<double> sigma;       ///< blocks x packed
  std::vector<double> b;           ///< p, first fit included
  std::vector<double> phi;         ///< p x p
  double neg2_log_likelihood = 0;  ///< in the units of the data, with every constant
  std::size_t parameters = 0;      ///< of the covariance
  FitAttempt report;
  std::vector<double> a{};  ///< with `Finish::curvature`: covariance of the parameters, see `parameter_covariance`
  std::vector<double> jacobian{};
  std::vector<double> near_factor{};  ///< L of the Hessian L L' of the optimum, column by column; with
                                      ///< `Finish::estimates` of one near it
};

/// How a climb ends.
enum class Finish {
  curvature,  ///< with the exact Hessian, and the covariance of the parameters made of it
  factor,     ///< with the exact Hessian's factor alone
  estimates   ///< with neither, which costs less
};

/// Maximises the likelihood over the parameters of a structure by Newton's method with exact derivatives, to a scaled gradient
/// below 1e-10 where digits allow, and no answer is given above 1e-8. The unstructured covariance is climbed in its own elements,
/// the others in their parameters.
///
/// `start`: a covariance to begin at (blocks x packed), say of a fit of nearly the same data; else moments of the residuals.
/// `metric`: that fit's `near_factor`, of the same structure: the first steps are by it and make no Hessian.
///
/// returns  nothing when it does not converge: `attempt` says why
/// source   Jennrich & Schluchter (1986), Biometrics 42, 805-820; -2 log restricted likelihood with the constant of SAS PROC
/// MIXED checked  mmrm_fit_test.cpp, tests/independent/mmrm_test.cpp
std::optional<MmrmFit> fit_structure(VisitData const& data, VisitLikelihood& likelihood, Covariance const& covariance,
                                     Estimation estimation, FitAttempt& attempt, std::vector<double> const* start = nullptr,
                                     Finish finish = Finish::curvature, std::span<const double> metric = {});

/// Covariance of the estimated parameters: twice the inverse of the Hessian of -2 l; of the elements of an unstructured
/// covariance, else of theta. Of a fit that finished with curvature, whose likelihood then holds `slopes`, and was not moved
/// since.
struct ParameterCovariance {
  std::span<const double> a;         ///< K x K over blocks
  std::span<const double> jacobian;  ///< elements x K, column by column; empty when of the elements
};
ParameterCovariance parameter_covariance(MmrmFit const& fit);

/// g' A g of a slope g over the elements of an unstructured covariance, A as above: the variance of a function of it. Of a fit
/// that finished with estimates, by conjugate gradients; for one function or two this costs less than A does. NaN: A is no
/// covariance.
double error_along(MmrmFit const& fit, VisitLikelihood& likelihood, Estimation estimation, std::span<const double> g);

}  // namespace equipoise::stats

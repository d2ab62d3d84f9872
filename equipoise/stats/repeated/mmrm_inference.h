#pragma once

#include <Eigen/Dense>
#include <span>
#include <string>
#include <vector>

#include "equipoise/stats/linear/model_answer.h"
#include "equipoise/stats/repeated/fixed_effects.h"
#include "equipoise/stats/repeated/mmrm_fit.h"

namespace equipoise::stats {

/// What a fitted mixed model for repeated measures leaves for inference, in its own columns and units.
/// The fit finished with curvature when `df` needs slopes and standard errors are those of the model.
FixedEffects fixed_effects(VisitData const& data, MmrmFit const& fit, VisitLikelihood& likelihood, DfMethod df,
                           EstimateCovariance covariance = EstimateCovariance::model);

/// sum_ab A_ab d2Sigma/dtheta_a dtheta_b of an unstructured covariance, blocks x packed, where theta are the logarithms of the
/// diagonal of its Cholesky factor G and, below it, the factor's rows over their diagonal element. `inverse` is L_H^-1 of the
/// exact Hessian L_H L_H', so that A = 2 sum_c d_c d_c' over its rows d_c, in the elements. A direction dSigma moves the factor
/// by dG = G F, with F the lower half of G^-1 dSigma G^-T; with the diagonal T = dG_jj/G_jj the second derivative along it is
///     X G' + 2 dG dG' + G X',   X = 2 T dG - T^2 G.
std::vector<double> curvature_of_elements(MmrmFit const& fit, Eigen::Ref<const Eigen::MatrixXd> inverse, std::size_t blocks);

/// l'b of an unstructured fit that finished with estimates, with Satterthwaite's degrees of freedom, l over the columns of the
/// design (empty: not estimable); in the units of the data. What a replicate of a simulation asks for: the same digits as
/// MmrmInference's without the covariance of the parameters, which costs as much as the fit.
Inferred satterthwaite(VisitData const& data, MmrmFit const& fit, VisitLikelihood& likelihood, Estimation estimation,
                       std::span<const double> l);

/// Answers about the coefficients, in the units of the data.
class MmrmInference : public CoefficientInference {
 public:
  MmrmInference(VisitData const& data, FixedEffects effects, DfMethod df);

  Inferred function(std::span<const double> l) const override;
  Inferred coefficient(std::size_t j) const override;
  bool used(std::size_t j) const override { return data_.place[j] >= 0; }
  EffectTest test(std::vector<std::vector<double>> const& rows) const override;
  void explain(std::vector<std::string>& notes) const override;

 private:
  double counted_df(std::span<const double> given) const;
  Inferred in_units(ContrastEstimate const& made) const;

  VisitData const& data_;
  mutable FixedEffectsInference inference_;  // its workspace is no state
  std::vector<double> given_df_;             ///< of the design's columns, of methods that count
  mutable bool without_error_ = false;       ///< a function had a value and no standard error
};

/// between_within or residual: degrees of freedom of each column of the design, NaN of one left out.
std::vector<double> counted_degrees(VisitData const& data, DfMethod method);

}  // namespace equipoise::stats

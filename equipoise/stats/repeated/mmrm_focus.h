#pragma once

#include <optional>
#include <span>
#include <vector>

#include "equipoise/numerics/cholesky.h"
#include "equipoise/stats/repeated/mmrm_inference.h"

namespace equipoise::stats {

/// Whether single functions of a fit cost less by themselves than all that any function's answer needs.
bool answers_one_by_one(DfMethod df, EstimateCovariance covariance, Covariance const& structure);

/// Answers about single functions of an unstructured fit, as a simulation asks of each replicate: the same digits as those of
/// MmrmInference, without the slopes of every pair of coefficients and the adjusted covariance of all of them.
///
/// Notation as in FixedEffectsInference, with A = 2 (L_H L_H')^-1 of the Hessian, u = Phi l, Z = (P_1 u, ..., P_k u):
///
///     Var(l'Phi l) = (Z'u)' A (Z'u),   l'Phi_A l = l'Phi l + 2 {u'Q u - u'R u/4 - tr(A Z'Phi Z)}
///
/// The fit ended with estimates for Satterthwaite's method, with curvature for Kenward and Roger's, and its likelihood was not
/// moved since.
///
/// checked  mmrm_focus_test.cpp: against the whole answer on random trials
class MmrmFocus final : public CoefficientInference {
 public:
  /// All must outlive it.
  MmrmFocus(VisitData const& data, MmrmFit const& fit, VisitLikelihood& likelihood, Estimation estimation, DfMethod df);

  /// The end that a fit must come to.
  static Finish finish(DfMethod df) { return adjusts_covariance(df) ? Finish::factor : Finish::estimates; }

  Inferred function(std::span<const double> l) const override;
  /// ContractViolation: nothing but functions is asked for.
  Inferred coefficient(std::size_t) const override;
  bool used(std::size_t) const override { return true; }
  EffectTest test(std::vector<std::vector<double>> const&) const override { return {}; }
  void explain(std::vector<std::string>&) const override {}

 private:
  double error_of(std::span<const double> slope) const;
  double adjustment(std::span<const double> u) const;

  VisitData const& data_;
  MmrmFit const& fit_;
  VisitLikelihood& likelihood_;
  Estimation estimation_;
  DfMethod df_;
  mutable std::optional<numerics::Cholesky> factor_;  // L_H when it is not the fit's own
  mutable bool definite_ = false;
  mutable std::vector<double> middle_;  // Q - R/4, once it was asked for
  mutable std::vector<double> whitened_;
};

}  // namespace equipoise::stats

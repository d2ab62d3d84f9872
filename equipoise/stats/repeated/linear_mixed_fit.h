#pragma once

#include <string>
#include <vector>

#include "equipoise/stats/repeated/fixed_effects.h"
#include "equipoise/stats/repeated/linear_mixed_data.h"
#include "equipoise/stats/repeated/mmrm_fit.h"

namespace equipoise::stats {

/// A fitted linear mixed model. `effects` are over our columns and in our units, the covariances of the given columns and units.
struct LinearMixedFit {
  FixedEffects effects{};
  std::vector<double> covariance{};     ///< G, q x q
  std::vector<double> root{};           ///< of G over our random effects and in our units: q x rank, G = root root'
  std::vector<double> covariance_se{};  ///< of its elements; NaN when G is singular
  double residual_variance = missing_number, residual_variance_se = missing_number;
  double neg2_log_likelihood = missing_number;  ///< with every constant but the one of SAS PROC MIXED, log|X'X|
  std::size_t parameters = 0;                   ///< of the covariance: q (q + 1)/2 + 1
  std::size_t rank = 0;                         ///< of G; below q the optimum is on the boundary
  FitAttempt report{};

  bool usable() const { return report.converged; }
};

/// Maximises the (restricted) likelihood over the relative covariance Lambda = L L' of the random effects by Newton's method on
/// the elements of L, residual variance and coefficients profiled out, with exact derivatives, to a gradient below 1e-9
/// standard errors. L has no restriction, so that an optimum with singular G is one like any other: when it is reached the random
/// effects are turned to the eigenvectors of Lambda, those without variance left out, the climb ended in the rest, and the
/// gradient in the directions left out checked.
///
/// A, the covariance of the estimated covariance parameters, is that of the elements of G and s, in which V is linear: so the
/// second derivatives of Kenward and Roger are 0, `r` is, and both of their methods are one, as in SAS and pbkrtest. On the
/// boundary A is that of the model whose G has the rank found.
///
/// returns  a fit that is not usable, with the reason in its report, when the data do not determine the model
/// source   Lindstrom & Bates (1988), J. Am. Stat. Assoc. 83, 1014-1022; Harville (1977), J. Am. Stat. Assoc. 72, 320-338
/// checked  linear_mixed_test.cpp (lme4, nlme, lmerTest), tests/independent/linear_mixed_test.cpp
LinearMixedFit fit_mixed(MixedData const& data, Estimation estimation, DfMethod df);

}  // namespace equipoise::stats

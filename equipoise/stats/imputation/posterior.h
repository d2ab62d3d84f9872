#pragma once

#include <memory>

#include "equipoise/core/expected.h"
#include "equipoise/random/stream.h"
#include "equipoise/stats/imputation/imputation_model.h"

namespace equipoise::stats {

/// Draws from the posterior of the imputation model's coefficients and covariance, given the observed responses before events.
///
/// Prior: b uniform. Unstructured: |Sigma|^-((m + 1)/2) (Jeffreys). Other structures: standard deviations 1/s, correlations
/// uniform where the structure lets them be. Independent between covariance groups.
///
/// With b uniform the marginal posterior of the covariance is the restricted likelihood times its prior, and b given Sigma is
/// N(b(Sigma), Phi(Sigma)), both by generalised least squares on the observed values.
///
/// Unstructured: Gibbs. b given Sigma and the observed values; missing values given b and Sigma; Sigma given all, inverse Wishart
/// with n degrees of freedom of the group's n participants and the residuals' cross-product.
/// Other structures: independence Metropolis-Hastings on the parameters, proposals from a multivariate t with 5 degrees of freedom
/// around the restricted maximum, scaled by the inverse Hessian; then b.
///
/// source   Schafer (1997), Analysis of Incomplete Multivariate Data, section 5.3 and 5.4; Tierney (1994), Ann. Stat. 22, 1701-1762
/// checked  posterior_test.cpp: closed forms for complete data, a grid of the posterior of an incomplete pair
class PosteriorDraws {
 public:
  struct Chain {
    std::uint64_t seed = 1;
    std::size_t burn_in = 200, thin = 10;
  };
  /// Starts at the fit and runs the burn-in. `model` must outlive the draws.
  /// errors  not_estimable (fewer participants than the posterior needs); no_convergence (no restricted maximum to start from, or
  ///         fewer than 1 in 20 proposals accepted)
  static Expected<PosteriorDraws> start(ImputationModel& model, Chain chain);
  ~PosteriorDraws();
  PosteriorDraws(PosteriorDraws&&) noexcept;

  /// `thin` steps on. errors  no_convergence, when the chain reaches a covariance at which nothing can be computed
  Expected<void> next(ImputationParameters& out);
  double acceptance() const;  ///< share of proposals accepted; 1 for Gibbs

 private:
  struct Work;
  explicit PosteriorDraws(std::unique_ptr<Work> work);
  std::unique_ptr<Work> work_;
};

}  // namespace equipoise::stats

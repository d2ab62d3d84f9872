#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/competing/cause_rows.h"
#include "equipoise/stats/method.h"
#include "equipoise/stats/model_terms.h"

namespace equipoise::stats {

/// A proportional subdistribution hazards model at its maximum; NaN unless estimable.
struct FineGrayFit {
  std::vector<double> beta, se;                 ///< p, on the covariates as given
  std::vector<std::uint8_t> aliased, infinite;  ///< p, 0 or 1
  double log_likelihood = missing_number, log_likelihood_null = missing_number;
  bool converged = false;
  int iterations = 0;
  double distance = 0;  ///< to the maximum, in standard errors
};

/// Fine and Gray's weighted partial likelihood of one cause, Breslow's for ties. G is the Kaplan-Meier estimate of being
/// uncensored, over all rows; a row with an event of another cause at T stays at risk with weight w(s) = G(s-)/G(T-) at s > T.
///
///     l(b) = sum_i [cause] ( z_i'b - log sum_j w_j(T_i) exp(z_j'b) )
///     variance  I^-1 sum_i (eta_i + psi_i)(eta_i + psi_i)' I^-1
///
/// eta_i is the row's score residual; psi_i is what the estimation of G adds through it, an integral of q(u)/(number at risk)
/// over its censoring martingale, q(u) = sum over events s >= u of dL(s) sum over other causes before u of w_j e^{z_j'b} (z_j -
/// E(s)).
///
/// O(n p^2) a step, sums over rows from late to early.
///
/// source   Fine & Gray (1999), J. Am. Stat. Assoc. 94, 496-509, sections 3 and 4
/// checked  fine_gray_test.cpp, tests/independent/competing_test.cpp, the reference cases fine_gray
FineGrayFit fit_fine_gray(CauseRows const& data, std::int32_t cause, Design const& design);

/// Proportional subdistribution hazards model. Page: docs/methods/fine_gray.md
struct FineGray {
  std::string time, cause;
  std::string of;  ///< the cause of interest
  ModelTerms model;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<FineGray> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<FineGray>);

}  // namespace equipoise::stats

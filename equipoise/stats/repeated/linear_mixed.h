#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/linear/model_answer.h"
#include "equipoise/stats/method.h"
#include "equipoise/stats/model_terms.h"
#include "equipoise/stats/repeated/fixed_effects.h"
#include "equipoise/stats/repeated/mmrm_fit.h"

namespace equipoise::stats {

/// Gaussian linear mixed model with correlated random effects of participants. Page: docs/methods/linear_mixed.md
struct LinearMixed {
  std::string response, subject;
  ModelTerms model;
  std::vector<std::string> random;  ///< columns of the random effects, "1" the intercept
  std::string factor;               ///< the category whose means come first
  Estimation estimation = Estimation::reml;
  DfMethod df = DfMethod::satterthwaite;
  EstimateCovariance covariance_of_estimates = EstimateCovariance::model;
  GridWeights weights = GridWeights::equal;
  std::vector<NamedContrast> contrasts;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<LinearMixed> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return needs_; }
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<LinearMixed>);

}  // namespace equipoise::stats

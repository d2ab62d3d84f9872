#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/imputation/imputed_analysis.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// What says how far an estimate may be off.
enum class ImputationVariance {
  jackknife,         ///< conditional means; each participant left out in turn
  bootstrap,         ///< conditional means; participants drawn again within groups
  bayes,             ///< drawn values at parameters from the posterior, pooled by Rubin's rules
  approximate_bayes  ///< the same at parameters fitted to bootstrap samples
};

constexpr bool draws_values(ImputationVariance variance) {
  return variance == ImputationVariance::bayes || variance == ImputationVariance::approximate_bayes;
}

/// Shifts of imputed values for which the comparison is repeated.
struct TippingGrid {
  std::vector<double> delta, delta_reference;
};

/// Reference-based imputation of a longitudinal response, analysed by ANCOVA at each visit. Page:
/// docs/methods/reference_based_imputation.md
struct ReferenceBasedImputation {
  ImputationPlan plan;
  ImputationVariance variance = ImputationVariance::jackknife;
  std::size_t samples = 0;  ///< bootstrap samples or imputed data sets
  std::uint64_t seed = 1;
  std::size_t burn_in = 200, thin = 10;
  bool anchored = false;  ///< errors of the analysis at random with what the strategy adds taken as known
  std::optional<TippingGrid> tipping;
  double level = 0.95;
  std::string analysis_text;  ///< `analysis_formula` as written

  static MethodCard const& card();
  static std::optional<ReferenceBasedImputation> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return needs_; }
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<ReferenceBasedImputation>);

}  // namespace equipoise::stats

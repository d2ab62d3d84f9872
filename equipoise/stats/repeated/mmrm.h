#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/linear/model_answer.h"
#include "equipoise/stats/method.h"
#include "equipoise/stats/model_terms.h"
#include "equipoise/stats/repeated/fixed_effects.h"
#include "equipoise/stats/repeated/mmrm_fit.h"

namespace equipoise::stats {

/// Mixed model for repeated measures: a response at scheduled visits, a covariance between the visits of a participant, no random
/// effects. Page: docs/methods/mmrm.md
struct Mmrm {
  VisitRoles roles;
  ModelTerms model;
  std::string factor;                           ///< the category whose means come first
  std::vector<CovarianceStructure> covariance;  ///< in the order in which they are tried
  std::map<std::string, double> times;          ///< of the visits, for a spatial structure
  Estimation estimation = Estimation::reml;
  DfMethod df = DfMethod::satterthwaite;
  EstimateCovariance covariance_of_estimates = EstimateCovariance::model;
  GridWeights weights = GridWeights::equal;
  std::vector<NamedContrast> contrasts;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<Mmrm> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return needs_; }
  Expected<Answer> run(Frame const& frame) const;
  Expected<Answer> run(Frame const& frame, Focus const& focus) const;

 private:
  friend struct Gls;
  Expected<Answer> answer(Frame const& frame, Focus const* focus) const;
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<Mmrm>);

/// The same model by its older name: coefficients and their standard errors only.
struct Gls {
  Mmrm model;

  static MethodCard const& card();
  static std::optional<Gls> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return model.needs(); }
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<Gls>);

}  // namespace equipoise::stats

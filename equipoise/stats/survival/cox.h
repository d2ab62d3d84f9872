#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/model_terms.h"
#include "equipoise/stats/survival/cox_fit.h"

namespace equipoise::stats {

/// Cox proportional hazards model. Page: docs/methods/cox.md
struct Cox {
  std::string time, event, start, cluster;  ///< columns; "" = not given
  std::vector<std::string> strata;
  ModelTerms model;
  Ties ties = Ties::efron;
  NearTies near_ties = NearTies::merge;
  double level = 0.95;
  std::string ties_note;  ///< which, and who chose it

  static MethodCard const& card();
  static std::optional<Cox> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<Cox>);

}  // namespace equipoise::stats

#pragma once

#include <optional>
#include <vector>

#include "equipoise/stats/categorical/score_interval.h"
#include "equipoise/stats/categorical/two_groups.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// Score interval and score test of Miettinen and Nurminen, stratified or not. Page: docs/methods/miettinen_nurminen.md
struct MiettinenNurminen {
  TwoGroups groups;
  Measure measure = Measure::difference;
  StratumWeights weights = StratumWeights::miettinen_nurminen;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<MiettinenNurminen> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return groups.needs(); }
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<MiettinenNurminen>);

}  // namespace equipoise::stats

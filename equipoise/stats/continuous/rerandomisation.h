#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/continuous/ranks.h"
#include "equipoise/stats/method.h"
#include "equipoise/stats/model_terms.h"
#include "equipoise/stats/replay.h"

namespace equipoise::stats {

enum class ArmStatistic {
  mean_difference,  ///< of `level` less of `minus`
  t,                ///< the same over its pooled standard error
  risk_difference,  ///< of a response that is 0 or 1
  rank_sum,         ///< P(X > Y) + P(X = Y)/2 - 1/2, X of `level`: the Mann-Whitney statistic per pair
  log_rank,         ///< (observed - expected)/root of variance of the events of `level`
  ancova            ///< coefficient of `level` less that of `minus` in a linear model of all groups
};

/// Re-randomisation test: order of arrival, factors and outcomes are kept, the method of randomisation is replayed with fresh
/// draws, and the statistic is computed again each time. Page: docs/methods/rerandomisation.md
struct Rerandomisation {
  std::string response, time, event, group, order;
  std::vector<std::string> factors;
  Difference difference;
  ArmStatistic statistic = ArmStatistic::mean_difference;
  ModelTerms model;  ///< of ancova
  Tail tail = Tail::two_sided;
  std::uint64_t replicates = 10000, seed = 1;
  std::shared_ptr<const Replay> replay{};  ///< from the trial; without it the method cannot run

  static MethodCard const& card();
  static std::optional<Rerandomisation> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return needs_; }
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<Rerandomisation>);

}  // namespace equipoise::stats

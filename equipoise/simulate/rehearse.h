#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "equipoise/results/rehearsal.h"
#include "equipoise/simulate/blocks.h"
#include "equipoise/simulate/claims.h"
#include "equipoise/simulate/ledger.h"
#include "equipoise/simulate/monitoring.h"
#include "equipoise/simulate/truths.h"
#include "equipoise/simulate/world.h"
#include "equipoise/study/study.h"

namespace equipoise::simulate {

/// The plan, and one world in which it is rehearsed. Immutable; blocks may be computed by any thread in any order.
class Rehearsed {
 public:
  struct Options {
    std::vector<std::int64_t> limits{};  ///< of each analysis of the plan: it is run in so many first replicates
    std::uint64_t seed = 1;
    std::int64_t kept = kept_replicates;     ///< of so many first replicates the single estimates are kept
    Monitoring const* monitoring = nullptr;  ///< with looks; must outlive it
    std::vector<Truth> truths{};             ///< when they are known already
  };

  /// All but the options must outlive it.
  Rehearsed(study::Study const& study, World const& world, std::vector<Statement> const& statements, Claims const& claims,
            Options options);

  std::vector<Truth> const& truths() const { return truths_; }
  World const& world() const { return *world_; }

  /// Replicates block * block_size up to `end` of the whole (the last block may be short).
  Tally block(std::int64_t block, std::int64_t replicates, Analyst& analyst, Workspace& workspace) const;

  results::ScenarioCharacteristics characteristics(Tally const& tally) const;

 private:
  struct Scratch;
  void count_statements(Scratch& scratch, Analyst const& analyst, Tally& tally) const;
  void count_claims(Scratch& scratch, Tally& tally) const;
  void count_hypotheses(Scratch& scratch, Tally& tally) const;
  void count_conduct(Scratch& scratch, Tally& tally) const;
  void count_looks(Scratch& scratch, LookDays& days, Analyst& analyst, Tally& tally) const;
  void keep(Scratch const& scratch, Tally& tally) const;
  void add_monitoring(Tally const& tally, results::ScenarioCharacteristics& made) const;
  results::AccrualFan accrual_fan(Tally const& tally) const;

  study::Study const* study_;
  World const* world_;
  std::vector<Statement> const* statements_;
  Claims const* claims_;
  Options options_;
  std::vector<Truth> truths_;
  std::vector<std::size_t> hypotheses_;  // statement of each hypothesis
  std::vector<std::size_t> monitored_;   // statements
};

/// How far a scenario has come: blocks done of all, and the last one. Called by one thread at a time.
using Progress = std::function<void(std::int64_t done, std::int64_t all, Tally const& block)>;

/// Computes the blocks [begin, end) that the ledger misses with `threads` threads, and puts them there. When `stop` becomes true,
/// the ones at work are finished and no other is begun.
void rehearse(Rehearsed const& rehearsed, study::Study const& study, std::vector<Statement> const& statements,
              std::int64_t replicates, Ledger& ledger, std::int64_t begin, std::int64_t end, std::size_t threads,
              std::atomic<bool> const& stop, Progress const& progress);

}  // namespace equipoise::simulate

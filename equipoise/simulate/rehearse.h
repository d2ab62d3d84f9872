#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "equipoise/results/rehearsal.h"
#include "equipoise/simulate/claims.h"
#include "equipoise/simulate/tally.h"
#include "equipoise/simulate/truths.h"
#include "equipoise/simulate/world.h"
#include "equipoise/study/study.h"

namespace equipoise::simulate {

/// Replicates are reduced in blocks of this many, by index: whoever computes a block gets the same bytes.
inline constexpr std::int64_t block_size = 100;
/// Of so many first replicates single estimates are kept, for figures.
inline constexpr std::int64_t kept_replicates = 200;

/// The plan, and one world in which it is rehearsed. Immutable; blocks may be computed by any thread in any order.
class Rehearsed {
 public:
  /// All must outlive it.
  Rehearsed(study::Study const& study, World const& world, std::vector<Statement> const& statements, Claims const& claims,
            std::uint64_t seed);

  std::vector<Truth> const& truths() const { return truths_; }
  World const& world() const { return *world_; }

  /// Replicates block * block_size up to `end` of the whole (the last block may be short).
  Tally block(std::int64_t block, std::int64_t replicates, Analyst& analyst, Workspace& workspace) const;

  results::ScenarioCharacteristics characteristics(Tally const& tally) const;

 private:
  study::Study const* study_;
  World const* world_;
  std::vector<Statement> const* statements_;
  Claims const* claims_;
  std::uint64_t seed_;
  std::vector<Truth> truths_;
  std::vector<std::size_t> hypotheses_;  // statement of each hypothesis
};

/// How far a scenario has come: blocks done of all, and the last one. Called by one thread at a time.
using Progress = std::function<void(std::int64_t done, std::int64_t all, Tally const& block)>;

/// Computes the blocks with `threads` threads. Those already in `blocks` (not empty) are left as they are; when `stop` becomes
/// true, the ones at work are finished and the others stay empty.
void rehearse(Rehearsed const& rehearsed, study::Study const& study, std::vector<Statement> const& statements,
              std::int64_t replicates, std::span<std::optional<Tally>> blocks, std::int64_t first_block, std::size_t threads,
              std::atomic<bool> const& stop, Progress const& progress);

}  // namespace equipoise::simulate

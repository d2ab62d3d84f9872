#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "equipoise/simulate/claims.h"
#include "equipoise/simulate/parts.h"
#include "equipoise/simulate/rehearse.h"
#include "equipoise/simulate/settings.h"
#include "equipoise/simulate/world.h"

namespace equipoise::simulate {

/// What is to be rehearsed.
struct Asked {
  std::vector<std::string> scenarios{}, grids{};  ///< both empty: all of the protocol
  std::optional<std::int64_t> replicates{};       ///< in each; else what [rehearsal] says, else 1000
  std::uint64_t seed = 1;
};

/// A plan, and all the worlds in which it is rehearsed: scenarios and the cells of grids. Checked before the first trial.
class Campaign {
 public:
  struct Member {
    std::string id;
    World world;
    std::int64_t replicates = 0;
    std::optional<std::pair<std::size_t, std::size_t>> cell;  ///< grid and place in it; absent: a scenario
  };

  /// The study must outlive it. errors  every problem of the section [rehearsal], of the scenarios and of the claims
  static Checked<std::unique_ptr<Campaign>> plan(study::Study const& study, Asked const& asked);
  /// The one whose part this is.
  static Checked<std::unique_ptr<Campaign>> of(study::Study const& study, Part const& part);

  std::vector<Statement> const& statements() const { return statements_; }
  std::vector<Member> const& members() const { return members_; }
  Claims const& claims() const { return *claims_; }
  std::uint64_t seed() const { return seed_; }
  /// In how many first replicates an analysis is run.
  std::int64_t limit(std::string_view analysis) const { return settings_.limit(analysis); }
  /// Statements of the analysis that [design] names, or else of the first primary one, or else of the first.
  std::vector<std::size_t> const& main() const { return main_; }
  Rehearsed rehearsed(Member const& member) const;

  /// Puts the blocks of `part`, read from `file`, to those of `whole`; reports what does not belong there. See parts.h.
  void absorb(Part& whole, Part&& part, std::string const& file, Overlap overlap, Problems& problems) const;

  /// Nothing is done yet.
  Part begin(std::string const& version) const;
  /// The document; every world of `part` must be whole up to its extent.
  results::Rehearsal characteristics(Part const& part) const;

 private:
  Campaign() = default;
  static std::unique_ptr<Campaign> base(study::Study const& study, std::uint64_t seed, Problems& problems);
  std::size_t monitored_analysis() const;
  void add_scenario(std::string const& id, std::int64_t replicates, Problems& problems);
  void add_cell(std::size_t grid, std::size_t cell, std::int64_t replicates, Problems& problems);

  study::Study const* study_ = nullptr;
  Settings settings_;
  std::uint64_t seed_ = 1;
  std::vector<Statement> statements_;
  std::optional<Claims> claims_;
  std::optional<Monitoring> monitoring_;
  std::size_t monitored_ = 0;  // statements
  std::vector<Member> members_;
  std::vector<std::size_t> main_;
  mutable std::map<Member const*, std::vector<Truth>> truths_;  // found once; one thread at a time
};

/// The share of trials in which the statements reject: of the one about which least is known, with its error. The error does not
/// vanish when nothing or everything was rejected:
///
///     sqrt(p (1 - p) / (n + 4)),  p = (k + 2) / (n + 4)
///
/// source  Agresti & Coull (1998), Am. Stat. 52, 119-126
results::Measured least_known(std::vector<StatementTally> const& tallies, std::vector<std::size_t> const& statements);

/// Where a rehearsal to a target precision may stop: blocks 10, 20, ..., 100, then each a tenth further than the one before.
/// Fixed in advance, so that who stops does not depend on threads or interruptions.
std::int64_t next_stop(std::int64_t after_block);

}  // namespace equipoise::simulate

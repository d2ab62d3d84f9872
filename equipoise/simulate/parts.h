#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "equipoise/core/expected.h"
#include "equipoise/simulate/ledger.h"

namespace equipoise::simulate {

/// One world of a rehearsal, and how far it has come.
struct PartWorld {
  std::string id;  ///< of the scenario, or of a cell of a grid: "effect_by_size/3"
  std::int64_t replicates = 0;
  Ledger ledger{};
};

/// What must be the same of all parts of one rehearsal.
struct PartKey {
  std::string version, protocol_digest;
  std::uint64_t seed = 0;
  std::vector<std::pair<std::string, std::int64_t>> analyses{};  ///< which are run, and in how many first replicates

  bool operator==(PartKey const&) const = default;
};

/// A rehearsal, or some blocks of it: what a shard or an interrupted run has done.
struct Part {
  PartKey key;
  std::vector<PartWorld> worlds;
};

/// How long the lists of a tally are, by the plan.
struct TallyShape {
  std::size_t statements = 0, claims = 0, hypotheses = 0, analyses = 0, looks = 0, monitored = 0;
  std::int64_t kept = 0;  ///< of so many first replicates single estimates are kept

  /// Says what is wrong with a piece of a world of so many replicates; "" when nothing is.
  std::string complaint(Ledger::Piece const& piece, std::int64_t replicates) const;
};

/// What becomes of blocks that are there already: their bytes would be the same.
enum class Overlap { refused, passed_over };

/// One object, labelled as simulated: every number exact.
std::string to_json(Part const& part);

/// An object's text with its SHA-256 as last member, as parts end: a part that was changed is a damaged one.
std::string seal(std::string_view object);

/// errors  syntax, missing_key, wrong_type: the file is damaged or no part
Expected<Part> read_part(std::string_view bytes, std::string const& file);

/// Puts the blocks of `part`, read from `file`, to those of `whole`.
///
/// shapes  of each world of `whole`
/// errors  inconsistent: another build, protocol, seed or plan, a block that is there already, a tally that cannot be right
void absorb(Part& whole, Part&& part, std::string const& file, std::vector<TallyShape> const& shapes, Overlap overlap,
            Problems& problems);

/// Reports every gap: each world must have all its blocks.
void report_gaps(Part const& whole, Problems& problems);

}  // namespace equipoise::simulate

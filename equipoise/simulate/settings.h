#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "equipoise/core/error.h"
#include "equipoise/protocol/protocol.h"
#include "equipoise/simulate/blocks.h"

namespace equipoise::simulate {

/// Some numbers of a scenario, each over several values: all combinations are rehearsed.
struct GridPlan {
  struct Axis {
    std::string label;
    std::vector<std::string> keys;  ///< paths into the scenario's tables; all get the same value
    std::vector<double> values;
    Place place;
  };
  std::string id, scenario;
  std::optional<std::int64_t> replicates;
  std::vector<Axis> axes;
  Place place;

  std::size_t cells() const;
  std::string cell_id(std::size_t cell) const;  ///< "effect_by_size/3"
  /// The value of each axis; the last axis runs fastest.
  std::vector<double> values(std::size_t cell) const;
};

/// [rehearsal]: how the trial is rehearsed.
struct Settings {
  std::optional<std::int64_t> replicates;
  std::vector<std::pair<std::string, std::int64_t>> first;  ///< analyses that are run in the first so many replicates only
  std::vector<GridPlan> grids;

  /// Reads and checks the section; every problem is reported.
  static Settings parse(protocol::Protocol const& protocol, Problems& problems);

  /// How many replicates of an analysis are run.
  std::int64_t limit(std::string_view analysis) const;
};

/// The scenario of a cell, whole. errors  when a key leads nowhere
std::optional<protocol::MethodSection> cell_scenario(protocol::Protocol const& protocol, GridPlan const& grid, std::size_t cell,
                                                     Problems& problems);

}  // namespace equipoise::simulate

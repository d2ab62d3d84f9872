#pragma once

#include <cstdint>
#include <vector>

#include "equipoise/simulate/statements.h"
#include "equipoise/simulate/world.h"

namespace equipoise::simulate {

/// Runs the plan on the first trials of a world, until each analysis has had an answer, at most 20. Reports every analysis that
/// had none because it cannot be run on what the scenario makes, with the reason that a real trial would be given. An analysis
/// that runs and finds nothing to estimate, as of events that are rare, is no problem: a rehearsal counts how often.
///
/// place  of the scenario, for the messages
void try_out(study::Study const& study, World const& world, std::vector<Statement> const& statements, std::uint64_t seed,
             Place const& place, Problems& problems);

}  // namespace equipoise::simulate

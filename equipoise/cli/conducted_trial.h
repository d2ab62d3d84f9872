#pragma once

#include <string>

#include "equipoise/cli/console.h"
#include "equipoise/cli/export.h"
#include "equipoise/simulate/world.h"

namespace equipoise::cli {

/// Makes a trial of the environment "simulated" whose seed is a function of seed, scenario and number; conducts the virtual trial in it
/// through vault and service, to lock and unblinding; and writes the data with their arms, which `report` reads.
void conduct_trial(ExportAsked const& asked, std::string const& bytes, protocol::Protocol const& protocol, std::string const& scenario,
                   simulate::World const& world, Console& console);

}  // namespace equipoise::cli

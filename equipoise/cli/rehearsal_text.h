#pragma once

#include <string>

#include "equipoise/protocol/protocol.h"
#include "equipoise/results/rehearsal.h"

namespace equipoise::cli {

/// The operating characteristics as a table for a terminal, scenario by scenario; it says that all of it is simulated.
std::string rehearsal_text(protocol::Protocol const& protocol, results::Rehearsal const& rehearsal);

}  // namespace equipoise::cli

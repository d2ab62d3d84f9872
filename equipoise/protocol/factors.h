#pragma once

#include <string>
#include <vector>

#include "equipoise/protocol/protocol.h"

namespace equipoise::protocol {

/// What a factor of the randomisation can be, in the order of the protocol: the sites; "false" and "true"; the codes of an item.
/// Empty when the protocol does not list them.
std::vector<std::string> levels_of(Protocol const& protocol, RandomisationFactor const& factor);

}  // namespace equipoise::protocol

#pragma once

#include <string_view>
#include <vector>

#include "equipoise/protocol/protocol.h"

namespace equipoise::simulate {

/// The section of a scenario with everything that it extends: tables merge key by key, at any depth, what the later scenario says
/// wins, and `effect` is replaced whole. Each value keeps the place where it was written.
Node merged(protocol::Protocol const& protocol, std::size_t scenario);

/// The scenario's id; "" when the file gives none.
std::string scenario_id(protocol::MethodSection const& scenario);

}  // namespace equipoise::simulate

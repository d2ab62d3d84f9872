#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "equipoise/protocol/protocol.h"

namespace equipoise::simulate {

/// The section of a scenario with everything that it extends: tables merge key by key, at any depth, what the later scenario says
/// wins, and `effect` is replaced whole. Each value keeps the place where it was written.
protocol::MethodSection merged(protocol::Protocol const& protocol, std::size_t scenario);

/// The section with one of its values replaced or added: "effect.cd4.low" is a key of tables in tables. Nothing when the path goes
/// through something that is no table.
std::optional<Node> replaced(Node const& section, std::string_view path, Node const& value);

/// The scenario's id; "" when the file gives none.
std::string scenario_id(protocol::MethodSection const& scenario);

}  // namespace equipoise::simulate

#pragma once

#include <string_view>

#include "equipoise/core/expected.h"
#include "equipoise/core/node.h"

namespace equipoise {

/// Reads one JSON value (RFC 8259). Every node gets the given place: a JSON Lines file has one value a line.
/// errors  syntax: not JSON, a key given twice in one object, a number beyond doubles, more than 64 levels of nesting
Expected<Node> read_json(std::string_view text, Place const& place);

}  // namespace equipoise

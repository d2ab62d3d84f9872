#pragma once

#include <string>
#include <string_view>

#include "equipoise/core/expected.h"
#include "equipoise/core/node.h"

namespace equipoise::protocol {

/// TOML 1.0 bytes as a Node whose tables keep the order of the file; `file` is what places call it.
/// errors  syntax (the parser stops at the first one), and numbers that are not finite, clock times, invalid UTF-8
Checked<Node> read_toml(std::string_view bytes, std::string const& file);

/// A document as TOML 1.0, from which read_toml makes it again with its order and its canonical bytes; its comments are lost. The
/// root is a table; nothing in it is null.
std::string write_toml(Node const& root);
/// One value as it stands behind "key = ", in one line.
std::string toml_value(Node const& value);

}  // namespace equipoise::protocol

#pragma once

#include <string>
#include <string_view>

#include "equipoise/core/expected.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::protocol {

/// Longest protocol file read: no trial needs more, and a hostile one must not exhaust memory.
inline constexpr std::size_t longest_protocol = 8u << 20;

/// A protocol from the bytes of its file: read, checked for structure and references, digested.
/// Every problem is reported, in file order; after a TOML syntax error only that one can be.
/// digest  SHA-256 of `canonical(document)`: spacing, comments, key order and the spelling of numbers do not change it;
///         array order and every text do.
Checked<Protocol> load(std::string_view bytes, std::string const& file);

/// As `load`, but keeps what could be read beside the problems, so that `study` can add those of the rooms that own methods.
struct Loaded {
  Protocol protocol;
  Problems problems;      ///< in file order
  Node document{};        ///< the file as written: what `study` lists as not used
  bool readable = false;  ///< false: not TOML, so nothing but the problems is meaningful
};
Loaded load_all(std::string_view bytes, std::string const& file);

}  // namespace equipoise::protocol

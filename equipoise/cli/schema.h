#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace equipoise::cli {

/// The JSON Schema (2020-12) of the protocol format, as committed in schema/protocol.schema.json: keys, types, limits, words,
/// which keys a method or a kind has, and a sentence for each. What a rule says, whether a name is declared and whether parts
/// agree no schema can say: that is `check`.
std::string schema_json();

/// The same, made anew by asking the readers: a protocol with every section (schema_probe.toml) is read again and again, each key
/// in turn with a value of each type and with each word of its vocabulary, and what the readers then ask for, and refuse, is the
/// schema. A test holds the committed file against it. Takes some seconds.
std::string derived_schema_json();

/// Sentences for keys, by path: "/arm/[]/role". A test holds that each key has one, and each sentence a key.
std::vector<std::pair<std::string_view, std::string_view>> const& schema_words();

/// Every path of the derived schema, sorted.
std::vector<std::string> schema_paths();

}  // namespace equipoise::cli

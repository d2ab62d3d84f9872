#pragma once

#include <nlohmann/json.hpp>

#include "equipoise/conduct/decide.h"

namespace equipoise::conduct {

using Json = nlohmann::ordered_json;

/// What one looks at: "status", "participants", "participant", "read_back", "worklist", "queries", "safety", "stock", "doses", "users",
/// "notices", "proposals", "commitment", "receipts", "deviations" and "audit" (see roles.cpp for who may). Site staff see their site;
/// masked values are not there.
///
/// data    parameters: `participant`; of users `at` (a moment: who had access then); of audit `participant`, `user`, `from`, `to`, and
///         `language` of the labels
/// errors  unknown_keyword, unresolved, refused
Checked<Json> view(State const& state, Actor const& actor, std::string_view name, Node const& data, Surroundings const& around);

/// An event as JSON: its data as in the log.
Json json_of(TrialEvent const& event);

}  // namespace equipoise::conduct

#pragma once

#include <string>
#include <string_view>

#include "equipoise/protocol/protocol.h"

namespace equipoise::protocol {

/// The trial in plain sentences: what it is, its arms, its questions with their estimands, its plan. English.
std::string describe(Protocol const& protocol, std::string_view language = "en");

/// The schedule of activities as text: a row for each form, a column for each visit, with days and windows. Empty without visits.
std::string schedule_of_activities(Protocol const& protocol, std::string_view language = "en");

/// "3 days before to 7 days after day 29" and its kin: "day 29 (22 to 36)".
std::string window_text(Visit const& visit);

/// "its data are kept whatever follows" and so on: one intercurrent event's strategy in words.
std::string strategy_text(Intercurrent const& ice);

/// "0.5e6 cells/kg" as people write it: "500000 cells/kg".
std::string dose_text(Dose const& dose);

}  // namespace equipoise::protocol

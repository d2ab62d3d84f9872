#pragma once

#include <utility>

#include "equipoise/protocol/protocol.h"

namespace equipoise::simulate {

/// The days on which a visit can take place: its window; without one, half the way to the visits beside it. The visit of the
/// randomisation without a window is on its day.
std::pair<int, int> possible_days(protocol::Protocol const& protocol, std::size_t visit);

/// The first and the last day of all visits.
std::pair<int, int> day_range(protocol::Protocol const& protocol);

/// The day on which follow-up is planned to end: `follow_up_days`, or the target of the last visit.
double planned_end(protocol::Protocol const& protocol);

}  // namespace equipoise::simulate

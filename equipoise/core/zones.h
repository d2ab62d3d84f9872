#pragma once

#include <string>
#include <string_view>

#include "equipoise/core/clock.h"
#include "equipoise/core/dates.h"
#include "equipoise/core/expected.h"

namespace equipoise {

/// What the calendar and the clock on the wall say somewhere.
struct LocalTime {
  Date date{};
  std::chrono::minutes time_of_day{}, offset{};  ///< offset: local time less UTC

  std::string zone_offset() const;  ///< "+08:00"
};

/// In an IANA time zone ("Asia/Shanghai"); "" is UTC.
/// errors  unresolved: the time zone database of this machine has no such zone
Expected<LocalTime> local_time(Instant instant, std::string_view zone);

}  // namespace equipoise

#include "equipoise/core/zones.h"

#include <date/tz.h>

#include <fmt/format.h>

namespace equipoise {

std::string LocalTime::zone_offset() const {
  const auto minutes = offset.count() < 0 ? -offset.count() : offset.count();
  return fmt::format("{}{:02}:{:02}", offset.count() < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

Expected<LocalTime> local_time(Instant instant, std::string_view zone) {
  using namespace std::chrono;
  minutes offset{0};
  if (!zone.empty()) {
    try {
      offset = duration_cast<minutes>(date::locate_zone(std::string(zone))->get_info(floor<seconds>(instant)).offset);
    } catch (std::exception const&) {
      return tl::unexpected(Error{Code::unresolved, fmt::format("the time zone '{}' is not known", zone), {},
                                  "names are those of the IANA database, such as Asia/Shanghai (package tzdata)"});
    }
  }
  const auto there = instant + offset;
  const auto day = floor<days>(there);
  return LocalTime{day, floor<minutes>(there - day), offset};
}

}  // namespace equipoise

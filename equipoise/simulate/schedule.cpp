#include "equipoise/simulate/schedule.h"

#include <algorithm>

namespace equipoise::simulate {

std::pair<int, int> possible_days(protocol::Protocol const& protocol, std::size_t visit) {
  protocol::Visit const& own = protocol.visits[visit];
  const int day = own.day.offset();
  // Nobody comes back before the randomisation, or is screened after it.
  const auto on_its_side = [&](int before, int after) {
    return day > 0 ? std::pair(std::max(before, 1), after) : std::pair(before, std::min(after, 0));
  };
  if (own.has_window) return on_its_side(day - own.days_before, day + own.days_after);
  if (day == 0 || protocol.visits.size() == 1) return {day, day};
  int before = day - 36500, after = day + 36500;
  for (protocol::Visit const& other : protocol.visits) {
    const int at = other.day.offset();
    if (at < day) before = std::max(before, day - (day - at - 1) / 2);
    if (at > day) after = std::min(after, day + (at - day - 1) / 2);
  }
  if (before == day - 36500) before = day - (after - day);  // the first and the last visit: the same room on both sides
  if (after == day + 36500) after = day + (day - before);
  return on_its_side(before, after);
}

std::pair<int, int> day_range(protocol::Protocol const& protocol) {
  std::pair<int, int> range{0, 0};
  for (std::size_t v = 0; v < protocol.visits.size(); ++v) {
    const auto [first, last] = possible_days(protocol, v);
    range = {std::min(range.first, first), std::max(range.second, last)};
  }
  return range;
}

double planned_end(protocol::Protocol const& protocol) {
  if (protocol.follow_up_days) return *protocol.follow_up_days;
  int last = 0;
  for (protocol::Visit const& visit : protocol.visits) last = std::max(last, visit.day.offset());
  return last;
}

}  // namespace equipoise::simulate

#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "equipoise/core/section.h"
#include "equipoise/simulate/draws.h"
#include "equipoise/simulate/event_time.h"
#include "equipoise/simulate/virtual_trial.h"

namespace equipoise::simulate {

/// Times to events: dated events, which are written in their form when they happen, or a flag and a time at visits, as they are
/// known there (the time of the event, or that of the visit when it has not happened).
///
/// page     docs/methods/virtual_trials.md
/// checked  outcomes_test.cpp, event_time_test.cpp
class TimeToEvent {
 public:
  static constexpr std::string_view keyword = "time_to_event";

  /// Reads `event = { name = { per_year or median_weeks, shape, from_weeks, hazard_ratio, time } }`.
  static std::optional<TimeToEvent> parse(protocol::Protocol const& protocol, Section& text);
  void lay_out(protocol::Protocol const& protocol, Layout& layout);
  Selection select(std::vector<std::uint8_t> cells) const { return {std::move(cells)}; }
  void fill(People const& people, Draws const& draws, Selection const& wanted, Arena& arena, double* values) const;

  std::vector<EventKind> const& events() const { return events_; }
  bool has_items() const { return !pairs_.empty(); }

 private:
  struct Pair {
    protocol::Item const *flag = nullptr, *time = nullptr;
    EventTime when;
    double days = 1;  ///< in a unit of the time item
    std::vector<std::int32_t> flag_cells{}, time_cells{};
  };
  std::vector<EventKind> events_;
  std::vector<Pair> pairs_;
};

}  // namespace equipoise::simulate

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/section.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::simulate {

/// When something happens to a participant: the time at which the cumulative hazard of the arm reaches a unit exponential.
///
///     H(t) = integral of r_arm(s) dG(s) from 0 to t;  G(t) = (t / scale)^shape, or a sum of constant hazards
///
/// r is the hazard ratio of the arm, constant between cuts: with cuts, hazards are not proportional.
///
/// page     docs/methods/virtual_trials.md
/// checked  event_time_test.cpp
class EventTime {
 public:
  /// A constant hazard of each arm, events a year.
  static EventTime constant(std::vector<double> const& per_year);
  /// Reads `per_year` (with `from_weeks`) or `median_weeks` (with `shape`), and `hazard_ratio`; `finish` is the caller's.
  static std::optional<EventTime> parse(protocol::Protocol const& protocol, Section& text);

  double cumulative_hazard(std::size_t arm, double day) const;
  /// The day at which it reaches `exposure`; infinity when it never does.
  double day(std::size_t arm, double exposure) const;
  /// The same of n participants: `when` holds their exposures, then their days.
  void days(std::size_t n, std::int32_t const* arm, double* when) const;

 private:
  /// On the time scale s = (t / scale)^shape the hazard is constant between the starts.
  struct Curve {
    std::vector<double> start, hazard, reached;  ///< reached: the cumulative hazard at the start
  };
  void note_constant();
  static Curve curve(std::vector<double> start, std::vector<double> hazard);

  double scale_ = 1, shape_ = 1;
  std::vector<Curve> arms_;
  std::vector<double> constant_;  ///< the hazard of each arm, where all are constant and above 0 on the scale of days
};

/// A kind of dated event: a code of a code item in a form without a visit that has a date item too.
struct DatedEvent {
  std::string code;
  protocol::Form const* form = nullptr;
  protocol::Item const* item = nullptr;
  std::int32_t level = 0;
  bool ends_participation = false;
};
std::optional<DatedEvent> dated_event(protocol::Protocol const& protocol, std::string_view code);

struct EventKind {
  DatedEvent event;
  EventTime time;
};

}  // namespace equipoise::simulate

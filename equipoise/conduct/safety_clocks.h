#pragma once

#include <string>
#include <vector>

#include "equipoise/conduct/state.h"

namespace equipoise::conduct {

/// A report that is due. Periods are whole hours from the moment of awareness, so that week-ends, time zones and summer time
/// change nothing.
///
///     sponsor      24 h after the site learned of the serious event
///     authority    suspected unexpected serious adverse reaction: 7 d after the sponsor learned of it when fatal or life-threatening,
///                  else 15 d
///     follow_up    8 d after the 7-day report was due
///
/// source  Regulation (EU) 536/2014, articles 41 and 42; 21 CFR 312.32(c)
struct SafetyClock {
  std::string case_id{}, participant{}, report{};
  Instant due{};
  std::optional<Instant> sent{};
  enum class State { running, met, late, overdue } state = State::running;
};

std::vector<SafetyClock> safety_clocks(State const& state, Instant now);

/// Suspected (related), unexpected, serious.
bool is_susar(SafetyCase const& one);

}  // namespace equipoise::conduct

#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "equipoise/conduct/commands.h"
#include "equipoise/conduct/plan.h"
#include "equipoise/core/clock.h"
#include "equipoise/simulate/world.h"

/// A virtual trial as the acts of the people who would have conducted it.
namespace equipoise::simulate {

/// One act: who asks for what, and when.
struct ScriptedAct {
  Instant at{};
  std::string site{};
  conduct::Role role{};
  bool second = false;  ///< by a second person of the role
  conduct::Command command{};
  std::string reason{};
};

/// Every act of the trial in its order: enrolment, consent, screening, randomisation, doses, visits, forms, adverse and dated events,
/// the end of participation. Ids are those that the service gives (s1-001, s1-002, ...; dose-1, ...). A randomisation leaves `confirm`
/// empty: what is read back is known when it comes to it.
///
/// checked  tests/integration/through_conduct_test.cpp: the records of the conducted trial are those of the virtual one
std::vector<ScriptedAct> conduct_script(conduct::Plan const& plan, Layout const& layout, VirtualTrial const& trial);

/// The ids that the service gives to the participants of a virtual trial, who come to a site in the order of their first visits.
std::vector<std::string> conducted_ids(conduct::Plan const& plan, VirtualTrial const& trial);

}  // namespace equipoise::simulate

#pragma once

#include <string>
#include <vector>

#include "equipoise/conduct/plan.h"
#include "equipoise/conduct/state.h"

namespace equipoise::conduct {

/// Something that somebody at a site has to do.
struct Task {
  std::string participant{}, what{};  ///< what: visit, form, dose, query, signature, safety_report, consent, randomisation
  std::string about{};                ///< visit, form, query, case, ...
  std::string from{}, due{}, until{}; ///< dates: first day of the window, target, last day; empty where there is none
  std::string state{};                ///< upcoming, due, overdue, open
};

/// The tasks of participants of a site (empty: all) as of a day there, by participant and due date. Upcoming visits are listed from 28
/// days ahead. What a role does not see (masked items) makes no task for it.
std::vector<Task> worklist(Plans const& plans, State const& state, Role role, std::string_view site, std::string const& today);

}  // namespace equipoise::conduct

#pragma once

#include <string>
#include <vector>

#include "equipoise/report/html.h"
#include "equipoise/report/rehearsal/names.h"

/// The tables of a rehearsal; each empty when there is nothing in it.
namespace equipoise::report::rehearsal::tables {

Markup claims(Names const& names);
/// Claims by pairs of scenarios: how many times as often with a difference as without.
Markup ratios(Names const& names);

/// Ids of the analyses that say something, in their order; primary ones first.
std::vector<std::string> analyses(Names const& names);
/// Every statement by scenario: how often P is at most alpha.
Markup rejections(Names const& names);
/// One analysis: its statements in turn, the scenarios under each.
Markup characteristics(Names const& names, std::string const& analysis);
/// What is to be said below it.
std::vector<std::string> characteristics_notes(Names const& names, std::string const& analysis);

Markup hypotheses(Names const& names);

/// Looks at one statement in all scenarios.
struct Monitored {
  std::string analysis, arm;
};
std::vector<Monitored> monitored(Names const& names);
Markup looks(Names const& names, Monitored const& one);
/// Whether some or all monitored comparisons reject, by scenario.
Markup monitored_together(Names const& names);

/// Every series of a grid in every cell.
Markup grid(Names const& names, results::Grid const& grid);

Markup conduct(Names const& names);
/// One scenario of the protocol as lines "key = value".
std::vector<std::string> scenario_lines(protocol::MethodSection const& scenario);
Markup provenance(Names const& names);

}  // namespace equipoise::report::rehearsal::tables

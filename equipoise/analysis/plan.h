#pragma once

#include <string>
#include <vector>

#include "equipoise/analysis/analysis.h"
#include "equipoise/analysis/compile.h"
#include "equipoise/data/recipe.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::analysis {

/// One run of a method that an [[analysis]] asks for: tests without a formula run once for each compared arm.
struct PlannedRun {
  At at;              ///< what tells its findings from those of the other runs: level and minus, or group; empty for a single run
  Analysis analysis;  ///< the same value as a reference case becomes
  CompiledAnalysis compiled;  ///< against the schema of the recipe
};

/// An [[analysis]] of the protocol, ready to run on any data set with the recipe's columns.
struct PlannedAnalysis {
  std::string id;
  data::Recipe recipe;
  Schema schema;
  std::vector<PlannedRun> runs;
};

struct Plan {
  std::vector<PlannedAnalysis> analyses;
};

/// Makes the runs of one analysis whose method this build carries: roles and difference follow from the estimand (or endpoint),
/// the method's owner reads the other keys. Refuses strategies for intercurrent events that the endpoint's derivation does not
/// carry out.
void plan_analysis(protocol::Protocol const& protocol, protocol::Analysis const& analysis, Plan& plan, Problems& problems);

}  // namespace equipoise::analysis

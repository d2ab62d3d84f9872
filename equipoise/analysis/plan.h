#pragma once

#include <string>
#include <vector>

#include "equipoise/analysis/analysis.h"
#include "equipoise/analysis/compile.h"
#include "equipoise/data/recipe.h"
#include "equipoise/protocol/protocol.h"
#include "equipoise/stats/multiplicity/multiplicity.h"

namespace equipoise::analysis {

/// One run of a method that an [[analysis]] asks for: tests without a formula run once for each compared arm.
struct PlannedRun {
  At at;              ///< what tells its findings from those of the other runs: level and minus, or group; empty for a single run
  Analysis analysis;  ///< the same value as a reference case becomes
  CompiledAnalysis compiled;  ///< against the schema of the recipe
};

/// Another way to run an analysis that its plan could have chosen: see alternatives.h.
struct PlannedAlternative {
  std::string choice, name, title;  ///< of results::Alternative
  bool declared = false;            ///< one of several structures that the plan tries in turn
  CompiledAnalysis compiled;
};

/// The levels of an item within which an analysis is run again: see subgroups.h.
struct PlannedSubgroup {
  std::string item;          ///< as a covariate is named
  std::string column;        ///< the category of `levels`: the item's own, or one made of its cuts
  std::size_t place = 0;     ///< of the item in the schema
  std::vector<double> cuts;  ///< of a number
  std::vector<std::string> levels;
  std::vector<std::vector<PlannedRun>> runs;  ///< of each level, as those of the analysis
  std::optional<CompiledAnalysis> main{},
      interaction{};  ///< all levels in one model, without and with a product of arm and level
};

/// An [[analysis]] of the protocol, ready to run on any data set with the recipe's columns.
struct PlannedAnalysis {
  std::string id;
  data::Recipe recipe;
  Schema schema;
  std::vector<PlannedRun> runs;
  std::vector<PlannedAlternative> alternatives{};  ///< of a primary analysis by a mixed model
  std::vector<PlannedSubgroup> subgroups{};
};

/// One null hypothesis of [multiplicity]: no effect of the arm against the control in the analysis.
struct PlannedHypothesis {
  std::string id, analysis, arm;
  double weight = 0;  ///< first share of alpha, of a graph
};

struct PlannedEdge {
  std::string from, to;
  std::optional<double> weight;  ///< absent: epsilon
};

/// The [multiplicity] section, ready to be carried out on the P values of its analyses.
struct PlannedMultiplicity {
  stats::Procedure procedure = stats::Procedure::none;
  std::string method;
  std::vector<PlannedHypothesis> hypotheses;
  std::vector<PlannedEdge> edges;
  std::optional<stats::Graph> graph;
};

struct Plan {
  std::vector<PlannedAnalysis> analyses;
  std::optional<PlannedMultiplicity> multiplicity{};
};

/// Makes the runs of one analysis whose method this build carries: roles and difference follow from the estimand (or endpoint),
/// the method's owner reads the other keys. Refuses strategies for intercurrent events that the endpoint's derivation does not
/// carry out.
void plan_analysis(protocol::Protocol const& protocol, protocol::Analysis const& analysis, Plan& plan, Problems& problems);

}  // namespace equipoise::analysis

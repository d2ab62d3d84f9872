#pragma once

#include <vector>

#include "equipoise/analysis/plan.h"
#include "equipoise/results/results.h"

/// Whether the conclusion of a primary analysis depends on a choice that another plan would have made.
namespace equipoise::analysis {

/// The planned analysis of a mixed model with other degrees of freedom (satterthwaite, kenward_roger, between_within, residual),
/// other covariances of the visits (those that the plan declares, else unstructured, heterogeneous Toeplitz and heterogeneous
/// compound symmetry) and with standard errors from a sandwich (cr2). Nothing for other methods.
std::vector<PlannedAlternative> alternatives_of(Analysis const& planned, Schema const& schema);

/// Runs them on the data of the analysis, whose own records stand in the results: `results.alternatives` gets the planned
/// comparison of each arm with the control, at the visit of the question, and that of each alternative that has an answer. A
/// structure that the plan itself came to is not repeated.
void add_alternatives(protocol::Protocol const& protocol, PlannedAnalysis const& planned, DatasetView const& view,
                      Workspace& workspace, results::Results& results);

/// Adds the sensitivity and supportive analyses of the same endpoint to the alternatives of each primary analysis, decides on all
/// of them as [multiplicity] would (else each P value at alpha), and puts a warning to the analysis for each arm and choice on
/// which its conclusion depends. After `carry_out`.
void judge_alternatives(protocol::Protocol const& protocol, Plan const& plan, results::Results& results);

}  // namespace equipoise::analysis

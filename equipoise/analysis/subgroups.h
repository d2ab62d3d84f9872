#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/analysis/plan.h"
#include "equipoise/core/section.h"
#include "equipoise/data/dataset.h"
#include "equipoise/results/results.h"

/// Whether an effect is the same in all kinds of participants: each subgroup analysed as the whole is, and one test that the
/// effects do not differ. See docs/methods/subgroups.md.
namespace equipoise::analysis {

/// One entry of `subgroups = ["sex@baseline", { item = "age@baseline", cuts = [65] }]`.
struct SubgroupRequest {
  std::string item;          ///< as a covariate is named
  std::vector<double> cuts;  ///< increasing; of a number
  Place place{};
};

/// Reads the key. Reported: an entry of another shape, a factor given twice or the arm, cuts that do not increase, a method that
/// gives no estimate of a difference between arms or randomises the trial again.
std::vector<SubgroupRequest> read_subgroups(Section& section, stats::MethodCard const& card, bool by_arm);

/// "< 60", "60 to < 70", ">= 70" of the cuts 60 and 70.
std::vector<std::string> band_names(std::vector<double> const& cuts);

/// Makes the runs of each subgroup from those of the analysis, against the schema of the analysis with a category added for each
/// number that is cut. Reported: a number without cuts, a category with them, levels that are known only with the data.
void plan_subgroups(std::vector<SubgroupRequest> const& requests, PlannedAnalysis& planned, Problems& problems);

/// Runs them on the data of the analysis: `results.subgroups` gets an entry for each.
void add_subgroups(protocol::Protocol const& protocol, PlannedAnalysis const& planned, data::Dataset const& dataset,
                   Workspace& workspace, results::Results& results);

}  // namespace equipoise::analysis

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "equipoise/core/expected.h"
#include "equipoise/data/dataset.h"
#include "equipoise/data/recipe.h"
#include "equipoise/data/trial_data.h"

namespace equipoise::data {

/// An analysis-ready data set, with what the making of it has to say.
struct AnalysisData {
  Dataset dataset;                 ///< the columns of `schema(recipe)`
  std::int64_t participants = 0;   ///< in the analysis set
  std::vector<std::string> notes;  ///< for the footnote: how many intercurrent events each strategy met, ...
};

/// Carries out the recipe: selects the analysis set, evaluates the endpoint under the estimand's strategies, reads the
/// covariates. errors  no_data; inconsistent (an event before randomisation, two events on a day, no end of follow-up);
/// missing_column
Expected<AnalysisData> analysis_dataset(TrialTables const& tables, Recipe const& recipe);

/// Which participants are in an analysis set (rule true); unknown counts as not in, and is counted.
struct Membership {
  std::vector<std::uint8_t> in;
  std::int64_t unknown = 0;
};
Membership members(TrialTables const& tables, protocol::AnalysisSet const& set);

}  // namespace equipoise::data

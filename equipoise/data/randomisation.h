#pragma once

#include <span>
#include <string>
#include <vector>

#include "equipoise/core/expected.h"
#include "equipoise/data/dataset.h"
#include "equipoise/data/trial_data.h"

namespace equipoise::data {

/// The columns that a replay of the randomisation needs beside the arm: `randomisation_order`, and one for each factor (see
/// recipe.h). rows are participants, everybody who was randomised once. Adds a note when the order of some is only that of the
/// data.
/// errors  missing_column, when the data say no order; inconsistent, when they do not say a factor of somebody
Expected<std::vector<TypedColumn>> randomisation_columns(TrialTables const& tables, std::span<const std::size_t> rows,
                                                         std::vector<std::string>& notes);

}  // namespace equipoise::data

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/analysis/compile.h"
#include "equipoise/analysis/reference_case.h"
#include "equipoise/data/formats/csv.h"
#include "recipes.h"

namespace equipoise::property {

/// What a method said: an answer, or why there is none.
struct Said {
  std::optional<stats::Answer> answer{};
  Problems refusal{};
  bool carried = true;  ///< false: this build has no such method
};

/// One line of the reference format: the recipe on the rows of a trial, expecting `values` (as many as the recipe's readings;
/// nothing = left out).
std::string case_line(Recipe const& recipe, int trial, std::string_view data,
                      std::vector<std::optional<std::string>> const& values);

/// The recipe as an analysis. Read by the reader of reference cases, so a mistake in a recipe is found like one in a case.
analysis::ReferenceCase reference_case(Recipe const& recipe, int trial);

/// A trial's columns, typed as methods ask for them.
class TrialColumns {
 public:
  explicit TrialColumns(std::string csv);
  Said run(analysis::Analysis const& analysis);

 private:
  data::TypedColumn const* column(stats::ColumnNeed const& need, Problems& problems);
  data::CellTable table_;
  std::map<std::pair<std::string, stats::Need>, data::TypedColumn> columns_;
};

}  // namespace equipoise::property

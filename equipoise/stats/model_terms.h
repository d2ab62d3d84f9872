#pragma once

#include <map>
#include <string>
#include <vector>

#include "equipoise/stats/formula.h"
#include "equipoise/stats/method.h"

/// The options `formula` and `levels` of a model, in one reading for every method that has them.
namespace equipoise::stats {

struct ModelTerms {
  Formula formula;
  std::map<std::string, std::vector<std::string>> levels;  ///< of the categories, the reference first; other columns are numbers

  /// Adds the columns of the formula, each a number or a category with its levels.
  void add_needs(std::vector<ColumnNeed>& needs, Section& options) const;
};

/// Reads `formula = "arm + age"` (required) and `levels = { arm = ["placebo", "high"] }`. What is wrong is reported: a formula
/// that does not parse, a column with fewer than two levels or a level twice, a column of `levels` that the formula does not
/// have.
ModelTerms parse_model_terms(Section& options);

/// A coefficient against a reference level that no row has: `build_design` took another reference, so it is not what was asked.
bool lacks_reference(Frame const& frame, Term const& term);

/// Main effects of categories that have no coefficient among `names`, because their level, or every level before it, has no row.
std::vector<Term> uncompared(Frame const& frame, Formula const& formula, std::vector<Term> const& names);

}  // namespace equipoise::stats

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/linear/reference_grid.h"
#include "equipoise/stats/method.h"
#include "equipoise/stats/model_terms.h"

namespace equipoise::stats {

/// A comparison with weights that sum to 0: "trend", arm, { placebo = -1, low = 0, high = 1 }.
struct NamedContrast {
  std::string name, factor;
  std::map<std::string, double> weights;  ///< by level; levels not named have weight 0
};

/// `contrasts = [{ name, factor, weights = { level = number } }]`; problems are reported.
std::vector<NamedContrast> parse_contrasts(Section& options, ModelTerms const& model);

/// The option `factor`: a category of the formula. "" when absent or wrong (reported).
std::string parse_factor(Section& options, ModelTerms const& model, bool required);

/// Linear model with LS means, differences, contrasts and type III tests. Page: docs/methods/ancova.md
struct Ancova {
  std::string response;
  ModelTerms model;
  std::string factor;  ///< the category whose means come first
  GridWeights weights = GridWeights::equal;
  std::vector<NamedContrast> contrasts;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<Ancova> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return needs_; }
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<Ancova>);

}  // namespace equipoise::stats

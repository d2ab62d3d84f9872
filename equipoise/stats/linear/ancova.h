#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/linear/model_answer.h"
#include "equipoise/stats/method.h"
#include "equipoise/stats/model_terms.h"

namespace equipoise::stats {

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

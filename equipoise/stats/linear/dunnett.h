#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/model_terms.h"

namespace equipoise::stats {

enum class Direction { two_sided, greater, less };

/// Comparisons of LS means with a control in a linear model, adjusted for their number. Page: docs/methods/dunnett.md
struct Dunnett {
  std::string response;
  ModelTerms model;
  std::string factor, control;
  double alpha = 0.05;
  Direction alternative = Direction::two_sided;
  bool step_down = false;

  static MethodCard const& card();
  static std::optional<Dunnett> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return needs_; }
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<Dunnett>);

}  // namespace equipoise::stats

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/model_terms.h"

namespace equipoise::stats {

enum class Firth { when_separated, always, never };

/// Logistic regression of a yes/no response. Page: docs/methods/logistic.md
struct Logistic {
  std::string response;
  ModelTerms model;
  bool profile = false;  ///< limits by profile likelihood instead of Wald's
  Firth firth = Firth::when_separated;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<Logistic> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return needs_; }
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<Logistic>);

}  // namespace equipoise::stats

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/linear/ancova.h"
#include "equipoise/stats/method.h"
#include "equipoise/stats/model_terms.h"
#include "equipoise/stats/repeated/gee_fit.h"

namespace equipoise::stats {

/// Degrees of freedom of tests and limits.
struct GeeDf {
  enum class Rule { normal, subjects_minus_coefficients, given } rule = Rule::normal;
  double given = missing_number;
};

/// Generalised estimating equations. Page: docs/methods/gee.md
struct Gee {
  std::string response, subject, visit;  ///< `visit` may be ""
  ModelTerms model;
  GeeSpec spec;
  std::string factor;  ///< the category whose means come first
  GridWeights weights = GridWeights::equal;
  std::vector<NamedContrast> contrasts;
  GeeDf df;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<Gee> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return needs_; }
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<Gee>);

}  // namespace equipoise::stats

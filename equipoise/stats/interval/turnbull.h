#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/interval/npmle.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// Mass beyond t. NaN when t lies strictly inside an innermost interval that holds mass: how much of it is beyond t, nobody
/// knows. Times within `same_time` of an end are that end.
double survival_beyond(std::vector<TimeInterval> const& cells, std::vector<double> const& mass, double t);

/// Turnbull's estimate of interval-censored survival, by group or over all rows. Page: docs/methods/turnbull.md
struct Turnbull {
  std::string left, right, group;  ///< columns; no group = ""
  std::vector<double> times;       ///< at which the curve is read

  static MethodCard const& card();
  static std::optional<Turnbull> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<Turnbull>);

/// "The Kuhn-Tucker conditions of the maximum hold within 1e-10.", or that they do not: for notes.
std::string certificate(MassFit const& fit);

}  // namespace equipoise::stats

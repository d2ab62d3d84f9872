#pragma once

#include <optional>
#include <vector>

#include "equipoise/stats/categorical/two_groups.h"
#include "equipoise/stats/method.h"

/// Difference, ratio and odds ratio of two proportions with the large-sample intervals that tables of trials print. Page:
/// docs/methods/two_proportions.md
///
/// source   Wald: any textbook. Agresti & Caffo (2000), Am. Stat. 54, 280-288. Katz, Baptista, Azen & Pike (1978), Biometrics 34,
///          469-474. Woolf (1955), Ann. Hum. Genet. 19, 251-253
/// checked  proportions_test.cpp, tests/independent/proportions_test.cpp, the reference cases of the three methods
namespace equipoise::stats {

enum class RiskDifferenceInterval { wald, agresti_caffo, newcombe };

/// p1 - p2. Wald: se^2 = p1 q1/n1 + p2 q2/n2. Agresti-Caffo: the Wald interval with one event and one non-event added to each
/// group, around its own centre. Newcombe: see newcombe.h.
struct RiskDifference {
  TwoGroups groups;
  RiskDifferenceInterval interval = RiskDifferenceInterval::wald;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<RiskDifference> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return groups.needs(); }
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<RiskDifference>);

/// p1 / p2. Katz: symmetric on the log scale, variance 1/x1 - 1/n1 + 1/x2 - 1/n2.
struct RiskRatio {
  TwoGroups groups;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<RiskRatio> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return groups.needs(); }
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<RiskRatio>);

/// a d / (b c). Woolf: symmetric on the log scale, variance 1/a + 1/b + 1/c + 1/d.
struct OddsRatio {
  TwoGroups groups;
  double level = 0.95;

  static MethodCard const& card();
  static std::optional<OddsRatio> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return groups.needs(); }
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<OddsRatio>);

}  // namespace equipoise::stats

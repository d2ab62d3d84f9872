#pragma once

#include <optional>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/multiplicity/graph.h"

/// Multiple test procedures as methods on p values that are given as numbers: docs/methods/multiplicity.md. A protocol's
/// [multiplicity] uses the functions below them on the p values of its analyses.
namespace equipoise::stats {

enum class Procedure { none, bonferroni, holm, hochberg, hommel, benjamini_hochberg, graphical };

/// Adjusted p values, in the order of the p values. `graph` only for `graphical`. errors  out_of_range, more hypotheses than the
/// procedure takes
Expected<std::vector<double>> adjusted_p(Procedure procedure, std::optional<Graph> const& graph, std::vector<double> const& p);

/// Options of all the procedures: p values, or normal or t effects of which they are made.
struct Evidence {
  std::vector<double> p;                 ///< two-sided, NaN = not estimable
  std::vector<double> estimate, se, df;  ///< empty when p values were given; df infinite for the normal distribution
  double alpha = 0.05;

  static std::optional<Evidence> parse(Section& options, bool effects);
};

template <Procedure procedure>
struct MultipleTest {
  Evidence evidence;
  std::optional<Graph> graph{};

  static MethodCard const& card();
  static std::optional<MultipleTest> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return {}; }
  Expected<Answer> run(Frame const& frame) const;
};

using Bonferroni = MultipleTest<Procedure::bonferroni>;
using Holm = MultipleTest<Procedure::holm>;
using Hochberg = MultipleTest<Procedure::hochberg>;
using Hommel = MultipleTest<Procedure::hommel>;
using BenjaminiHochberg = MultipleTest<Procedure::benjamini_hochberg>;
using Graphical = MultipleTest<Procedure::graphical>;

}  // namespace equipoise::stats

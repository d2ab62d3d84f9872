#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "equipoise/stats/continuous/ranks.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// The k-th smallest (from 1) of all m n differences x_i - y_j, each as the machine computes it, without storing them.
///
/// Differences do not fall along rows and columns of sorted samples, so those not above a value are counted in m + n steps; the
/// value is found by bisection over the ordered doubles, at most 64 counts.
///
/// x, y    ascending, finite, not empty       1 <= k <= m n
/// checked hodges_lehmann_test.cpp, tests/independent/rank_test.cpp by sorting all differences
double kth_difference(std::span<const double> x, std::span<const double> y, std::uint64_t k);

/// Hodges-Lehmann estimate of a shift with Moses' interval. Page: docs/methods/hodges_lehmann.md
struct HodgesLehmann {
  std::string response, group;
  Difference difference;
  double level = 0.95;
  std::optional<bool> exact;  ///< absent: exact when both groups are below 50

  static MethodCard const& card();
  static std::optional<HodgesLehmann> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<HodgesLehmann>);

}  // namespace equipoise::stats

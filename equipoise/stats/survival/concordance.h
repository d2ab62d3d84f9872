#pragma once

#include <cstdint>
#include <span>

#include "equipoise/stats/survival/rows.h"

namespace equipoise::stats {

/// Pairs of rows of one stratum of which one had an event while the other was at risk and lived longer: an event at t and a row
/// with start < t and either time > t or a censoring at t. Two events at one time are no pair.
struct Concordance {
  std::int64_t concordant = 0;  ///< the one with the event had the larger predictor
  std::int64_t discordant = 0;
  std::int64_t tied = 0;  ///< equal predictors

  /// Harrell's c: (concordant + tied / 2) / pairs; NaN without pairs.
  double c() const;
};

/// O(n log n): events from late to early, the rows at risk in a Fenwick tree over the ranks of their predictors.
///
/// source   Harrell, Califf, Pryor, Lee & Rosati (1982), JAMA 247, 2543-2546; Fenwick (1994), Softw. Pract. Exp. 24, 327-336
/// checked  concordance_test.cpp, tests/independent/survival_test.cpp (all pairs), the reference cases cox
Concordance concordance(SurvivalRows const& data, std::span<const double> predictor, std::span<const std::int32_t> stratum,
                        std::size_t strata);

}  // namespace equipoise::stats

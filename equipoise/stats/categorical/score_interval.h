#pragma once

#include <vector>

#include "equipoise/stats/categorical/two_groups.h"

/// The score statistic of Miettinen and Nurminen for a difference, a ratio and an odds ratio of two proportions, and the interval
/// of the values it does not reject. Page: docs/methods/miettinen_nurminen.md
namespace equipoise::stats {

enum class Measure { difference, risk_ratio, odds_ratio };

/// How strata are combined for a difference or a risk ratio (an odds ratio has one efficient way).
enum class StratumWeights {
  miettinen_nurminen,  ///< from the common variances at the value tested, by iteration
  mantel_haenszel      ///< n1 n2 / N
};

/// The shares most likely when the measure has a given value, a + c events among all (p1 of the first row, p2 of the second).
struct ConstrainedShares {
  double p1, p2;
};

/// difference  p1 = p2 + value;  risk_ratio  p1 = value p2;  odds_ratio  p1/(1 - p1) = value p2/(1 - p2)
///
/// table    both groups have somebody
/// value    -1 to 1 for a difference, else above 0 and finite
/// source   Miettinen & Nurminen (1985), Stat. Med. 4, 213-226
/// checked  proportions_test.cpp, tests/independent/proportions_test.cpp (maximum of the likelihood by search)
ConstrainedShares constrained_shares(TwoByTwo const& table, Measure measure, double value);

/// Expected cells of a 2 x 2 table with these margins whose odds ratio is `odds_ratio`: n11 n22 = odds_ratio n12 n21.
///
/// odds_ratio   above 0 and finite
/// returns      every cell to a few units in the last place, however small
struct ExpectedCells {
  double a, b, c, d;
  /// 1 / (1/a + 1/b + 1/c + 1/d); 0 when a cell is 0
  double variance() const;
};
ExpectedCells expected_cells(TwoByTwo const& table, double odds_ratio);

/// Score statistic of the value, standard normal when the value is true; it decreases in the value.
///
///     difference, risk ratio   sum_j w_j (p1_j - m(p2_j)) / sqrt(sum_j w_j^2 V_j),  m(p2) = p2 + value or value p2
///     odds ratio               sum_j (a_j - n1_j p1~_j) / sqrt(sum_j V_j)
///     V_j = (p1~ q1~/n1 + p2~ q2~/n2) N/(N - 1), with value^2 before the second term for a risk ratio;
///     V_j = N/(N - 1) / (1/(n1 p1~ q1~) + 1/(n2 p2~ q2~)) for an odds ratio
///
/// tables   one a stratum, both groups in each, at least one
/// returns  +-infinity where the variance is 0 and the numerator is not; 0 where both are
double score_statistic(std::vector<TwoByTwo> const& tables, Measure measure, StratumWeights weights, double value);

struct ScoreInterval {
  double estimate;      ///< where the statistic is 0; of one table the sample measure; NaN = not estimable
  double lower, upper;  ///< infinite when the statistic never rejects large values
  double z, p;          ///< of the value at which the groups are equal; NaN when all responses are equal
};

ScoreInterval score_interval(std::vector<TwoByTwo> const& tables, Measure measure, StratumWeights weights, double level);

}  // namespace equipoise::stats

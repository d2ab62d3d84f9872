#pragma once

#include <cstdint>
#include <vector>

#include "equipoise/stats/interval/interval_rows.h"

namespace equipoise::stats {

/// Rows that cover the same innermost intervals, counted.
struct CoverPattern {
  std::uint32_t first, last;
  double rows;
};
/// The distinct patterns in increasing (first, last).
std::vector<CoverPattern> cover_patterns(InnermostIntervals const& innermost);

/// Maximum likelihood mass on the innermost intervals.
struct MassFit {
  std::vector<double> mass;  ///< of each innermost interval, sum 1; exactly 0 where the maximum has none
  double log_likelihood = 0;
  // Convergence report.
  bool converged = false;
  double excess = 0;  ///< Kuhn-Tucker conditions: the largest violation, see `fit_mass`
  int iterations = 0;

  /// P(T beyond the k-th innermost interval), k = 0 for all of them: m + 1 values from 1 to 0.
  std::vector<double> survival() const;
};

/// Maximises the likelihood of interval-censored times over the masses p of the innermost intervals.
///
///     l(p) = sum_i log P_i,   P_i = sum_{first_i <= j <= last_i} p_j,   p >= 0, sum p = 1
///
/// p is the maximum if and only if d_j = (1/n) sum_{i covers j} 1 / P_i is at most 1 everywhere and 1 where p_j > 0. `excess` is
/// the largest violation; the log likelihood is then within n * excess of its maximum, as l is concave. It must fall to 1e-10.
/// The maximum is unique: each innermost interval j ends where some row ends, so that row has last = j, and the rows picked in
/// this way make a triangular matrix with ones on its diagonal.
///
/// Times all exact or right-censored have the closed form of Kaplan and Meier. Otherwise self-consistency (EM) and the iterative
/// convex minorant come near, and Newton's method on the intervals with mass ends: intervals are let in where d_j > 1 is largest
/// in each gap, and let go when their mass reaches 0. More than 2000 intervals with mass are left to EM and the convex minorant.
///
/// source   Turnbull (1976), J. R. Stat. Soc. B 38, 290-295; Gentleman & Geyer (1994), Biometrika 81, 618-623;
///          Wellner & Zhan (1997), J. Am. Stat. Assoc. 92, 945-959; Groeneboom, Jongbloed & Wellner (2008), Scand. J. Stat. 35,
///          385-399; Wang (2008), Comput. Stat. Data Anal. 52, 2388-2402
/// checked  npmle_test.cpp, tests/independent/interval_test.cpp, the reference cases turnbull
MassFit fit_mass(std::vector<CoverPattern> const& patterns, std::size_t cells);

}  // namespace equipoise::stats

#include "equipoise/stats/heterogeneity.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"

namespace equipoise::stats {
namespace {

bool counts(IndependentEstimate const& one) { return std::isfinite(one.value) && std::isfinite(one.se) && one.se > 0; }

}  // namespace

ChiSquareTest cochran_q(std::span<const IndependentEstimate> estimates) {
  double weight = 0, sum = 0, used = 0;
  for (IndependentEstimate const& one : estimates)
    if (counts(one)) {
      const double w = 1 / (one.se * one.se);
      weight += w, sum += w * one.value, ++used;
    }
  if (used < 2) return {};
  double q = 0;
  for (IndependentEstimate const& one : estimates)
    if (counts(one)) {
      const double z = (one.value - sum / weight) / one.se;
      q += z * z;
    }
  return {q, used - 1, numerics::chi_square_upper(q, used - 1)};
}

double error_of_ratio(double lower, double upper, double level) {
  return std::log(upper / lower) / (2 * numerics::normal_quantile(0.5 + level / 2));
}

ChiSquareTest likelihood_ratio_test(double smaller, double larger, double df) {
  if (!(df > 0) || std::isnan(smaller) || std::isnan(larger)) return {};
  const double value = std::max(2 * (larger - smaller), 0.0);
  return {value, df, numerics::chi_square_upper(value, df)};
}

}  // namespace equipoise::stats

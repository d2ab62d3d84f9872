#include "equipoise/report/rehearsal/ratio.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace equipoise::report::rehearsal {
namespace {

double lower_limit(results::Share const& a, results::Share const& b) {
  const double pa = a.value(), pb = b.value(), la = wilson_limits(a).lower, ub = wilson_limits(b).upper;
  if (a.n == 0 || la <= 0) return 0;
  const double top = la * (2 * pa - la);
  return top / (pa * pb + std::sqrt(std::max(0.0, pa * pa * pb * pb - top * ub * (2 * pb - ub))));
}

}  // namespace

Limits wilson_limits(results::Share const& share) {
  if (share.of <= 0) return {};
  constexpr double z = 1.959963984540054;  // 0.975 quantile of the normal distribution
  const double n = double(share.of), p = share.value();
  const double centre = p + z * z / (2 * n), reach = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {share.n == 0 ? 0 : std::max(0.0, (centre - reach) / (1 + z * z / n)),
          share.n == share.of ? 1 : std::min(1.0, (centre + reach) / (1 + z * z / n))};
}

double none_in(double n) { return n > 0 ? -std::expm1(std::log(0.05) / n) : 1; }

Ratio ratio_of(results::Share const& a, results::Share const& b) {
  constexpr double never = std::numeric_limits<double>::infinity();
  if (a.of <= 0 || b.of <= 0 || (a.n == 0 && b.n == 0)) return {missing_number, 0, never};
  const double inverse = lower_limit(b, a);
  return {b.n == 0 ? never : a.value() / b.value(), lower_limit(a, b), inverse > 0 ? 1 / inverse : never};
}

}  // namespace equipoise::report::rehearsal

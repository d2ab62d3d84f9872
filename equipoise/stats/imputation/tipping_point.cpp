#include "equipoise/stats/imputation/tipping_point.h"

#include <cmath>

#include "equipoise/numerics/distributions.h"

namespace equipoise::stats {

double Uncertain::p() const { return se > 0 ? numerics::student_t_two_sided(estimate / se, df) : missing_number; }

double Uncertain::half_width(double level) const {
  return se > 0 ? numerics::student_t_interval(level, df) * se : missing_number;
}

std::optional<double> tipping_delta(Shifted const& shifted, double slope, double alpha, double reach) {
  const Uncertain start = shifted(0, 0);
  const double unit = start.se / std::abs(slope);  // moves the estimate by a standard error
  const auto excess = [&](double delta) { return shifted(delta, 0).p() - alpha; };
  const double at_start = excess(0);
  if (!std::isfinite(unit) || !(unit > 0) || std::isnan(at_start)) return {};
  const auto crosses = [&](double value) { return (value > 0) != (at_start > 0); };
  double before[2] = {0, 0};
  for (double step = 0.01; step < reach; step *= 1.05)
    for (int side = 0; side < 2; ++side) {
      double inside = before[side], outside = (side == 0 ? step : -step) * unit;
      before[side] = outside;
      if (!crosses(excess(outside))) continue;
      for (int k = 0; k < 200; ++k) {
        const double middle = inside + (outside - inside) / 2;
        if (middle == inside || middle == outside) break;
        (crosses(excess(middle)) ? outside : inside) = middle;
      }
      return outside;
    }
  return {};
}

}  // namespace equipoise::stats

#include "equipoise/stats/continuous/descriptive.h"

#include <algorithm>
#include <cmath>

#include "equipoise/core/error.h"

namespace equipoise::stats {

double quantile(std::span<const double> sorted, double p, QuantileRule rule) {
  expects(p >= 0 && p <= 1, "a quantile is of a probability");
  const std::size_t n = sorted.size();
  if (n == 0) return missing_number;
  if (rule == QuantileRule::r_7) {
    const double h = double(n - 1) * p;
    const auto j = std::min(std::size_t(h), n - 1);
    return j + 1 < n ? sorted[j] + (h - double(j)) * (sorted[j + 1] - sorted[j]) : sorted[j];
  }
  const double np = double(n) * p;
  const double whole = std::round(np);
  if (std::abs(np - whole) < 1e-9 * std::max(1.0, np)) {  // 10 * 0.3 is whole, although 0.3 is not a binary fraction
    const auto k = std::size_t(whole);
    if (k == 0) return sorted.front();
    return k < n ? (sorted[k - 1] + sorted[k]) / 2 : sorted.back();
  }
  return sorted[std::size_t(np)];
}

Summary summarise(std::vector<double> values, QuantileRule rule) {
  std::ranges::sort(values);
  Summary summary{.n = std::int64_t(values.size())};
  if (values.empty()) return summary;
  double sum = 0;
  for (const double value : values) sum += value;
  summary.mean = sum / double(values.size());
  if (values.size() > 1) {
    double squares = 0, rest = 0;  // the second sum takes back the rounding of the mean
    for (const double value : values) squares += (value - summary.mean) * (value - summary.mean), rest += value - summary.mean;
    summary.sd = std::sqrt((squares - rest * rest / double(values.size())) / double(values.size() - 1));
  }
  summary.min = values.front();
  summary.lower_quartile = quantile(values, 0.25, rule);
  summary.median = quantile(values, 0.5, rule);
  summary.upper_quartile = quantile(values, 0.75, rule);
  summary.max = values.back();
  return summary;
}

}  // namespace equipoise::stats

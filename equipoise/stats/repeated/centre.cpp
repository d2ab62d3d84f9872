#include "equipoise/stats/repeated/centre.h"

#include <cmath>

#include "equipoise/numerics/lanes.h"
#include "equipoise/numerics/sum.h"

namespace equipoise::stats {

double sum_less(std::span<const double> values, double less, Degree degree) {
  using numerics::Lanes;
  Lanes sum{}, lost{};
  std::size_t at = 0;
  const auto add = [&](Lanes lanes) {
    lanes -= numerics::everywhere(less);
    if (degree == Degree::two) lanes *= lanes;
    const Lanes next = sum + lanes, given = next - sum;
    lost += (sum - (next - given)) + (lanes - given);
    sum = next;
  };
  for (; at + numerics::lanes <= values.size(); at += numerics::lanes) add(numerics::load(values.data() + at));
  if (at < values.size()) {
    Lanes last = numerics::everywhere(less);
    for (std::size_t lane = 0; at < values.size(); ++at, ++lane) last[lane] = values[at];
    add(last);
  }
  numerics::Sum total;
  for (std::size_t lane = 0; lane < numerics::lanes; ++lane) total.add(sum[lane]);
  if (!std::isfinite(total.value())) return total.value();
  for (std::size_t lane = 0; lane < numerics::lanes; ++lane) total.add(lost[lane]);
  return total.value();
}

Centre centre_of(std::span<const double> values) {
  const double n = double(values.size()), mean = sum_less(values, 0, Degree::one) / n;
  const double left = sum_less(values, mean, Degree::one), squares = sum_less(values, mean, Degree::two) - left * left / n;
  return {mean, std::sqrt(std::fmax(squares, 0.0) / (n - 1))};
}

}  // namespace equipoise::stats

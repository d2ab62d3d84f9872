#include "equipoise/random/variates.h"

#include <cmath>

#include "equipoise/core/error.h"
#include "equipoise/numerics/distributions.h"

namespace equipoise::random {

double uniform(Stream& stream) {
  const std::uint64_t high = stream.word() >> 6, low = stream.word() >> 6;
  return (double((high << 26) | low) + 0.5) * 0x1p-52;
}

double uniform(std::uint64_t word) { return (double(word >> 12) + 0.5) * 0x1p-52; }

double normal(std::uint64_t word) { return numerics::normal_quantile(uniform(word)); }

double normal(Stream& stream) { return numerics::normal_quantile(uniform(stream)); }

double chi_square(Stream& stream, double df) {
  expects(df > 0, "chi-square has degrees of freedom above 0");
  // 2 gamma(df/2). Below shape 1: gamma(a) = gamma(a + 1) U^(1/a).
  const double shape = df / 2, d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal(stream), root = 1 + c * x;
    if (!(root > 0)) continue;
    const double v = root * root * root;
    if (!(std::log(uniform(stream)) < 0.5 * x * x + d - d * v + d * std::log(v))) continue;
    return 2 * d * v * (shape < 1 ? std::pow(uniform(stream), 1 / shape) : 1.0);
  }
}

}  // namespace equipoise::random

// Microseconds per Dunnett critical value, and its error against Gauss-Kronrod quadrature nested in itself.
#include <fmt/format.h>

#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <chrono>
#include <cmath>
#include <vector>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/dunnett.h"

namespace {

/// P(max |T| > t) for k comparisons with one correlation lambda^2.
double beyond(double t, int k, double df, double lambda) {
  using Rule = boost::math::quadrature::gauss_kronrod<double, 61>;
  const double sigma = std::sqrt(1 - lambda * lambda);
  const double log_c = std::log(2.0) + 0.5 * df * std::log(0.5 * df) - std::lgamma(0.5 * df);
  const auto given = [&](double s) {
    return Rule::integrate(
        [&](double y) {
          const double in = equipoise::numerics::normal_cdf((t * s - lambda * y) / sigma) -
                            equipoise::numerics::normal_cdf((-t * s - lambda * y) / sigma);
          return std::exp(-0.5 * y * y) * 0.39894228040143267794 * (1 - std::pow(in, k));
        },
        -9.0, 9.0, 8, 1e-13);
  };
  const double wide = 9 / std::sqrt(2 * df);
  return Rule::integrate([&](double x) { return std::exp(log_c + df * (x - 0.5 * std::exp(2 * x))) * given(std::exp(x)); }, -wide,
                         wide, 8, 1e-13);
}

}  // namespace

int main() {
  using equipoise::numerics::MaximumT;
  using Clock = std::chrono::steady_clock;
  const double lambda = std::sqrt(0.5), alpha = 0.05;
  for (auto const& [k, df] : {std::pair(2, 69.0), std::pair(4, 95.0)}) {
    const std::vector<double> loadings(std::size_t(k), lambda);
    double best = 1e300, value = 0;
    for (int run = 0; run < 50; ++run) {
      const Clock::time_point begin = Clock::now();
      for (int i = 0; i < 100; ++i)
        value = MaximumT::product(loadings, df, equipoise::numerics::Sides::both).critical_value(alpha);
      best = std::min(best, std::chrono::duration<double, std::micro>(Clock::now() - begin).count() / 100);
    }
    const double slope = (beyond(value + 1e-4, k, df, lambda) - beyond(value - 1e-4, k, df, lambda)) / 2e-4;
    fmt::print("dunnett_critical_value comparisons={} df={} value={:.10f} microseconds={:.2f} error={:.1e}\n", k, df, value, best,
               std::abs((beyond(value, k, df, lambda) - alpha) / slope));
  }
}

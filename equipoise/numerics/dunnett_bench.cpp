// Microseconds of Dunnett's two-sided critical value at 0.05, and its error against Gauss-Kronrod quadrature nested in itself; for
// bench/dunnett.py.
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
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
  struct Case {
    std::size_t groups, n;  // groups versus the control, participants in each
  };
  for (const Case c : {Case{2, 24}, Case{4, 20}}) {
    const double df = double(c.groups + 1) * double(c.n - 1);
    const std::vector<double> lambda(c.groups, std::sqrt(0.5));
    double value = 0;
    std::printf("{\"job\": \"dunnett\", \"groups\": %zu, \"n\": %zu, \"us\": [", c.groups, c.n);
    for (int run = 0; run < 101; ++run) {
      const auto started = std::chrono::steady_clock::now();
      value = MaximumT::product(lambda, df, equipoise::numerics::Sides::both).critical_value(0.05);
      const double us = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - started).count();
      std::printf("%s%.2f", run > 0 ? ", " : "", us);
    }
    const double slope = (beyond(value + 1e-4, int(c.groups), df, lambda[0]) - beyond(value - 1e-4, int(c.groups), df, lambda[0])) / 2e-4;
    const double error = std::abs((beyond(value, int(c.groups), df, lambda[0]) - 0.05) / slope);
    std::printf("], \"value\": %.10f, \"error\": %.1e}\n", value, error);
  }
  return 0;
}

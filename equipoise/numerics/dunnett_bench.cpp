// Microseconds of Dunnett's two-sided critical value at 0.05, for bench/dunnett.py.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <vector>

#include "equipoise/numerics/dunnett.h"

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
    std::printf("], \"value\": %.10f}\n", value);
  }
  return 0;
}

#include "equipoise/stats/newton.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/semidefinite.h"

namespace equipoise::stats {
namespace {

constexpr double rounding = 1e-14;        // pivot beside its diagonal; those that depend on others are already out
constexpr double close_enough = 1e-9;     // standard errors
constexpr double hardly_any = 1e-4;       // standard errors: the gradient of a coefficient on its way to infinity
constexpr double step_of_the_lost = 0.3;  // on the linear predictor; it tends to 1
constexpr double longest_step = 5;        // on the linear predictor
constexpr int most_iterations = 200, most_halvings = 40;

enum class Outcome { maximum, infinite, stuck };

struct Newton {
  Likelihood& likelihood;
  NewtonFit& fit;
  std::vector<std::uint8_t> excluded;
  std::size_t p;
  std::vector<double> gradient, step, next, next_gradient, next_information;
  numerics::SemidefiniteFactor factor;

  Newton(Likelihood& of, NewtonFit& into, std::vector<std::uint8_t> out)
      : likelihood(of),
        fit(into),
        excluded(std::move(out)),
        p(of.size()),
        gradient(p),
        step(p),
        next(p),
        next_gradient(p),
        next_information(p * p),
        factor(p) {}

  void evaluate() { fit.log_likelihood = likelihood.evaluate(fit.b, gradient, fit.information); }

  Outcome climb() {
    double last_decrement = 0;
    for (; fit.iterations < most_iterations; ++fit.iterations) {
      factor.factor(fit.information, rounding, excluded);
      factor.solve(gradient, step);
      double decrement = 0;
      for (std::size_t j = 0; j < p; ++j) decrement += gradient[j] * step[j];
      fit.distance = std::sqrt(std::max(decrement, 0.0));
      if (!std::isfinite(decrement) || !std::isfinite(fit.log_likelihood)) return Outcome::stuck;
      const double longest = likelihood.reach(step);
      // A regular maximum is approached quadratically; on the way to infinity the decrement falls by a constant factor, 1/e.
      if (fit.distance < hardly_any && longest > step_of_the_lost && decrement > 0.05 * last_decrement) return Outcome::infinite;
      if (fit.distance <= close_enough) return longest > step_of_the_lost ? Outcome::infinite : Outcome::maximum;
      last_decrement = decrement;

      double part = std::min(1.0, longest_step / longest);
      for (int halvings = 0;; part /= 2, ++halvings) {
        if (halvings > most_halvings) return fit.distance < 1e-6 ? Outcome::maximum : Outcome::stuck;
        for (std::size_t j = 0; j < p; ++j) next[j] = fit.b[j] + part * step[j];
        const double there = likelihood.evaluate(next, next_gradient, next_information);
        if (!std::isfinite(there) || there < fit.log_likelihood - 1e-13 * (1 + std::abs(fit.log_likelihood))) continue;
        fit.log_likelihood = there;
        break;
      }
      fit.b.swap(next);
      gradient.swap(next_gradient);
      fit.information.swap(next_information);
    }
    return Outcome::stuck;
  }
};

}  // namespace

NewtonFit climb(Likelihood& likelihood, std::vector<double> start, std::vector<std::uint8_t> aliased) {
  const std::size_t p = likelihood.size();
  NewtonFit fit{
      .status = std::vector<Climbed>(p, Climbed::estimated), .b = std::move(start), .information = std::vector<double>(p * p)};
  for (std::size_t j = 0; j < p; ++j)
    if (aliased[j]) fit.status[j] = Climbed::aliased;
  Newton newton(likelihood, fit, std::move(aliased));
  newton.evaluate();
  Outcome outcome = newton.climb();
  while (outcome == Outcome::infinite) {
    bool one_more = false;
    double largest = 0;
    const auto alone = [&](std::size_t j) {  // what the step of this coefficient does to the predictor
      std::vector<double> only(p, 0.0);
      only[j] = newton.step[j];
      return likelihood.reach(only);
    };
    std::vector<double> moves(p);
    for (std::size_t j = 0; j < p; ++j) largest = std::max(largest, moves[j] = alone(j));
    for (std::size_t j = 0; j < p; ++j) {
      // What a finite coefficient still moves is of the order of the gradient.
      if (moves[j] > 1e-2 * largest) {
        one_more = one_more || newton.excluded[j] == 0;
        newton.excluded[j] = 1, fit.status[j] = Climbed::infinite;
        fit.b[j] += 15 / largest * newton.step[j];  // e^-15 more takes what is left of the gradient below rounding
      }
    }
    newton.evaluate();
    outcome = one_more ? newton.climb() : Outcome::stuck;
  }
  fit.converged = outcome == Outcome::maximum;
  return fit;
}

}  // namespace equipoise::stats

#include "equipoise/stats/survival/cox_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/numerics/semidefinite.h"

namespace equipoise::stats {
namespace {

constexpr double collinear = 1e-11;    // pivot beside its diagonal, at 0: a few hundred rounding errors of the information's sums
constexpr double rounding = 1e-14;     // the same while fitting, where the collinear ones are already out
constexpr double close_enough = 1e-9;  // standard errors
constexpr double hardly_any = 1e-4;    // standard errors: the gradient of a coefficient on its way to infinity
constexpr double step_of_the_lost = 0.3;  // on the linear predictor; it tends to 1, half of it to each side of the mean
constexpr double longest_step = 10;       // on the linear predictor: a factor of e^10 between two hazards in one step is enough
constexpr double far_out = 100;           // linear predictor at which a continuous covariate is suspected
constexpr int most_iterations = 100, most_halvings = 40;

enum class Outcome { maximum, infinite, stuck };

/// Newton's method on the scaled coefficients. All storage is taken here: climbing allocates nothing.
struct Newton {
  explicit Newton(PartialLikelihood& of)
      : likelihood(of),
        p(of.size()),
        b(p),
        step(p),
        gradient(p),
        next_gradient(p),
        information(p * p),
        next_information(p * p),
        next_b(p),
        factor(p) {}

  double evaluate() { return log_likelihood = likelihood.evaluate(b, gradient, information); }

  /// Largest |linear predictor| at coefficients c; their bound serves where that says enough.
  double reach(std::span<const double> c, double enough) {
    const double bound = likelihood.predictor_bound(c);
    if (bound <= enough) return bound;
    eta.resize(likelihood.rows());
    likelihood.predict(c, eta);
    double largest = 0;
    for (const double predictor : eta) largest = std::max(largest, std::abs(predictor));
    return largest;
  }

  /// Climbs from `b` without the excluded coefficients. `infinite` leaves the endless direction in `step`.
  Outcome climb(std::span<const std::uint8_t> excluded) {
    double last_decrement = 0;
    for (; iterations < most_iterations; ++iterations) {
      factor.factor(information, rounding, excluded);
      factor.solve(gradient, step);
      double decrement = 0;
      for (std::size_t j = 0; j < p; ++j) decrement += gradient[j] * step[j];
      distance = std::sqrt(std::max(decrement, 0.0));
      if (std::isnan(decrement)) return Outcome::stuck;
      if (distance <= close_enough) return Outcome::maximum;

      const double longest = reach(step, distance < hardly_any ? step_of_the_lost : longest_step);
      // A regular maximum is approached quadratically; on the way to infinity the decrement falls by a constant factor, 1/e.
      if (distance < hardly_any && longest > step_of_the_lost && decrement > 0.05 * last_decrement) return Outcome::infinite;
      if (suspects) {
        const double furthest = reach(b, far_out);
        if (furthest > far_out && likelihood.is_ascent_without_end(eta, 1e-12 * furthest)) {
          step = b;
          return Outcome::infinite;
        }
      }
      last_decrement = decrement;

      double part = std::min(1.0, longest_step / longest);
      int halvings = 0;
      for (;; part /= 2, ++halvings) {
        if (halvings > most_halvings) return distance < 1e-6 ? Outcome::maximum : Outcome::stuck;
        for (std::size_t j = 0; j < p; ++j) next_b[j] = b[j] + part * step[j];
        const double next = likelihood.evaluate(next_b, next_gradient, next_information);
        if (!(next >= log_likelihood - 1e-12 * (1 + std::abs(log_likelihood))) || !std::isfinite(next)) continue;
        log_likelihood = next;
        break;
      }
      b.swap(next_b);
      gradient.swap(next_gradient);
      information.swap(next_information);
    }
    return Outcome::stuck;
  }

  /// Goes on along `step`, an ascent without end, twice as far each time, until the likelihood gains no more than rounding: what
  /// the other coefficients then are is what they are in the limit. False when the likelihood overflows before.
  bool go_to_the_end(double part) {
    std::vector<double> here = b;
    double gain = std::numeric_limits<double>::infinity();
    evaluate();
    for (int doubling = 0; doubling < 60; ++doubling, part *= 2) {
      const double before = log_likelihood;
      for (std::size_t j = 0; j < p; ++j) b[j] = here[j] + part * step[j];
      const double next = evaluate();
      if (!std::isfinite(next) || next < before - 1e-10 * (1 + std::abs(before))) {
        b = here;
        evaluate();
        return gain <= 1e-9;
      }
      gain = next - before;
      here = b;
      if (gain <= 1e-13 * (1 + std::abs(next))) return true;
    }
    return false;
  }

  /// The coefficients that the likelihood at `b` says nothing about, alone or together: in the limit of another one, those who
  /// would tell them apart have no weight left. So many are excluded that the rest are determined.
  std::vector<std::size_t> exclude_undetermined(std::span<std::uint8_t> excluded) {
    std::vector<std::size_t> found;
    for (std::size_t j = 0; j < p; ++j)
      if (!excluded[j] && information[j * p + j] <= 1e-10 * at_zero[j]) excluded[j] = 1, found.push_back(j);
    factor.factor(information, collinear, excluded);
    std::vector<double> column(p), shares(p);
    for (std::size_t k = 0; k < p; ++k) {
      if (excluded[k] || factor.used(k)) continue;
      excluded[k] = 1, found.push_back(k);
      for (std::size_t j = 0; j < p; ++j) column[j] = information[j * p + k];
      factor.solve(column, shares);
      for (std::size_t j = 0; j < p; ++j)
        if (factor.used(j) && std::abs(shares[j]) > 1e-6)
          found.push_back(j);  // scaled coefficients: shares are of the order of 1
    }
    return found;
  }

  PartialLikelihood& likelihood;
  std::size_t p;
  std::vector<double> b, step, gradient, next_gradient, information, next_information;
  std::vector<double> next_b;   ///< tried
  std::vector<double> eta;      ///< linear predictors, where they are looked at
  std::vector<double> at_zero;  ///< information of each coefficient when all are 0
  numerics::SemidefiniteFactor factor;
  double log_likelihood = 0;
  double distance = 0;  ///< to the maximum, in standard errors
  int iterations = 0;
  bool suspects = true;  ///< whether a far predictor is taken for an endless one
};

}  // namespace

CoxFit fit_cox(PartialLikelihood& likelihood, std::size_t data_rows, std::span<const std::int32_t> cluster,
               std::size_t clusters) {
  const std::size_t p = likelihood.size();
  const std::span<const double> scale = likelihood.scale();
  CoxFit fit{.status = std::vector<Coefficient>(p, Coefficient::estimated),
             .beta = std::vector<double>(p, missing_number),
             .variance = std::vector<double>(p * p, missing_number)};

  Newton newton(likelihood);
  fit.log_likelihood_null = fit.log_likelihood = newton.evaluate();
  for (std::size_t j = 0; j < p; ++j) newton.at_zero.push_back(newton.information[j * p + j]);
  newton.factor.factor(newton.information, collinear);
  fit.rank = newton.factor.rank();
  fit.score = fit.rank > 0 ? newton.factor.quadratic_form(newton.gradient) : missing_number;
  std::vector<std::uint8_t> excluded(p, 0);
  for (std::size_t j = 0; j < p; ++j)
    if (!newton.factor.used(j)) excluded[j] = 1, fit.status[j] = Coefficient::aliased;

  Outcome outcome = fit.rank > 0 ? newton.climb(excluded) : Outcome::maximum;
  while (outcome == Outcome::infinite) {
    double largest = 0;
    std::size_t furthest = p;  // of those still free
    for (std::size_t j = 0; j < p; ++j) {
      if (std::abs(newton.step[j]) > largest) {
        largest = std::abs(newton.step[j]);
        furthest = excluded[j] ? p : j;
      }
    }
    for (std::size_t j = 0; j < p; ++j) {
      // What a finite coefficient still moves is of the order of the gradient.
      if (std::abs(newton.step[j]) > 1e-2 * largest) fit.status[j] = Coefficient::infinite;
      else newton.step[j] = 0;
    }
    newton.suspects = false;  // the predictor is far out now, whatever the others do
    fit.limit_reached = newton.go_to_the_end(newton.reach(newton.step, 0) > far_out ? 0.25 : 15.0);
    // One of them stays where it is. The others go on: two that tend to infinity together may still have a finite difference, and
    // it is estimated like any coefficient.
    if (furthest < p) excluded[furthest] = 1;
    for (const std::size_t j : newton.exclude_undetermined(excluded)) fit.status[j] = Coefficient::aliased;
    outcome = furthest < p ? newton.climb(excluded) : Outcome::stuck;
  }
  fit.converged = outcome == Outcome::maximum;
  fit.iterations = newton.iterations;
  fit.gradient_norm = newton.distance;
  fit.log_likelihood = newton.log_likelihood;
  fit.predictor = likelihood.by_row(newton.b, data_rows);

  newton.factor.factor(newton.information, rounding, excluded);
  std::vector<double> inverse(p * p);
  newton.factor.inverse(inverse);
  // The climb ends within 1e-9 standard errors with the next step at hand: taken without another look at the data, it leaves the
  // square of that.
  if (fit.converged && fit.rank > 0) {
    newton.factor.solve(newton.gradient, newton.step);
    for (std::size_t j = 0; j < p; ++j)
      if (fit.estimated(j)) newton.b[j] += newton.step[j];
  }
  for (std::size_t j = 0; j < p; ++j) {
    if (!fit.estimated(j)) continue;
    fit.beta[j] = newton.b[j] / scale[j];
    for (std::size_t k = 0; k < p; ++k)
      if (fit.estimated(k)) fit.variance[j * p + k] = inverse[j * p + k] / (scale[j] * scale[k]);
  }

  std::vector<double> wald_variance = inverse;  // on the scaled coefficients, zeros where not estimated
  if (clusters > 0) {
    const std::vector<double> residuals = likelihood.score_residuals(newton.b, cluster, clusters);
    std::fill(wald_variance.begin(), wald_variance.end(), 0.0);
    std::vector<double> influence(p);  // change of the coefficients when the cluster is left out
    for (std::size_t c = 0; c < clusters; ++c) {
      newton.factor.solve(std::span(residuals).subspan(c * p, p), influence);
      for (std::size_t j = 0; j < p; ++j)
        for (std::size_t k = 0; k < p; ++k) wald_variance[j * p + k] += influence[j] * influence[k];
    }
    fit.robust.assign(p * p, missing_number);
    for (std::size_t j = 0; j < p; ++j)
      for (std::size_t k = 0; k < p; ++k)
        if (fit.estimated(j) && fit.estimated(k)) fit.robust[j * p + k] = wald_variance[j * p + k] / (scale[j] * scale[k]);
  }

  const bool all_finite = fit.converged && fit.rank > 0 && std::none_of(fit.status.begin(), fit.status.end(), [](Coefficient c) {
                            return c == Coefficient::infinite;
                          });
  numerics::SemidefiniteFactor variance(p);
  variance.factor(wald_variance, rounding, excluded);
  std::vector<double> b = newton.b;
  fit.wald = all_finite && variance.rank() == fit.rank ? variance.quadratic_form(b) : missing_number;
  return fit;
}

}  // namespace equipoise::stats

#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace equipoise::stats {

/// A log likelihood to be climbed, of p coefficients.
class Likelihood {
 public:
  virtual ~Likelihood() = default;
  virtual std::size_t size() const = 0;
  /// Log likelihood at b, its gradient (p) and a positive semidefinite p x p matrix, row by row, that near the maximum is minus
  /// its Hessian. Not finite where b is out of range.
  virtual double evaluate(std::span<const double> b, std::span<double> gradient, std::span<double> information) = 0;
  /// The largest difference that adding `step` to the coefficients makes to a row's linear predictor.
  virtual double reach(std::span<const double> step) const = 0;
};

/// What the data say about one coefficient of a climb.
enum class Climbed : std::uint8_t {
  estimated,
  aliased,  ///< constant, or a combination of earlier ones
  infinite  ///< the likelihood grows for ever as it goes to plus or minus infinity
};

struct NewtonFit {
  std::vector<Climbed> status;
  std::vector<double> b;
  std::vector<double> information;  ///< p x p at b
  double log_likelihood = 0;
  // Convergence report.
  bool converged = false;
  int iterations = 0;
  double distance = 0;  ///< sqrt(g' I^-1 g): to the maximum in standard errors, before the last step
};

/// Newton's method from `start` with step halving, until the gradient is 1e-9 standard errors. `aliased` names coefficients left
/// out from the beginning (at their start). A coefficient without finite estimate shows itself in that the step stays about 1 on
/// the linear predictor while the gradient vanishes; it is then held far out, where the likelihood is at its limit, and the
/// others are climbed there.
///
/// source   Therneau & Grambsch (2000), Modeling Survival Data, 3.1; infinite estimates: Heinze & Schemper (2001), Biometrics 57
/// checked  the tests of fine_gray and grouped_hazard
NewtonFit climb(Likelihood& likelihood, std::vector<double> start, std::vector<std::uint8_t> aliased);

}  // namespace equipoise::stats

#include "equipoise/stats/repeated/mmrm_fit.h"

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <numbers>

#include "equipoise/numerics/cholesky.h"

namespace equipoise::stats {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double wanted = 1e-10;       ///< scaled gradient at which the climb stops
constexpr double near_optimum = 1e-8;  ///< and at which the Hessian is that of the optimum, to the digits of degrees of freedom
constexpr double good_enough = 1e-8;   ///< and, where rounding ends it earlier, above which it has not converged
constexpr int most_iterations = 100;
constexpr double keep_hessian = 0.1;  ///< scaled gradient below which a Hessian is kept while it serves
constexpr double near_enough = 0.5;   ///< scaled gradient below which a step that lowers it little says that the Hessian is wrong
constexpr int patience = 8;           ///< iterations near the optimum without a gradient half as large
constexpr double far_origin = 1e3;    ///< sums of squares beside the number of values from which the origin is moved
constexpr int most_centrings = 3;
constexpr int most_rounds = 60;     ///< of conjugate gradients; it takes about 3
constexpr double rounded = 1e-13;   ///< share of their sum that is left when they end
constexpr double vanished = 1e-20;  ///< share of its first variance below which that of a visit tends to 0
constexpr double singular = 1e-11;  ///< smallest pivot of the correlations of a covariance that is called positive definite

/// Parameters to Sigma and back through derivatives, for all blocks of a structure.
class Parameters {
 public:
  Parameters(Covariance const& covariance, std::size_t blocks)
      : covariance_(covariance),
        blocks_(blocks),
        each_(covariance.unstructured() ? packed_size(covariance.visits()) : covariance.size()),
        elements_(packed_size(covariance.visits())) {}

  std::size_t size() const { return blocks_ * each_; }
  bool natural() const { return covariance_.unstructured(); }

  void sigma(VectorXd const& theta, std::vector<double>& out) const {
    out.resize(blocks_ * elements_);
    for (std::size_t block = 0; block < blocks_; ++block) {
      const std::span<const double> own(theta.data() + block * each_, each_);
      const std::span<double> to(out.data() + block * elements_, elements_);
      if (natural()) std::copy(own.begin(), own.end(), to.begin());
      else covariance_.sigma(own, to);
    }
  }

  MatrixXd jacobian(VectorXd const& theta) const {
    MatrixXd out = MatrixXd::Zero(Index(blocks_ * elements_), Index(size()));
    std::vector<double> one(elements_ * each_);
    for (std::size_t block = 0; block < blocks_; ++block) {
      covariance_.jacobian({theta.data() + block * each_, each_}, one);
      out.block(Index(block * elements_), Index(block * each_), Index(elements_), Index(each_)) =
          Eigen::Map<const MatrixXd>(one.data(), Index(elements_), Index(each_));
    }
    return out;
  }

  void add_curvature(VectorXd const& theta, std::span<const double> gradient, MatrixXd& out) const {
    std::vector<double> one(each_ * each_);
    for (std::size_t block = 0; block < blocks_; ++block) {
      std::fill(one.begin(), one.end(), 0.0);
      covariance_.curvature({theta.data() + block * each_, each_}, gradient.subspan(block * elements_, elements_), one);
      out.block(Index(block * each_), Index(block * each_), Index(each_), Index(each_)) +=
          Eigen::Map<const MatrixXd>(one.data(), Index(each_), Index(each_));
    }
  }

 private:
  Covariance const& covariance_;
  std::size_t blocks_, each_, elements_;
};

/// Moments of the residuals, made positive definite.
std::vector<double> moment_start(VisitData const& data, VisitLikelihood const& likelihood) {
  const std::size_t m = data.m(), elements = packed_size(m);
  std::vector<double> means(likelihood.elements()), counts(likelihood.elements());
  likelihood.moments(means, counts);
  for (std::size_t block = 0; block < data.blocks.size(); ++block) {
    const std::span<double> own(means.data() + block * elements, elements);
    double total = 0, visits = 0;
    for (std::size_t j = 0; j < m; ++j)
      if (own[packed(j, j)] > 0) {
        total += own[packed(j, j)];
        visits += 1;
      }
    for (std::size_t j = 0; j < m; ++j)
      if (!(own[packed(j, j)] > 1e-6 * (visits > 0 ? total / visits : 1.0)))
        own[packed(j, j)] = visits > 0 ? total / visits : 1.0;
    for (int shrink = 0; shrink < 200 && smallest_pivot(own, m) < 0.02; ++shrink)
      for (std::size_t j = 1; j < m; ++j)
        for (std::size_t k = 0; k < j; ++k) own[packed(j, k)] *= 0.9;
  }
  return means;
}

/// Why a parameter is not determined: nobody has the visits that it is about. Empty when each has somebody.
std::string not_seen(VisitData const& data, VisitLikelihood const& likelihood, Parameters const& parameters,
                     VectorXd const& theta) {
  const std::size_t elements = packed_size(data.m());
  std::vector<double> means(likelihood.elements()), counts(likelihood.elements());
  likelihood.moments(means, counts);
  const MatrixXd moves = parameters.natural() ? MatrixXd() : parameters.jacobian(theta);
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    std::size_t about = counts.size();  // an element that the parameter moves
    bool seen = false;
    for (std::size_t s = 0; s < counts.size() && !seen; ++s) {
      if (parameters.natural() ? s != k : moves(Index(s), Index(k)) == 0) continue;
      seen = counts[s] > 0;
      about = s;
    }
    if (seen || about == counts.size()) continue;
    std::size_t j = 0;
    while (packed(j, j) < about % elements) ++j;
    const std::size_t other = about % elements - packed(j, 0);
    std::string reason = j == other ? "nobody was seen at visit '" + data.visits[j] + "'"
                                    : "nobody was seen at both '" + data.visits[other] + "' and '" + data.visits[j] +
                                          "', so their covariance is not determined";
    if (data.blocks.size() > 1) reason += " in '" + data.blocks[about / elements] + "'";
    return reason;
  }
  return {};
}

class Climb {
 public:
  Climb(VisitLikelihood& likelihood, Parameters const& parameters, FitAttempt& attempt)
      : likelihood_(likelihood),
        parameters_(parameters),
        attempt_(attempt),
        size_(Index(parameters.size())),
        elements_(Index(likelihood.elements())),
        by_element_(elements_, elements_),
        hessian_(size_, size_),
        factor_(parameters.size()),
        moves_(size_, most_learnt),
        changes_(size_, most_learnt) {}

  /// `near_start`: theta is that of a fit of nearly the same data.
  /// `metric`: the factor of that fit's Hessian. The likelihood of nearly the same data has nearly that Hessian, and what it
  /// lacks the moves tell: it serves until it does not.
  bool run(VectorXd& theta, Finish finish, bool near_start, std::span<const double> metric = {}) {
    bool borrowed = metric.size() == std::size_t(size_ * size_);
    if (borrowed) {
      metric_ = Eigen::Map<const MatrixXd>(metric.data(), size_, size_);
      definite_ = true;
    }
    parameters_.sigma(theta, sigma_);
    if (!likelihood_.evaluate(sigma_)) return stop("no start was found at which the likelihood can be computed");
    const std::vector<double> first = sigma_;
    double value = likelihood_.value();
    VectorXd candidate(size_);
    VisitLikelihood::Curvature curvature = VisitLikelihood::Curvature::near;
    int centrings = 0;
    int slow = 0;  // steps in a row that hardly lowered the gradient
    VectorXd best_theta = theta;
    double best = std::numeric_limits<double>::infinity();
    int best_at = 0;
    for (attempt_.iterations = 0; attempt_.iterations < most_iterations; ++attempt_.iterations) {
      // Near the optimum what the near Hessian lacks slows the steps more than its age: the one at hand serves until it does not.
      const bool kept = borrowed || (curvature == VisitLikelihood::Curvature::near && definite_ && attempt_.iterations > 0 &&
                                     attempt_.scaled_gradient < keep_hessian);
      if (kept) take_gradient(theta);
      if (!kept || scaled_gradient() > (borrowed ? 0.5 : 0.1) * attempt_.scaled_gradient) {
        borrowed = false;
        // From afar the expected Hessian: for complete data its step ends at the optimum from wherever it starts.
        derive(theta, attempt_.iterations == 0 && !near_start ? VisitLikelihood::Curvature::expected : curvature);
      }
      // The missing term of the near Hessian weighs like coefficients beside observations: where they are many, steps fall short
      // or overshoot, and the full Hessian pays.
      if (curvature == VisitLikelihood::Curvature::near) {
        const double gradient = scaled_gradient();
        slow = attempt_.scaled_gradient < near_enough && gradient > 0.25 * attempt_.scaled_gradient ? slow + 1 : 0;
        if (slow >= (gradient < 1e-4 ? 1 : 2)) {
          curvature = VisitLikelihood::Curvature::exact;
          derive(theta, curvature);
        }
      }
      if (!gradient_.allFinite()) return stop("the likelihood cannot be computed any further");
      attempt_.scaled_gradient = scaled_gradient();
      if (centrings < most_centrings && attempt_.scaled_gradient < 0.1 &&
          likelihood_.rounding() > far_origin * std::numeric_limits<double>::epsilon() * double(likelihood_.observations())) {
        ++centrings;
        likelihood_.recentre();
        if (!likelihood_.evaluate(sigma_)) return stop("the likelihood cannot be computed any further");
        value = likelihood_.value();
        best = std::numeric_limits<double>::infinity();
        derive(theta, curvature);
        attempt_.scaled_gradient = scaled_gradient();
      }
      if (flat_) attempt_.scaled_gradient = std::fmax(attempt_.scaled_gradient, 1.0);  // a length in no unit
      if (finish != Finish::estimates && attempt_.scaled_gradient <= near_optimum) return end_exactly(theta);
      if (attempt_.scaled_gradient <= wanted) return true;
      if (attempt_.scaled_gradient < 0.5 * best) {
        best = attempt_.scaled_gradient;
        best_theta = theta;
        best_at = attempt_.iterations;
      } else if (best < 1e-3 && attempt_.iterations - best_at >= patience) {  // rounding is all that is left
        theta = best_theta;
        parameters_.sigma(theta, sigma_);
        likelihood_.evaluate(sigma_);
        attempt_.scaled_gradient = best;
        if (best <= good_enough) return true;
        return stop("rounding hides the optimum: visits that are nearly the same, or values that differ too much in size");
      }
      // near the optimum the differences in value are rounding, and the gradient alone tells
      const bool near = attempt_.scaled_gradient < 1e-4;
      const double lost = 16 * likelihood_.rounding();
      double length = 1;
      bool moved = false;
      for (int halving = 0; halving < 50; ++halving, length *= 0.5) {
        candidate = theta + length * step_;
        parameters_.sigma(candidate, sigma_);
        if (!likelihood_.evaluate(sigma_)) continue;
        const double next = likelihood_.value();
        const double fall = 1e-4 * length * attempt_.scaled_gradient * attempt_.scaled_gradient;
        if (near ? next <= value + 1e-9 * (1 + std::abs(value)) + lost : next <= value - fall + lost) {
          moved = true;
          value = next;
          break;
        }
      }
      if (!moved) {
        parameters_.sigma(theta, sigma_);
        likelihood_.evaluate(sigma_);
        if (attempt_.scaled_gradient <= good_enough) return finish == Finish::estimates || end_exactly(theta);
        return stop_short("no step increases the likelihood");
      }
      theta = candidate;
      // few values at a visit that the means fit exactly: the likelihood has no bound
      if (!(least_variance(first) > vanished)) return stop("the variance at a visit tends to 0: the data do not determine it");
      if (least_pivot() < singular) return stop("the estimated covariance becomes singular: the data do not determine it");
    }
    if (attempt_.scaled_gradient <= good_enough) return finish == Finish::estimates || end_exactly(theta);
    return stop_short("the iterations did not reach the optimum");
  }

  /// Newton steps with the exact Hessian of this point, which is so near the optimum that it is that of the optimum.
  bool end_exactly(VectorXd& theta) {
    if (!derive(theta, VisitLikelihood::Curvature::exact, false))
      return stop("the likelihood is flat or has a saddle at the point reached: the covariance is not determined");
    double last = std::numeric_limits<double>::infinity();
    VectorXd best = theta;
    for (int step = 0; step < 8; ++step) {
      const double now = scaled_gradient();
      attempt_.scaled_gradient = now;
      if (!(now < last)) {  // rounding: the point before was as good
        theta = best;
        parameters_.sigma(theta, sigma_);
        if (!likelihood_.evaluate(sigma_)) return stop("the likelihood cannot be computed any further");
        attempt_.scaled_gradient = last;
        break;
      }
      last = now;
      best = theta;
      if (now <= wanted) break;
      theta += step_;
      parameters_.sigma(theta, sigma_);
      if (!likelihood_.evaluate(sigma_)) return stop("the likelihood cannot be computed any further");
      take_gradient(theta);
      ++attempt_.iterations;
    }
    if (attempt_.scaled_gradient <= good_enough) return true;
    return stop_short("the iterations did not reach the optimum");
  }

  /// Gradient at theta and the step of the Hessian at hand, as corrected by what the moves since it was made tell.
  void take_gradient(VectorXd const& theta) {
    const std::span<const double> by_element = likelihood_.gradient();
    const Eigen::Map<const VectorXd> gradient(by_element.data(), elements_);
    if (parameters_.natural()) gradient_ = gradient;
    else gradient_.noalias() = parameters_.jacobian(theta).transpose() * gradient;
    learn(theta);
    step_ = -along_learnt(gradient_);
  }

  /// What the last move told of the Hessian: its change of gradient. A Hessian that lacks a term errs in a few directions, which
  /// as many moves tell.
  void learn(VectorXd const& theta) {
    if (at_.size() == 0) {
      at_ = theta;
      gradient_at_ = gradient_;
      return;
    }
    const bool full = learnt_ == most_learnt;
    if (full) {
      for (Index k = 0; k + 1 < most_learnt; ++k) {
        moves_.col(k) = moves_.col(k + 1);
        changes_.col(k) = changes_.col(k + 1);
      }
      --learnt_;
    }
    moves_.col(learnt_) = theta - at_;
    changes_.col(learnt_) = gradient_ - gradient_at_;
    const double product = moves_.col(learnt_).dot(changes_.col(learnt_));
    if (product > 1e-8 * moves_.col(learnt_).norm() * changes_.col(learnt_).norm()) ++learnt_;
    at_ = theta;
    gradient_at_ = gradient_;
  }

  /// H^-1 g with what was learnt since H was made: Broyden, Fletcher, Goldfarb and Shanno's update.
  /// source   Nocedal & Wright (2006), Numerical Optimization, 2nd ed., algorithm 7.4
  VectorXd const& along_learnt(VectorXd const& g) {
    solved_ = g;
    double share[most_learnt];
    for (Index k = learnt_; k-- > 0;) {
      share[k] = moves_.col(k).dot(solved_) / moves_.col(k).dot(changes_.col(k));
      solved_ -= share[k] * changes_.col(k);
    }
    if (metric_.size() > 0) {
      metric_.triangularView<Eigen::Lower>().solveInPlace(solved_);
      metric_.triangularView<Eigen::Lower>().adjoint().solveInPlace(solved_);
    } else {
      factor_.solve({solved_.data(), std::size_t(size_)});
    }
    for (Index k = 0; k < learnt_; ++k) {
      const double back = changes_.col(k).dot(solved_) / moves_.col(k).dot(changes_.col(k));
      solved_ += (share[k] - back) * moves_.col(k);
    }
    return solved_;
  }

  /// Gradient, Hessian and Newton step at theta, where the likelihood was evaluated last.
  /// `lift`: where the Hessian is not positive definite, the step is that of the expected one.
  bool derive(VectorXd const& theta, VisitLikelihood::Curvature curvature, bool lift = true) {
    metric_.resize(0, 0);
    const std::span<const double> by_element = likelihood_.gradient();
    const Eigen::Map<const VectorXd> gradient(by_element.data(), elements_);
    likelihood_.hessian(curvature, {by_element_.data(), std::size_t(elements_ * elements_)});
    if (parameters_.natural()) {
      gradient_ = gradient;
      hessian_.swap(by_element_);
    } else {
      jacobian_ = parameters_.jacobian(theta);
      gradient_ = jacobian_.transpose() * gradient;
      hessian_ = jacobian_.transpose() * by_element_.selfadjointView<Eigen::Lower>() * jacobian_;
      parameters_.add_curvature(theta, by_element, hessian_);
    }
    definite_ = factor(hessian_);
    flat_ = false;
    if (!definite_ && lift) {
      likelihood_.hessian(VisitLikelihood::Curvature::expected, {by_element_.data(), std::size_t(elements_ * elements_)});
      hessian_ = parameters_.natural() ? by_element_ : MatrixXd(jacobian_.transpose() * by_element_ * jacobian_);
      for (double ridge = 0;; ridge = ridge == 0 ? 1e-10 : ridge * 100) {
        MatrixXd lifted = hessian_;
        lifted.diagonal() *= 1 + ridge;
        const bool lifted_enough = factor(lifted);
        flat_ = ridge > 0;
        if (lifted_enough || !(ridge < 1e6)) break;
      }
    }
    step_ = -gradient_;
    factor_.solve({step_.data(), std::size_t(size_)});
    learnt_ = 0;
    at_ = theta;
    gradient_at_ = gradient_;
    return definite_;
  }

  MatrixXd const& hessian() const { return hessian_; }
  MatrixXd const& jacobian() const { return jacobian_; }
  bool has_factor() const { return metric_.size() == 0; }
  numerics::Cholesky& factor() { return factor_; }
  std::size_t visits_ = 0;

 private:
  std::size_t visits() const { return visits_; }
  std::size_t elements_each() const { return packed_size(visits_); }
  bool factor(MatrixXd const& of) { return factor_.factor({of.data(), std::size_t(of.size())}); }
  double scaled_gradient() const { return std::sqrt(std::fmax(-gradient_.dot(step_), 0.0)); }
  bool stop(std::string reason) {
    attempt_.reason = std::move(reason);
    return false;
  }
  /// Stops where the reason may lie deeper: in a likelihood that is highest at a singular covariance.
  bool stop_short(std::string reason) {
    if (least_pivot() < 0.02) reason = "the iterations tend to a singular covariance: the data do not determine it";
    return stop(std::move(reason));
  }
  /// The least variance of a visit, as a share of the first.
  double least_variance(std::vector<double> const& first) const {
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t at = 0; at < sigma_.size(); at += elements_each())
      for (std::size_t j = 0; j < visits(); ++j) least = std::fmin(least, sigma_[at + packed(j, j)] / first[at + packed(j, j)]);
    return least;
  }
  double least_pivot() const {
    double least = 1;
    for (std::size_t at = 0; at < sigma_.size(); at += elements_each())
      least = std::fmin(least, smallest_pivot(std::span(sigma_).subspan(at, elements_each()), visits()));
    return least;
  }

  VisitLikelihood& likelihood_;
  Parameters const& parameters_;
  FitAttempt& attempt_;
  Index size_, elements_;
  std::vector<double> sigma_;
  MatrixXd by_element_, hessian_, jacobian_;
  MatrixXd metric_;  // the factor of another fit's Hessian, until an own one is made
  VectorXd gradient_, step_;
  numerics::Cholesky factor_;
  static constexpr Index most_learnt = 8;
  Index learnt_ = 0;                    // moves since the Hessian was made
  MatrixXd moves_, changes_;            // a column each: of theta, of the gradient
  VectorXd at_, gradient_at_, solved_;  // of the last gradient
  bool definite_ = false;
  bool flat_ = false;  // even the expected Hessian is singular but for rounding, and was lifted
};

/// log |det C| of a p x p matrix, row by row.
/// `nested`: a row has its diagonal and columns of more factors, so their product is that of the diagonal.
double log_determinant(std::vector<double> const& c, std::size_t p, bool nested) {
  if (nested) {
    double sum = 0;
    for (std::size_t k = 0; k < p; ++k) sum += std::log(std::abs(c[k * p + k]));
    return sum;
  }
  const Eigen::PartialPivLU<MatrixXd> lu(Eigen::Map<const MatrixXd>(c.data(), Index(p), Index(p)));
  double sum = 0;
  for (Index k = 0; k < Index(p); ++k) sum += std::log(std::abs(lu.matrixLU()(k, k)));
  return sum;
}

}  // namespace

std::optional<MmrmFit> fit_structure(VisitData const& data, VisitLikelihood& likelihood, Covariance const& covariance,
                                     Estimation estimation, FitAttempt& attempt, std::vector<double> const* start, Finish finish,
                                     std::span<const double> metric) {
  const std::size_t m = data.m(), elements = packed_size(m), blocks = data.blocks.size();
  attempt = {.structure = covariance.structure().title()};
  const std::vector<double> from = start ? *start : moment_start(data, likelihood);
  const Parameters parameters(covariance, blocks);
  VectorXd theta(Index(parameters.size()));
  const std::size_t each = parameters.size() / blocks;
  for (std::size_t block = 0; block < blocks; ++block) {
    const std::span<const double> own(from.data() + block * elements, elements);
    if (parameters.natural()) {
      std::copy(own.begin(), own.end(), theta.data() + block * each);
    } else {
      const std::vector<double> near = covariance.near(own);
      std::copy(near.begin(), near.end(), theta.data() + block * each);
    }
  }
  if (!start) attempt.reason = not_seen(data, likelihood, parameters, theta);
  if (!attempt.reason.empty()) return {};
  Climb climb(likelihood, parameters, attempt);
  climb.visits_ = m;
  if (!climb.run(theta, finish, start != nullptr, metric)) return {};
  attempt.converged = true;

  MmrmFit fit{.covariance = covariance,
              .theta = {theta.data(), theta.data() + theta.size()},
              .sigma = {},
              .b = {},
              .phi = {},
              .report = {}};
  parameters.sigma(theta, fit.sigma);
  const std::size_t p = data.p();
  fit.b.assign(likelihood.b().begin(), likelihood.b().end());
  for (std::size_t c = 0; c < p; ++c) fit.b[c] += data.first_fit[c];
  fit.phi.assign(likelihood.phi().begin(), likelihood.phi().end());
  fit.parameters = parameters.size();
  const double n = double(likelihood.observations()), unit = 2 * std::log(data.unit);
  const bool restricted = estimation == Estimation::reml;
  fit.neg2_log_likelihood = likelihood.value() + (n - (restricted ? double(p) : 0.0)) * (std::log(2 * std::numbers::pi) + unit) -
                            data.log_weights -
                            (restricted ? 2 * log_determinant(data.to_given, p, data.null_space.empty()) : 0.0);
  if (finish == Finish::curvature) {
    const Index size = theta.size();
    const VectorXd scale = climb.hessian().diagonal().cwiseSqrt().cwiseInverse();
    attempt.condition = Eigen::LLT<MatrixXd>(scale.asDiagonal() * climb.hessian() * scale.asDiagonal()).rcond();
    fit.a.resize(std::size_t(size * size));
    for (Index k = 0; k < size; ++k) {
      fit.a[std::size_t(k * size + k)] = 2;
      climb.factor().solve({fit.a.data() + k * size, std::size_t(size)});
    }
    if (!parameters.natural()) fit.jacobian.assign(climb.jacobian().data(), climb.jacobian().data() + climb.jacobian().size());
  }
  if (climb.has_factor()) {
    fit.near_factor = climb.factor().lower();
  } else {
    fit.near_factor.assign(metric.begin(), metric.end());
  }
  fit.report = attempt;
  return fit;
}

double error_along(MmrmFit const& fit, VisitLikelihood& likelihood, Estimation estimation, std::span<const double> g) {
  const Index size = Index(g.size());
  expects(fit.covariance.unstructured() && fit.near_factor.size() == g.size() * g.size(), "the fit finished with estimates");
  const Eigen::Map<const MatrixXd> root(fit.near_factor.data(), size, size);
  const auto precondition = [&](VectorXd const& r, VectorXd& z) {
    z = root.triangularView<Eigen::Lower>().solve(r);
    root.triangularView<Eigen::Lower>().adjoint().solveInPlace(z);
  };
  const bool restricted = estimation == Estimation::reml;
  MatrixXd bare(size, size);
  likelihood.hessian(VisitLikelihood::Curvature::bare, {bare.data(), std::size_t(size * size)});
  VectorXd residual = Eigen::Map<const VectorXd>(g.data(), size), step(size), z(size), image(size), traces(size);
  precondition(residual, z);
  step = z;
  double left = residual.dot(z), sum = 0;  // sum: g'x of x so far, H x = g
  for (int round = 0; round < most_rounds && left > 0; ++round) {
    image.noalias() = bare * step;
    if (restricted) {
      likelihood.traces({step.data(), std::size_t(size)}, {traces.data(), std::size_t(size)});
      image -= traces;
    }
    const double curvature = step.dot(image);
    if (!(curvature > 0)) return missing_number;
    const double along = left / curvature;
    sum += along * left;
    residual -= along * image;
    precondition(residual, z);
    const double next = residual.dot(z);
    if (next <= rounded * sum) return 2 * sum;
    step = z + next / left * step;
    left = next;
  }
  return left > 0 ? missing_number : 2 * sum;
}

ParameterCovariance parameter_covariance(MmrmFit const& fit) {
  expects(!fit.a.empty(), "the fit finished with curvature");
  return {fit.a, fit.jacobian};
}

}  // namespace equipoise::stats

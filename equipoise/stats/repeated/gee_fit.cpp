#include "equipoise/stats/repeated/gee_fit.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/core/error.h"
#include "equipoise/numerics/sum.h"
#include "equipoise/stats/linear/linear_fit.h"
#include "equipoise/stats/newton.h"

namespace equipoise::stats {
namespace {

constexpr double settled = 1e-10;     ///< standard errors: the step that ends the iteration
constexpr double near_enough = 1e-8;  ///< the same, when rounding lets it come no closer
constexpr double longest_step = 5;    ///< on the linear predictor: a scoring step is no guide so far away
constexpr int most_iterations = 500;
constexpr int plain_iterations = 20;        ///< before acceleration
constexpr double nearby = 1e-2;             ///< standard errors, within which steps that shrink lead to the solution
constexpr double shortest_part = 1.0 / 64;  ///< of a step, where whole ones go to and fro
constexpr double exact_fit = 1e-14;         ///< of the size of the response, times sqrt n: a residual that is rounding
constexpr std::size_t most_pairs_checked = 20'000'000;  ///< against the limits of a correlation of yes/no responses

/// mu and the square root of its variance at a linear predictor, and the Pearson residual of y.
struct Moment {
  double mean, root_variance, residual;
};
Moment moment(Family family, double eta, double y) {
  if (family == Family::gaussian) return {eta, 1, y - eta};
  if (family == Family::poisson) {
    const double mean = std::exp(eta), root = std::sqrt(mean);
    return {mean, root, (y - mean) / root};
  }
  const double away = std::exp(-std::abs(eta)), near = 1 / (1 + away), far = away / (1 + away);
  const double mean = eta > 0 ? near : far, root = std::sqrt(away) / (1 + away);
  const double residual = y == 0 ? -mean : y == 1 ? (eta > 0 ? far : near) : y - mean;
  return {mean, root, residual / root};
}

/// The log likelihood of independent rows with a canonical link; of gaussian ones with variance 1.
class IndependentRows final : public Likelihood {
 public:
  IndependentRows(Family family, std::span<const double> x, std::size_t r, std::span<const double> y)
      : family_(family), x_(x), r_(r), y_(y) {}

  std::size_t size() const override { return r_; }

  double evaluate(std::span<const double> b, std::span<double> gradient, std::span<double> information) override {
    std::fill(gradient.begin(), gradient.end(), 0.0);
    std::fill(information.begin(), information.end(), 0.0);
    numerics::Sum likelihood;
    for (std::size_t i = 0; i < y_.size(); ++i) {
      const double* row = x_.data() + i * r_;
      double eta = 0;
      for (std::size_t j = 0; j < r_; ++j) eta += row[j] * b[j];
      const Moment at = moment(family_, eta, y_[i]);
      likelihood.add(log_likelihood(eta, at.mean, y_[i]));
      const double score = at.residual * at.root_variance, weight = at.root_variance * at.root_variance;
      for (std::size_t j = 0; j < r_; ++j) {
        gradient[j] += row[j] * score;
        const double weighted = weight * row[j];
        for (std::size_t k = 0; k <= j; ++k) information[j * r_ + k] += weighted * row[k];
      }
    }
    for (std::size_t j = 0; j < r_; ++j)
      for (std::size_t k = 0; k < j; ++k) information[k * r_ + j] = information[j * r_ + k];
    return likelihood.value();
  }

  double reach(std::span<const double> step) const override {
    double farthest = 0;
    for (std::size_t i = 0; i < y_.size(); ++i) {
      double change = 0;
      for (std::size_t j = 0; j < r_; ++j) change += x_[i * r_ + j] * step[j];
      farthest = std::max(farthest, std::abs(change));
    }
    return farthest;
  }

 private:
  double log_likelihood(double eta, double mean, double y) const {
    if (family_ == Family::gaussian) return -0.5 * (y - mean) * (y - mean);
    if (family_ == Family::poisson) return y * eta - mean;
    return -std::log1p(std::exp(-std::abs(eta))) - (eta > 0 ? 1 - y : y) * std::abs(eta);
  }

  Family family_;
  std::span<const double> x_;
  std::size_t r_;
  std::span<const double> y_;
};

}  // namespace

/// Works on the rows in the order of the participants, with columns of full rank.
class GeeSolver {
 public:
  GeeSolver(GeeFit& fit, GeeSpec const& spec, Subjects const& subjects, std::vector<double> x, std::vector<double> y)
      : fit_(fit),
        spec_(spec),
        subjects_(subjects),
        r_(fit.rank()),
        x_(std::move(x)),
        y_(std::move(y)),
        eta_(y_.size()),
        root_variance_(y_.size()),
        residual_(y_.size()),
        block_(subjects.largest() * (r_ + 1)),
        information_(Eigen::Index(r_), Eigen::Index(r_)),
        score_(Eigen::Index(r_)),
        step_(Eigen::Index(r_)),
        moved_(Eigen::Index(r_), memory),
        changed_(Eigen::Index(r_), memory) {}

  void solve() {
    if (!start()) return;
    bool in_range = true;
    double last = std::numeric_limits<double>::infinity(), part = 1;
    fit_.status_ = GeeFit::Status::no_convergence;
    for (int turn = 0; turn < most_iterations; ++turn, ++fit_.iterations_) {
      fit_.correlation_.estimate(residual_, phi_);
      in_range = fit_.correlation_.in_range();
      if (!take_step()) return;
      if (fit_.distance_ <= settled || (fit_.distance_ <= near_enough && fit_.distance_ > 0.9 * last)) {
        fit_.status_ = in_range ? GeeFit::Status::converged : GeeFit::Status::correlation_range;
        break;
      }
      const bool back = turn > 0 && last_step_.dot(information_.selfadjointView<Eigen::Lower>() * step_) < 0;
      if (back && fit_.distance_ > 0.9 * last) part = std::max(0.5 * part, shortest_part);
      const bool leads_there = turn >= plain_iterations && fit_.distance_ < nearby && fit_.distance_ < last;
      const bool longer = leads_there && accelerate();
      if (!leads_there) remembered_ = 0, last_step_ = step_;
      last = fit_.distance_;
      move(longer ? 1 : part);
      if (!evaluate()) return;
    }
    if (fit_.status_ == GeeFit::Status::no_convergence && !in_range) fit_.status_ = GeeFit::Status::correlation_range;
    if (!fit_.solved()) return;
    if (spec_.family == Family::binomial) count_impossible_pairs();
    sandwich();
  }

 private:
  std::size_t n() const { return y_.size(); }

  /// Maximum likelihood of independent rows. False when that is all: infinite, perfect or lost.
  bool start() {
    std::vector<double> b(r_, 0.0);
    const double mean = numerics::sum(y_) / double(n());
    if (spec_.family == Family::poisson && mean > 0) b[0] = std::log(mean);
    IndependentRows likelihood(spec_.family, x_, r_, y_);
    const NewtonFit climbed = climb(likelihood, std::move(b), std::vector<std::uint8_t>(r_, 0));
    fit_.c_ = climbed.b;
    fit_.iterations_ = climbed.iterations;
    fit_.status_ = GeeFit::Status::no_convergence;
    for (std::size_t k = 0; k < r_; ++k)
      if (climbed.status[k] == Climbed::infinite) {
        fit_.status_ = GeeFit::Status::infinite;
        fit_.infinite_[fit_.columns_[k]] = 1;
      }
    if (fit_.status_ == GeeFit::Status::infinite || !climbed.converged || !evaluate()) return false;
    for (int polish = 0; polish < 2; ++polish) {  // from 1e-9 standard errors to rounding: whether the fit is exact must show
      if (!take_step()) return false;
      move(1);
      if (!evaluate()) return false;
    }
    const double size = spec_.family == Family::gaussian ? 1.0 : std::sqrt(std::max(1.0, mean));
    if (phi_ > exact_fit * exact_fit * size * size * double(n())) return true;
    fit_.perfect_ = true;
    fit_.dispersion_ = 0;
    fit_.status_ = GeeFit::Status::converged;
    sandwich();
    return false;
  }

  /// Moments at the coefficients; false when one is not finite.
  bool evaluate() {
    double squares = 0;
    for (std::size_t i = 0; i < n(); ++i) {
      double eta = 0;
      for (std::size_t j = 0; j < r_; ++j) eta += x_[i * r_ + j] * fit_.c_[j];
      const Moment at = moment(spec_.family, eta, y_[i]);
      eta_[i] = eta, root_variance_[i] = at.root_variance, residual_[i] = at.residual;
      squares += at.residual * at.residual;
    }
    phi_ = squares / double(n());
    fit_.dispersion_ = phi_ * fit_.unit_ * fit_.unit_;
    return std::isfinite(phi_);
  }

  /// R^-1/2 times A^1/2 X and the Pearson residuals of participant k: its rows, r + 1 columns.
  std::span<const double> whitened_rows(std::size_t k) {
    const std::size_t m = subjects_.size(k), width = r_ + 1;
    for (std::size_t i = 0; i < m; ++i) {
      const std::size_t row = subjects_.first[k] + i;
      for (std::size_t j = 0; j < r_; ++j) block_[i * width + j] = root_variance_[row] * x_[row * r_ + j];
      block_[i * width + r_] = residual_[row];
    }
    fit_.correlation_.whiten(k, std::span(block_).first(m * width), width);
    return std::span(block_).first(m * width);
  }

  /// Information, score and the scoring step, with its length in standard errors; false when there is none.
  bool take_step() {
    information_.setZero(), score_.setZero();
    const std::size_t width = r_ + 1;
    for (std::size_t k = 0; k < subjects_.count(); ++k) {
      const std::span<const double> rows = whitened_rows(k);
      for (std::size_t at = 0; at < rows.size(); at += width)
        for (std::size_t j = 0; j < r_; ++j) {
          const double value = rows[at + j];
          score_[Eigen::Index(j)] += value * rows[at + r_];
          for (std::size_t c = 0; c <= j; ++c) information_(Eigen::Index(j), Eigen::Index(c)) += value * rows[at + c];
        }
    }
    factor_.compute(information_);  // reads the lower triangle
    step_ = factor_.solve(score_);
    const double decrement = score_.dot(step_);
    fit_.distance_ = phi_ > 0 ? std::sqrt(std::max(decrement, 0.0) / phi_) : 0.0;
    return factor_.info() == Eigen::Success && step_.allFinite() && std::isfinite(decrement);
  }

  /// Anderson's acceleration: each scoring step makes the next moments of R move, so that the steps shrink by a constant factor
  /// only. The last steps and what they did to the step show where it would be 0, had it gone on in a straight line. Only near a
  /// solution that the plain iteration leads to: the equations may have several, of which acceleration might find one that repels
  /// it. True when `step_` is another now.
  ///
  /// source   Anderson (1965), J. ACM 12, 547-560; Walker & Ni (2011), SIAM J. Numer. Anal. 49, 1715-1735
  bool accelerate() {
    const auto r = Eigen::Index(r_);
    const Eigen::VectorXd plain = step_, here = Eigen::Map<const Eigen::VectorXd>(fit_.c_.data(), r);
    bool done = false;
    if (remembered_ > 0) {
      const Eigen::Index at = (remembered_ - 1) % memory;
      moved_.col(at) = here - last_coefficients_;
      changed_.col(at) = plain - last_step_;
      const Eigen::Index columns = std::min<Eigen::Index>(remembered_, memory);
      const Eigen::MatrixXd root = factor_.matrixU();  // lengths in standard errors
      const Eigen::VectorXd g = (root * changed_.leftCols(columns)).colPivHouseholderQr().solve(root * plain);
      const Eigen::VectorXd better = plain - (moved_.leftCols(columns) + changed_.leftCols(columns)) * g;
      if (better.allFinite() && (root * better).norm() < 20 * (root * plain).norm()) step_ = better, done = true;
      else remembered_ = 0;
    }
    last_coefficients_ = here, last_step_ = plain;
    ++remembered_;
    return done;
  }

  void move(double part) {
    if (spec_.family != Family::gaussian) {
      double farthest = 0;
      for (std::size_t i = 0; i < n(); ++i) {
        double change = 0;
        for (std::size_t j = 0; j < r_; ++j) change += x_[i * r_ + j] * step_[Eigen::Index(j)];
        farthest = std::max(farthest, std::abs(change));
      }
      if (part * farthest > longest_step) part = longest_step / farthest;
    }
    for (std::size_t j = 0; j < r_; ++j) fit_.c_[j] += part * step_[Eigen::Index(j)];
  }

  /// Two yes/no responses with odds o and q have a correlation from -min(sqrt(o q), 1/sqrt(o q)) to sqrt(smaller / larger odds).
  void count_impossible_pairs() {
    if (fit_.correlation_.pairs() > most_pairs_checked) return;
    for (std::size_t k = 0; k < subjects_.count(); ++k)
      for (std::size_t i = 0; i < subjects_.size(k); ++i)
        for (std::size_t j = i + 1; j < subjects_.size(k); ++j) {
          const double a = eta_[subjects_.first[k] + i], b = eta_[subjects_.first[k] + j];
          const double c = fit_.correlation_.correlation(k, i, j);
          fit_.impossible_pairs_ += c > std::exp(-0.5 * std::abs(a - b)) || c < -std::exp(-0.5 * std::abs(a + b));
        }
  }

  void sandwich() {
    using Eigen::MatrixXd;
    const auto r = Eigen::Index(r_);
    if (!take_step()) {
      fit_.status_ = GeeFit::Status::no_convergence;
      return;
    }
    const MatrixXd root = MatrixXd(factor_.matrixL()).triangularView<Eigen::Lower>().solve(MatrixXd::Identity(r, r));
    SandwichSpec spec{.correction = spec_.correction, .scale = phi_};
    if (spec_.correction == Correction::fay_graubard) spec.to_written = to_written();
    fit_.sandwich_ = Sandwich({root.data(), root.data() + root.size()},  // by columns, so its transpose by rows: C = L^-T
                              spec, subjects_.count(), [&](std::size_t k) { return whitened_rows(k); });
  }

  /// T with b = T c: the coefficients of the columns as written from those of the centred and scaled ones.
  std::vector<double> to_written() const {
    std::vector<double> t(r_ * r_, 0.0);
    t[0] = 1;
    for (std::size_t k = 1; k < r_; ++k) {
      const std::size_t j = fit_.columns_[k];
      t[k * r_ + k] = 1 / fit_.scale_[j];
      t[k] = -fit_.mean_[j] / fit_.scale_[j];
    }
    return t;
  }

  GeeFit& fit_;
  GeeSpec const& spec_;
  Subjects const& subjects_;
  std::size_t r_;
  std::vector<double> x_, y_;
  std::vector<double> eta_, root_variance_, residual_, block_;
  double phi_ = 0;
  Eigen::MatrixXd information_;
  Eigen::VectorXd score_, step_;
  Eigen::LLT<Eigen::MatrixXd> factor_;
  static constexpr Eigen::Index memory = 5;
  Eigen::Index remembered_ = 0;
  Eigen::VectorXd last_coefficients_, last_step_;
  Eigen::MatrixXd moved_, changed_;  ///< of the coefficients, and of the step
};

Expected<GeeFit> GeeFit::fit(Design const& design, NumbersView y, Subjects const& subjects, GeeSpec const& spec) {
  const std::size_t n = design.rows, p = design.names.size();
  expects(p > 0 && design.names.front().empty(), "the first column of the model is the intercept");
  GeeFit fit(subjects, spec.correlation);
  fit.rows_ = n;
  fit.used_.assign(p, 0), fit.infinite_.assign(p, 0);
  fit.mean_.assign(p, 0.0), fit.scale_.assign(p, 1.0);
  const double root_n = std::sqrt(double(n));
  std::vector<double> unit_columns = design.copied_from(1);
  for (std::size_t j = 1; j < p; ++j) {
    const std::span<double> column(unit_columns.data() + (j - 1) * n, n);
    for (const double value : column)
      if (!std::isfinite(value))
        return fail(Code::bad_cell, "the product {} is too large for a number", to_text(design.names[j]));
    const auto [middle, length] = standardise(column);
    fit.mean_[j] = middle;
    fit.scale_[j] = length / root_n;
  }
  if (n == 0) return fit;
  const std::vector<double> kept = unit_columns;
  fit.qr_.emplace(n, p - 1, std::move(unit_columns), dependent_column);
  fit.columns_.push_back(0);
  for (const std::size_t j : fit.qr_->pivots()) fit.columns_.push_back(j + 1);
  for (const std::size_t j : fit.columns_) fit.used_[j] = 1;
  const std::size_t r = fit.columns_.size();

  double size = 0;
  for (const double value : y) size = std::fmax(size, std::abs(value));
  if (spec.family == Family::gaussian && size > 0) fit.unit_ = std::ldexp(1.0, std::clamp(std::ilogb(size) + 1, -1021, 1023));
  std::vector<double> x(n * r), response(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t row = subjects.rows[i];
    response[i] = y[row] / fit.unit_;
    x[i * r] = 1;
    for (std::size_t k = 1; k < r; ++k) x[i * r + k] = root_n * kept[(fit.columns_[k] - 1) * n + row];
  }
  GeeSolver(fit, spec, subjects, std::move(x), std::move(response)).solve();
  return fit;
}

}  // namespace equipoise::stats

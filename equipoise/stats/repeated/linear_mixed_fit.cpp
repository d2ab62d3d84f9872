#include "equipoise/stats/repeated/linear_mixed_fit.h"

#include <Eigen/Dense>
#include <cmath>
#include <numbers>
#include <optional>

#include "equipoise/stats/repeated/linear_mixed_likelihood.h"

namespace equipoise::stats {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using View = Eigen::Map<const RowMatrix>;

constexpr double wanted = 1e-10;      ///< standard errors at which the climb stops
constexpr double good_enough = 1e-9;  ///< and above which it has not converged
constexpr int most_iterations = 200;
constexpr double flat = 1e-7;           ///< eigenvalue of the Hessian of scaled parameters that is taken for no curvature
constexpr double rounding = 1e-9;       ///< curvature beside what it would be without coefficients, or there is none
constexpr double no_variance = 1e-9;    ///< variance of a random effect in an average participant, relative to the residual one
constexpr double undetermined = 1e-12;  ///< reciprocal condition of the Hessian of scaled parameters

/// The elements of L (q x rank, row by row) that are free: those on and below the diagonal.
struct Shape {
  Index q, rank;
  std::vector<std::pair<Index, Index>> entries{};

  Shape(std::size_t of, std::size_t with) : q(Index(of)), rank(Index(with)) {
    for (Index j = 0; j < rank; ++j)
      for (Index i = j; i < q; ++i) entries.emplace_back(i, j);
  }
  Index size() const { return Index(entries.size()); }
  /// d Lambda / d L: pairs x entries.
  MatrixXd jacobian(std::vector<double> const& factor) const {
    MatrixXd out = MatrixXd::Zero(Index(pairs(std::size_t(q))), size());
    for (Index e = 0; e < size(); ++e) {
      const auto [i, j] = entries[std::size_t(e)];
      for (Index a = 0; a < q; ++a)
        out(Index(pair_of(std::size_t(a), std::size_t(i))), e) += (a == i ? 2 : 1) * factor[std::size_t(a * rank + j)];
    }
    return out;
  }
  /// The size of the second derivatives without coefficients, of each entry.
  VectorXd reference(MatrixXd const& jacobian, MixedLikelihood const& likelihood) const {
    const Eigen::Map<const VectorXd> scale(likelihood.scale().data(), jacobian.rows());
    VectorXd out = jacobian.cwiseAbs2().transpose() * scale;
    for (Index e = 0; e < size(); ++e) out[e] += 2 * likelihood.slope_scale()[std::size_t(entries[std::size_t(e)].first)];
    return out;
  }
  /// Adds sum over pairs of gradient times d2 Lambda / d L d L.
  void add_curvature(std::span<const double> gradient, MatrixXd& hessian) const {
    for (Index e = 0; e < size(); ++e)
      for (Index f = 0; f < size(); ++f) {
        const auto [i, j] = entries[std::size_t(e)];
        const auto [k, l] = entries[std::size_t(f)];
        if (j == l) hessian(e, f) += (i == k ? 2 : 1) * gradient[pair_of(std::size_t(i), std::size_t(k))];
      }
  }
};

/// Lambda = L L' in coordinates in which L (q x rank, row by row) is diagonal, the largest variance first: where Lambda is
/// singular any other triangular L may turn without changing it.
struct Place {
  std::vector<double> factor;
  std::size_t rank;
  RowMatrix rotation;  ///< u = rotation times those of `factor`

  std::size_t effects() const { return std::size_t(rotation.rows()); }

  /// Turns to the singular vectors of L.
  void turn(MixedLikelihood& likelihood) {
    if (rank == 0) return;
    const Index q = rotation.rows();
    const Eigen::JacobiSVD<MatrixXd> svd(View(factor.data(), q, Index(rank)), Eigen::ComputeFullU);
    const RowMatrix u = svd.matrixU();
    likelihood.rotate({u.data(), std::size_t(u.size())});
    rotation = RowMatrix(rotation * u);
    std::fill(factor.begin(), factor.end(), 0.0);
    for (std::size_t k = 0; k < rank; ++k) factor[k * rank + k] = svd.singularValues()[Index(k)];
  }
};

/// One climb over L of a given rank.
class Climb {
 public:
  Climb(MixedLikelihood& likelihood, Place& place, FitAttempt& report)
      : likelihood_(likelihood), place_(place), shape_(place.effects(), place.rank), report_(report) {}

  bool run() {
    std::vector<double>& factor = place_.factor;
    if (!likelihood_.evaluate(factor, std::size_t(shape_.rank))) return stop("The likelihood cannot be computed");
    double value = likelihood_.value();
    std::vector<double> candidate(factor.size());
    for (; report_.iterations < most_iterations; ++report_.iterations) {
      place_.turn(likelihood_);
      derive(factor);
      if (!gradient_.allFinite() || !hessian_.allFinite()) return stop("The likelihood cannot be computed any further");
      report_.scaled_gradient = std::sqrt(std::fmax(-gradient_.dot(step_), 0.0) / 2);
      if (report_.scaled_gradient <= wanted) {
        if (!saddle_) return true;
        if (!leave_saddle(factor, value)) return true;  // it is flat
        continue;
      }
      const bool near = report_.scaled_gradient < 1e-4;  // where differences in value are rounding
      bool moved = false;
      double length = 1;
      for (int halving = 0; halving < 60 && !moved; ++halving, length /= 2) {
        move(factor, length, step_, candidate);
        if (!likelihood_.evaluate(candidate, std::size_t(shape_.rank))) continue;
        const double fall = 1e-4 * length * 2 * report_.scaled_gradient * report_.scaled_gradient;
        moved = near ? likelihood_.value() <= value + 1e-10 * (1 + std::abs(value)) : likelihood_.value() <= value - fall;
      }
      if (!moved) {
        likelihood_.evaluate(factor, std::size_t(shape_.rank));
        derive(factor);
        return report_.scaled_gradient <= good_enough || stop("No step increases the likelihood");
      }
      value = likelihood_.value();
      factor = candidate;
    }
    return report_.scaled_gradient <= good_enough || stop("The iterations did not reach the optimum");
  }

  Shape const& shape() const { return shape_; }

 private:
  bool stop(std::string reason) {
    report_.reason = std::move(reason);
    return false;
  }

  void move(std::vector<double> const& from, double length, VectorXd const& step, std::vector<double>& to) const {
    to = from;
    for (Index e = 0; e < shape_.size(); ++e) {
      const auto [i, j] = shape_.entries[std::size_t(e)];
      to[std::size_t(i * shape_.rank + j)] += length * step[e];
    }
  }

  /// Gradient, Hessian (the residual variance at its best) and step. Where the Hessian has other than positive eigenvalues the
  /// step takes their magnitudes, so that it still descends.
  void derive(std::vector<double> const& factor) {
    likelihood_.derive();
    const Index k = Index(likelihood_.gradient().size());
    const MatrixXd jacobian = shape_.jacobian(factor);
    const Eigen::Map<const VectorXd> gradient(likelihood_.gradient().data(), k), mixed(likelihood_.mixed().data(), k);
    const MatrixXd profile = View(likelihood_.hessian().data(), k, k) - mixed * mixed.transpose() / likelihood_.curvature();
    gradient_ = jacobian.transpose() * gradient;
    hessian_ = jacobian.transpose() * profile * jacobian;
    shape_.add_curvature(likelihood_.gradient(), hessian_);
    step_ = VectorXd::Zero(shape_.size());
    saddle_ = false;
    if (shape_.size() == 0 || !gradient_.allFinite() || !hessian_.allFinite()) return;
    const VectorXd least = rounding * shape_.reference(jacobian, likelihood_);
    scale_ = hessian_.diagonal().cwiseAbs().cwiseMax(least).cwiseSqrt().cwiseInverse();
    if (!scale_.allFinite()) return;
    const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(scale_.asDiagonal() * hessian_ * scale_.asDiagonal());
    const VectorXd magnitude = eigen.eigenvalues().cwiseAbs().cwiseMax(flat);
    step_ = -(
        scale_.asDiagonal() *
        (eigen.eigenvectors() * (eigen.eigenvectors().transpose() * (scale_.asDiagonal() * gradient_)).cwiseQuotient(magnitude)));
    saddle_ = eigen.eigenvalues()[0] < -1e-6;
    downhill_ = scale_.asDiagonal() * eigen.eigenvectors().col(0);
  }

  bool leave_saddle(std::vector<double>& factor, double& value) {
    std::vector<double> candidate;
    for (double length = 1; length > 1e-4; length /= 2) {
      move(factor, length, downhill_, candidate);
      if (likelihood_.evaluate(candidate, std::size_t(shape_.rank)) && likelihood_.value() < value) {
        value = likelihood_.value();
        factor = candidate;
        return true;
      }
    }
    likelihood_.evaluate(factor, std::size_t(shape_.rank));
    likelihood_.derive();
    return false;
  }

  MixedLikelihood& likelihood_;
  Place& place_;
  Shape shape_;
  FitAttempt& report_;
  VectorXd gradient_, step_, scale_, downhill_;
  MatrixXd hessian_;
  bool saddle_ = false;
};

/// The best multiple of the identity among powers of ten: our random effects are orthogonal with mean square 1.
std::vector<double> plain_start(MixedLikelihood& likelihood, std::size_t q) {
  std::vector<double> factor(q * q);
  const auto at = [&](double power) {
    for (std::size_t a = 0; a < q; ++a) factor[a * q + a] = std::pow(10, power / 2);
    return likelihood.evaluate(factor, q) ? likelihood.value() : std::numeric_limits<double>::infinity();
  };
  double power = 0, best = at(0);
  for (const double step : {1.0, -1.0})
    for (double next = power + step; std::abs(next) <= 14; next += step) {
      const double value = at(next);
      if (!(value < best)) break;
      best = value, power = next;
    }
  at(power);
  return factor;
}

/// Steps of the EM algorithm, Lambda - Lambda Gamma Lambda / participants: slow, but it never leaves a basin for a worse one.
std::vector<double> em_start(MixedLikelihood& likelihood, MixedData const& data) {
  constexpr int steps = 30;
  const Index q = Index(data.q);
  std::vector<double> factor = plain_start(likelihood, data.q);
  for (int step = 0; step < steps; ++step) {
    likelihood.derive();
    MatrixXd gamma(q, q);
    for (Index a = 0; a < q; ++a)
      for (Index b = 0; b < q; ++b)
        gamma(a, b) = likelihood.gradient()[pair_of(std::size_t(a), std::size_t(b))] / (a == b ? 1 : 2);
    const View root(factor.data(), q, q);
    const MatrixXd lambda = root * root.transpose();
    const Eigen::LLT<MatrixXd> next(lambda - lambda * gamma * lambda / double(data.participants));
    if (next.info() != Eigen::Success) break;
    const RowMatrix lower = next.matrixL();
    const std::vector<double> candidate(lower.data(), lower.data() + lower.size());
    if (!likelihood.evaluate(candidate, data.q)) break;
    factor = candidate;
  }
  return factor;
}

std::optional<Place> climb_from(MixedLikelihood& likelihood, MixedData const& data, std::vector<double> start,
                                FitAttempt& report) {
  const std::size_t q = data.q;
  const double rows = double(data.observations) / double(data.participants);
  Place place{.factor = std::move(start), .rank = q, .rotation = RowMatrix::Identity(Index(q), Index(q))};
  constexpr int most_tries = 10;
  for (int tries = 0; tries < most_tries; ++tries) {
    if (!Climb(likelihood, place, report).run()) return {};
    std::size_t rank = 0;
    while (rank < place.rank &&
           place.factor[rank * place.rank + rank] * place.factor[rank * place.rank + rank] * rows > no_variance)
      ++rank;
    if (rank < place.rank) {
      std::vector<double> narrower(q * rank, 0.0);
      for (std::size_t k = 0; k < rank; ++k) narrower[k * rank + k] = place.factor[k * place.rank + k];
      place.factor = std::move(narrower), place.rank = rank;
      continue;
    }
    if (rank == q) return place;
    // Left out for good when no variance in their directions increases the likelihood; each in standard errors of its own.
    const std::size_t out = q - rank;
    MatrixXd slope = MatrixXd::Zero(Index(out), Index(out));
    VectorXd unit = VectorXd::Zero(Index(out));
    for (std::size_t a = 0; a < out; ++a) {
      const std::size_t pair = pair_of(rank + a, rank + a);
      unit[Index(a)] = 1 / std::sqrt(std::sqrt(std::fmax(std::abs(likelihood.hessian()[pair * pairs(q) + pair]),
                                                         rounding * likelihood.scale()[pair])));
    }
    for (std::size_t a = 0; a < out; ++a)
      for (std::size_t b = 0; b < out; ++b)
        slope(Index(a), Index(b)) =
            likelihood.gradient()[pair_of(rank + a, rank + b)] / (a == b ? 1 : 2) * unit[Index(a)] * unit[Index(b)];
    const Eigen::SelfAdjointEigenSolver<MatrixXd> of_slope(slope);
    const double steepest = of_slope.eigenvalues()[0];
    if (!(steepest < -1e-6)) return place;
    std::vector<double> wider(q * (rank + 1), 0.0);  // give the steepest some variance and climb again
    for (std::size_t k = 0; k < rank; ++k) wider[k * (rank + 1) + k] = place.factor[k * rank + k];
    for (std::size_t a = 0; a < out; ++a)
      wider[(rank + a) * (rank + 1) + rank] =
          std::sqrt(std::fmin(-steepest, 1.0)) * unit[Index(a)] * of_slope.eigenvectors()(Index(a), 0);
    place.factor = std::move(wider), place.rank = rank + 1;
  }
  report.reason = "The iterations alternate between singular and regular covariances";
  return {};
}

/// The best of the climbs. Few participants with several random effects may have two optima: there a second start is tried.
std::optional<Place> climb(MixedLikelihood& likelihood, MixedData const& data, FitAttempt& report) {
  constexpr std::size_t few = 100;
  auto first = climb_from(likelihood, data, plain_start(likelihood, data.q), report);
  if (data.q == 1 || data.participants > few) return first;
  MixedLikelihood again = likelihood;
  again.rotate_back();
  FitAttempt second_report{.structure = report.structure};
  auto second = climb_from(again, data, em_start(again, data), second_report);
  second_report.iterations += report.iterations;
  report.iterations = second_report.iterations;
  constexpr double better = 1e-7;  // of -2 log likelihood: no rounding
  if (!second || (first && !(again.value() < likelihood.value() - better))) return first;
  likelihood = std::move(again);
  report = second_report;
  return second;
}

/// Covariance of the estimated elements of G = s Lambda (pairs) and s, in our units; nothing when the likelihood has no
/// curvature.
std::optional<MatrixXd> parameter_covariance(MixedLikelihood& likelihood, Place const& at, std::size_t q, FitAttempt& report) {
  const Index k = Index(pairs(q));
  const double s = likelihood.residual_variance();
  MatrixXd hessian(k + 1, k + 1);  // in Lambda and s
  hessian.topLeftCorner(k, k) = View(likelihood.hessian().data(), k, k);
  hessian.topRightCorner(k, 1) = Eigen::Map<const VectorXd>(likelihood.mixed().data(), k);
  hessian.bottomLeftCorner(1, k) = hessian.topRightCorner(k, 1).transpose();
  hessian(k, k) = likelihood.curvature();
  MatrixXd jacobian = MatrixXd::Identity(k + 1, k + 1);  // of Lambda and s in the free parameters
  VectorXd least = VectorXd::Zero(k + 1);
  least.head(k) = rounding * Eigen::Map<const VectorXd>(likelihood.scale().data(), k);
  if (at.rank < q) {
    const Shape shape(q, at.rank);
    least = VectorXd::Zero(shape.size() + 1);
    least.head(shape.size()) = rounding * shape.reference(shape.jacobian(at.factor), likelihood);
    jacobian = MatrixXd::Zero(k + 1, shape.size() + 1);
    jacobian.topLeftCorner(k, shape.size()) = shape.jacobian(at.factor);
    jacobian(k, shape.size()) = 1;
    MatrixXd curvature = MatrixXd::Zero(shape.size(), shape.size());
    shape.add_curvature(likelihood.gradient(), curvature);
    hessian = MatrixXd(jacobian.transpose() * hessian * jacobian);
    hessian.topLeftCorner(shape.size(), shape.size()) += curvature;
  }
  const Index free = hessian.rows();
  const char* const without = "The likelihood is flat at the point reached: the data do not determine the covariance";
  if (!((hessian.diagonal() - least).minCoeff() > 0)) {
    report.reason = without;
    return {};
  }
  const VectorXd scale = hessian.diagonal().cwiseSqrt().cwiseInverse();
  const Eigen::LLT<MatrixXd> factor(scale.asDiagonal() * hessian * scale.asDiagonal());
  report.condition = factor.info() == Eigen::Success ? factor.rcond() : 0.0;
  if (!(report.condition > undetermined)) {
    report.reason = without;
    return {};
  }
  const MatrixXd own = 2 * (scale.asDiagonal() * factor.solve(MatrixXd::Identity(free, free)) * scale.asDiagonal());
  // d (s Lambda) = s d Lambda + Lambda ds
  const View root(at.factor.data(), Index(q), Index(at.rank));
  const MatrixXd lambda = root * root.transpose();
  MatrixXd to_given = s * MatrixXd::Identity(k + 1, k + 1);
  for (std::size_t a = 0; a < q; ++a)
    for (std::size_t b = 0; b <= a; ++b) to_given(Index(pair_of(a, b)), k) = lambda(Index(a), Index(b));
  to_given(k, k) = 1;
  const MatrixXd all = to_given * jacobian;
  return MatrixXd(all * own * all.transpose());
}

/// Phi, slopes and Q over our columns.
FixedEffects effects_of(MixedData const& data, MixedLikelihood& likelihood, Place const& at, MatrixXd const& a, DfMethod df) {
  const std::size_t p = data.p, q = data.q, k = pairs(q);
  const Index size = Index(p);
  const double s = likelihood.residual_variance();
  FixedEffects effects{.p = p, .k = k + 1, .b = data.first_fit};
  for (std::size_t j = 0; j < p; ++j) effects.b[j] += likelihood.b()[j];
  const RowMatrix f = View(likelihood.inverse_root().data(), size, size);
  const auto values = [](RowMatrix const& m) { return std::vector<double>(m.data(), m.data() + m.size()); };
  effects.phi = values(s * f * f.transpose());
  if (!needs_slopes(df)) return effects;
  effects.theta_covariance = values(a);
  const RowMatrix root = f.triangularView<Eigen::Upper>().solve(MatrixXd::Identity(size, size)).transpose();  // A = root root'
  const RowMatrix information = root * root.transpose() / s;                                                  // X'V^-1 X
  const View factor(at.factor.data(), Index(q), Index(at.rank));
  const MatrixXd g = s * factor * factor.transpose();
  RowMatrix rest = information;
  std::vector<RowMatrix> in_g;
  for (std::size_t i = 0; i < q; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      const RowMatrix slope =
          root * View(likelihood.slopes().data() + pair_of(i, j) * p * p, size, size) * root.transpose() / (s * s);
      rest -= g(Index(i), Index(j)) * slope;
      effects.add_slope(values(slope));
      in_g.push_back(slope);
    }
  effects.add_slope(values(rest / s));  // V = sum of G_ij dV/dG_ij + s I
  if (!adjusts_covariance(df)) return effects;
  // I = (V - sum of G_ij dV/dG_ij)/s: A over the derivatives in G and V itself
  MatrixXd turn = MatrixXd::Identity(Index(k) + 1, Index(k) + 1);
  for (std::size_t i = 0; i < q; ++i)
    for (std::size_t j = 0; j <= i; ++j) turn(Index(k), Index(pair_of(i, j))) = -g(Index(i), Index(j)) / s;
  turn(Index(k), Index(k)) = 1 / s;
  const MatrixXd spread = turn.transpose() * a * turn;
  const RowMatrix among = spread.topLeftCorner(Index(k), Index(k));
  const std::vector<double> products = likelihood.second_products({among.data(), k * k});
  RowMatrix second =
      root * View(products.data(), size, size) * root.transpose() / (s * s * s) + spread(Index(k), Index(k)) * information;
  for (std::size_t e = 0; e < k; ++e) second += 2 * spread(Index(k), Index(e)) * in_g[e];
  effects.q = values(second);
  effects.r.assign(p * p, 0.0);
  return effects;
}

void covariances(MixedData const& data, MixedLikelihood const& likelihood, Place const& at, MatrixXd const& a,
                 LinearMixedFit& fit) {
  const Index q = Index(data.q), k = Index(pairs(data.q));
  const double s = likelihood.residual_variance(), unit = data.unit * data.unit;
  const RowMatrix ours = std::sqrt(s) * at.rotation * View(at.factor.data(), q, Index(at.rank));
  fit.root.assign(ours.data(), ours.data() + ours.size());
  const RowMatrix to_given = View(data.to_given.data(), q, q) * at.rotation;
  const RowMatrix root = to_given * View(at.factor.data(), q, Index(at.rank));
  const RowMatrix g = (unit * s) * root * root.transpose();
  fit.covariance.assign(g.data(), g.data() + g.size());
  fit.covariance_se.assign(data.q * data.q, missing_number);
  fit.residual_variance = unit * s;
  fit.residual_variance_se = unit * std::sqrt(a(k, k));
  if (at.rank < data.q) return;
  VectorXd row(k);
  for (Index i = 0; i < q; ++i)
    for (Index j = 0; j < q; ++j) {
      for (Index b = 0; b < q; ++b)
        for (Index c = 0; c <= b; ++c)
          row[Index(pair_of(std::size_t(b), std::size_t(c)))] =
              to_given(i, b) * to_given(j, c) + (b == c ? 0.0 : to_given(i, c) * to_given(j, b));
      fit.covariance_se[std::size_t(i * q + j)] = unit * std::sqrt(row.dot(a.topLeftCorner(k, k) * row));
    }
}

}  // namespace

LinearMixedFit fit_mixed(MixedData const& data, Estimation estimation, DfMethod df) {
  LinearMixedFit fit{.parameters = pairs(data.q) + 1, .report = {.structure = "unstructured"}};
  fit.report.reason = data.reason;
  if (!data.reason.empty()) return fit;
  const bool restricted = estimation == Estimation::reml;
  MixedLikelihood likelihood(data, restricted);
  const auto at = climb(likelihood, data, fit.report);
  if (!at) return fit;
  likelihood.derive(true);
  const auto a = parameter_covariance(likelihood, *at, data.q, fit.report);
  if (!a) return fit;
  fit.report.converged = true;
  fit.rank = at->rank;
  fit.effects = effects_of(data, likelihood, *at, *a, df);
  covariances(data, likelihood, *at, *a, fit);
  fit.neg2_log_likelihood = likelihood.value() +
                            likelihood.divisor() * (std::log(2 * std::numbers::pi) + 2 * std::log(data.unit)) +
                            (restricted ? 2 * data.log_determinant : 0.0);
  return fit;
}

}  // namespace equipoise::stats

#include "equipoise/numerics/dunnett.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/core/error.h"
#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/fast_normal.h"

namespace equipoise::numerics {
namespace {

constexpr double pi = 3.14159265358979323846;
constexpr double digits = 24;          // errors near exp(-digits)
constexpr double without_scale = 1e8;  // degrees of freedom from which S is 1
constexpr double plain = 1e-12;        // weight of a node of S below which a critical value does not need it

/// Nodes and weights for the mean of g(X), X standard normal: Golub and Welsch (1969), Math. Comp. 23, 221-230.
std::pair<Eigen::VectorXd, Eigen::VectorXd> gauss_hermite(int n) {
  Eigen::MatrixXd jacobi = Eigen::MatrixXd::Zero(n, n);
  for (int i = 1; i < n; ++i) jacobi(i, i - 1) = jacobi(i - 1, i) = std::sqrt(double(i));
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(jacobi);
  return {solver.eigenvalues(), solver.eigenvectors().row(0).transpose().array().square()};
}

/// The t with P(|T| > t) near p: Fisher and Cornish's expansion around the normal quantile, or the quantile for few degrees of
/// freedom. Only a start.
double start(double p, double df) {
  if (df < 10) return student_t_interval(1 - p, df);
  const double z = normal_interval(1 - p), z3 = z * z * z;
  return z + (z3 + z) / (4 * df) + (5 * z3 * z * z + 16 * z3 + 3 * z) / (96 * df * df);
}

/// lambda with lambda_i lambda_j nearest to the correlations, by the minimum residual method: each in turn is the least squares
/// answer to the others, and at most `cap`.
Eigen::VectorXd one_factor(Eigen::MatrixXd const& r, double cap) {
  const Eigen::Index k = r.rows();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(r);
  Eigen::VectorXd lambda = solver.eigenvectors().col(k - 1) * std::sqrt(std::max(solver.eigenvalues()[k - 1] / 2, 0.0));
  if (k == 2) {
    const double root = std::sqrt(std::abs(r(0, 1)));
    lambda << root, std::copysign(root, r(0, 1));
    return lambda;
  }
  for (int sweep = 0; sweep < 2000; ++sweep) {
    double change = 0;
    for (Eigen::Index i = 0; i < k; ++i) {
      double cross = 0, square = 0;
      for (Eigen::Index j = 0; j < k; ++j) {
        if (j == i) continue;
        cross += r(i, j) * lambda[j];
        square += lambda[j] * lambda[j];
      }
      const double next = square > 0 ? std::clamp(cross / square, -cap, cap) : 0.0;
      change = std::max(change, std::abs(next - lambda[i]));
      lambda[i] = next;
    }
    if (change < 1e-15) break;
  }
  return lambda;
}

}  // namespace

MaximumT::MaximumT(double df, Sides sides) : df_(df), sides_(sides) {
  expects(df > 0, "degrees of freedom are positive");
  if (df > without_scale) {  // S is 1 but for 1e-4, and its effect on a probability is of second order
    scales_.push_back({1, 1});
    return;
  }
  // x = log S has density c exp(df (x - exp(2x)/2)), mode 0, standard deviation near 1/sqrt(2 df)
  const double step = 1 / (std::sqrt(2 * df) / 0.75 + 3.2);
  const double log_c = std::log(2.0) + 0.5 * df * std::log(0.5 * df) - std::lgamma(0.5 * df);
  const double lowest = -80;  // a weight of exp(-80): no p value down to 1e-30 misses it
  const auto add = [&](double x) {
    const double log_weight = log_c + df * (x - 0.5 * std::exp(2 * x)) + std::log(step);
    if (log_weight < lowest) return false;
    scales_.push_back({std::exp(x), std::exp(log_weight)});
    return true;
  };
  for (int i = 0; add(i * step); ++i) {
  }
  for (int i = -1; add(i * step); --i) {
  }
  std::stable_sort(scales_.begin(), scales_.end(), [](Scale const& a, Scale const& b) { return a.weight > b.weight; });
}

void MaximumT::set_lambda(std::vector<double> lambda, std::vector<double> psi) {
  double sharpness = 1;  // sum of squared slopes that the integrand has in y
  const bool merge = hidden_.empty();
  for (std::size_t i = 0; i < lambda.size(); ++i) {
    const double size = sides_ == Sides::both && merge ? std::abs(lambda[i]) : lambda[i];  // |T| does not know the sign
    const Group one{size, 1 / std::sqrt(psi[i]), 1};
    sharpness += size * size * one.over_sigma * one.over_sigma;
    const auto same = std::find_if(groups_.begin(), groups_.end(),
                                   [&](Group const& g) { return g.lambda == one.lambda && g.over_sigma == one.over_sigma; });
    if (merge && same != groups_.end()) ++same->count;
    else groups_.push_back(one);
  }
  step_ = 2 * pi / std::sqrt(2 * digits * sharpness);
}

MaximumT MaximumT::product(std::span<const double> lambda, double df, Sides sides) {
  MaximumT made(df, sides);
  std::vector<double> psi;
  for (const double l : lambda) {
    expects(std::abs(l) < 1, "a loading is below 1");
    psi.push_back((1 - l) * (1 + l));
  }
  made.set_lambda({lambda.begin(), lambda.end()}, std::move(psi));
  return made;
}

std::optional<MaximumT> MaximumT::general(std::span<const double> correlation, double df, Sides sides) {
  const auto k = Eigen::Index(std::lround(std::sqrt(double(correlation.size()))));
  expects(k * k == Eigen::Index(correlation.size()) && k > 0, "a correlation matrix is square");
  Eigen::MatrixXd r(k, k);
  for (Eigen::Index i = 0; i < k; ++i)
    for (Eigen::Index j = 0; j < k; ++j) {
      const double rho = 0.5 * (correlation[std::size_t(i * k + j)] + correlation[std::size_t(j * k + i)]);
      if (!(std::abs(rho) <= 1 + 1e-12)) return {};
      r(i, j) = i == j ? 1.0 : rho;
    }
  if (k == 1) return product(std::vector<double>{0.0}, df, sides);
  Eigen::VectorXd lambda = one_factor(r, 0.9999999);
  Eigen::MatrixXd rest = r - lambda * lambda.transpose();
  rest.diagonal().setZero();
  std::vector<double> loadings(lambda.data(), lambda.data() + k);
  if (rest.cwiseAbs().maxCoeff() < 1e-12 && lambda.cwiseAbs().maxCoeff() < 0.9999999) return product(loadings, df, sides);

  // What one factor leaves goes to the others, with as much of the diagonal as makes it positive semidefinite. Of several bounds
  // of the factor, the one that leaves the others smallest beside the unique parts.
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  std::vector<double> psi;
  double moved = 0, best = std::numeric_limits<double>::infinity();
  for (const double cap : {0.99, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5, 0.35, 0.2, 0.0}) {
    const Eigen::VectorXd trial = one_factor(r, cap);
    rest = r - trial * trial.transpose();
    rest.diagonal().setZero();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> trial_solver(rest);
    const double shift = -trial_solver.eigenvalues()[0];
    const double least = 1 - trial.cwiseAbs2().maxCoeff() - shift;
    const double size = (trial_solver.eigenvalues()[k - 1] + shift) / least;
    if (!(least > 0.02) || !(size < best)) continue;
    best = size;
    lambda = trial;
    solver = trial_solver;
    moved = shift;
  }
  if (std::isinf(best)) return {};
  loadings.assign(lambda.data(), lambda.data() + k);
  for (const double l : loadings) psi.push_back(1 - l * l - moved);
  MaximumT made(df, sides);
  const double smallest = *std::min_element(psi.begin(), psi.end());
  std::vector<double> shifts(std::size_t(k), 0.0), weights{1.0};
  for (Eigen::Index j = 1; j < k; ++j) {
    const double size = std::sqrt(std::max(solver.eigenvalues()[j] + moved, 0.0));
    if (size < 1e-9) continue;
    const Eigen::VectorXd column = solver.eigenvectors().col(j) * size;
    // A rule of n nodes is exact to degree 2n - 1; the integrand changes over sigma/size, so its coefficients fall with its power
    const double ratio = column.cwiseAbs().maxCoeff() / std::sqrt(smallest);
    const int nodes = std::clamp(int(std::ceil(4 + 22 * ratio)), 4, 40);
    if (double(weights.size()) * nodes * double(made.scales_.size()) * 30 > 5e7) return {};
    const auto [points, mass] = gauss_hermite(nodes);
    std::vector<double> next_shifts, next_weights;
    for (std::size_t w = 0; w < weights.size(); ++w)
      for (int node = 0; node < nodes; ++node) {
        for (Eigen::Index i = 0; i < k; ++i)
          next_shifts.push_back(shifts[w * std::size_t(k) + std::size_t(i)] + column[i] * points[node]);
        next_weights.push_back(weights[w] * mass[node]);
      }
    shifts = std::move(next_shifts);
    weights = std::move(next_weights);
  }
  made.hidden_ = std::move(shifts);
  made.weights_ = std::move(weights);
  made.set_lambda(std::move(loadings), std::move(psi));
  return made;
}

double MaximumT::given_hidden(double t, std::span<const double> shift, double least) const {
  NormalTable const& normal = NormalTable::get();
  // One side, or hidden factors, know the sign of y; |T| of a product form does not, and half of the line is enough.
  const bool half = sides_ == Sides::both && shift.empty();
  const double reach = 6.6 + std::clamp(-std::log10(least) - 10, 0.0, 30.0) * 0.5;
  const auto last = int(std::ceil(reach / step_));
  double total = 0;
  for (int i = half ? 0 : -last; i <= last; ++i) {
    const double y = i * step_;
    double inner = 0;
    for (Scale const& scale : scales_) {
      if (scale.weight < least) break;
      const double limit = t * scale.s;
      double beyond = 0;  // 1 - prod (1 - q)
      for (std::size_t g = 0; g < groups_.size(); ++g) {
        Group const& group = groups_[g];
        const double mean = group.lambda * y + (shift.empty() ? 0.0 : shift[g]);
        double q = normal.cdf((mean - limit) * group.over_sigma);
        if (sides_ == Sides::both) q = limit > 0 ? q + normal.cdf((-mean - limit) * group.over_sigma) : 1.0;
        for (int repeat = 0; repeat < group.count; ++repeat) beyond += q - beyond * q;
      }
      inner += scale.weight * beyond;
    }
    total += inner * std::exp(-0.5 * y * y) * (half && i > 0 ? 2 : 1);
  }
  return total * step_ * 0.39894228040143267794;
}

double MaximumT::upper(double t) const {
  if (std::isnan(t)) return std::numeric_limits<double>::quiet_NaN();
  if (sides_ == Sides::both && t <= 0) return 1;
  if (std::isinf(t)) return t > 0 ? 0 : 1;
  const auto with = [&](double least) {
    if (hidden_.empty()) return given_hidden(t, {}, least);
    double total = 0;
    for (std::size_t w = 0; w < weights_.size(); ++w)
      total += weights_[w] * given_hidden(t, std::span(hidden_).subspan(w * groups_.size(), groups_.size()), least);
    return total;
  };
  const double p = with(plain);
  return std::min(p > 1e-6 ? p : with(1e-30), 1.0);
}

double MaximumT::critical_value(double alpha) const {
  if (!(alpha > 0 && alpha < 1)) return std::numeric_limits<double>::quiet_NaN();
  std::size_t k = 0;
  for (Group const& group : groups_) k += std::size_t(group.count);
  const double each = sides_ == Sides::both ? alpha / double(k) : 2 * alpha / double(k);
  const double df = df_ > without_scale ? std::numeric_limits<double>::infinity() : df_;
  const auto height = [&](double at) { return std::log(upper(at) / alpha); };

  // Root of h(t) = log(P(max > t)/alpha), nearly a parabola: inverse interpolation through the last three points, from the
  // Bonferroni value, kept inside a bracket. Its next error is near the product of the last three, so no evaluation confirms it.
  double t[3] = {each < 1 ? start(each, df) : 0.0, 0, 0}, h[3] = {};
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  for (int known = 1; known < 200; ++known) {
    const double now = t[0];
    h[0] = height(now);
    if (h[0] == 0) return now;
    (h[0] > 0 ? low : high) = now;
    double next;
    if (known == 1) {
      next = now + h[0] / ((std::isfinite(df) ? (df + 1) * now / (df + now * now) : now) + 0.4);  // a t tail falls like that
    } else {
      next = now - h[0] * (now - t[1]) / (h[0] - h[1]);
      if (known > 2) {
        const double bend = ((t[2] - t[1]) / (h[2] - h[1]) - (now - t[1]) / (h[0] - h[1])) / (h[2] - h[0]);
        next += bend * h[0] * h[1];
      }
    }
    const bool inside = next > low && next < high;
    if (!inside) next = std::isfinite(low) && std::isfinite(high) ? 0.5 * (low + high) : h[0] > 0 ? now + 1 : now - 1;
    const double step = std::abs(next - now);
    if (high - low < 1e-12 * (1 + std::abs(now))) return next;
    if (inside && known > 2 && step * std::abs(now - t[1]) * std::abs(now - t[2]) < 1e-8 && step < 1e-3) return next;
    t[2] = t[1], t[1] = now, t[0] = next;
    h[2] = h[1], h[1] = h[0];
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace equipoise::numerics

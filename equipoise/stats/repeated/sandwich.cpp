#include "equipoise/stats/repeated/sandwich.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "equipoise/core/error.h"

namespace equipoise::stats {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using View = Eigen::Map<const RowMatrix>;

constexpr double leverage_one = 1e-8;  ///< below 1: the leverage of a participant without whom a coefficient is not determined
constexpr double touches = 1e-4;       ///< cosine of a function and a direction that one participant alone determines
constexpr double no_variance = 1e-8;   ///< robust beside model-based standard error: rounding of a sandwich that is 0

}  // namespace

Correction correction_of(EstimateCovariance covariance) {
  expects(covariance != EstimateCovariance::model, "the covariance of the model is no sandwich");
  if (covariance == EstimateCovariance::cr2) return Correction::kauermann_carroll;
  return covariance == EstimateCovariance::cr3 ? Correction::mancl_derouen : Correction::none;
}

Sandwich::Sandwich(std::vector<double> root, SandwichSpec const& spec, std::size_t participants, Rows const& rows)
    : root_(std::move(root)), with_df_(spec.with_df), scale_(spec.scale) {
  while (size_ * size_ < root_.size()) ++size_;
  const bool by_eigenvalues = spec.correction == Correction::kauermann_carroll || spec.correction == Correction::mancl_derouen;
  const bool by_diagonal = spec.correction == Correction::fay_graubard;
  expects(size_ * size_ == root_.size(), "the root of the bread is square");
  expects(!by_diagonal || (spec.to_written.size() == root_.size() && !with_df_),
          "the correction by the diagonal needs the coefficients as written, and has no degrees of freedom");
  const Index r = Index(size_);
  const MatrixXd c = View(root_.data(), r, r);
  MatrixXd from_written, written;  // T^-1; T C
  if (by_diagonal) {
    const MatrixXd t = View(spec.to_written.data(), r, r);
    from_written = t.partialPivLu().solve(MatrixXd::Identity(r, r));
    written = t * c;
  }
  MatrixXd middle = MatrixXd::Zero(r, r), s, adjusted, half;
  VectorXd u(r), factor, z;
  Eigen::SelfAdjointEigenSolver<MatrixXd> eigen;
  first_.push_back(0);
  for (std::size_t i = 0; i < participants; ++i) {
    const std::span<const double> own = rows(i);
    const Index m = Index(own.size()) / (r + 1);
    const View block(own.data(), m, r + 1);
    s.noalias() = block.leftCols(r) * c;
    z = block.col(r);
    adjusted = s;
    if (by_eigenvalues || s.squaredNorm() > 1 - 10 * leverage_one) {
      // The leverage S S' and the matrix S'S have the same eigenvalues but for 0, so the smaller one serves.
      const bool few_rows = m <= r;
      if (few_rows) half.noalias() = s * s.transpose();
      else half.noalias() = s.transpose() * s;
      eigen.compute(half);
      factor = eigen.eigenvalues();
      for (Index e = 0; e < factor.size(); ++e) {
        const double left = 1 - factor[e];
        if (left < leverage_one) {
          VectorXd direction = eigen.eigenvectors().col(e);
          if (few_rows) direction = s.transpose() * direction;
          direction.normalize();
          alone_.emplace_back(direction.data(), direction.data() + r);
        }
        // Where leverage is 1 the residual is 0, and no factor makes anything of it.
        if (left < leverage_one) factor[e] = 0;
        else factor[e] = spec.correction == Correction::mancl_derouen ? 1 / left : 1 / std::sqrt(left);
      }
      if (by_eigenvalues) {
        const MatrixXd& q = eigen.eigenvectors();
        if (few_rows) adjusted.noalias() = q * (factor.asDiagonal() * (q.transpose() * s));
        else adjusted.noalias() = (s * q) * factor.asDiagonal() * q.transpose();
      }
    }
    u.noalias() = adjusted.transpose() * z;
    if (by_diagonal) {  // their diagonal, of the coefficients as written, is what the correction looks at
      const MatrixXd as_written = block.leftCols(r) * from_written, other = s * written.transpose();
      VectorXd scores = as_written.transpose() * z;
      for (Index j = 0; j < r; ++j) scores[j] /= std::sqrt(1 - std::min(0.75, as_written.col(j).dot(other.col(j))));
      u.noalias() = written.transpose() * scores;
    }
    middle.noalias() += u * u.transpose();
    if (!with_df_) continue;
    first_.push_back(first_.back() + std::size_t(m));
    const RowMatrix kept = s, kept_adjusted = adjusted;
    plain_.insert(plain_.end(), kept.data(), kept.data() + kept.size());
    if (by_eigenvalues) corrected_.insert(corrected_.end(), kept_adjusted.data(), kept_adjusted.data() + kept_adjusted.size());
  }
  middle_.resize(size_ * size_);
  Eigen::Map<RowMatrix>(middle_.data(), r, r) = middle;
}

std::vector<double> Sandwich::whitened(std::span<const double> l) const {
  expects(l.size() == size_, "a function has an entry for each coefficient");
  std::vector<double> w(size_, 0.0);
  for (std::size_t j = 0; j < size_; ++j)
    for (std::size_t k = 0; k < size_; ++k) w[k] += root_[j * size_ + k] * l[j];
  return w;
}

double Sandwich::bread(std::span<const double> l) const {
  double square = 0;
  for (const double value : whitened(l)) square += value * value;
  return square;
}

bool Sandwich::rests_on_one(std::span<const double> l) const {
  if (alone_.empty()) return false;
  const std::vector<double> w = whitened(l);
  double square = 0;
  for (const double value : w) square += value * value;
  const double length = std::sqrt(square);
  return std::any_of(alone_.begin(), alone_.end(), [&](std::vector<double> const& direction) {
    double along = 0;
    for (std::size_t k = 0; k < size_; ++k) along += w[k] * direction[k];
    return std::abs(along) > touches * length;
  });
}

double Sandwich::variance(std::span<const double> l) const {
  if (rests_on_one(l)) return missing_number;
  const std::vector<double> w = whitened(l);
  double found = 0, model = 0;
  for (std::size_t j = 0; j < size_; ++j) {
    model += w[j] * w[j];
    for (std::size_t k = 0; k < size_; ++k) found += w[j] * middle_[j * size_ + k] * w[k];
  }
  return found > no_variance * no_variance * scale_ * model ? found : missing_number;
}

std::vector<double> Sandwich::covariance() const {
  const Index r = Index(size_);
  const View c(root_.data(), r, r);
  const RowMatrix made = c * View(middle_.data(), r, r) * c.transpose();
  return {made.data(), made.data() + made.size()};
}

double Sandwich::df(std::span<const double> l) const {
  expects(with_df_, "degrees of freedom were asked for when the sandwich was made");
  if (!(variance(l) > 0)) return missing_number;
  // a_i = (I - S_i S_i')^-d S_i w, c_i = S_i'a_i: G = diag(a_i'a_i) - (c_i'c_j), as L^-1 (y - X b) has variance I - S S'.
  const std::vector<double> w = whitened(l);
  const Index r = Index(size_);
  const Eigen::Map<const VectorXd> direction(w.data(), r);
  std::vector<double> const& corrected = corrected_.empty() ? plain_ : corrected_;
  MatrixXd products = MatrixXd::Zero(r, r);
  VectorXd a, c(r);
  double trace = 0, squares = 0;
  for (std::size_t i = 0; i + 1 < first_.size(); ++i) {
    const Index m = Index(first_[i + 1] - first_[i]);
    const std::size_t at = first_[i] * size_;
    a.noalias() = View(corrected.data() + at, m, r) * direction;
    c.noalias() = View(plain_.data() + at, m, r).transpose() * a;
    const double own = a.squaredNorm(), shared = c.squaredNorm();
    trace += own - shared;
    squares += own * (own - 2 * shared);
    products.selfadjointView<Eigen::Lower>().rankUpdate(c);
  }
  for (Index j = 0; j < r; ++j)
    for (Index k = 0; k <= j; ++k) squares += (j == k ? 1 : 2) * products(j, k) * products(j, k);
  return trace > 0 && squares > 0 ? trace / squares * trace : missing_number;
}

std::vector<double> lower_root(std::span<const double> matrix, std::size_t p) {
  const RowMatrix lower = View(matrix.data(), Index(p), Index(p)).llt().matrixL();
  return {lower.data(), lower.data() + lower.size()};
}

void divide_by_lower(std::span<const double> lower, std::size_t m, std::span<double> rows) {
  const std::size_t width = m == 0 ? 0 : rows.size() / m;
  for (std::size_t s = 0; s < m; ++s)
    for (std::size_t c = 0; c < width; ++c) {
      double value = rows[s * width + c];
      for (std::size_t t = 0; t < s; ++t) value -= lower[s * m + t] * rows[t * width + c];
      rows[s * width + c] = value / lower[s * m + s];
    }
}

}  // namespace equipoise::stats

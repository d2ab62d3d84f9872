#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/core/error.h"
#include "equipoise/stats/linear/linear_fit.h"
#include "equipoise/stats/repeated/gee_fit.h"

// What is asked of a fit: functions of its coefficients, their errors and tests.
namespace equipoise::stats {

GeeFunction GeeFit::function(std::span<const double> l) const {
  expects(l.size() == used_.size(), "a linear function has a coefficient for each column of the design");
  if (!solved()) return {};
  // l'b = l_0 a + sum (l_j - l_0 m_j) b_j with a the intercept at the means m
  std::vector<double> c(l.size() - 1), magnitude(l.size() - 1);
  for (std::size_t j = 1; j < l.size(); ++j) {
    const double unit = scale_[j] > 0 ? scale_[j] : std::fmax(std::abs(mean_[j]), std::numeric_limits<double>::min());
    c[j - 1] = (l[j] - l[0] * mean_[j]) / unit;
    magnitude[j - 1] = (std::abs(l[j]) + std::abs(l[0] * mean_[j])) / unit;
  }
  if (!qr_->in_row_space(c, magnitude)) return {};
  GeeFunction f{.value = 0, .weights = {l[0]}};
  for (std::size_t k = 1; k < columns_.size(); ++k) f.weights.push_back(c[columns_[k] - 1]);
  f.value = unit_ * inner_product(f.weights, c_);
  return f;
}

GeeFunction GeeFit::coefficient(std::size_t j) const {
  if (!solved() || !used(j)) return {};
  GeeFunction f{.value = 0, .weights = std::vector<double>(columns_.size(), 0.0)};
  for (std::size_t k = 0; k < columns_.size(); ++k) {
    if (columns_[k] == j) f.weights[k] = 1 / scale_[j];
    else if (j == 0) f.weights[k] = -mean_[columns_[k]] / scale_[columns_[k]];
  }
  f.value = unit_ * inner_product(f.weights, c_);
  return f;
}

bool GeeFit::rests_on_one(GeeFunction const& f) const { return f.estimable() && sandwich_.rests_on_one(f.weights); }

double GeeFit::model_se(GeeFunction const& f) const {
  if (!f.estimable() || perfect_) return missing_number;
  return std::sqrt(dispersion_ * sandwich_.bread(f.weights));
}

double GeeFit::robust_se(GeeFunction const& f) const {
  if (!f.estimable() || perfect_) return missing_number;
  return unit_ * std::sqrt(sandwich_.variance(f.weights));
}

GeeFit::Wald GeeFit::test(std::span<const GeeFunction> functions) const {
  const std::size_t k = functions.size(), r = columns_.size();
  std::vector<double> directions, value(k);
  const auto wide = Eigen::Index(k), high = Eigen::Index(r);
  Eigen::MatrixXd w(high, wide), middle(high, high);
  for (std::size_t i = 0; i < k; ++i) {
    const double se = robust_se(functions[i]);
    if (!(se > 0)) return {};
    const std::vector<double> one = sandwich_.whitened(functions[i].weights);
    const double length = std::sqrt(inner_product(one, one));
    for (std::size_t j = 0; j < r; ++j) {
      directions.push_back(one[j] / length);
      w(Eigen::Index(j), Eigen::Index(i)) = unit_ * one[j] / se;
    }
    value[i] = functions[i].value / se;
  }
  const std::size_t df = k == 0 ? 0 : numerics::OrderedQr(r, k, std::move(directions), dependent_column).rank();
  if (df == 0) return {};
  for (std::size_t j = 0; j < r; ++j)
    for (std::size_t c = 0; c < r; ++c) middle(Eigen::Index(j), Eigen::Index(c)) = sandwich_.middle()[j * r + c];
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(w.transpose() * middle * w);  // of a correlation matrix
  constexpr double singular = 1e-10;
  Wald wald{0, 0};
  for (Eigen::Index e = 0; e < wide; ++e) {
    if (eigen.eigenvalues()[e] < singular) continue;
    double along = 0;
    for (std::size_t i = 0; i < k; ++i) along += eigen.eigenvectors()(Eigen::Index(i), e) * value[i];
    wald.chi_square += along * along / eigen.eigenvalues()[e];
    wald.df += 1;
  }
  return wald.df == double(df) ? wald : Wald{};
}

}  // namespace equipoise::stats

#include "equipoise/stats/repeated/mmrm_focus.h"

#include <Eigen/Dense>
#include <cmath>

namespace equipoise::stats {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using Matrix = Eigen::Map<const MatrixXd>;
using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace

bool answers_one_by_one(DfMethod df, EstimateCovariance covariance, Covariance const& structure) {
  return structure.unstructured() && needs_slopes(df) && covariance == EstimateCovariance::model;
}

MmrmFocus::MmrmFocus(VisitData const& data, MmrmFit const& fit, VisitLikelihood& likelihood, Estimation estimation, DfMethod df)
    : data_(data), fit_(fit), likelihood_(likelihood), estimation_(estimation), df_(df) {
  expects(answers_one_by_one(df, EstimateCovariance::model, fit.covariance), "single functions are asked of an unstructured fit");
}

Inferred MmrmFocus::coefficient(std::size_t) const { throw ContractViolation("only differences are asked for"); }

/// slope' A slope.
double MmrmFocus::error_of(std::span<const double> slope) const {
  const Index k = Index(slope.size());
  if (!adjusts_covariance(df_) && !factor_) {
    if (!likelihood_.grouped()) return error_along(fit_, likelihood_, estimation_, slope);
    std::vector<double> hessian(slope.size() * slope.size());
    likelihood_.hessian(VisitLikelihood::Curvature::exact, hessian);
    factor_.emplace(slope.size());
    definite_ = factor_->factor(hessian);
  }
  if (factor_ && !definite_) return missing_number;
  VectorXd along = Eigen::Map<const VectorXd>(slope.data(), k);
  if (factor_) factor_->solve_lower({along.data(), slope.size()});
  else Matrix(fit_.near_factor.data(), k, k).triangularView<Eigen::Lower>().solveInPlace(along);
  return 2 * along.squaredNorm();
}

/// l'Phi_A l - l'Phi l. `whitened_` holds L^-1 Z, A = L L' of the coefficients.
double MmrmFocus::adjustment(std::span<const double> u) const {
  const Index p = Index(data_.p()), k = Index(likelihood_.elements());
  const Matrix root(fit_.near_factor.data(), k, k);
  if (middle_.empty()) {
    MatrixXd inverse = MatrixXd::Identity(k, k);
    root.triangularView<Eigen::Lower>().solveInPlace(inverse);
    MatrixXd a = MatrixXd::Zero(k, k);
    a.selfadjointView<Eigen::Lower>().rankUpdate(inverse.transpose(), 2.0);
    a.triangularView<Eigen::StrictlyUpper>() = a.transpose();
    middle_ = likelihood_.second_products({a.data(), std::size_t(k * k)});
    if (df_ == DfMethod::kenward_roger) {
      const std::vector<double> r = likelihood_.product(curvature_of_elements(fit_, inverse, data_.blocks.size()));
      for (std::size_t at = 0; at < r.size(); ++at) middle_[at] -= 0.25 * r[at];
    }
  }
  const Eigen::Map<const VectorXd> of(u.data(), p);
  const double products = of.dot(Matrix(middle_.data(), p, p) * of);
  Eigen::Map<Rows> whitened(whitened_.data(), p, k);
  MatrixXd turned = whitened.transpose();
  root.triangularView<Eigen::Lower>().solveInPlace(turned);
  return 2 * (products - 2 * turned.squaredNorm());
}

Inferred MmrmFocus::function(std::span<const double> l) const {
  const std::vector<double> ours = data_.ours(l);
  if (ours.empty()) return {};
  const Index p = Index(data_.p());
  const VectorXd u = Matrix(fit_.phi.data(), p, p) * Eigen::Map<const VectorXd>(ours.data(), p);
  const double own = u.dot(Eigen::Map<const VectorXd>(ours.data(), p));
  double value = 0;
  for (Index c = 0; c < p; ++c) value += ours[std::size_t(c)] * fit_.b[std::size_t(c)];
  Inferred found{.value = value * data_.unit, .estimable = true};
  std::vector<double> slope(likelihood_.elements());
  double squared = own;
  if (adjusts_covariance(df_)) {
    whitened_.resize(std::size_t(p) * slope.size());
    likelihood_.slopes_along({u.data(), std::size_t(p)}, slope, whitened_);
    squared += adjustment({u.data(), std::size_t(p)});
  } else {
    likelihood_.variance_slope(ours, slope);
  }
  if (!(squared > 0) || !(own > 0)) return found;
  found.se = std::sqrt(squared) * data_.unit;
  found.df = 2 * own * own / error_of(slope);
  found.t = found.value / found.se;
  return found;
}

}  // namespace equipoise::stats

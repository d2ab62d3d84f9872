#include "equipoise/stats/linear/logistic_fit.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/core/error.h"
#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/ordered_qr.h"
#include "equipoise/numerics/sum.h"
#include "equipoise/stats/linear/linear_fit.h"

namespace equipoise::stats {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

Eigen::MatrixXd square(std::span<const double> values, std::size_t r) {
  return Eigen::Map<const Eigen::MatrixXd>(values.data(), Eigen::Index(r), Eigen::Index(r));
}

}  // namespace

LogisticLikelihood::LogisticLikelihood(std::vector<double> columns, std::size_t r, NumbersView y, bool penalised)
    : n_(y.size()), r_(r), x_(std::move(columns)), y_(y), penalised_(penalised) {
  expects(x_.size() == n_ * r_, "a design has rows * columns values");
}

LogisticLikelihood::Point LogisticLikelihood::at(std::span<const double> b, bool derivatives) const {
  Point point{0, 0, {}, {}, std::vector<double>(n_)};
  std::vector<double> eta(n_, 0.0), weight(n_);
  for (std::size_t j = 0; j < r_; ++j)
    for (std::size_t i = 0; i < n_; ++i) eta[i] += b[j] * x_[j * n_ + i];
  numerics::Sum likelihood;
  for (std::size_t i = 0; i < n_; ++i) {
    const double away = std::exp(-std::abs(eta[i]));
    likelihood.add(-std::log1p(away) - ((y_[i] > 0) == (eta[i] > 0) ? 0.0 : std::abs(eta[i])));
    point.probability[i] = eta[i] > 0 ? 1 / (1 + away) : away / (1 + away);
    weight[i] = away / ((1 + away) * (1 + away));
  }
  point.value = point.log_likelihood = likelihood.value();
  if (!derivatives && !penalised_) return point;
  point.information.assign(r_ * r_, 0.0);
  for (std::size_t j = 0; j < r_; ++j)
    for (std::size_t k = 0; k <= j; ++k) {
      double total = 0;
      for (std::size_t i = 0; i < n_; ++i) total += weight[i] * x_[j * n_ + i] * x_[k * n_ + i];
      point.information[j * r_ + k] = point.information[k * r_ + j] = total;
    }
  std::vector<double> residual(n_);
  for (std::size_t i = 0; i < n_; ++i) residual[i] = y_[i] - point.probability[i];
  if (penalised_) {
    const Eigen::LLT<Eigen::MatrixXd> factor(square(point.information, r_));
    if (factor.info() != Eigen::Success) {
      point.value = -infinity;
      return point;
    }
    const Eigen::MatrixXd lower = factor.matrixL();
    for (Eigen::Index j = 0; j < Eigen::Index(r_); ++j) point.value += std::log(lower(j, j));  // half of the log determinant
    if (derivatives) {
      Eigen::VectorXd row{Eigen::Index(r_)};
      for (std::size_t i = 0; i < n_; ++i) {
        for (std::size_t j = 0; j < r_; ++j) row[Eigen::Index(j)] = x_[j * n_ + i];
        factor.matrixL().solveInPlace(row);
        residual[i] += weight[i] * row.squaredNorm() * (0.5 - point.probability[i]);  // leverage times (1/2 - p)
      }
    }
  }
  if (!derivatives) return point;
  for (std::size_t j = 0; j < r_; ++j) {
    numerics::Sum total;
    for (std::size_t i = 0; i < n_; ++i) total.add(x_[j * n_ + i] * residual[i]);
    point.score.push_back(total.value());
  }
  return point;
}

LogisticLikelihood::Maximum LogisticLikelihood::maximise(std::vector<double> start, std::optional<std::size_t> fixed) const {
  constexpr int most_iterations = 400;
  constexpr double settled =
      1e-10;  // largest change of a linear predictor: the next one is its square, or under a penalty smaller
  Maximum found;
  found.b = std::move(start);
  found.last_step.assign(r_, 0.0);
  std::vector<std::size_t> free;
  for (std::size_t j = 0; j < r_; ++j)
    if (!fixed || *fixed != j) free.push_back(j);
  const auto m = Eigen::Index(free.size());
  Point here = at(found.b, true);
  double damping = 1, moved_before = infinity;
  for (; found.iterations < most_iterations; ++found.iterations) {
    if (here.score.empty()) break;  // singular information under a penalty
    Eigen::MatrixXd information(m, m);
    Eigen::VectorXd score(m);
    for (Eigen::Index a = 0; a < m; ++a) {
      score[a] = here.score[free[std::size_t(a)]];
      for (Eigen::Index c = 0; c < m; ++c) information(a, c) = here.information[free[std::size_t(a)] * r_ + free[std::size_t(c)]];
    }
    const Eigen::LDLT<Eigen::MatrixXd> factor(information);
    Eigen::VectorXd step = m == 0 ? score : Eigen::VectorXd(factor.solve(score));
    if (m > 0 && (factor.info() != Eigen::Success || !step.allFinite())) {
      found.separated = !penalised_;
      break;
    }
    double moved = 0;  // of a linear predictor
    for (std::size_t i = 0; i < n_; ++i) {
      double change = 0;
      for (Eigen::Index a = 0; a < m; ++a) change += step[a] * x_[free[std::size_t(a)] * n_ + i];
      moved = std::max(moved, std::abs(change));
    }
    if (moved > 5) step *= 5 / moved, moved = 5;  // a Newton step is no guide so far away
    for (Eigen::Index a = 0; a < m; ++a) found.last_step[free[std::size_t(a)]] = step[a];
    if (moved <= settled) {
      found.converged = true;
      break;
    }
    // The information leaves the penalty out: a row of leverage 1 has twice its curvature, and full steps go to and fro for ever.
    // Two thirds of them divide the distance by three at least.
    if (penalised_ && moved > 0.5 * moved_before) damping = 2.0 / 3;
    moved_before = moved;
    // Under separation the gain dies out, half a step's worth of score, while the steps do not.
    if (!penalised_ && moved > 0.05 && score.dot(step) < 1e-9 * (1e-3 + std::abs(here.value))) {
      found.separated = true;
      break;
    }
    Point next;
    std::vector<double> b;
    double length = damping;
    for (int halving = 0; halving < 40; ++halving, length /= 2) {
      b = found.b;
      for (Eigen::Index a = 0; a < m; ++a) b[free[std::size_t(a)]] += length * step[a];
      next = at(b, true);
      if (next.value >= here.value - 1e-12 * (1 + std::abs(here.value))) break;
    }
    found.b = std::move(b);
    here = std::move(next);
  }
  found.value = here.value;
  found.log_likelihood = here.log_likelihood;
  if (!here.information.empty()) {
    const Eigen::LLT<Eigen::MatrixXd> factor(square(here.information, r_));
    if (factor.info() == Eigen::Success) {
      const Eigen::MatrixXd inverse = factor.solve(Eigen::MatrixXd::Identity(Eigen::Index(r_), Eigen::Index(r_)));
      found.variance.assign(inverse.data(), inverse.data() + r_ * r_);
    }
  }
  return found;
}

namespace {

/// Where twice the fall of the profile log likelihood reaches `fall`, on one side of the maximum.
double profile_limit(LogisticLikelihood const& likelihood, LogisticLikelihood::Maximum const& top, std::size_t j, double side,
                     double se, double fall) {
  std::vector<double> warm = top.b;
  const auto excess = [&](double value) {
    std::vector<double> start = warm;
    start[j] = value;
    const auto there = likelihood.maximise(start, j);
    if (there.converged || there.separated) warm = there.b;
    return 2 * (top.value - there.value) - fall;
  };
  double inside = top.b[j], inside_excess = -fall, outside = 0, outside_excess = -1, width = side * se * std::sqrt(fall);
  for (int i = 0; i < 40 && !(outside_excess >= 0); ++i, width *= 2) {
    outside = top.b[j] + width;
    outside_excess = excess(outside);
    if (std::isnan(outside_excess)) return missing_number;
    if (outside_excess < 0) inside = outside, inside_excess = outside_excess;
  }
  if (!(outside_excess >= 0)) return side * infinity;
  // Illinois' false position: a bracket at every step
  int same = 0;
  for (int i = 0; i < 100; ++i) {
    const double next = inside + (outside - inside) * inside_excess / (inside_excess - outside_excess);
    const double got = excess(next);
    if (std::abs(outside - inside) < 1e-12 * (1 + std::abs(inside)) || std::abs(got) < 1e-11) return next;
    if (got < 0) {
      inside = next, inside_excess = got;
      if (same < 0) outside_excess /= 2;
      same = -1;
    } else {
      outside = next, outside_excess = got;
      if (same > 0) inside_excess /= 2;
      same = 1;
    }
  }
  return inside;
}

}  // namespace

Expected<LogisticFit> fit_logistic(Design const& design, NumbersView y, LogisticSpec const& spec) {
  const std::size_t n = design.rows, p = design.names.size();
  LogisticFit fit;
  fit.used.assign(p, 0), fit.infinite.assign(p, 0);
  for (auto* values : {&fit.b, &fit.se, &fit.lower, &fit.upper, &fit.p}) values->assign(p, missing_number);
  if (n == 0) return fit;

  // Columns centred and scaled to root mean square 1; those that earlier ones determine are left out.
  std::vector<double> mean(p, 0.0), scale(p, 1.0), centred = design.copied_from(0);
  for (std::size_t j = 1; j < p; ++j) {
    const std::span<double> column(centred.data() + j * n, n);
    for (const double value : column)
      if (!std::isfinite(value))
        return fail(Code::bad_cell, "the product {} is too large for a number", to_text(design.names[j]));
    const auto [middle, length] = standardise(column);
    mean[j] = middle;
    scale[j] = length / std::sqrt(double(n));
    for (double& value : column) value *= std::sqrt(double(n));
  }
  std::vector<double> unit(centred.begin() + std::ptrdiff_t(n), centred.end());
  for (double& value : unit) value /= std::sqrt(double(n));
  const numerics::OrderedQr qr(n, p - 1, std::move(unit), dependent_column);
  std::vector<std::size_t> columns{0};
  for (const std::size_t j : qr.pivots()) columns.push_back(j + 1);
  const std::size_t r = columns.size();
  std::vector<double> x, x_plain;
  for (const std::size_t j : columns) {
    fit.used[j] = 1;
    x.insert(x.end(), centred.begin() + std::ptrdiff_t(j * n), centred.begin() + std::ptrdiff_t((j + 1) * n));
    for (std::size_t i = 0; i < n; ++i) x_plain.push_back(design.column(j)[i] / scale[j]);
  }
  const LogisticLikelihood likelihood(std::move(x), r, y, spec.penalised);
  const auto top = likelihood.maximise(std::vector<double>(r, 0.0));
  fit.converged = top.converged;
  fit.separated = top.separated;
  fit.log_likelihood = top.log_likelihood;
  if (!top.converged && !top.separated) return fit;

  // b_j = c_j / scale_j, b_0 = c_0 - sum mean_j b_j
  std::vector<double> to_intercept(r, 0.0);
  to_intercept[0] = 1;
  for (std::size_t k = 1; k < r; ++k) to_intercept[k] = -mean[columns[k]] / scale[columns[k]];
  constexpr double boundless = 1e6;
  double intercept_moves = 0;
  for (std::size_t k = 0; k < r; ++k) {
    intercept_moves += to_intercept[k] * top.last_step[k];
    // Beside an infinite coefficient another may have nothing left that tells it: no limit, and a variance without bound (columns
    // have standard deviation 1 here).
    const bool undetermined = top.variance.empty() || !(top.variance[k * r + k] < boundless);
    fit.infinite[columns[k]] = top.separated && k > 0 && (undetermined || std::abs(top.last_step[k]) > 1e-3);
  }
  fit.infinite[0] = top.separated && std::abs(intercept_moves) > 1e-3;
  for (std::size_t k = 0; k < r; ++k) {
    const std::size_t j = columns[k];
    if (fit.infinite[j]) continue;
    double value = 0, variance = 0;
    if (k > 0) {
      value = top.b[k] / scale[j];
      if (!top.variance.empty()) variance = top.variance[k * r + k] / (scale[j] * scale[j]);
    } else {
      for (std::size_t a = 0; a < r; ++a) {
        value += to_intercept[a] * top.b[a];
        for (std::size_t c = 0; c < r && !top.variance.empty(); ++c)
          variance += to_intercept[a] * top.variance[a * r + c] * to_intercept[c];
      }
      if (top.separated && !(variance < boundless)) {
        fit.infinite[0] = true;
        continue;
      }
    }
    fit.b[j] = value;
    fit.se[j] = top.variance.empty() ? missing_number : std::sqrt(variance);
  }
  if (!spec.profile || !top.converged) return fit;

  const double fall = numerics::chi_square_quantile(spec.level, 1);
  // The intercept is a parameter of its own only where the columns are not centred.
  const LogisticLikelihood plain(std::move(x_plain), r, y, spec.penalised);
  for (std::size_t k = 0; k < r; ++k) {
    const std::size_t j = columns[k];
    LogisticLikelihood const& one = k == 0 ? plain : likelihood;
    auto peak = top;
    if (k == 0) {
      peak.b[0] = fit.b[0];
      peak = plain.maximise(peak.b);
      if (!peak.converged) continue;
    }
    const double se = fit.se[j] * scale[j];
    fit.lower[j] = profile_limit(one, peak, k, -1, se, fall) / scale[j];
    fit.upper[j] = profile_limit(one, peak, k, 1, se, fall) / scale[j];
    std::vector<double> start = peak.b;
    start[k] = 0;
    const auto null = one.maximise(start, k);
    if (null.converged || null.separated) fit.p[j] = numerics::chi_square_upper(std::max(2 * (peak.value - null.value), 0.0), 1);
  }
  return fit;
}

}  // namespace equipoise::stats

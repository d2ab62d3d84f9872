#include "equipoise/stats/linear/linear_fit.h"

#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/numerics/sum.h"

namespace equipoise::stats {
namespace {

constexpr double constant = 1e-13;       ///< of its largest value: a column that varies less is rounding around a constant
constexpr double rounding_only = 1e-14;  ///< of the largest |y|: a residual standard deviation below it, times sqrt n

double largest(std::span<const double> values) {
  double size = 0;
  for (const double value : values) size = std::fmax(size, std::abs(value));
  return size;
}

/// The power of two that brings the largest value to between 1/2 and 1: division by it is exact.
double unit_of(std::span<const double> values) {
  const double size = largest(values);
  return size > 0 ? std::ldexp(1.0, std::clamp(std::ilogb(size) + 1, -1021, 1023)) : 1.0;
}

}  // namespace

std::pair<double, double> standardise(std::span<double> x) {
  const double scale = unit_of(x), n = double(x.size());
  if (x.empty() || largest(x) == 0) return {0.0, 0.0};
  for (double& value : x) value /= scale;
  const double mean = numerics::sum(x) / n;
  numerics::Sum squares;
  for (double& value : x) {
    value -= mean;
    squares.add(value * value);
  }
  const double length = std::sqrt(squares.value());
  if (!(length > constant * std::sqrt(n))) {
    std::fill(x.begin(), x.end(), 0.0);
    return {mean * scale, 0.0};
  }
  for (double& value : x) value /= length;
  return {mean * scale, length * scale};
}

double inner_product(std::span<const double> w, std::span<const double> v) {
  numerics::Sum total;
  for (std::size_t i = 0; i < w.size(); ++i) total.add(w[i] * v[i]);
  return total.value();
}

Expected<LinearFit> LinearFit::fit(Design const& design, NumbersView y, std::string_view response) {
  const std::size_t n = design.rows, p = design.names.size();
  expects(p > 0 && design.names.front().empty(), "the first column of a linear model is the intercept");
  for (const double value : y)
    if (!std::isfinite(value))
      return fail(Code::bad_cell, "column '{}' holds {}: a response must be finite", response, shortest(value));
  LinearFit fit;
  fit.rows_ = n;
  std::vector<double> x = design.copied_from(1);
  for (std::size_t j = 1; j < p; ++j) {
    const std::span<double> column(x.data() + (j - 1) * n, n);
    for (const double value : column)
      if (!std::isfinite(value))
        return fail(Code::bad_cell, "the product {} is too large for a number", to_text(design.names[j]));
    const auto [mean, length] = standardise(column);
    fit.mean_.push_back(mean);
    fit.length_.push_back(length);
  }
  fit.qr_.emplace(n, p - 1, std::move(x), dependent_column);

  const double scale = unit_of(y);
  std::vector<double> z(y.begin(), y.end());
  for (double& value : z) value /= scale;
  const double mean = numerics::sum(z) / double(std::max<std::size_t>(n, 1));
  for (double& value : z) value -= mean;
  fit.qr_->rotate(z);
  const std::size_t r = fit.qr_->rank();
  fit.effects_.push_back(std::sqrt(double(n)) * (mean * scale));
  for (std::size_t k = 0; k < r; ++k) fit.effects_.push_back(z[k] * scale);
  fit.df_ = double(n) - (n > 0 ? 1.0 : 0.0) - double(r);
  if (fit.df_ > 0) {
    numerics::Sum squares;
    for (std::size_t i = r; i < n; ++i) squares.add(z[i] * z[i]);
    const double sigma = std::sqrt(squares.value() / fit.df_);
    fit.perfect_ = !(sigma > rounding_only * std::sqrt(double(n)));
    fit.sigma_ = sigma * scale;
  }
  return fit;
}

LinearFunction LinearFit::made(double first, std::span<const double> c) const {
  LinearFunction f;
  f.direction.push_back(first / std::sqrt(double(rows_)));
  for (const double w : qr_->solve_transposed(c)) f.direction.push_back(w);
  f.value = inner_product(f.direction, effects_);
  return f;
}

LinearFunction LinearFit::function(std::span<const double> l) const {
  expects(l.size() == mean_.size() + 1, "a linear function has a coefficient for each column of the design");
  if (rows_ == 0) return {};
  // l'b = l_0 a + sum (l_j - l_0 m_j) b_j with a the intercept at the means m
  std::vector<double> c(mean_.size()), magnitude(mean_.size());
  for (std::size_t j = 0; j < c.size(); ++j) {
    const double unit = length_[j] > 0 ? length_[j] : std::fmax(std::abs(mean_[j]), std::numeric_limits<double>::min());
    c[j] = (l[j + 1] - l[0] * mean_[j]) / unit;
    magnitude[j] = (std::abs(l[j + 1]) + std::abs(l[0] * mean_[j])) / unit;
  }
  if (!qr_->in_row_space(c, magnitude)) return {};
  return made(l[0], c);
}

LinearFunction LinearFit::coefficient(std::size_t j) const {
  if (!used(j)) return {};
  std::vector<double> c(mean_.size(), 0.0);
  if (j > 0) {
    c[j - 1] = 1 / length_[j - 1];
    return made(0, c);
  }
  for (std::size_t k = 0; k < c.size(); ++k)
    if (qr_->used(k)) c[k] = -mean_[k] / length_[k];
  return made(1, c);
}

double LinearFit::standard_error(LinearFunction const& f) const {
  return f.estimable() ? sigma_ * std::sqrt(inner_product(f.direction, f.direction)) : missing_number;
}

double LinearFit::t(LinearFunction const& f) const { return perfect_ ? missing_number : f.value / standard_error(f); }

LinearFit::Wald LinearFit::test(std::span<const LinearFunction> functions) const {
  if (functions.empty() || perfect_ || !(df_ > 0)) return {};
  for (LinearFunction const& f : functions)
    if (!f.estimable()) return {};
  // With W the directions, each of length 1, and e the effects: (We)' (WW')^- (We) is the squared length of e along the rows of W
  const std::size_t m = effects_.size(), k = functions.size();
  std::vector<double> w(m * k);
  for (std::size_t i = 0; i < k; ++i) {
    const double length = std::sqrt(inner_product(functions[i].direction, functions[i].direction));
    for (std::size_t j = 0; j < m; ++j) w[i * m + j] = length > 0 ? functions[i].direction[j] / length : 0.0;
  }
  const numerics::OrderedQr qr(m, k, std::move(w), dependent_column);
  std::vector<double> along(m);
  for (std::size_t j = 0; j < m; ++j) along[j] = effects_[j] / sigma_;
  qr.rotate(along);
  numerics::Sum squares;
  for (std::size_t i = 0; i < qr.rank(); ++i) squares.add(along[i] * along[i]);
  const double df = double(qr.rank());
  if (df == 0) return {};
  return {squares.value() / df, df};
}

}  // namespace equipoise::stats

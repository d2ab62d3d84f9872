#include "equipoise/numerics/ordered_qr.h"

#include <cmath>

#include "equipoise/core/error.h"

namespace equipoise::numerics {
namespace {

/// x'y in four running sums, always the same four.
double dot(double const* x, double const* y, std::size_t n) {
  double part[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (std::size_t k = 0; k < 4; ++k) part[k] += x[i + k] * y[i + k];
  for (; i < n; ++i) part[i & 3] += x[i] * y[i];
  return (part[0] + part[2]) + (part[1] + part[3]);
}

}  // namespace

OrderedQr::OrderedQr(std::size_t rows, std::size_t columns, std::vector<double> values, double tolerance)
    : rows_(rows), columns_(columns), values_(std::move(values)), place_(columns, -1), height_(columns, 0) {
  expects(values_.size() == rows_ * columns_, "a matrix has rows * columns values");
  for (std::size_t j = 0; j < columns_; ++j) {
    double* x = values_.data() + j * rows_;
    for (std::size_t k = 0; k < rank(); ++k) reflect(k, x);
    const std::size_t r = rank();
    height_[j] = r;
    const double length = std::sqrt(dot(x + r, x + r, rows_ - r));
    if (!(length > tolerance)) continue;
    // v = x/length, its first entry enlarged by 1 away from 0; H = 1 - v v'/v_1 sends x to -sign(x_1) length e_1
    const double sign = x[r] < 0 ? -1.0 : 1.0;
    for (std::size_t i = r; i < rows_; ++i) x[i] /= sign * length;
    x[r] += 1;
    place_[j] = std::int64_t(r);
    pivots_.push_back(j);
    diagonal_.push_back(-sign * length);
  }
}

void OrderedQr::reflect(std::size_t k, double* y) const {
  double const* v = values_.data() + pivots_[k] * rows_;
  const double factor = dot(v + k, y + k, rows_ - k) / v[k];
  for (std::size_t i = k; i < rows_; ++i) y[i] -= factor * v[i];
}

void OrderedQr::rotate(std::span<double> y) const {
  expects(y.size() == rows_, "a right-hand side has a value for each row");
  for (std::size_t k = 0; k < rank(); ++k) reflect(k, y.data());
}

std::vector<double> OrderedQr::solve(std::span<const double> z) const {
  std::vector<double> b(z.begin(), z.begin() + std::ptrdiff_t(rank()));
  for (std::size_t k = rank(); k-- > 0;) {
    b[k] /= diagonal_[k];
    for (std::size_t i = 0; i < k; ++i) b[i] -= at(i, pivots_[k]) * b[k];
  }
  return b;
}

std::vector<double> OrderedQr::solve_transposed(std::span<const double> c) const {
  expects(c.size() == columns_, "a linear function has a coefficient for each column");
  std::vector<double> w(rank());
  for (std::size_t k = 0; k < rank(); ++k) {
    double const* x = values_.data() + pivots_[k] * rows_;
    w[k] = (c[pivots_[k]] - dot(x, w.data(), k)) / diagonal_[k];
  }
  return w;
}

bool OrderedQr::in_row_space(std::span<const double> c, std::span<const double> magnitude) const {
  constexpr double rounding = 1e-8;
  for (std::size_t j = 0; j < columns_; ++j) {
    if (used(j)) continue;
    // The null vector of column j: 1 at j, and -R11^-1 (entries of R of column j) over the pivots before it.
    std::vector<double> b(height_[j]);
    for (std::size_t k = 0; k < b.size(); ++k) b[k] = at(k, j);
    double along = c[j], size = magnitude[j];
    for (std::size_t k = b.size(); k-- > 0;) {
      b[k] /= diagonal_[k];
      for (std::size_t i = 0; i < k; ++i) b[i] -= at(i, pivots_[k]) * b[k];
      along -= c[pivots_[k]] * b[k];
      size += magnitude[pivots_[k]] * std::abs(b[k]);
    }
    if (std::abs(along) > rounding * size) return false;
  }
  return true;
}

}  // namespace equipoise::numerics

#include "equipoise/numerics/semidefinite.h"

#include "equipoise/core/error.h"

namespace equipoise::numerics {

SemidefiniteFactor::SemidefiniteFactor(std::size_t size) : size_(size), lower_(size * size), diagonal_(size), work_(size) {}

void SemidefiniteFactor::factor(std::span<const double> matrix, double tolerance, std::span<const std::uint8_t> excluded) {
  const std::size_t p = size_;
  expects(matrix.size() == p * p, "the matrix has the size of its factor");
  rank_ = 0;
  // A column is taken from all entries behind it before the next one is made: each entry's terms come in the same order as in a
  // sum of its own, and no entry waits for another.
  for (std::size_t i = 0; i < p; ++i)
    for (std::size_t j = 0; j <= i; ++j) lower_[i * p + j] = matrix[i * p + j];
  double* column = work_.data();
  for (std::size_t j = 0; j < p; ++j) {
    const bool out = !excluded.empty() && excluded[j] != 0;
    const double pivot = lower_[j * p + j];
    const bool kept = !out && pivot > tolerance * matrix[j * p + j] && pivot > 0;  // false for NaN too
    diagonal_[j] = kept ? pivot : 0.0;
    rank_ += kept;
    for (std::size_t i = j + 1; i < p; ++i) lower_[i * p + j] = column[i] = kept ? lower_[i * p + j] / pivot : 0.0;
    if (!kept) continue;
    for (std::size_t i = j + 1; i < p; ++i) {
      double* row = lower_.data() + i * p;
      const double left = row[j];
      for (std::size_t k = j + 1; k <= i; ++k) row[k] -= left * column[k] * pivot;
    }
  }
}

void SemidefiniteFactor::solve(std::span<const double> b, std::span<double> x) const {
  const std::size_t p = size_;
  for (std::size_t i = 0; i < p; ++i) {
    double entry = used(i) ? b[i] : 0.0;
    if (used(i))
      for (std::size_t k = 0; k < i; ++k) entry -= lower_[i * p + k] * x[k];
    x[i] = entry;
  }
  for (std::size_t i = 0; i < p; ++i) x[i] = used(i) ? x[i] / diagonal_[i] : 0.0;
  for (std::size_t i = p; i-- > 0;) {
    if (!used(i)) continue;
    for (std::size_t k = i + 1; k < p; ++k) x[i] -= lower_[k * p + i] * x[k];
  }
}

double SemidefiniteFactor::quadratic_form(std::span<const double> b) {
  solve(b, work_);
  double form = 0.0;
  for (std::size_t i = 0; i < size_; ++i)
    if (used(i)) form += b[i] * work_[i];
  return form;
}

void SemidefiniteFactor::inverse(std::span<double> out) const {
  const std::size_t p = size_;
  for (std::size_t j = 0; j < p; ++j) {
    std::span<double> row = out.subspan(j * p, p);  // symmetric: the row is the column
    for (std::size_t i = 0; i < p; ++i) row[i] = i == j ? 1.0 : 0.0;
    solve(row, row);
    if (!used(j))
      for (std::size_t i = 0; i < p; ++i) row[i] = 0.0;
  }
}

}  // namespace equipoise::numerics

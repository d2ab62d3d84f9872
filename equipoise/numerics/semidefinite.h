#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace equipoise::numerics {

/// A = L D L' of a symmetric positive semidefinite matrix (p x p, row by row), columns in the given order. A column whose pivot
/// falls to `tolerance` times its diagonal depends on the columns before it: it is left out, and takes part in nothing. So a
/// model's first of two equal columns keeps its coefficient, and the number of columns left is the rank.
///
/// Storage is taken once: factor, solve and inverse allocate nothing.
///
/// source   Golub & Van Loan (2013), Matrix Computations, 4th ed., section 4.2; the rule for dependent columns is that of
///          Therneau's cholesky2 in R's survival
/// checked  semidefinite_test.cpp
class SemidefiniteFactor {
 public:
  explicit SemidefiniteFactor(std::size_t size);

  /// `excluded[j]` other than 0 leaves column j out from the start.
  void factor(std::span<const double> matrix, double tolerance, std::span<const std::uint8_t> excluded = {});

  std::size_t rank() const { return rank_; }
  bool used(std::size_t column) const { return diagonal_[column] > 0; }

  /// x with A x = b over the columns used, 0 elsewhere. b and x may be the same storage.
  void solve(std::span<const double> b, std::span<double> x) const;
  /// b' A^- b over the columns used.
  double quadratic_form(std::span<const double> b);
  /// The inverse over the columns used, zeros elsewhere (p x p, row by row).
  void inverse(std::span<double> out) const;

 private:
  std::size_t size_;
  std::size_t rank_ = 0;
  std::vector<double> lower_;     ///< L below the diagonal
  std::vector<double> diagonal_;  ///< D; 0 of a column left out
  std::vector<double> work_;
};

}  // namespace equipoise::numerics

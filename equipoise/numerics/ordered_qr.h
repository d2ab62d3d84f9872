#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace equipoise::numerics {

/// X = Q R of a matrix (n x p, column after column), its columns taken in their order. A column of which the columns before it
/// leave no more than `tolerance` (a length: scale the columns first) depends on them: it is left out, and the first of two
/// equal columns stays. The number of columns left is the rank r.
///
/// Householder reflections; every sum runs in one fixed order, so the same matrix gives the same bytes.
///
/// source   Golub & Van Loan (2013), Matrix Computations, 4th ed., section 5.2; the rule for dependent columns is that of
///          LINPACK's dqrdc2 in R's lm
/// checked  ordered_qr_test.cpp
class OrderedQr {
 public:
  OrderedQr(std::size_t rows, std::size_t columns, std::vector<double> values, double tolerance);

  std::size_t rank() const { return pivots_.size(); }
  bool used(std::size_t column) const { return place_[column] >= 0; }
  /// The columns used, in order: shape r.
  std::span<const std::size_t> pivots() const { return pivots_; }

  /// y becomes Q'y, shape n: the first r are the effects, the squares of the others sum to the residual sum of squares.
  void rotate(std::span<double> y) const;
  /// b (shape r) with R11 b = z, z of shape r or longer.
  std::vector<double> solve(std::span<const double> z) const;
  /// w (shape r) with R11' w = c over the columns used; c has shape p. The variance of c'b is sigma^2 w'w.
  std::vector<double> solve_transposed(std::span<const double> c) const;
  /// Whether c (shape p) is a combination of the rows of X, so that c'b is the same for every least squares solution b. c is
  /// orthogonal to the null space up to 1e-8 of the `magnitude` of its terms (shape p: |c| before any cancellation).
  bool in_row_space(std::span<const double> c, std::span<const double> magnitude) const;

 private:
  double& at(std::size_t row, std::size_t column) { return values_[column * rows_ + row]; }
  double at(std::size_t row, std::size_t column) const { return values_[column * rows_ + row]; }
  /// Applies reflection k to y[k..n).
  void reflect(std::size_t k, double* y) const;

  std::size_t rows_, columns_;
  std::vector<double> values_;       ///< R above, reflections below
  std::vector<double> diagonal_;     ///< of R, shape r
  std::vector<std::size_t> pivots_;  ///< column of each row of R
  std::vector<std::int64_t> place_;  ///< row of R of each column, -1 of one left out
  std::vector<std::size_t> height_;  ///< of each column: its entries of R, those above its own pivot
};

}  // namespace equipoise::numerics

#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace equipoise::numerics {

/// A = L L' of a symmetric positive definite matrix, n x n, for sizes of some tens, where a general library spends most of its time
/// on getting ready.
///
/// Storage is taken once: factor and solve allocate nothing.
///
/// source   Golub & Van Loan (2013), Matrix Computations, 4th ed., section 4.2.9
/// checked  cholesky_test.cpp
class Cholesky {
 public:
  explicit Cholesky(std::size_t size);

  /// Reads the lower triangle, column by column. False: not positive definite, and nothing can be solved.
  bool factor(std::span<const double> matrix);

  /// x with L x = b, and with A x = b, in place of b.
  void solve_lower(std::span<double> b);
  void solve(std::span<double> b);

  /// L, n x n, column by column, zeros above the diagonal.
  std::vector<double> lower() const;

 private:
  void forward();
  void backward();

  std::size_t size_, stride_;
  std::vector<double> columns_;  ///< of L, each padded to whole lanes; above the diagonal what is left of the steps
  std::vector<double> inverse_;  ///< 1/L_jj
  std::vector<double> work_;     ///< the right-hand side, padded
};

}  // namespace equipoise::numerics

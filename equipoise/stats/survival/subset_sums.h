#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace equipoise::stats {

/// The mean, over all subsets of k of the n rows added so far, of the product of their weights w = exp(z'b):
///
///     m_k = sum_{|A| = k} prod_{i in A} w_i / C(n, k),     k = 0 to the largest asked for,
///
/// with its derivatives in b. A row more makes
///
///     m_k <- (1 - k/n) m_k + (k/n) w m_{k-1}        (n counts the new row)
///
/// a mean of two means: nothing cancels, nothing grows with n, and with b = 0 every m_k is exactly 1. O(largest p^2) a row.
///
/// source   the recursion of Gail, Lubin & Rubinstein (1981), Biometrika 68, 703-707, on means instead of sums
/// checked  subset_sums_test.cpp (all subsets written out)
class SubsetMeans {
 public:
  SubsetMeans(std::size_t coefficients, std::size_t largest);

  void clear();
  void add(double weight, std::span<const double> z);

  std::size_t rows() const { return n_; }
  double mean(std::size_t k) const { return values_[k * stride_]; }
  /// First derivatives of m_k (p).
  std::span<const double> gradient(std::size_t k) const { return std::span(values_).subspan(k * stride_ + 1, p_); }
  /// Second derivatives of m_k: i and j <= i at place i (i + 1) / 2 + j.
  std::span<const double> curvature(std::size_t k) const { return std::span(values_).subspan(k * stride_ + 1 + p_, stride_ - 1 - p_); }

 private:
  std::size_t p_, largest_, stride_, n_ = 0;
  std::vector<double> values_;  // of m_k: its value, gradient and curvature, side by side
};

/// log C(n, k).
double log_subsets(double n, double k);

}  // namespace equipoise::stats

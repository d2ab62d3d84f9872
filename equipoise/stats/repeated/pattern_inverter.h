#pragma once

#include <cmath>
#include <span>

#include "equipoise/stats/repeated/pattern_tiles.h"

namespace equipoise::stats::folded {

/// W = V^-1 of a tile of patterns at a time. A visit that a pattern lacks stands as a variance of 1 without correlations: it
/// changes neither inverse nor determinant of the others, and its own element is taken out at the end.
class PatternInverter {
 public:
  explicit PatternInverter(std::size_t m)
      : m_(Index(m)),
        work_(VectorXd::Zero(widest_tile * width * (2 * m_ * m_ + m_))),
        logs_(VectorXd::Zero(widest_tile * width)) {}

  /// `seen`: a lane of 0 or 1 for each visit. W goes to columns 0.. of `out`, its row sums behind them, and to `full`, m x m
  /// tiles; L^-1 below the diagonal and 1/D (0 of a visit not seen) on it, with V = L D L', to `root`. The logarithms of the
  /// determinants stand in `logs` until the next call. False: not positive definite.
  template <Index C>
  bool invert(std::span<const double> sigma, MatrixXd const& seen, Index g, MatrixXd& out, MatrixXd& root, double* full) {
    using T = Tile<C>;
    const Index m = m_, rows = out.rows();
    double *lower = work_.data(), *scaled = lower + m * m * T::size, *inverse_pivot = scaled + m * m * T::size;
    double const* seen_at = seen.data() + g;
    double const* element = sigma.data();
    const T one = T::all(1.0);
    T product = one;
    logs_.setZero();
    for (Index j = 0; j < m; ++j) {
      const T here = T::load(seen_at + j * rows);
      double *l_j = lower + j * m * T::size, *s_j = scaled + j * m * T::size;
      for (Index k = 0; k < j; ++k) {
        T value = T::all(*element++) * here * T::load(seen_at + k * rows);
        double const* s_k = scaled + k * m * T::size;
        for (Index t = 0; t < k; ++t) value.subtract(T::load(l_j + t * T::size), T::load(s_k + t * T::size));
        value.store(s_j + k * T::size);  // L_jk d_k
        (value * T::load(inverse_pivot + k * T::size)).store(l_j + k * T::size);
      }
      T pivot = T::all(*element++) * here + (one - here);
      for (Index t = 0; t < j; ++t) pivot.subtract(T::load(l_j + t * T::size), T::load(s_j + t * T::size));
      for (Lanes const& lanes : pivot.of)
        for (Index lane = 0; lane < width; ++lane)
          if (!(lanes[std::size_t(lane)] > 0)) return false;
      (one / pivot).store(inverse_pivot + j * T::size);
      product = product * pivot;
      if (j % 8 == 7 || j + 1 == m) {
        for (Index c = 0; c < C; ++c)
          for (Index lane = 0; lane < width; ++lane) logs_[c * width + lane] += std::log(product.of[c][std::size_t(lane)]);
        product = one;
      }
    }
    // L^-1 replaces the scaled factor, and its rows over the pivots those of L, which are not needed any more
    for (Index j = 0; j < m; ++j) {
      double *l_j = lower + j * m * T::size, *x_j = scaled + j * m * T::size;
      const T inverse = T::load(inverse_pivot + j * T::size);
      for (Index k = 0; k < j; ++k) {
        T value = T::load(l_j + k * T::size);
        for (Index t = k + 1; t < j; ++t) value.add(T::load(l_j + t * T::size), T::load(scaled + (t * m + k) * T::size));
        (T::all(0.0) - value).store(x_j + k * T::size);
      }
      for (Index k = 0; k < j; ++k) (T::load(x_j + k * T::size) * inverse).store(l_j + k * T::size);
    }
    double *w_at = out.data() + g, *root_at = root.data() + g;
    for (Index j = 0; j < m; ++j) {
      const T here = T::load(seen_at + j * rows), inverse = T::load(inverse_pivot + j * T::size);
      for (Index k = 0; k <= j; ++k, w_at += rows, root_at += rows) {
        // W_jk = sum_{t >= j} Linv_tj Linv_tk / d_t
        T value = k == j ? inverse : T::load(lower + (j * m + k) * T::size);
        for (Index t = j + 1; t < m; ++t)
          value.add(T::load(lower + (t * m + j) * T::size), T::load(scaled + (t * m + k) * T::size));
        if (k == j) value = value * here;
        value.store(w_at);
        value.store(full + (j * m + k) * T::size);
        value.store(full + (k * m + j) * T::size);
        (k == j ? inverse * here : T::load(scaled + (j * m + k) * T::size)).store(root_at);
      }
    }
    for (Index j = 0; j < m; ++j, w_at += rows) {
      T row = T::load(full + j * m * T::size);
      for (Index k = 1; k < m; ++k) row = row + T::load(full + (j * m + k) * T::size);
      row.store(w_at);
    }
    return true;
  }

  double const* logs() const { return logs_.data(); }

 private:
  Index m_;
  VectorXd work_, logs_;  // L, L D then L^-1, 1/D
};

}  // namespace equipoise::stats::folded

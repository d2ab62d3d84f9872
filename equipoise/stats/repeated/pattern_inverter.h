#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "equipoise/stats/repeated/pattern_sums.h"

namespace equipoise::stats::folded {

/// W = V^-1 of four patterns at a time. A visit that a pattern lacks stands as a variance of 1 without correlations: it changes
/// neither inverse nor determinant of the others.
class PatternInverter {
 public:
  explicit PatternInverter(std::size_t m) : m_(m), lower_(m * m), scaled_(m * m), pivot_(m) {}

  /// `seen`: a lane of 0 or 1 for each visit. W goes to columns 0.. of `out`, its row sums behind them; L^-1 below the diagonal
  /// and 1/D (0 of a visit not seen) on it, with V = L D L', to `root`. False: not positive definite.
  bool invert(std::span<const double> sigma, MatrixXd const& seen, Index g, MatrixXd& out, MatrixXd& root,
              Lanes& determinant_logs) {
    const std::size_t m = m_;
    Lanes *lower = lower_.data(), *scaled = scaled_.data(), *pivot = pivot_.data();
    const Lanes one = numerics::everywhere(1.0);
    Lanes product = one;
    determinant_logs = numerics::everywhere(0.0);
    for (std::size_t j = 0; j < m; ++j) {
      const Lanes here = at(seen, Index(j), g);
      for (std::size_t k = 0; k <= j; ++k) {
        Lanes value = numerics::everywhere(sigma[packed(j, k)]) * here * at(seen, Index(k), g);
        if (k == j) value += one - here;
        for (std::size_t t = 0; t < k; ++t) value -= lower[j * m + t] * scaled[k * m + t];
        if (k < j) {
          scaled[j * m + k] = value;
          lower[j * m + k] = value / pivot[k];
        } else {
          for (std::size_t lane = 0; lane < numerics::lanes; ++lane)
            if (!(value[lane] > 0)) return false;
          pivot[j] = value;
        }
      }
      // scaled[j][t] holds L_jt d_t, so the pairing above is L_jt (L_kt d_t)
      product *= pivot[j];
      if (j % 4 == 3 || j + 1 == m) {
        for (std::size_t lane = 0; lane < numerics::lanes; ++lane) determinant_logs[lane] += std::log(product[lane]);
        product = one;
      }
    }
    // L^-1 replaces the scaled factor, which is not needed any more; L itself stays until the last column is done
    for (std::size_t k = 0; k < m; ++k)
      for (std::size_t j = k + 1; j < m; ++j) {
        Lanes value = lower[j * m + k];
        for (std::size_t t = k + 1; t < j; ++t) value += lower[j * m + t] * scaled[t * m + k];
        scaled[j * m + k] = -value;
      }
    for (std::size_t j = 0; j < m; ++j) pivot[j] = one / pivot[j];
    for (std::size_t j = 0; j < m; ++j) {
      const Lanes here = at(seen, Index(j), g);
      for (std::size_t k = 0; k <= j; ++k) {
        // W_jk = sum_{t >= j} Linv_tj Linv_tk / d_t
        Lanes value = pivot[j] * (k == j ? one : scaled[j * m + k]);
        for (std::size_t t = j + 1; t < m; ++t) value += pivot[t] * scaled[t * m + j] * scaled[t * m + k];
        put(out, Index(packed(j, k)), g, value * here * at(seen, Index(k), g));
        put(root, Index(packed(j, k)), g, k == j ? pivot[j] * here : scaled[j * m + k]);
      }
    }
    const Index sums = Index(packed_size(m));
    for (std::size_t j = 0; j < m; ++j) {
      Lanes row = numerics::everywhere(0.0);
      for (std::size_t k = 0; k < m; ++k) row += at(out, Index(packed(j, k)), g);
      put(out, sums + Index(j), g, row);
    }
    return true;
  }

 private:
  std::size_t m_;
  std::vector<Lanes> lower_, scaled_, pivot_;
};

}  // namespace equipoise::stats::folded

#include "equipoise/stats/survival/subset_sums.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/sum.h"

namespace equipoise::stats {

SubsetMeans::SubsetMeans(std::size_t coefficients, std::size_t largest)
    : p_(coefficients), largest_(largest), stride_(1 + p_ + p_ * (p_ + 1) / 2), values_((largest + 1) * stride_) {
  clear();
}

void SubsetMeans::clear() {
  n_ = 0;
  std::fill(values_.begin(), values_.end(), 0.0);
  values_[0] = 1;  // the product of nothing
}

void SubsetMeans::add(double w, std::span<const double> z) {
  ++n_;
  const double n = double(n_);
  for (std::size_t k = std::min(largest_, n_); k > 0; --k) {
    double* const to = values_.data() + k * stride_;
    double const* const from = to - stride_;
    const double stays = (n - double(k)) / n, joins = double(k) / n * w;
    double const *const gradient = from + 1, *curvature = from + 1 + p_;
    double* to_curvature = to + 1 + p_;
    for (std::size_t i = 0; i < p_; ++i)
      for (std::size_t j = 0; j <= i; ++j, ++curvature, ++to_curvature)
        *to_curvature =
            stays * *to_curvature + joins * (*curvature + z[i] * gradient[j] + z[j] * gradient[i] + z[i] * z[j] * from[0]);
    for (std::size_t j = 0; j < p_; ++j) to[1 + j] = stays * to[1 + j] + joins * (gradient[j] + z[j] * from[0]);
    to[0] = stays * to[0] + joins * from[0];
  }
}

double log_subsets(double n, double k) {
  numerics::Sum sum;
  for (double i = 0; i < std::min(k, n - k); ++i) sum.add(std::log((n - i) / (i + 1)));
  return sum.value();
}

}  // namespace equipoise::stats

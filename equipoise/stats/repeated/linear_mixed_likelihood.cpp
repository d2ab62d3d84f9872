#include "equipoise/stats/repeated/linear_mixed_likelihood.h"

#include <algorithm>
#include <cmath>

#include "equipoise/core/error.h"

namespace equipoise::stats {
namespace {

/// Lower Cholesky factor of a symmetric matrix in place (its lower triangle; size x size, row by row). False unless every pivot
/// is above `least` times its diagonal element.
bool cholesky(double* a, std::size_t size, double least) {
  for (std::size_t j = 0; j < size; ++j) {
    double* row = a + j * size;
    for (std::size_t k = 0; k < j; ++k) {
      double entry = row[k];
      double const* other = a + k * size;
      for (std::size_t s = 0; s < k; ++s) entry -= row[s] * other[s];
      row[k] = entry / other[k];
    }
    double pivot = row[j];
    for (std::size_t s = 0; s < j; ++s) pivot -= row[s] * row[s];
    if (!(pivot > least * row[j]) || !std::isfinite(pivot)) return false;
    row[j] = std::sqrt(pivot);
  }
  return true;
}

/// rows <- C^-1 rows, C lower triangular d x d, rows d x width.
void divide(double const* c, std::size_t d, double* rows, std::size_t width) {
  for (std::size_t i = 0; i < d; ++i) {
    double* own = rows + i * width;
    for (std::size_t k = 0; k < i; ++k) {
      const double weight = c[i * d + k];
      double const* earlier = rows + k * width;
      for (std::size_t j = 0; j < width; ++j) own[j] -= weight * earlier[j];
    }
    const double pivot = 1 / c[i * d + i];
    for (std::size_t j = 0; j < width; ++j) own[j] *= pivot;
  }
}

constexpr double no_pivot = 1e-14;  ///< of the products of the coefficients: X'W^-1 X is singular to rounding

}  // namespace

MixedLikelihood::MixedLikelihood(MixedData const& data, bool restricted)
    : data_(&data),
      restricted_(restricted),
      factors_(data.factors),
      roots_(data.factors.size()),
      whitened_(data.turned.size()),
      b_(data.p),
      a_((data.p + 1) * (data.p + 1)),
      inverse_(data.p * data.p),
      gradient_(pairs(data.q)),
      hessian_(pairs(data.q) * pairs(data.q)),
      mixed_(pairs(data.q)),
      slopes_(pairs(data.q) * data.p * data.p),
      scale_(pairs(data.q)),
      slope_scale_(data.q),
      divisor_(double(data.observations) - (restricted ? double(data.p) : 0.0)),
      w_(data.q * data.q),
      n_(data.q * data.q),
      c_(2 * data.q * data.q),
      y_(data.q * data.p),
      yf_(data.q * data.p),
      rho_(data.q),
      z_(pairs(data.q) * data.p),
      back_(data.q * data.q) {}

bool MixedLikelihood::evaluate(std::span<const double> factor, std::size_t rank) {
  const std::size_t p = data_->p, q = data_->q, width = p + 1;
  expects(factor.size() == q * rank, "a factor of the relative covariance has a row for each random effect");
  double log_determinants = 0;
  std::copy(data_->rest.begin(), data_->rest.end(), a_.begin());
  for (MixedData::Pattern const& pattern : data_->patterns) {
    const std::size_t d = pattern.height;
    double const* r = factors_.data() + pattern.factor;
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t k = 0; k < rank; ++k) {
        double entry = 0;
        for (std::size_t a = 0; a < q; ++a) entry += r[i * q + a] * factor[a * rank + k];
        back_[i * q + k] = entry;
      }
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t j = 0; j <= i; ++j) {
        double entry = i == j ? 1 : 0;
        for (std::size_t k = 0; k < rank; ++k) entry += back_[i * q + k] * back_[j * q + k];
        w_[i * d + j] = entry;
      }
    if (!cholesky(w_.data(), d, 0)) return false;
    double log_pivots = 0;
    for (std::size_t i = 0; i < d; ++i) log_pivots += std::log(w_[i * d + i]);
    log_determinants += 2 * pattern.participants * log_pivots;
    double* root = roots_.data() + pattern.factor;
    std::copy(r, r + d * q, root);
    divide(w_.data(), d, root, q);
    double* white = whitened_.data() + pattern.start;
    double const* turned = data_->turned.data() + pattern.start;
    std::copy(turned, turned + pattern.units * d * width, white);
    for (std::size_t u = 0; u < pattern.units; ++u) {
      double* rows = white + u * d * width;
      divide(w_.data(), d, rows, width);
      for (std::size_t i = 0; i < d; ++i) {
        double const* row = rows + i * width;
        for (std::size_t a = 0; a < width; ++a)
          for (std::size_t b = 0; b <= a; ++b) a_[a * width + b] += row[a] * row[b];
      }
    }
  }
  // The factor of the products of (X, y): that of A, then F'X'W^-1 y and the root of Q.
  if (!cholesky(a_.data(), width, no_pivot)) return false;
  std::fill(inverse_.begin(), inverse_.end(), 0.0);
  for (std::size_t k = 0; k < p; ++k) {  // column k of F' = the inverse of the factor
    inverse_[k * p + k] = 1 / a_[k * width + k];
    for (std::size_t i = k + 1; i < p; ++i) {
      double entry = 0;
      for (std::size_t s = k; s < i; ++s) entry -= a_[i * width + s] * inverse_[k * p + s];
      inverse_[k * p + i] = entry / a_[i * width + i];
    }
  }
  for (std::size_t a = 0; a < p; ++a) {
    double entry = 0;
    for (std::size_t k = a; k < p; ++k) entry += inverse_[a * p + k] * a_[p * width + k];
    b_[a] = entry;
  }
  const double root = a_[p * width + p];
  log_determinant_ = 0;
  for (std::size_t k = 0; k < p; ++k) log_determinant_ += 2 * std::log(a_[k * width + k]);
  s_ = root * root / divisor_;
  value_ = divisor_ * (std::log(s_) + 1) + log_determinants + (restricted_ ? log_determinant_ : 0.0);
  return std::isfinite(value_);
}

/// Y, Y F and rho of a unit.
void MixedLikelihood::image(std::size_t pattern, std::size_t unit) {
  const std::size_t p = data_->p, q = data_->q, width = p + 1, d = data_->patterns[pattern].height;
  double const* root = roots_.data() + data_->patterns[pattern].factor;
  double const* rows = whitened_.data() + data_->patterns[pattern].start + unit * d * width;
  std::fill(y_.begin(), y_.end(), 0.0);
  std::fill(yf_.begin(), yf_.end(), 0.0);
  std::fill(rho_.begin(), rho_.end(), 0.0);
  for (std::size_t i = 0; i < d; ++i) {
    double const* row = rows + i * width;
    double residual = row[p];
    for (std::size_t j = 0; j < p; ++j) residual -= row[j] * b_[j];
    for (std::size_t a = 0; a < q; ++a) {
      const double weight = root[i * q + a];
      rho_[a] += weight * residual;
      for (std::size_t j = 0; j < p; ++j) y_[a * p + j] += weight * row[j];
    }
  }
  for (std::size_t a = 0; a < q; ++a)
    for (std::size_t j = 0; j < p; ++j) {
      const double weight = y_[a * p + j];
      for (std::size_t k = j; k < p; ++k) yf_[a * p + k] += weight * inverse_[j * p + k];
    }
}

void MixedLikelihood::derive(bool slopes) {
  const std::size_t p = data_->p, q = data_->q, k = pairs(q);
  const bool with_slopes = restricted_ || slopes;
  std::fill(gradient_.begin(), gradient_.end(), 0.0);
  std::fill(hessian_.begin(), hessian_.end(), 0.0);
  std::fill(mixed_.begin(), mixed_.end(), 0.0);
  std::fill(scale_.begin(), scale_.end(), 0.0);
  std::fill(slope_scale_.begin(), slope_scale_.end(), 0.0);
  std::fill(z_.begin(), z_.end(), 0.0);
  std::fill(slopes_.begin(), slopes_.end(), 0.0);
  for (std::size_t g = 0; g < data_->patterns.size(); ++g) {
    MixedData::Pattern const& pattern = data_->patterns[g];
    double const* root = roots_.data() + pattern.factor;
    for (std::size_t a = 0; a < q; ++a)
      for (std::size_t b = 0; b <= a; ++b) {
        double entry = 0;
        for (std::size_t i = 0; i < pattern.height; ++i) entry += root[i * q + a] * root[i * q + b];
        n_[a * q + b] = n_[b * q + a] = entry;
      }
    double* const h = c_.data();           // sum of Y Phi Y'
    double* const rr = c_.data() + q * q;  // sum of rho rho'
    std::fill(c_.begin(), c_.end(), 0.0);
    for (std::size_t u = 0; u < pattern.units; ++u) {
      image(g, u);
      for (std::size_t a = 0; a < q; ++a)
        for (std::size_t b = 0; b <= a; ++b) {
          double const *ya = yf_.data() + a * p, *yb = yf_.data() + b * p;
          rr[a * q + b] += rho_[a] * rho_[b];
          double* z = z_.data() + pair_of(a, b) * p;
          double inner = 0;
          for (std::size_t j = 0; j < p; ++j) inner += ya[j] * yb[j];
          h[a * q + b] += inner;
          if (a == b) {
            for (std::size_t j = 0; j < p; ++j) z[j] += ya[j] * rho_[a];
          } else {
            for (std::size_t j = 0; j < p; ++j) z[j] += ya[j] * rho_[b] + yb[j] * rho_[a];
          }
          if (!with_slopes) continue;
          double* to = slopes_.data() + pair_of(a, b) * p * p;
          for (std::size_t i = 0; i < p; ++i, to += p) {
            const double left = ya[i], right = a == b ? 0.0 : yb[i];
            for (std::size_t j = 0; j <= i; ++j) to[j] += left * yb[j] + right * ya[j];
          }
        }
    }
    for (std::size_t a = 0; a < q; ++a) {
      slope_scale_[a] += pattern.participants * n_[a * q + a];
      for (std::size_t b = 0; b <= a; ++b) scale_[pair_of(a, b)] += 4 * pattern.participants * n_[a * q + a] * n_[b * q + b];
    }
    for (std::size_t a = 0; a < q; ++a)
      for (std::size_t b = 0; b <= a; ++b) {
        const double own = rr[a * q + b] / s_, reml = restricted_ ? h[a * q + b] : 0.0, twice = a == b ? 1 : 2;
        gradient_[pair_of(a, b)] += twice * (pattern.participants * n_[a * q + b] - reml - own);
        mixed_[pair_of(a, b)] += twice * own / s_;
        h[a * q + b] = h[b * q + a] = 2 * (reml + own) - pattern.participants * n_[a * q + b];
      }
    for (std::size_t a = 0; a < q; ++a)
      for (std::size_t b = 0; b <= a; ++b)
        for (std::size_t c = 0; c < q; ++c)
          for (std::size_t e = 0; e <= c && pair_of(c, e) <= pair_of(a, b); ++e) {
            double entry = n_[b * q + c] * h[e * q + a];
            if (a != b) entry += n_[a * q + c] * h[e * q + b];
            if (c != e) entry += n_[b * q + e] * h[c * q + a];
            if (a != b && c != e) entry += n_[a * q + e] * h[c * q + b];
            hessian_[pair_of(a, b) * k + pair_of(c, e)] += entry;
          }
  }
  for (std::size_t s = 0; s < k; ++s) {
    double* own = slopes_.data() + s * p * p;
    if (with_slopes)
      for (std::size_t i = 0; i < p; ++i)
        for (std::size_t j = 0; j < i; ++j) own[j * p + i] = own[i * p + j];
    for (std::size_t t = 0; t <= s; ++t) {
      double const *other = slopes_.data() + t * p * p, *zs = z_.data() + s * p, *zt = z_.data() + t * p;
      double shared = 0, trace = 0;
      for (std::size_t j = 0; j < p; ++j) shared += zs[j] * zt[j];
      if (restricted_)
        for (std::size_t j = 0; j < p * p; ++j) trace += own[j] * other[j];
      hessian_[s * k + t] -= 2 * shared / s_ + trace;
      hessian_[t * k + s] = hessian_[s * k + t];
    }
  }
}

std::vector<double> MixedLikelihood::second_products(std::span<const double> weights) {
  const std::size_t p = data_->p, q = data_->q, k = pairs(q);
  std::vector<double> out(p * p, 0.0);
  double* const middle = c_.data();
  for (std::size_t g = 0; g < data_->patterns.size(); ++g) {
    MixedData::Pattern const& pattern = data_->patterns[g];
    double const* root = roots_.data() + pattern.factor;
    for (std::size_t a = 0; a < q; ++a)
      for (std::size_t b = 0; b < q; ++b) {
        double entry = 0;
        for (std::size_t i = 0; i < pattern.height; ++i) entry += root[i * q + a] * root[i * q + b];
        n_[a * q + b] = entry;
      }
    std::fill(c_.begin(), c_.end(), 0.0);
    for (std::size_t a = 0; a < q; ++a)
      for (std::size_t b = 0; b <= a; ++b)
        for (std::size_t c = 0; c < q; ++c)
          for (std::size_t e = 0; e <= c; ++e) {
            const double weight = weights[pair_of(a, b) * k + pair_of(c, e)];
            middle[a * q + e] += weight * n_[b * q + c];
            if (a != b) middle[b * q + e] += weight * n_[a * q + c];
            if (c != e) middle[a * q + c] += weight * n_[b * q + e];
            if (a != b && c != e) middle[b * q + c] += weight * n_[a * q + e];
          }
    for (std::size_t u = 0; u < pattern.units; ++u) {
      image(g, u);
      for (std::size_t a = 0; a < q; ++a)
        for (std::size_t b = 0; b < q; ++b)
          for (std::size_t i = 0; i < p; ++i) {
            const double weight = middle[a * q + b] * yf_[a * p + i];
            for (std::size_t j = 0; j < p; ++j) out[i * p + j] += weight * yf_[b * p + j];
          }
    }
  }
  return out;
}

void MixedLikelihood::rotate(std::span<const double> rotation) {
  const std::size_t q = data_->q;
  for (std::vector<double>* rows : {&factors_, &roots_})
    for (std::size_t first = 0; first < rows->size(); first += q) {
      double* own = rows->data() + first;
      for (std::size_t j = 0; j < q; ++j) {
        rho_[j] = 0;
        for (std::size_t a = 0; a < q; ++a) rho_[j] += own[a] * rotation[a * q + j];
      }
      std::copy(rho_.begin(), rho_.end(), own);
    }
}

void MixedLikelihood::rotate_back() { factors_ = data_->factors; }

}  // namespace equipoise::stats

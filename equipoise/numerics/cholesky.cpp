#include "equipoise/numerics/cholesky.h"

#include <algorithm>
#include <cmath>

#include "equipoise/core/error.h"
#include "equipoise/numerics/lanes.h"

namespace equipoise::numerics {

Cholesky::Cholesky(std::size_t size)
    : size_(size), stride_((size + lanes - 1) / lanes * lanes), columns_(stride_ * stride_), inverse_(stride_), work_(stride_) {}

// Four columns at a time: these among themselves, then what they take from all columns behind them. Rows start where a lane does,
// and what the steps do above the diagonal is never read.
bool Cholesky::factor(std::span<const double> matrix) {
  expects(matrix.size() == size_ * size_, "the matrix has the size of its factor");
  double* const all = columns_.data();
  for (std::size_t j = 0; j < size_; ++j) {
    const std::size_t top = j / lanes * lanes;
    std::copy_n(matrix.data() + j * size_ + top, size_ - top, all + j * stride_ + top);
  }
  for (std::size_t first = 0; first < size_; first += lanes) {
    const std::size_t after = std::min(first + lanes, size_);
    for (std::size_t j = first; j < after; ++j) {
      double* own = all + j * stride_;
      for (std::size_t k = first; k < j; ++k) {
        double const* left = all + k * stride_;
        const Lanes share = everywhere(left[j]);
        for (std::size_t i = first; i < stride_; i += lanes) store(own + i, fused_less(share, load(left + i), load(own + i)));
      }
      if (!(own[j] > 0)) return false;
      const double root = std::sqrt(own[j]);
      inverse_[j] = 1 / root;
      const Lanes share = everywhere(inverse_[j]);
      for (std::size_t i = first; i < stride_; i += lanes) store(own + i, share * load(own + i));
      own[j] = root;
    }
    if (after < first + lanes) break;
    double const *a = all + first * stride_, *b = a + stride_, *c = b + stride_, *d = c + stride_;
    for (std::size_t j = after; j < size_; j += 2) {  // of an odd size the last column has a neighbour that nobody reads
      double *own = all + j * stride_, *next = own + stride_;
      const std::size_t top = j / lanes * lanes;
      const bool pair = j + 1 < size_;
      const Lanes a0 = everywhere(a[j]), b0 = everywhere(b[j]), c0 = everywhere(c[j]), d0 = everywhere(d[j]);
      if (!pair) next = work_.data();
      const std::size_t other = pair ? j + 1 : j;
      const Lanes a1 = everywhere(a[other]), b1 = everywhere(b[other]), c1 = everywhere(c[other]), d1 = everywhere(d[other]);
      for (std::size_t i = top; i < stride_; i += lanes) {
        const Lanes ai = load(a + i), bi = load(b + i), ci = load(c + i), di = load(d + i);
        store(own + i, fused_less(d0, di, fused_less(c0, ci, fused_less(b0, bi, fused_less(a0, ai, load(own + i))))));
        store(next + i, fused_less(d1, di, fused_less(c1, ci, fused_less(b1, bi, fused_less(a1, ai, load(next + i))))));
      }
    }
  }
  return true;
}

void Cholesky::forward() {
  double* const x = work_.data();
  for (std::size_t first = 0; first < size_; first += lanes) {
    const std::size_t after = std::min(first + lanes, size_);
    double const* columns = columns_.data() + first * stride_;
    for (std::size_t j = first; j < after; ++j) {
      double sum = x[j];
      for (std::size_t k = first; k < j; ++k) sum -= columns[(k - first) * stride_ + j] * x[k];
      x[j] = sum * inverse_[j];
    }
    if (after < first + lanes) break;
    const Lanes a = everywhere(x[first]), b = everywhere(x[first + 1]), c = everywhere(x[first + 2]), d = everywhere(x[first + 3]);
    for (std::size_t i = after; i < stride_; i += lanes) {
      const Lanes less = fused_less(b, load(columns + stride_ + i), fused_less(a, load(columns + i), load(x + i)));
      store(x + i, fused_less(d, load(columns + 3 * stride_ + i), fused_less(c, load(columns + 2 * stride_ + i), less)));
    }
  }
}

void Cholesky::backward() {
  double* const x = work_.data();
  for (std::size_t first = (size_ - 1) / lanes * lanes;; first -= lanes) {
    const std::size_t after = std::min(first + lanes, size_);
    double const* columns = columns_.data() + first * stride_;
    Lanes sums[lanes] = {};
    if (after == first + lanes)
      for (std::size_t i = after; i < stride_; i += lanes)
        for (std::size_t k = 0; k < lanes; ++k) sums[k] = fused(load(columns + k * stride_ + i), load(x + i), sums[k]);
    for (std::size_t j = after; j-- > first;) {
      double sum = x[j] - total(sums[j - first]);
      for (std::size_t k = j + 1; k < after; ++k) sum -= columns[(j - first) * stride_ + k] * x[k];
      x[j] = sum * inverse_[j];
    }
    if (first == 0) return;
  }
}

void Cholesky::solve_lower(std::span<double> b) {
  expects(b.size() == size_, "the right-hand side has the size of the factor");
  std::copy(b.begin(), b.end(), work_.begin());
  std::fill(work_.begin() + std::ptrdiff_t(size_), work_.end(), 0.0);
  forward();
  std::copy_n(work_.begin(), size_, b.begin());
}

void Cholesky::solve(std::span<double> b) {
  expects(b.size() == size_, "the right-hand side has the size of the factor");
  std::copy(b.begin(), b.end(), work_.begin());
  std::fill(work_.begin() + std::ptrdiff_t(size_), work_.end(), 0.0);
  forward();
  backward();
  std::copy_n(work_.begin(), size_, b.begin());
}

std::vector<double> Cholesky::lower() const {
  std::vector<double> made(size_ * size_, 0.0);
  for (std::size_t j = 0; j < size_; ++j)
    std::copy_n(columns_.data() + j * stride_ + j, size_ - j, made.data() + j * size_ + j);
  return made;
}

}  // namespace equipoise::numerics

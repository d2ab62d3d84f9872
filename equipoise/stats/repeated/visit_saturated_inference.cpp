#include <algorithm>

#include "equipoise/stats/repeated/visit_likelihood_work.h"

namespace equipoise::stats {

using folded::Index, folded::Lanes, folded::Saturated, folded::packed_index, folded::width;
using numerics::everywhere, numerics::fused, numerics::load, numerics::store;

/// Over means and beta the inverse is
///
///     Phi_kl = [k = l] A_k^-1 + E_k S^-1 E_l',   Phi_kR = -E_k S^-1,   Phi_RR = S^-1
///
/// and each given coefficient is a sum of a few of them.
void VisitLikelihood::Work::phi_saturated() {
  Saturated& it = *saturated;
  const Index count = it.count, r = it.r, gs = it.group_stride, means = m * gs, step = (means + r + width - 1) / width * width;
  double* phi = it.phi.data();
  for (Index j = 0; j < m; ++j)
    for (Index k = 0; k < count; ++k) {
      double* row = phi + (j * gs + k) * step;
      std::fill_n(row, step, 0.0);
      for (Index l = 0; l < m; ++l) row[l * gs + k] = it.inverse[(j * m + l) * gs + k];
      for (Index c = 0; c < r; ++c) {
        double slope = 0;  // (E S^-1)_jc
        for (Index d = 0; d < r; ++d) slope += it.carried[(d * m + j) * gs + k] * it.rest_inverse[d * r + c];
        for (Index at = 0; at < means; at += width)
          store(row + at, fused(everywhere(slope), load(&it.carried[c * means + at]), load(row + at)));
        row[means + c] = phi[(means + c) * step + j * gs + k] = -slope;
      }
    }
  for (Index c = 0; c < r; ++c)
    for (Index d = 0; d < r; ++d) phi[(means + c) * step + means + d] = it.rest_inverse[c * r + d];
  for (Index c = 0; c < p; ++c) {
    double* row = it.row.data();
    std::fill_n(row, step, 0.0);
    for (auto const& [at, weight] : it.terms[std::size_t(c)])
      for (Index o = 0; o < step; o += width) store(row + o, fused(everywhere(weight), load(phi + at * step + o), load(row + o)));
    for (Index d = 0; d <= c; ++d) {
      double sum = 0;
      for (auto const& [at, weight] : it.terms[std::size_t(d)]) sum += weight * row[at];
      phi_matrix(c, d) = phi_matrix(d, c) = sum;
    }
  }
}

/// With f the fit of Phi l: sum over participants of (W f)' D_s (W f), their f f' being
///     sum_k n_gk f_k f_k' + h 1' + 1 h' within a pattern.
void VisitLikelihood::Work::variance_slope_saturated(std::span<const double> l, std::span<double> out) {
  Saturated& it = *saturated;
  const Index count = it.count, r = it.r, gs = it.group_stride, means = m * gs;
  double *of_means = it.along.data(), *f = it.row.data();
  std::fill_n(of_means, means + r, 0.0);
  for (Index c = 0; c < p; ++c)
    for (auto const& [at, weight] : it.terms[std::size_t(c)]) of_means[at] += weight * l[std::size_t(c)];
  for (Index c = 0; c < r; ++c)
    for (Index at = 0; at < means; ++at) of_means[means + c] -= it.carried[c * means + at] * of_means[at];
  for (Index c = 0; c < r; ++c) {
    f[means + c] = 0;
    for (Index d = 0; d < r; ++d) f[means + c] += it.rest_inverse[c * r + d] * of_means[means + d];
  }
  for (Index j = 0; j < m; ++j)
    for (Index from = 0; from < gs; from += width) {
      Lanes sum{};
      for (Index o = 0; o < m; ++o) sum = fused(load(&it.inverse[(j * m + o) * gs + from]), load(of_means + o * gs + from), sum);
      for (Index c = 0; c < r; ++c) sum -= load(&it.carried[(c * m + j) * gs + from]) * everywhere(f[means + c]);
      store(f + j * gs + from, sum);
    }
  std::fill(element_sums.begin(), element_sums.end(), Lanes{});
  folded::in_tiles(0, rows, [&](auto wide, Index g) {
    using T = folded::Tile<wide()>;
    double *x = x_full.data(), *h = it.h.data();
    T half = T::all(0.0);
    for (Index c = 0; c < r; ++c)
      for (Index d = 0; d <= c; ++d) {
        const Index a = it.rest_covariates[std::size_t(c)], o = it.rest_covariates[std::size_t(d)];
        half.add(T::all((c == d ? 0.5 : 1.0) * f[means + c] * f[means + d]),
                 T::load(&uu(g, pair_place[std::size_t(packed_index(std::max(a, o), std::min(a, o)))])));
      }
    for (Index j = 0; j < m; ++j) {
      T sum = half;
      for (Index k = 0; k < count; ++k)
        for (Index c = 0; c < r; ++c) sum.add(T::load(&it.s(g, k * r + c)), T::all(f[means + c] * f[j * gs + k]));
      sum.store(h + j * T::size);
    }
    for (Index j = 0; j < m; ++j)
      for (Index o = 0; o <= j; ++o) {
        T sum = T::load(h + j * T::size) + T::load(h + o * T::size);
        for (Index k = 0; k < count; ++k) sum.add(T::load(&it.n(g, k)), T::all(f[j * gs + k] * f[o * gs + k]));
        sum.store(x + (j * m + o) * T::size);
        sum.store(x + (o * m + j) * T::size);
      }
    sandwich_tile<wide()>(g);
    add_elements<wide()>();
    return true;
  });
  total_elements(out.data());
}

}  // namespace equipoise::stats

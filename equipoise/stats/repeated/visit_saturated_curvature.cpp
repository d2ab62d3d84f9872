#include <algorithm>
#include <numbers>

#include "equipoise/stats/repeated/visit_likelihood_work.h"

namespace equipoise::stats {

using folded::Index, folded::Lanes, folded::MatrixXd, folded::Saturated, folded::packed_index;
using numerics::everywhere, numerics::fused, numerics::load, numerics::store;

namespace {

/// to += factor times from, of `count` numbers, a multiple of 8.
void add_row(double* to, double factor, double const* from, Index count) {
  const Lanes times = everywhere(factor);
  for (Index e = 0; e < count; e += 8) {
    store(to + e, fused(times, load(from + e), load(to + e)));
    store(to + e + 4, fused(times, load(from + e + 4), load(to + e + 4)));
  }
}

void scale_row(double* to, double factor, double const* from, Index count) {
  const Lanes times = everywhere(factor);
  for (Index e = 0; e < count; e += 4) store(to + e, times * load(from + e));
}

}  // namespace

void VisitLikelihood::Work::hessian_saturated(Curvature curvature, Eigen::Ref<MatrixXd> out) {
  Saturated& it = *saturated;
  const Index count = it.count, r = it.r, gs = it.group_stride, stride = it.stride, each = stride + it.visit_stride;
  const Index columns = count * m, padded_columns = (columns + 3) / 4 * 4, padded_rest = (r * m + 3) / 4 * 4;
  if (it.stack.empty()) {
    const Index slopes = count * (m * (m + 1) / 2 + r * m) + it.rest_pairs;
    it.kron.size(stride * stride), it.hessian.size(stride * stride);
    it.stack.size((columns + r + (restricted ? slopes : 0)) * stride);
    it.v_by_pattern.size(rows * (padded_columns + padded_rest));
    it.gathered.size(padded_columns * stride + padded_rest * it.visit_stride);
    it.z.size((columns + r) * stride);
  }
  if (curvature == Curvature::expected)
    for (Index g = 0; g < rows; ++g) scale_row(it.curved.data() + g * stride, n[g], it.by_pattern.data() + g * each, stride);
  else folded::turn(qq.data(), rows, elements, it.curved.data(), stride);
  folded::products(it.by_pattern.data(), each, stride, it.curved.data(), stride, stride, rows, it.kron.data(), stride);
  double* h = it.hessian.data();
  double* kron = it.kron.data();  // and with its transpose
  folded::turn(kron, stride, stride, h, stride);
  add_row(kron, 1.0, h, stride * stride);
  for (Index s = 0, i = 0; i < m; ++i)
    for (Index j = 0; j <= i; ++j, ++s) {
      Index const *of_i = place_of.data() + i * m, *of_j = place_of.data() + j * m;
      double* to = h + s * stride;
      for (Index k = 0; k <= i; ++k) {
        double const *first = kron + of_j[k] * stride + packed_index(i, 0), *second = kron + of_i[k] * stride;
        const Index reach = k < i ? k : j;
        for (Index l = 0; l <= reach; ++l) to[l] = first[l] + second[of_j[l]];
        if (i == j)
          for (Index l = 0; l <= reach; ++l) to[l] *= 0.5;
        if (reach == k) to[k] *= 0.5;
        to += reach + 1;
      }
    }
  if (curvature != Curvature::expected) {
    // z_s = sum X' W D_s W r
    const Index v_step = padded_columns + padded_rest;
    double* by_pattern = it.v_by_pattern.data();
    whiten_residuals();
    folded::turn(it.v.data(), rows, columns, by_pattern, v_step);
    folded::turn(it.v_rest.data(), rows, r * m, by_pattern + padded_columns, v_step);
    double *with_w = it.gathered.data(), *with_row_sums = with_w + padded_columns * stride, *whole_z = it.z.data();
    folded::products(by_pattern, v_step, padded_columns, it.by_pattern.data(), each, stride, rows, with_w, stride);
    folded::products(by_pattern + padded_columns, v_step, padded_rest, it.by_pattern.data() + stride, each, it.visit_stride, rows,
                     with_row_sums, it.visit_stride);
    const auto turn = [&](double const* first, Index j, double* to) {  // of (W v')_jb: W_ja v_b + W_jb v_a of every element a, b
      Index const* of_j = place_of.data() + j * m;
      for (Index a = 0; a < m; ++a) {
        for (Index l = 0; l < a; ++l) *to++ = first[l * stride + of_j[a]] + first[a * stride + of_j[l]];
        *to++ = first[a * stride + of_j[a]];
      }
    };
    for (Index k = 0; k < count; ++k)
      for (Index j = 0; j < m; ++j) turn(with_w + k * m * stride, j, whole_z + (k * m + j) * stride);
    for (Index c = 0; c < r; ++c) {
      double* to = whole_z + (columns + c) * stride;
      double const* first = with_row_sums + c * m * it.visit_stride;
      for (Index a = 0; a < m; ++a) {
        for (Index l = 0; l < a; ++l) *to++ = first[l * it.visit_stride + a] + first[a * it.visit_stride + l];
        *to++ = first[a * it.visit_stride + a];
      }
    }
    double* stacked_rows = it.stack.data();
    for (Index k = 0; k < count; ++k)
      for (Index x = 0; x < m; ++x) {
        double* to = stacked_rows + (k * m + x) * stride;
        scale_row(to, std::numbers::sqrt2 * it.root[(x * m) * gs + k], whole_z + k * m * stride, stride);
        for (Index y = 1; y <= x; ++y)
          add_row(to, std::numbers::sqrt2 * it.root[(x * m + y) * gs + k], whole_z + (k * m + y) * stride, stride);
      }
    for (Index c = 0; c < r; ++c)
      for (Index k = 0; k < count; ++k)
        for (Index j = 0; j < m; ++j)
          add_row(whole_z + (columns + c) * stride, -it.carried[(c * m + j) * gs + k], whole_z + (k * m + j) * stride, stride);
    for (Index c = 0; c < r; ++c) {
      double* to = stacked_rows + (columns + c) * stride;
      scale_row(to, std::numbers::sqrt2 * it.rest_root[c * r], whole_z + columns * stride, stride);
      for (Index d = 1; d <= c; ++d)
        add_row(to, std::numbers::sqrt2 * it.rest_root[c * r + d], whole_z + (columns + d) * stride, stride);
    }
    it.stacked = columns + r;
    if (curvature == Curvature::exact && restricted) stack_slopes();
    folded::products(stacked_rows, stride, stride, stacked_rows, stride, stride, it.stacked, it.kron.data(), stride, true);
    for (Index s = 0; s < elements; ++s) add_row(h + s * stride, -1.0, it.kron.data() + s * stride, (s + 8) / 8 * 8);
  }
  double* column = out.data();  // column s down to s, then what is left of it as row s
  for (Index s = 0; s < elements; ++s, column += out.outerStride()) std::copy_n(h + s * stride, s + 1, column);
  column = out.data();
  for (Index s = 0; s < elements; ++s, column += out.outerStride())
    for (Index o = s + 1; o < elements; ++o) column[o] = h[o * stride + s];
}

/// Y_kk = L_k^-1 P_kk L_k^-T of every element in the place of the lower triangle of P_kk, eight elements at a time.
void VisitLikelihood::Work::whiten_slopes(Index k) {
  using T = folded::Tile<2>;
  Saturated& it = *saturated;
  const Index stride = it.stride, gs = it.group_stride;
  double *slope = it.made.data(), *left = slope + m * m * T::size, *inverse = left + m * m * T::size;
  for (Index at = 0; at < m * m; ++at) inverse[at] = it.root[at * gs + k];
  for (Index s = 0; s < stride; s += T::size) {
    double* whole = it.whole.data() + s;
    for (Index x = 0; x < m; ++x)
      for (Index y = 0; y <= x; ++y) {
        const T entry = T::load(whole + (x * m + y) * stride);
        entry.store(slope + (x * m + y) * T::size);
        entry.store(slope + (y * m + x) * T::size);
      }
    for (Index x = 0; x < m; ++x)  // L^-1 P
      for (Index y = 0; y < m; ++y) {
        T sum = T::load(slope + y * T::size) * T::all(inverse[x * m]);
        for (Index e = 1; e <= x; ++e) sum.add(T::load(slope + (e * m + y) * T::size), T::all(inverse[x * m + e]));
        sum.store(left + (x * m + y) * T::size);
      }
    for (Index x = 0; x < m; ++x)
      for (Index y = 0; y <= x; ++y) {
        double const* row = left + x * m * T::size;
        T sum = T::load(row) * T::all(inverse[y * m]);
        for (Index e = 1; e <= y; ++e) sum.add(T::load(row + e * T::size), T::all(inverse[y * m + e]));
        sum.store(whole + (x * m + y) * stride);
      }
  }
}

/// With A = L L' of blocks A_kk = L_k L_k', A_Rk = B_k L_k', L_R of S, and P_s accordingly,
///
///     Y_kk = L_k^-1 P_kk L_k^-T,   Y_Rk = L_R^-1 (P_Rk L_k^-T - B_k Y_kk),
///     Y_RR = L_R^-1 (P_RR - sum_k [B_k (P_Rk L_k^-T)' + its transpose - B_k Y_kk B_k']) L_R^-T,
///
/// and none between two groups, as no participant is in both.
void VisitLikelihood::Work::stack_slopes() {
  Saturated& it = *saturated;
  const Index count = it.count, r = it.r, gs = it.group_stride, stride = it.stride, visits = it.visit_stride,
              each = stride + visits;
  // of every element s a row: P_kk or Y_kk (m x m), P_Rk L_k^-T (r x m), P_RR (r x r)
  if (it.whole.empty()) {
    it.whole.size(m * m * stride), it.made.size(2 * m * m * folded::Tile<2>::size + m * m), it.half.size(m * stride);
    it.among.size(r * r * stride), it.with.size(2 * r * m * stride), it.before.size(count * r * m * stride);
    it.weighted.size(rows * std::max(stride, (r * m + 3) / 4 * 4)), it.packed_rows.size(rows * each);
    it.b.size(r * m), it.of_sums.size((r * m + 3) / 4 * 4 * stride);
  }
  double* next = it.stack.data() + it.stacked * stride;
  const auto push = [&](double times, double const* from) {
    scale_row(next, times, from, stride);
    next += stride;
  };
  const auto pair = [&](Index c, Index d) {
    const Index a = it.rest_covariates[std::size_t(c)], o = it.rest_covariates[std::size_t(d)];
    return pair_place[std::size_t(packed_index(std::max(a, o), std::min(a, o)))];
  };
  for (Index c = 0; c < r; ++c)
    for (Index d = 0; d <= c; ++d) {
      double* to = it.among.data() + (c * r + d) * stride;
      std::fill_n(to, stride, 0.0);
      for (Index g = 0; g < rows; ++g) {
        const double share = uu(g, pair(c, d));
        if (share == 0) continue;
        double const* row_sums = it.by_pattern.data() + g * each + stride;
        double* entry = to;
        for (Index a = 0; a < m; ++a) {
          const double twice = 2 * share * row_sums[a];
          for (Index l = 0; l < a; ++l) *entry++ += twice * row_sums[l];
          *entry++ += 0.5 * twice * row_sums[a];
        }
      }
    }
  for (Index k = 0; k < count; ++k) {
    Index own = 0;  // patterns that the group has
    for (Index g = 0; g < rows; ++g) {
      if (it.n(g, k) == 0) continue;
      double const* from = it.by_pattern.data() + g * each;
      std::copy_n(from, each, it.packed_rows.data() + own * each);
      scale_row(it.weighted.data() + own * stride, it.n(g, k), from, stride);
      ++own;
    }
    // sum n W_xa W_yb of packed elements, then P_kk[x, y], x >= y, of every element (a, b)
    folded::products(it.packed_rows.data(), each, stride, it.weighted.data(), stride, stride, own, it.kron.data(), stride);
    double const* kron = it.kron.data();
    for (Index x = 0; x < m; ++x)
      for (Index y = 0; y <= x; ++y) {
        double* to = it.whole.data() + (x * m + y) * stride;
        Index const *of_x = place_of.data() + x * m, *of_y = place_of.data() + y * m;
        double* entry = to;
        for (Index a = 0; a < m; ++a) {
          double const* row = kron + of_x[a] * stride;
          for (Index l = 0; l < a; ++l) *entry++ = row[of_y[l]] + kron[of_x[l] * stride + of_y[a]];
          *entry++ = row[of_y[a]];
        }
      }
    whiten_slopes(k);
    for (Index x = 0; x < m; ++x)
      for (Index y = 0; y <= x; ++y) push(x == y ? 1.0 : std::numbers::sqrt2, it.whole.data() + (x * m + y) * stride);
    if (r == 0) continue;
    const auto root_at = [&](Index x, Index y) { return it.root[(x * m + y) * gs + k]; };
    // P_Rk[c, x] = sum s_gkc (W_xa w_b + W_xb w_a), w the row row_sums
    const Index padded = (r * m + 3) / 4 * 4;
    Index at_row = 0;
    for (Index g = 0; g < rows; ++g) {
      if (it.n(g, k) == 0) continue;
      double* to = it.weighted.data() + at_row * padded;
      double const* row_sums = it.packed_rows.data() + at_row * each + stride;
      for (Index c = 0; c < r; ++c)
        for (Index l = 0; l < m; ++l) to[c * m + l] = it.s(g, k * r + c) * row_sums[l];
      std::fill_n(to + r * m, padded - r * m, 0.0);
      ++at_row;
    }
    folded::products(it.weighted.data(), padded, padded, it.packed_rows.data(), each, stride, own, it.of_sums.data(), stride);
    double *raw = it.with.data(), *with = raw + r * m * stride;
    for (Index c = 0; c < r; ++c)
      for (Index x = 0; x < m; ++x) {
        Index const* of_x = place_of.data() + x * m;
        double const* first = it.of_sums.data() + c * m * stride;
        double* to = raw + (c * m + x) * stride;
        for (Index a = 0; a < m; ++a) {
          for (Index l = 0; l < a; ++l) *to++ = first[l * stride + of_x[a]] + first[a * stride + of_x[l]];
          *to++ = first[a * stride + of_x[a]];
        }
      }
    for (Index c = 0; c < r; ++c)
      for (Index x = 0; x < m; ++x) {
        double* to = with + (c * m + x) * stride;
        scale_row(to, root_at(x, 0), raw + c * m * stride, stride);
        double entry = root_at(x, 0) * it.with_rest[c * m * gs + k];
        for (Index y = 1; y <= x; ++y) {
          add_row(to, root_at(x, y), raw + (c * m + y) * stride, stride);
          entry += root_at(x, y) * it.with_rest[(c * m + y) * gs + k];
        }
        it.b[c * m + x] = entry;
      }
    for (Index c = 0; c < r; ++c) {
      double* carried = it.half.data();  // row c of B Y_kk
      for (Index y = 0; y < m; ++y) {
        double* to = carried + y * stride;
        std::fill_n(to, stride, 0.0);
        for (Index x = 0; x < m; ++x)
          add_row(to, it.b[c * m + x], it.whole.data() + (std::max(x, y) * m + std::min(x, y)) * stride, stride);
      }
      for (Index d = 0; d < r; ++d) {
        double* to = it.among.data() + (std::max(c, d) * r + std::min(c, d)) * stride;
        // of the pair (c, d), c >= d: B_c (P_Rd)' + B_d (P_Rc)' - B_c Y B_d'
        for (Index y = 0; y < m; ++y) {
          add_row(to, (c == d ? -2.0 : -1.0) * it.b[d * m + y], with + (c * m + y) * stride, stride);
          if (c >= d) add_row(to, it.b[d * m + y], carried + y * stride, stride);
        }
      }
      for (Index y = 0; y < m; ++y) {
        double* to = it.before.data() + ((k * r + c) * m + y) * stride;
        std::copy_n(with + (c * m + y) * stride, stride, to);
        add_row(to, -1.0, carried + y * stride, stride);
      }
    }
  }
  if (r > 0) {
    double* row = it.half.data();
    for (Index k = 0; k < count; ++k)
      for (Index c = 0; c < r; ++c)
        for (Index y = 0; y < m; ++y) {
          std::fill_n(row, stride, 0.0);
          for (Index d = 0; d <= c; ++d)
            add_row(row, it.rest_root[c * r + d], it.before.data() + ((k * r + d) * m + y) * stride, stride);
          push(std::numbers::sqrt2, row);
        }
    for (Index c = 0; c < r; ++c)
      for (Index d = 0; d <= c; ++d) {
        std::fill_n(row, stride, 0.0);
        for (Index e = 0; e <= c; ++e)
          for (Index f = 0; f <= d; ++f)
            add_row(row, it.rest_root[c * r + e] * it.rest_root[d * r + f],
                    it.among.data() + (std::max(e, f) * r + std::min(e, f)) * stride, stride);
        push(c == d ? 1.0 : std::numbers::sqrt2, row);
      }
  }
  it.stacked = (next - it.stack.data()) / stride;
}

}  // namespace equipoise::stats

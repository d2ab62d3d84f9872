#include "equipoise/stats/repeated/visit_saturated.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/stats/repeated/visit_likelihood_work.h"

namespace equipoise::stats {

using folded::at, folded::put, folded::packed_index, folded::width;
using folded::Index, folded::Lanes, folded::MatrixXd, folded::Saturated;
using numerics::everywhere, numerics::fused, numerics::fused_less, numerics::load, numerics::store, numerics::total;

namespace {

constexpr double no_information = 1e-13;  ///< pivot beside its diagonal: a column that others tell but for rounding

Index padded(Index count, Index to) { return (count + to - 1) / to * to; }

/// In place of the lower triangle of a (r x r by rows) its root L. False: not positive definite, but for rounding.
bool factor_of(double* a, Index r) {
  for (Index c = 0; c < r; ++c)
    for (Index d = 0; d <= c; ++d) {
      const double given = a[c * r + d];
      double entry = given;
      for (Index e = 0; e < d; ++e) entry -= a[c * r + e] * a[d * r + e];
      if (c == d && !(entry > 0)) return false;
      a[c * r + d] = c == d ? std::sqrt(entry) : entry / a[d * r + d];
    }
  return true;
}

/// a'b of `count` numbers, a multiple of 4.
double product_of(double const* a, double const* b, Index count) {
  Lanes sum{};
  for (Index at = 0; at < count; at += width) sum = fused(load(a + at), load(b + at), sum);
  return total(sum);
}

}  // namespace

void folded::products(double const* a, Index a_step, Index na, double const* b, Index b_step, Index nb, Index count, double* c,
                      Index step, bool lower) {
  for (Index i = 0; i < na; i += 4)
    for (Index j = 0; j < (lower ? std::min(nb, i + 4) : nb); j += 8) {
      Lanes lane_sums[8] = {};
      double const *left = a + i, *right = b + j;
      for (Index g = 0; g < count; ++g, left += a_step, right += b_step) {
        const Lanes first = load(right), second = load(right + 4);
        for (Index k = 0; k < 4; ++k) {
          const Lanes value = everywhere(left[k]);
          lane_sums[2 * k] = fused(value, first, lane_sums[2 * k]);
          lane_sums[2 * k + 1] = fused(value, second, lane_sums[2 * k + 1]);
        }
      }
      for (Index k = 0; k < 4; ++k) {
        store(c + (i + k) * step + j, lane_sums[2 * k]);
        store(c + (i + k) * step + j + 4, lane_sums[2 * k + 1]);
      }
    }
}

void folded::turn(double const* columns, Index rows, Index count, double* to, Index step) {
  Index c = 0;
  for (; c + width <= count; c += width)
    for (Index g = 0; g < rows; g += width) {
      double const* from = columns + c * rows + g;
      const Lanes a = load(from), b = load(from + rows), d = load(from + 2 * rows), e = load(from + 3 * rows);
      const Lanes ab = __builtin_shufflevector(a, b, 0, 4, 2, 6), ab_odd = __builtin_shufflevector(a, b, 1, 5, 3, 7);
      const Lanes de = __builtin_shufflevector(d, e, 0, 4, 2, 6), de_odd = __builtin_shufflevector(d, e, 1, 5, 3, 7);
      double* row = to + g * step + c;
      store(row, __builtin_shufflevector(ab, de, 0, 1, 4, 5));
      store(row + step, __builtin_shufflevector(ab_odd, de_odd, 0, 1, 4, 5));
      store(row + 2 * step, __builtin_shufflevector(ab, de, 2, 3, 6, 7));
      store(row + 3 * step, __builtin_shufflevector(ab_odd, de_odd, 2, 3, 6, 7));
    }
  for (; c < count; ++c)
    for (Index g = 0; g < rows; ++g) to[g * step + c] = columns[c * rows + g];
}

/// Whether the groups' columns and the others are such as `Saturated` says.
void VisitLikelihood::Work::find_saturated() {
  find_groups();
  if (!groups || blocks != 1) return;
  Saturated found;
  found.covariates = groups->covariates;
  found.rest = groups->rest;
  found.shares = groups->shares;
  found.count = Index(found.covariates.size());
  found.r = Index(found.rest.size());
  for (const Index c : found.rest) {
    auto const& pieces = data->columns[std::size_t(c)];
    if (pieces.size() != 1 || pieces.front().visit != VisitData::every_visit) return;
    found.rest_covariates.push_back(Index(pieces.front().covariate));
  }
  found.always.assign(std::size_t(found.count), -1);
  found.at_visit.assign(std::size_t(found.count * m), -1);
  for (Index c = 0; c < p; ++c) {
    if (groups->is_rest[std::size_t(c)]) continue;
    auto const& pieces = data->columns[std::size_t(c)];
    if (pieces.size() != 1) return;
    const auto s = std::ranges::find(found.covariates, Index(pieces.front().covariate)) - found.covariates.begin();
    const std::int32_t visit = pieces.front().visit;
    Index& place = visit == VisitData::every_visit ? found.always[std::size_t(s)] : found.at_visit[std::size_t(s * m + visit)];
    if (place >= 0) return;
    place = c;
  }
  for (Index s = 0; s < found.count; ++s) {
    const auto own = found.at_visit.begin() + s * m;
    if (std::count(own, own + m, -1) != (found.always[std::size_t(s)] < 0 ? 0 : 1)) return;
  }
  const Index count = found.count, r = found.r;
  found.stride = padded(elements, 8);
  found.visit_stride = padded(m, 8);
  found.group_stride = padded(count, 4);
  found.rest_pairs = r * (r + 1) / 2;
  found.log_change = -2 * double(m) * Eigen::PartialPivLU<MatrixXd>(found.shares).matrixLU().diagonal().array().abs().log().sum();
  found.n.resize(rows, count), found.t.resize(rows, count * m), found.s.resize(rows, count * r);
  found.v.resize(rows, count * m), found.v_rest.resize(rows, r * m);
  const Index each = found.stride + found.visit_stride, gs = found.group_stride;
  found.by_pattern.size(rows * each), found.curved.size(rows * found.stride);
  found.counts.size(rows * gs * (1 + r)), found.own.size(gs * found.stride), found.rest_own.size(gs * r * found.visit_stride);
  found.root.size(m * m * gs), found.inverse.size(m * m * gs);
  found.with_rest.size(r * m * gs), found.carried.size(r * m * gs), found.means.size(m * gs), found.right.size(m * gs);
  found.rest_root.size(r * r), found.rest_inverse.size(r * r), found.rest_matrix.size(r * r);
  found.rest_right.size(r), found.reduced.size(r), found.beta.size(r);
  found.spread.size(count * elements), found.slopes.size(count * r * m);
  found.sums.resize(std::size_t(count * m + 2 + r + found.rest_pairs)), found.h.resize(folded::widest_tile * width * m);
  found.lower.resize(std::size_t(2 * m * m));
  const Index means = m * gs;
  found.terms.resize(std::size_t(p));
  found.phi.size((means + r) * padded(means + r, 4)), found.row.size(padded(means + r, 4)),
      found.along.size(padded(means + r, 4));
  for (Index s = 0; s < count; ++s) {
    const auto own = found.at_visit.begin() + s * m;
    const Index whole = found.always[std::size_t(s)], base = whole < 0 ? -1 : Index(std::find(own, own + m, -1) - own);
    for (Index j = 0; j < m; ++j)
      for (Index k = 0; k < count; ++k) {
        if (found.shares(s, k) == 0) continue;
        auto& terms = found.terms[std::size_t(j == base ? whole : own[j])];
        terms.push_back({j * gs + k, found.shares(s, k)});
        if (base >= 0 && j != base) terms.push_back({base * gs + k, -found.shares(s, k)});
      }
  }
  for (Index c = 0; c < r; ++c) found.terms[std::size_t(found.rest[std::size_t(c)])] = {{means + c, 1.0}};
  saturated = std::move(found);
}

/// The lane_sums of the groups from those of the covariates.
void VisitLikelihood::Work::take_saturated_sums() {
  Saturated& it = *saturated;
  const auto pair = [&](Index a, Index c) {
    return uu.col(pair_place[std::size_t(packed_index(std::max(a, c), std::min(a, c)))]);
  };
  it.n.setZero(), it.t.setZero(), it.s.setZero();
  for (Index k = 0; k < it.count; ++k) {
    for (Index s = 0; s < it.count; ++s) {
      const double share = it.shares(s, k);
      if (share == 0) continue;
      const Index a = it.covariates[std::size_t(s)];
      for (Index d = 0; d < it.count; ++d)
        if (it.shares(d, k) != 0) it.n.col(k) += share * it.shares(d, k) * pair(a, it.covariates[std::size_t(d)]);
      it.t.middleCols(k * m, m) += share * uy.middleCols(a * m, m);
      for (Index c = 0; c < it.r; ++c) it.s.col(k * it.r + c) += share * pair(a, it.rest_covariates[std::size_t(c)]);
    }
    for (Index g = 0; g < rows; ++g) {
      it.n(g, k) = std::round(it.n(g, k));
      if (it.n(g, k) != 0) continue;
      it.t.row(g).segment(k * m, m).setZero();  // what is left is rounding
      it.s.row(g).segment(k * it.r, it.r).setZero();
    }
  }
  for (Index g = 0; g < rows; ++g)
    for (Index k = 0; k < it.count; ++k) {
      double* to = it.counts.data() + g * it.group_stride * (1 + it.r) + k;
      *to = it.n(g, k);
      for (Index c = 0; c < it.r; ++c) to[(1 + c) * it.group_stride] = it.s(g, k * it.r + c);
    }
  it.fresh = true;
}

bool VisitLikelihood::Work::evaluate_saturated(std::span<const double> at_sigma) {
  Saturated& it = *saturated;
  if (!it.fresh) take_saturated_sums();
  const auto covariate = [&](Index c) { return it.rest_covariates[std::size_t(c)]; };
  const auto rest_pair = [&](Index c, Index d) {
    return pair_place[std::size_t(packed_index(std::max(covariate(c), covariate(d)), std::min(covariate(c), covariate(d))))];
  };
  const Index count = it.count, r = it.r, gs = it.group_stride, each = it.stride + it.visit_stride;
  completed = phi_made = false;
  double logs = 0;
  std::fill(it.sums.begin(), it.sums.end(), Lanes{});
  // X'W y of groups, y'W y and the size of its terms, X'W y and A_RR of the other columns
  Lanes *of_groups = it.sums.data(), *squares = of_groups + count * m, *of_rest = squares + 2, *rest_pairs = of_rest + r;
  const bool definite = folded::in_tiles(0, rows, [&](auto wide, Index g) {
    using T = folded::Tile<wide()>;
    if (!inverter.invert<wide()>(at_sigma, seen, g, w, root, w_full.data())) return false;
    for (Index lane = 0; lane < wide() * width; ++lane) logs += n[g + lane] * inverter.logs()[lane];
    double const *w_of = w_full.data(), *product = &yy(g, 0), *element = &w(g, 0), *row_sum = &w(g, elements);
    T squared = T::all(0.0), magnitude = T::all(0.0), whole = T::all(0.0);
    for (Index j = 0; j < m; ++j) {
      T off = T::all(0.0), off_size = T::all(0.0);
      for (Index l = 0; l <= j; ++l, product += rows, element += rows) {
        const T term = T::load(element) * T::load(product);
        (l == j ? squared : off) = (l == j ? squared : off) + term;
        (l == j ? magnitude : off_size) = (l == j ? magnitude : off_size) + term.size_of();
      }
      squared = squared + (off + off);
      magnitude = magnitude + (off_size + off_size);
      whole = whole + T::load(row_sum + j * rows);
    }
    squared.add_to(squares[0]);
    magnitude.add_to(squares[1]);
    for (Index k = 0; k < count; ++k) {
      double const* sum_of_y = &it.t(g, k * m);
      for (Index j = 0; j < m; ++j) {
        double const* w_j = w_of + j * m * T::size;
        T sum = T::load(w_j) * T::load(sum_of_y);
        for (Index l = 1; l < m; ++l) sum.add(T::load(w_j + l * T::size), T::load(sum_of_y + l * rows));
        sum.add_to(of_groups[k * m + j]);
      }
    }
    Lanes* pair = rest_pairs;
    for (Index c = 0; c < r; ++c) {
      T sum = T::all(0.0);
      for (Index j = 0; j < m; ++j) sum.add(T::load(row_sum + j * rows), T::load(&uy(g, covariate(c) * m + j)));
      sum.add_to(of_rest[c]);
      for (Index d = 0; d <= c; ++d, ++pair) (whole * T::load(&uu(g, rest_pair(c, d)))).add_to(*pair);
    }
    return true;
  });
  if (!definite) return false;
  double* by_pattern = it.by_pattern.data();
  folded::turn(w.data(), rows, elements, by_pattern, each);
  folded::turn(w.data() + elements * rows, rows, m, by_pattern + it.stride, each);
  // A_k, A_kR, A_RR
  double const* counts = it.counts.data();
  folded::products(counts, gs * (1 + r), gs, by_pattern, each, it.stride, rows, it.own.data(), it.stride);
  folded::products(counts + gs, gs * (1 + r), gs * r, by_pattern + it.stride, each, it.visit_stride, rows, it.rest_own.data(),
                   it.visit_stride);
  for (Index c = 0; c < r; ++c) {
    for (Index d = 0; d <= c; ++d) it.rest_matrix[c * r + d] = total(*rest_pairs++);
    for (Index j = 0; j < m; ++j)
      for (Index k = 0; k < gs; ++k) it.with_rest[(c * m + j) * gs + k] = it.rest_own[(c * gs + k) * it.visit_stride + j];
  }
  log_det_a = it.log_change;
  if (!factor_groups()) return false;
  // the other columns
  for (Index c = 0; c < r; ++c) {
    it.rest_right[c] = total(of_rest[c]);
    for (Index d = 0; d <= c; ++d)
      it.rest_root[c * r + d] =
          it.rest_matrix[c * r + d] - product_of(&it.with_rest[c * m * gs], &it.carried[d * m * gs], m * gs);
  }
  if (!factor_of(it.rest_root.data(), r)) return false;
  for (Index c = 0; c < r; ++c) {
    const double pivot = it.rest_root[c * r + c];
    if (!(pivot * pivot > no_information * it.rest_matrix[c * r + c])) return false;
    log_det_a += 2 * std::log(pivot);
  }
  // L_R^-1 below the diagonal of rest_root's place, and S^-1
  for (Index d = 0; d < r; ++d)
    for (Index c = d; c < r; ++c) {
      double entry = c == d ? 1.0 : 0.0;
      for (Index e = d; e < c; ++e) entry -= it.rest_root[c * r + e] * it.rest_inverse[e * r + d];
      it.rest_inverse[c * r + d] = entry / it.rest_root[c * r + c];
    }
  for (Index c = 0; c < r; ++c)
    for (Index d = 0; d <= c; ++d) it.rest_root[c * r + d] = it.rest_inverse[c * r + d];
  for (Index c = 0; c < r; ++c)
    for (Index d = 0; d <= c; ++d) {
      double entry = 0;
      for (Index e = c; e < r; ++e) entry += it.rest_root[e * r + c] * it.rest_root[e * r + d];
      it.rest_inverse[c * r + d] = it.rest_inverse[d * r + c] = entry;
    }
  // b: A_k^-1 X'W y first
  for (Index k = 0; k < count; ++k)
    for (Index j = 0; j < m; ++j) it.right[j * gs + k] = total(of_groups[k * m + j]);
  for (Index from = 0; from < count; from += width)
    for (Index j = 0; j < m; ++j) {
      Lanes sum{};
      for (Index l = 0; l < m; ++l) sum = fused(load(&it.inverse[(j * m + l) * gs + from]), load(&it.right[l * gs + from]), sum);
      store(&it.means[j * gs + from], sum);
    }
  for (Index c = 0; c < r; ++c) it.reduced[c] = it.rest_right[c] - product_of(&it.carried[c * m * gs], it.right.data(), m * gs);
  double fitted = 0;
  for (Index c = 0; c < r; ++c) {
    double sum = 0;
    for (Index d = 0; d < r; ++d) sum += it.rest_inverse[c * r + d] * it.reduced[d];
    it.beta[c] = sum;
    fitted += sum * it.rest_right[c];
  }
  for (Index c = 0; c < r; ++c)
    for (Index k = 0; k < m * gs; ++k) it.means[k] -= it.carried[c * m * gs + k] * it.beta[c];
  fitted += product_of(it.means.data(), it.right.data(), m * gs);
  for (Index s = 0; s < count; ++s) {
    const Index whole = it.always[std::size_t(s)];
    double base = 0;
    const auto of = [&](Index j) {
      double sum = 0;
      for (Index k = 0; k < count; ++k) sum += it.shares(s, k) * it.means[j * gs + k];
      return sum;
    };
    for (Index j = 0; j < m; ++j)
      if (whole >= 0 && it.at_visit[std::size_t(s * m + j)] < 0) b[whole] = base = of(j);
    for (Index j = 0; j < m; ++j)
      if (const Index c = it.at_visit[std::size_t(s * m + j)]; c >= 0) b[c] = of(j) - base;
  }
  for (Index c = 0; c < r; ++c) b[it.rest[std::size_t(c)]] = it.beta[c];
  b_given = b + origin;
  value = logs + total(squares[0]) - fitted + (restricted ? log_det_a : 0.0);
  rounding = std::numeric_limits<double>::epsilon() * (std::abs(logs) + total(squares[1]) + std::abs(fitted));
  return std::isfinite(value);
}

/// L_k^-1, A_k^-1 and E_k, four groups at a time.
bool VisitLikelihood::Work::factor_groups() {
  Saturated& it = *saturated;
  const Index count = it.count, r = it.r, gs = it.group_stride;
  Lanes *lower = it.lower.data(), *inverse = lower + m * m;
  for (Index from = 0; from < count; from += width) {
    Lanes product = everywhere(1.0), used{};
    for (Index k = from; k < std::min(count, from + width); ++k) used[std::size_t(k - from)] = 1;
    for (Index j = 0; j < m; ++j)
      for (Index l = 0; l <= j; ++l) {
        double const* group = &it.own[from * it.stride + packed_index(j, l)];
        Lanes given{group[0], group[it.stride], group[2 * it.stride], group[3 * it.stride]};
        if (j == l) given += everywhere(1.0) - used;
        Lanes entry = given;
        for (Index e = 0; e < l; ++e) entry = fused_less(lower[j * m + e], lower[l * m + e], entry);
        if (j != l) {
          lower[j * m + l] = entry * inverse[l * m + l];
          continue;
        }
        for (std::size_t lane = 0; lane < numerics::lanes; ++lane) {
          if (!(entry[lane] > no_information * given[lane]) || !(entry[lane] > 0)) return false;
          lower[j * m + j][lane] = std::sqrt(entry[lane]);
        }
        product *= entry;
        inverse[j * m + j] = everywhere(1.0) / lower[j * m + j];
        if (j % 4 == 3 || j + 1 == m) {
          for (std::size_t lane = 0; lane < numerics::lanes; ++lane) log_det_a += std::log(product[lane]);
          product = everywhere(1.0);
        }
      }
    for (Index l = 0; l < m; ++l)  // L^-1
      for (Index j = l + 1; j < m; ++j) {
        Lanes entry{};
        for (Index e = l; e < j; ++e) entry = fused_less(lower[j * m + e], inverse[e * m + l], entry);
        inverse[j * m + l] = entry * inverse[j * m + j];
      }
    for (Index j = 0; j < m; ++j)
      for (Index l = 0; l <= j; ++l) {
        store(&it.root[(j * m + l) * gs + from], inverse[j * m + l]);
        Lanes entry{};
        for (Index e = j; e < m; ++e) entry = fused(inverse[e * m + j], inverse[e * m + l], entry);
        store(&it.inverse[(j * m + l) * gs + from], entry);
        store(&it.inverse[(l * m + j) * gs + from], entry);
      }
    for (Index c = 0; c < r; ++c)
      for (Index j = 0; j < m; ++j) {
        Lanes sum{};
        for (Index l = 0; l < m; ++l)
          sum = fused(load(&it.inverse[(j * m + l) * gs + from]), load(&it.with_rest[(c * m + l) * gs + from]), sum);
        store(&it.carried[(c * m + j) * gs + from], sum);
      }
  }
  return true;
}

void VisitLikelihood::Work::derive_saturated() {
  Saturated& it = *saturated;
  const Index count = it.count, r = it.r, gs = it.group_stride;
  // R + H of a pattern is yy' + sum_k [n_gk T_k - t mu' - mu t'] + h 1' + 1 h'
  const double with_phi = restricted ? 1.0 : 0.0;
  for (Index k = 0; k < count; ++k) {
    for (Index c = 0; c < r; ++c)
      for (Index j = 0; j < m; ++j) {
        double sum = 0;  // (E S^-1)_jc
        for (Index d = 0; d < r; ++d) sum += it.carried[(d * m + j) * gs + k] * it.rest_inverse[d * r + c];
        it.slopes[(k * r + c) * m + j] = sum;
      }
    for (Index e = 0, j = 0; j < m; ++j)
      for (Index l = 0; l <= j; ++l, ++e) {
        double phi = it.inverse[(j * m + l) * gs + k];
        for (Index c = 0; c < r; ++c) phi += it.slopes[(k * r + c) * m + j] * it.carried[(c * m + l) * gs + k];
        it.spread[k * elements + e] = it.means[j * gs + k] * it.means[l * gs + k] + with_phi * phi;
      }
    for (Index c = 0; c < r; ++c)
      for (Index j = 0; j < m; ++j) {
        double& slope = it.slopes[(k * r + c) * m + j];
        slope = it.beta[c] * it.means[j * gs + k] - with_phi * slope;
      }
  }
  const double effective = restricted ? double(p) / observations : 0.0;
  stands_in = true;
  std::fill(element_sums.begin(), element_sums.end(), Lanes{});
  const auto pair = [&](Index c, Index d) {
    const Index a = it.rest_covariates[std::size_t(c)], o = it.rest_covariates[std::size_t(d)];
    return pair_place[std::size_t(packed_index(std::max(a, o), std::min(a, o)))];
  };
  folded::in_tiles(0, rows, [&](auto wide, Index g) {
    using T = folded::Tile<wide()>;
    double *x = x_full.data(), *h = it.h.data();
    T half = T::all(0.0);
    for (Index c = 0; c < r; ++c)
      for (Index d = 0; d <= c; ++d)
        half.add(T::all((c == d ? 0.5 : 1.0) * (it.beta[c] * it.beta[d] + with_phi * it.rest_inverse[c * r + d])),
                 T::load(&uu(g, pair(c, d))));
    for (Index j = 0; j < m; ++j) {
      T sum = half;
      for (Index k = 0; k < count; ++k)
        for (Index c = 0; c < r; ++c) sum.add(T::load(&it.s(g, k * r + c)), T::all(it.slopes[(k * r + c) * m + j]));
      for (Index c = 0; c < r; ++c) sum.subtract(T::load(&uy(g, it.rest_covariates[std::size_t(c)] * m + j)), T::all(it.beta[c]));
      sum.store(h + j * T::size);
    }
    double const* product = &yy(g, 0);
    for (Index e = 0, j = 0; j < m; ++j)
      for (Index l = 0; l <= j; ++l, ++e, product += rows) {
        T sum = T::load(product) + (T::load(h + j * T::size) + T::load(h + l * T::size));
        double const *of_n = &it.n(g, 0), *of_t = &it.t(g, 0);
        for (Index k = 0; k < count; ++k, of_n += rows, of_t += m * rows) {
          sum.add(T::load(of_n), T::all(it.spread[k * elements + e]));
          sum.subtract(T::load(of_t + j * rows), T::all(it.means[l * gs + k]));
          sum.subtract(T::load(of_t + l * rows), T::all(it.means[j * gs + k]));
        }
        sum.store(x + (j * m + l) * T::size);
        sum.store(x + (l * m + j) * T::size);
      }
    const T patterns = T::load(n.data() + g), keep = patterns * T::all(1 - effective);
    whiten<wide()>(g, patterns);
    add_elements<wide()>();
    double const* own_w = &w(g, 0);
    double* to = &qq(g, 0);
    for (Index j = 0; j < m; ++j)
      for (Index l = 0; l <= j; ++l, own_w += rows, to += rows) {
        const T slope = T::load(x + (j * m + l) * T::size);
        (keep * T::load(own_w) - (slope + slope)).store(to);
      }
    return true;
  });
  total_elements(gradient_values.data());
}

/// W of the sums of r, and of x r, of each group's participants in a pattern.
void VisitLikelihood::Work::whiten_residuals() {
  Saturated& it = *saturated;
  const Index count = it.count, r = it.r, gs = it.group_stride;
  folded::in_tiles(0, rows, [&](auto wide, Index g) {
    using T = folded::Tile<wide()>;
    double* h = it.h.data();
    const auto times_w = [&](MatrixXd& out, Index first) {  // W of the sums in h
      for (Index l = 0; l < m; ++l) {
        T sum = T::all(0.0);
        for (Index k = 0; k < m; ++k) sum.add(T::load(h + k * T::size), T::load(&w(g, place_of[std::size_t(l * m + k)])));
        sum.store(&out(g, first + l));
      }
    };
    for (Index k = 0; k < count; ++k) {
      T shift = T::all(0.0);
      for (Index c = 0; c < r; ++c) shift.add(T::all(it.beta[c]), T::load(&it.s(g, k * r + c)));
      for (Index j = 0; j < m; ++j) {
        T sum = T::load(&it.t(g, k * m + j)) - shift;
        sum.subtract(T::load(&it.n(g, k)), T::all(it.means[j * gs + k]));
        (sum * T::load(&seen(g, j))).store(h + j * T::size);
      }
      times_w(it.v, k * m);
    }
    for (Index c = 0; c < r; ++c) {
      T shift = T::all(0.0);
      for (Index d = 0; d < r; ++d) {
        const Index a = it.rest_covariates[std::size_t(c)], o = it.rest_covariates[std::size_t(d)];
        shift.add(T::all(it.beta[d]), T::load(&uu(g, pair_place[std::size_t(packed_index(std::max(a, o), std::min(a, o)))])));
      }
      for (Index j = 0; j < m; ++j) {
        T sum = T::load(&uy(g, it.rest_covariates[std::size_t(c)] * m + j)) - shift;
        for (Index k = 0; k < count; ++k) sum.subtract(T::load(&it.s(g, k * r + c)), T::all(it.means[j * gs + k]));
        (sum * T::load(&seen(g, j))).store(h + j * T::size);
      }
      times_w(it.v_rest, c * m);
    }
    return true;
  });
}

}  // namespace equipoise::stats

#include "equipoise/stats/repeated/visit_saturated.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/stats/repeated/visit_likelihood_work.h"

namespace equipoise::stats {

using folded::at, folded::put, folded::packed_index, folded::width;
using folded::Index, folded::Lanes, folded::MatrixXd, folded::Saturated;
using numerics::everywhere, numerics::load, numerics::store, numerics::total;

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
          lane_sums[2 * k] += value * first;
          lane_sums[2 * k + 1] += value * second;
        }
      }
      for (Index k = 0; k < 4; ++k) {
        store(c + (i + k) * step + j, lane_sums[2 * k]);
        store(c + (i + k) * step + j + 4, lane_sums[2 * k + 1]);
      }
    }
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
  found.own.size(elements * gs), found.root.size(m * m * gs), found.inverse.size(m * m * gs);
  found.with_rest.size(r * m * gs), found.carried.size(r * m * gs), found.means.size(m * gs), found.right.size(m * gs);
  found.rest_root.size(r * r), found.rest_inverse.size(r * r), found.rest_matrix.size(r * r);
  found.rest_right.size(r), found.reduced.size(r), found.beta.size(r);
  found.spread.size(count * elements), found.slopes.size(count * r * m);
  found.sums.resize(std::size_t((count + r) * m + 1 + r)), found.h.resize(std::size_t(m));
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
  it.fresh = true;
}

bool VisitLikelihood::Work::evaluate_saturated(std::span<const double> at_sigma) {
  Saturated& it = *saturated;
  if (!it.fresh) take_saturated_sums();
  const Index count = it.count, r = it.r, gs = it.group_stride, each = it.stride + it.visit_stride;
  completed = false;
  double logs = 0;
  Lanes* lane_sums = it.sums.data();
  std::fill(it.sums.begin(), it.sums.end(), Lanes{});
  Lanes &squared = lane_sums[(count + r) * m], magnitudes{};
  const auto covariate = [&](Index c) { return it.rest_covariates[std::size_t(c)]; };
  for (Index g = 0; g < rows; g += width) {
    Lanes determinants;
    if (!inverter.invert(at_sigma, seen, g, w, root, determinants)) return false;
    for (Index lane = 0; lane < width; ++lane) logs += n[g + lane] * determinants[std::size_t(lane)];
    double* to = it.by_pattern.data() + g * each;
    for (Index e = 0, j = 0; j < m; ++j) {
      const Lanes row_sum = at(w, elements + j, g);
      for (Index lane = 0; lane < width; ++lane) to[lane * each + it.stride + j] = row_sum[std::size_t(lane)];
      for (Index l = 0; l <= j; ++l, ++e) {
        const Lanes here = at(w, e, g);
        for (Index lane = 0; lane < width; ++lane) to[lane * each + e] = here[std::size_t(lane)];
        const Lanes term = here * at(yy, e, g);
        squared += j == l ? term : term + term;
        magnitudes += j == l ? (term < 0 ? -term : term) : (term < 0 ? -term - term : term + term);
        for (Index k = 0; k < count; ++k) {
          lane_sums[k * m + j] += here * at(it.t, k * m + l, g);
          if (j != l) lane_sums[k * m + l] += here * at(it.t, k * m + j, g);
        }
      }
      for (Index c = 0; c < r; ++c) lane_sums[(count + r) * m + 1 + c] += row_sum * at(uy, covariate(c) * m + j, g);
    }
  }
  // A_k, A_kR, A_RR
  std::fill_n(it.own.data(), elements * gs, 0.0);
  std::fill_n(it.with_rest.data(), r * m * gs, 0.0);
  std::fill_n(it.rest_matrix.data(), r * r, 0.0);
  for (Index g = 0; g < rows; ++g) {
    if (n[g] == 0) continue;
    double const *own_w = it.by_pattern.data() + g * each, *row_sums = own_w + it.stride;
    double whole = 0;
    for (Index j = 0; j < m; ++j) whole += row_sums[j];
    for (Index c = 0; c < r; ++c)
      for (Index d = 0; d <= c; ++d)
        it.rest_matrix[c * r + d] +=
            whole *
            uu(g,
               pair_place[std::size_t(packed_index(std::max(covariate(c), covariate(d)), std::min(covariate(c), covariate(d))))]);
    for (Index from = 0; from < count; from += width) {
      Lanes own_n{};
      for (Index k = from; k < std::min(count, from + width); ++k) own_n[std::size_t(k - from)] = it.n(g, k);
      for (Index e = 0; e < elements; ++e) {
        double* to = it.own.data() + e * gs + from;
        store(to, load(to) + own_n * everywhere(own_w[e]));
      }
      for (Index c = 0; c < r; ++c) {
        Lanes own_s{};
        for (Index k = from; k < std::min(count, from + width); ++k) own_s[std::size_t(k - from)] = it.s(g, k * r + c);
        for (Index j = 0; j < m; ++j) {
          double* to = it.with_rest.data() + (c * m + j) * gs + from;
          store(to, load(to) + own_s * everywhere(row_sums[j]));
        }
      }
    }
  }
  log_det_a = it.log_change;
  if (!factor_groups()) return false;
  // the other columns
  for (Index c = 0; c < r; ++c) {
    it.rest_right[c] = total(lane_sums[(count + r) * m + 1 + c]);
    for (Index d = 0; d <= c; ++d) {
      double entry = it.rest_matrix[c * r + d];
      for (Index k = 0; k < count; ++k)
        for (Index j = 0; j < m; ++j) entry -= it.with_rest[(c * m + j) * gs + k] * it.carried[(d * m + j) * gs + k];
      it.rest_root[c * r + d] = entry;
    }
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
    for (Index j = 0; j < m; ++j) it.right[j * gs + k] = total(lane_sums[k * m + j]);
  for (Index from = 0; from < count; from += width)
    for (Index j = 0; j < m; ++j) {
      Lanes sum{};
      for (Index l = 0; l < m; ++l) sum += load(&it.inverse[(j * m + l) * gs + from]) * load(&it.right[l * gs + from]);
      store(&it.means[j * gs + from], sum);
    }
  for (Index c = 0; c < r; ++c) {
    double& entry = it.reduced[c];
    entry = it.rest_right[c];
    for (Index k = 0; k < count; ++k)
      for (Index j = 0; j < m; ++j) entry -= it.carried[(c * m + j) * gs + k] * it.right[j * gs + k];
  }
  double fitted = 0;
  for (Index c = 0; c < r; ++c) {
    double sum = 0;
    for (Index d = 0; d < r; ++d) sum += it.rest_inverse[c * r + d] * it.reduced[d];
    it.beta[c] = sum;
    fitted += sum * it.rest_right[c];
  }
  for (Index k = 0; k < count; ++k)
    for (Index j = 0; j < m; ++j) {
      double& mean = it.means[j * gs + k];
      for (Index c = 0; c < r; ++c) mean -= it.carried[(c * m + j) * gs + k] * it.beta[c];
      fitted += mean * it.right[j * gs + k];
    }
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
  value = logs + total(squared) - fitted + (restricted ? log_det_a : 0.0);
  rounding = std::numeric_limits<double>::epsilon() * (std::abs(logs) + total(magnitudes) + std::abs(fitted));
  return std::isfinite(value);
}

/// L_k^-1, A_k^-1 and E_k, four groups at a time.
bool VisitLikelihood::Work::factor_groups() {
  Saturated& it = *saturated;
  const Index count = it.count, r = it.r, gs = it.group_stride;
  Lanes *lower = x_full.data(), *inverse = y_full.data();
  for (Index from = 0; from < count; from += width) {
    Lanes product = everywhere(1.0), used{};
    for (Index k = from; k < std::min(count, from + width); ++k) used[std::size_t(k - from)] = 1;
    for (Index j = 0; j < m; ++j)
      for (Index l = 0; l <= j; ++l) {
        Lanes given = load(&it.own[packed_index(j, l) * gs + from]);
        if (j == l) given += everywhere(1.0) - used;
        Lanes entry = given;
        for (Index e = 0; e < l; ++e) entry -= lower[j * m + e] * lower[l * m + e];
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
        for (Index e = l; e < j; ++e) entry -= lower[j * m + e] * inverse[e * m + l];
        inverse[j * m + l] = entry * inverse[j * m + j];
      }
    for (Index j = 0; j < m; ++j)
      for (Index l = 0; l <= j; ++l) {
        store(&it.root[(j * m + l) * gs + from], inverse[j * m + l]);
        Lanes entry{};
        for (Index e = j; e < m; ++e) entry += inverse[e * m + j] * inverse[e * m + l];
        store(&it.inverse[(j * m + l) * gs + from], entry);
        store(&it.inverse[(l * m + j) * gs + from], entry);
      }
    for (Index c = 0; c < r; ++c)
      for (Index j = 0; j < m; ++j) {
        Lanes sum{};
        for (Index l = 0; l < m; ++l)
          sum += load(&it.inverse[(j * m + l) * gs + from]) * load(&it.with_rest[(c * m + l) * gs + from]);
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
  gradient_values.setZero();
  double* to = gradient_values.data();
  Lanes *x = x_full.data(), *w_of = w_full.data(), *h = it.h.data();
  const auto pair = [&](Index c, Index d, Index g) {
    const Index a = it.rest_covariates[std::size_t(c)], o = it.rest_covariates[std::size_t(d)];
    return at(uu, pair_place[std::size_t(packed_index(std::max(a, o), std::min(a, o)))], g);
  };
  for (Index g = 0; g < rows; g += width) {
    Lanes half{};
    for (Index c = 0; c < r; ++c)
      for (Index d = 0; d <= c; ++d)
        half +=
            everywhere((c == d ? 0.5 : 1.0) * (it.beta[c] * it.beta[d] + with_phi * it.rest_inverse[c * r + d])) * pair(c, d, g);
    for (Index j = 0; j < m; ++j) {
      Lanes sum = half;
      for (Index k = 0; k < count; ++k)
        for (Index c = 0; c < r; ++c) sum += at(it.s, k * r + c, g) * everywhere(it.slopes[(k * r + c) * m + j]);
      for (Index c = 0; c < r; ++c) sum -= everywhere(it.beta[c]) * at(uy, it.rest_covariates[std::size_t(c)] * m + j, g);
      h[j] = sum;
    }
    for (Index e = 0, j = 0; j < m; ++j)
      for (Index l = 0; l <= j; ++l, ++e) {
        w_of[j * m + l] = w_of[l * m + j] = at(w, e, g);
        Lanes sum = at(yy, e, g) + (h[j] + h[l]);
        for (Index k = 0; k < count; ++k)
          sum += at(it.n, k, g) * everywhere(it.spread[k * elements + e]) -
                 (at(it.t, k * m + j, g) * everywhere(it.means[l * gs + k]) +
                  at(it.t, k * m + l, g) * everywhere(it.means[j * gs + k]));
        x[j * m + l] = x[l * m + j] = sum;
      }
    const Lanes patterns = load(n.data() + g), keep = patterns * everywhere(1 - effective);
    whiten(g, patterns);
    for (Index e = 0, j = 0; j < m; ++j)
      for (Index l = 0; l <= j; ++l, ++e) {
        const Lanes slope = x[j * m + l];
        to[e] += (j == l ? 1.0 : 2.0) * total(slope);
        put(qq, e, g, keep * w_of[j * m + l] - (slope + slope));
      }
    const auto times_w = [&](MatrixXd& out, Index first) {  // W of the lane_sums in h
      for (Index l = 0; l < m; ++l) {
        Lanes sum{};
        for (Index k = 0; k < m; ++k) sum += h[k] * w_of[k * m + l];
        put(out, first + l, g, sum);
      }
    };
    for (Index k = 0; k < count; ++k) {
      Lanes shift{};
      for (Index c = 0; c < r; ++c) shift += everywhere(it.beta[c]) * at(it.s, k * r + c, g);
      for (Index j = 0; j < m; ++j)
        h[j] = (at(it.t, k * m + j, g) - at(it.n, k, g) * everywhere(it.means[j * gs + k]) - shift) * at(seen, j, g);
      times_w(it.v, k * m);
    }
    for (Index c = 0; c < r; ++c) {
      Lanes shift{};
      for (Index d = 0; d < r; ++d) shift += everywhere(it.beta[d]) * pair(c, d, g);
      for (Index j = 0; j < m; ++j) {
        Lanes sum = at(uy, it.rest_covariates[std::size_t(c)] * m + j, g) - shift;
        for (Index k = 0; k < count; ++k) sum -= at(it.s, k * r + c, g) * everywhere(it.means[j * gs + k]);
        h[j] = sum * at(seen, j, g);
      }
      times_w(it.v_rest, c * m);
    }
  }
}

}  // namespace equipoise::stats

#include <algorithm>
#include <numbers>

#include "equipoise/stats/repeated/visit_likelihood_work.h"

namespace equipoise::stats {

using folded::at, folded::put, folded::packed_index, folded::width;
using folded::Index, folded::Lanes, folded::MatrixXd, folded::VectorXd;

template <Index C>
void VisitLikelihood::Work::sandwich_tile(MatrixXd const& c, Index g) {
  using T = folded::Tile<C>;
  double* x = x_full.data();
  for (Index e = 0, j = 0; j < m; ++j)
    for (Index k = 0; k <= j; ++k, ++e)
      for (const Index place : {j * m + k, k * m + j}) T::load(&c(g, e)).store(x + place * T::size);
  sandwich_tile<C>(g);
}

void VisitLikelihood::Work::against_slopes(MatrixXd const& weights, std::span<double> out) {
  spread(weights);
  between.setZero(rows, elements);
  add_spread(between);
  for (Index block = 0; block < blocks; ++block) {
    std::fill(element_sums.begin(), element_sums.end(), Lanes{});
    folded::in_tiles(start[std::size_t(block)], start[std::size_t(block) + 1], [&](auto wide, Index g) {
      sandwich_tile<wide()>(between, g);
      add_elements<wide()>();
      return true;
    });
    total_elements(out.data() + block * elements);
  }
}

void VisitLikelihood::Work::traces(std::span<const double> x, std::span<double> out) {
  along.resize(rows, elements);
  for (Index block = 0; block < blocks; ++block)
    for (Index e = 0; e < elements; ++e)
      along.col(e)
          .segment(start[std::size_t(block)], start[std::size_t(block) + 1] - start[std::size_t(block)])
          .setConstant(x[std::size_t(block * elements + e)]);
  sandwich(along, slope_along);
  half_way.noalias() = phi_matrix * slope_along;
  pair_weights.noalias() = half_way * phi_matrix;
  against_slopes(pair_weights, out);
}

void VisitLikelihood::Work::hessian(Curvature curvature, Eigen::Ref<MatrixXd> out) {
  if (curvature != Curvature::near && curvature != Curvature::expected && restricted &&
      stands_in) {  // the n W of the likelihood itself
    stands_in = false;
    const double effective = double(p) / observations;
    for (Index e = 0; e < elements; ++e) qq.col(e).array() += effective * n.array() * w.col(e).array();
  }
  if (saturated) return hessian_saturated(curvature, out);
  out.setZero();
  for (Index block = 0; block < blocks; ++block) {
    const Index from = start[std::size_t(block)], count = start[std::size_t(block) + 1] - from;
    const auto own_w = w.block(from, 0, count, elements);
    if (curvature == Curvature::expected) {
      k4.noalias() = own_w.transpose() * (n.segment(from, count).asDiagonal() * own_w);
    } else {
      k4.noalias() = own_w.transpose() * qq.block(from, 0, count, elements);
    }
    auto own = out.block(block * elements, block * elements, elements, elements);
    double const* kron = k4.data();
    for (Index s = 0, i = 0; i < m; ++i)
      for (Index j = 0; j <= i; ++j, ++s) {
        Index const *of_i = place_of.data() + i * m, *of_j = place_of.data() + j * m;
        for (Index r = 0, k = 0; k <= i; ++k)
          for (Index l = 0; l <= k && r <= s; ++l, ++r) {
            double sum = kron[of_j[k] + elements * of_i[l]] + kron[of_i[k] + elements * of_j[l]] +
                         kron[of_j[l] + elements * of_i[k]] + kron[of_i[l] + elements * of_j[k]];
            if (i == j) sum *= 0.5;
            if (k == l) sum *= 0.5;
            own(s, r) = own(r, s) = sum;
          }
      }
  }
  if (curvature == Curvature::expected) return;
  gather_along(v, z);
  factor.matrixL().solveInPlace(z);
  out.selfadjointView<Eigen::Lower>().rankUpdate(z.transpose(), -2.0);
  if (curvature == Curvature::exact) {
    if (restricted) {
      if (!groups_sought) find_groups();
      if (!groups || !subtract_group_traces(out)) subtract_traces(out);
    }
  }
  out.triangularView<Eigen::StrictlyUpper>() = out.transpose();
}

void VisitLikelihood::Work::gather_along(MatrixXd const& of, RowMatrix& to) {
  for (Index block = 0; block < blocks; ++block) {
    const Index from = start[std::size_t(block)], count = start[std::size_t(block) + 1] - from;
    for (Index a = 0, end = 0; a < q; a = end) {  // of covariates of the same kind that stand together
      while (end < q && of_visits[std::size_t(end)] == of_visits[std::size_t(a)]) ++end;
      const Index top = of_visits[std::size_t(a)] ? 0 : elements, height = elements + m - top;
      zz.block(top, a * m, height, (end - a) * m).noalias() =
          w.block(from, top, count, height).transpose() * of.block(from, a * m, count, (end - a) * m);
    }
    for (Index c = 0; c < p; ++c)
      for (Index s = 0, j = 0; j < m; ++j)
        for (Index l = 0; l <= j; ++l, ++s) {
          double sum = 0;
          for (auto const& piece : data->columns[std::size_t(c)]) {
            const Index a = Index(piece.covariate);
            sum += zz(place(piece.visit, j), a * m + l);
            if (j != l) sum += zz(place(piece.visit, l), a * m + j);
          }
          to(c, block * elements + s) = sum;
        }
  }
}

void VisitLikelihood::Work::slopes_along(VectorXd const& u, RowMatrix& to) {
  b_at.setZero();
  for (Index c = 0; c < p; ++c)
    for (auto const& piece : data->columns[std::size_t(c)])
      for (Index j = 0; j < m; ++j)
        if (piece.visit == VisitData::every_visit || piece.visit == j) b_at[Index(piece.covariate) * m + j] += u[c];
  v_along.resize(rows, q * m);
  folded::in_tiles(0, rows, [&](auto wide, Index g) {
    using T = folded::Tile<wide()>;
    double* x = x_full.data();
    for (Index a = 0; a < q; ++a) {
      for (Index k = 0; k < m; ++k) {
        T sum = T::all(0.0);
        for (Index c = 0; c < q; ++c)
          sum.add(T::load(&uu(g, pair_place[packed(std::size_t(a), std::size_t(c))])), T::all(b_at[c * m + k]));
        (sum * T::load(&seen(g, k))).store(x + k * T::size);
      }
      for (Index l = 0; l < m; ++l) {
        T sum = T::all(0.0);
        for (Index k = 0; k < m; ++k) sum.add(T::load(x + k * T::size), T::load(&w(g, place_of[std::size_t(l * m + k)])));
        sum.store(&v_along(g, a * m + l));
      }
    }
    return true;
  });
  to.resize(p, elements * blocks);
  gather_along(v_along, to);
}

void VisitLikelihood::Work::make_slopes(std::vector<std::uint8_t> const* only) {
  if (slopes_made) return;
  const auto wanted = [&](Meeting const& it) { return !only || ((*only)[it.c] && (*only)[it.d]); };
  meet();
  slope_rows.setZero(p * (p + 1) / 2, elements * blocks);
  products.resize(elements + m, elements + m);
  for (Index block = 0; block < blocks; ++block) {
    const Index from = start[std::size_t(block)], count = start[std::size_t(block) + 1] - from;
    const auto own_w = w.block(from, 0, count, elements + m);
    for (Index pair = 0; pair < pairs; ++pair) {
      if (std::ranges::none_of(meetings[std::size_t(pair)], wanted)) continue;
      // A pair that stands at all visits needs row sums only, and one of which one covariate does needs them on that side.
      const Index left = pair < by_element + by_visit ? 0 : elements, top = pair < by_element ? 0 : elements;
      weighted.noalias() = uu.col(pair).segment(from, count).asDiagonal() * own_w.rightCols(elements + m - left);
      products.block(top, left, elements + m - top, elements + m - left).noalias() =
          own_w.rightCols(elements + m - top).transpose() * weighted;
      if (top > left) products.block(left, top, top - left, m) = products.block(top, left, m, top - left).transpose();
      for (Meeting const& it : meetings[std::size_t(pair)]) {
        if (!wanted(it)) continue;
        double* to = slope_rows.data() + packed_index(it.c, it.d) * slope_rows.cols() + block * elements;
        Index const *of_v = places(it.v), *of_w = places(it.w);
        for (Index j = 0; j < m; ++j)
          for (Index l = 0; l <= j; ++l) *to++ += products(of_v[j], of_w[l]) + (j != l ? products(of_v[l], of_w[j]) : 0.0);
      }
    }
  }
  if (only) return;
  slope_columns = slope_rows;
  slopes_made = true;
}

void VisitLikelihood::Work::subtract_traces(Eigen::Ref<MatrixXd> out) {
  make_slopes();
  const Index all = elements * blocks;
  stack.resize(p, p * all);  // (c; d, s)
  turned.resize(p, p * all);
  for (Index c = 0; c < p; ++c)
    for (Index d = 0; d <= c; ++d) {
      const auto row = slope_rows.row(packed_index(c, d));
      Eigen::Map<Eigen::RowVectorXd>(stack.data() + (c * p + d) * all, all) = row;
      Eigen::Map<Eigen::RowVectorXd>(stack.data() + (d * p + c) * all, all) = row;
    }
  factor.matrixL().solveInPlace(stack);
  for (Index c = 0; c < p; ++c)
    for (Index d = 0; d < p; ++d) std::copy_n(stack.data() + (c * p + d) * all, all, turned.data() + (d * p + c) * all);
  factor.matrixL().solveInPlace(turned);
  whitened.resize(all, p * (p + 1) / 2);
  for (Index e = 0, c = 0; c < p; ++c)
    for (Index d = 0; d <= c; ++d, ++e)
      whitened.col(e) = Eigen::Map<const VectorXd>(turned.data() + (c * p + d) * all, all) * (c == d ? 1.0 : std::numbers::sqrt2);
  out.selfadjointView<Eigen::Lower>().rankUpdate(whitened, -1.0);
}

void VisitLikelihood::Work::sandwich(MatrixXd const& c, MatrixXd& out) {
  made.resize(rows, elements + m);
  folded::in_tiles(0, rows, [&](auto wide, Index g) {
    using T = folded::Tile<wide()>;
    sandwich_tile<wide()>(c, g);
    double const* x = x_full.data();
    for (Index j = 0; j < m; ++j) {
      T row = T::all(0.0);
      for (Index l = 0; l < m; ++l) {
        const T entry = T::load(x + (j * m + l) * T::size);
        row = row + entry;
        if (l <= j) entry.store(&made(g, packed_index(j, l)));
      }
      row.store(&made(g, elements + j));
    }
    return true;
  });
  out.resize(p, p);
  assemble(made, out);
}

std::vector<double> VisitLikelihood::Work::sandwich(MatrixXd const& c) {
  MatrixXd out;
  sandwich(c, out);
  return {out.data(), out.data() + p * p};
}

void VisitLikelihood::hessian(Curvature curvature, std::span<double> out) {
  const Index size = Index(elements());
  work_->hessian(curvature, Eigen::Map<MatrixXd>(out.data(), size, size));
}

void VisitLikelihood::traces(std::span<const double> x, std::span<double> out) {
  work_->complete();
  work_->traces(x, out);
}

void VisitLikelihood::variance_slope(std::span<const double> l, std::span<double> out) {
  Work& it = *work_;
  if (it.saturated) return it.variance_slope_saturated(l, out);
  it.complete();
  const VectorXd u = it.phi_matrix * Eigen::Map<const VectorXd>(l.data(), it.p);
  it.pair_weights.noalias() = u * u.transpose();
  it.against_slopes(it.pair_weights, out);
}

void VisitLikelihood::slopes_along(std::span<const double> u, std::span<double> forms, std::span<double> whitened) {
  Work& it = *work_;
  it.complete();
  const VectorXd of = Eigen::Map<const VectorXd>(u.data(), it.p);
  it.slopes_along(of, it.z_along);
  const Index size = Index(elements());
  Eigen::Map<Eigen::RowVectorXd>(forms.data(), size).noalias() = of.transpose() * it.z_along;
  it.factor.matrixL().solveInPlace(it.z_along);
  std::copy_n(it.z_along.data(), it.p * size, whitened.data());
}

bool VisitLikelihood::grouped() {
  if (!work_->groups_sought) work_->find_groups();
  return work_->groups.has_value();
}

std::span<const double> VisitLikelihood::slopes() const {
  work_->make_slopes();
  return {work_->slope_columns.data(), std::size_t(work_->slope_columns.size())};
}

std::vector<double> VisitLikelihood::second_products(std::span<const double> a) const {
  Work& it = *work_;
  const Index elements = it.elements, m = it.m, size = Index(this->elements());
  const auto entry = [&](Index block, Index i, Index j, Index k, Index l) {
    const Index s = block * elements + packed_index(i, j), r = block * elements + packed_index(k, l);
    return a[std::size_t(s * size + r)];
  };
  MatrixXd c = MatrixXd::Zero(it.rows, elements), fold(elements, elements);
  for (Index block = 0; block < it.blocks; ++block) {
    for (Index s = 0, i = 0; i < m; ++i)
      for (Index l = 0; l <= i; ++l, ++s)
        for (Index r = 0, j = 0; j < m; ++j)
          for (Index k = 0; k <= j; ++k, ++r)
            fold(r, s) = j == k ? entry(block, i, j, k, l) : entry(block, i, j, k, l) + entry(block, i, k, j, l);
    const Index from = it.start[std::size_t(block)], count = it.start[std::size_t(block) + 1] - from;
    c.block(from, 0, count, elements).noalias() = it.w.block(from, 0, count, elements) * fold;
  }
  return it.sandwich(c);
}

std::vector<double> VisitLikelihood::product(std::span<const double> e) const {
  Work& it = *work_;
  MatrixXd c = MatrixXd::Zero(it.rows, it.elements);
  for (Index block = 0; block < it.blocks; ++block)
    for (Index g = it.start[std::size_t(block)]; g < it.start[std::size_t(block) + 1]; ++g)
      for (Index s = 0; s < it.elements; ++s) c(g, s) = e[std::size_t(block * it.elements + s)];
  return it.sandwich(c);
}

}  // namespace equipoise::stats

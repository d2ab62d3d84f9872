#include <numbers>

#include "equipoise/stats/repeated/visit_likelihood_work.h"

namespace equipoise::stats {

using folded::Index, folded::MatrixXd, folded::VectorXd, folded::packed_index;

namespace {

constexpr std::size_t most_groups = 16;

}  // namespace

/// Participants fall into groups, and each has a mean of its own at every visit: `arm * visit`. Columns that say so span the same
/// as one column for each group and visit, of which no two groups share a participant.
void VisitLikelihood::Work::find_groups() {
  groups_sought = true;
  // Made where it stays: a factor that has computed nothing cannot be moved.
  if (!data->root_weight.empty() || !tell_groups(groups.emplace())) groups.reset();
}

bool VisitLikelihood::Work::tell_groups(Groups& found) const {
  std::vector<std::uint8_t> indicator(std::size_t(q), 0);
  for (Index a = 0; a < q; ++a) {
    if (!of_visits[std::size_t(a)]) continue;
    indicator[std::size_t(a)] = 1;
    for (std::size_t i = 0; i < data->n() && indicator[std::size_t(a)]; ++i) {
      const double read = data->u[i * std::size_t(q) + std::size_t(a)];
      indicator[std::size_t(a)] = read == 0 || read == 1;
    }
    if (indicator[std::size_t(a)]) found.covariates.push_back(a);
  }
  const Index count = Index(found.covariates.size());
  if (count == 0 || std::size_t(count) > most_groups) return false;
  std::vector<std::uint32_t> kinds;  // the covariates of the participants, a bit each
  for (std::size_t i = 0; i < data->n(); ++i) {
    std::uint32_t kind = 0;
    for (Index k = 0; k < count; ++k)
      kind |= std::uint32_t(data->u[i * std::size_t(q) + std::size_t(found.covariates[std::size_t(k)])] != 0) << k;
    if (std::ranges::find(kinds, kind) == kinds.end()) kinds.push_back(kind);
    if (Index(kinds.size()) > count) return false;
  }
  if (Index(kinds.size()) != count) return false;
  found.is_rest.assign(std::size_t(p), 0);
  for (Index c = 0; c < p; ++c)
    for (VisitData::Piece const& piece : data->columns[std::size_t(c)])
      found.is_rest[std::size_t(c)] |= !indicator[piece.covariate];
  for (Index c = 0; c < p; ++c)
    if (found.is_rest[std::size_t(c)]) found.rest.push_back(c);
  if (p - Index(found.rest.size()) != count * m) return false;
  MatrixXd values(count, count);
  for (Index row = 0; row < count; ++row)
    for (Index k = 0; k < count; ++k) values(row, k) = kinds[std::size_t(row)] >> k & 1u;
  const Eigen::FullPivLU<MatrixXd> lu(values);
  if (!lu.isInvertible()) return false;
  found.shares = lu.inverse();
  return true;
}

/// With a column for each group and visit in the place of those of the groups, A = L L' has the blocks
///
///     A_kk = L_k L_k',   A_Rk = B_k L_k',   A_RR - sum_k B_k B_k' = L_R L_R'
///
/// of groups k and the other columns R, and Y_s = L^-1 P_s L^-T
///
///     Y_kk = L_k^-1 P_kk L_k^-T,   Y_Rk = L_R^-1 (P_Rk L_k^-T - B_k Y_kk),
///     Y_RR = L_R^-1 (P_RR - sum_k [B_k (P_Rk L_k^-T)' + its transpose - B_k Y_kk B_k']) L_R^-T,
///
/// and none between two groups. Columns of an element s stand one after the other, so that each step is one for all s.
bool VisitLikelihood::Work::subtract_group_traces(Eigen::Ref<MatrixXd> out) {
  Groups& it = *groups;
  const Index all = elements * blocks, count = Index(it.covariates.size()), r = Index(it.rest.size());
  const Index own_pairs = m * (m + 1) / 2, width = count * (own_pairs + r * m) + r * (r + 1) / 2;
  make_slopes(&it.is_rest);
  whitened.resize(all, width);
  it.before.resize(all * m, count * r);
  it.among.resize(all, r * r);
  for (Index c = 0; c < r; ++c)
    for (Index d = 0; d < r; ++d)
      it.among.col(c * r + d) = slope_rows
                                    .row(packed_index(std::max(it.rest[std::size_t(c)], it.rest[std::size_t(d)]),
                                                      std::min(it.rest[std::size_t(c)], it.rest[std::size_t(d)])))
                                    .transpose();
  it.left.resize(r, r);
  for (Index c = 0; c < r; ++c)
    for (Index d = 0; d < r; ++d) it.left(c, d) = a_matrix(it.rest[std::size_t(c)], it.rest[std::size_t(d)]);
  it.whitened_w.resize(rows, m * m), it.times_count.resize(rows, m * m), it.crossed.resize(rows, r * m);
  it.own.resize(all, m * m), it.with_rest.resize(all, r * m), it.carried.resize(all * m, r);
  it.a_rest.resize(r, m), it.b.resize(r, m), it.mine.resize(rows);
  Index next = 0;
  const auto sums_of = [&](Index a, Index k) {  // sum of u_a over the participants of group k
    it.mine.setZero();
    for (Index s = 0; s < count; ++s) {
      const Index other = it.covariates[std::size_t(s)];
      if (const double share = it.shares(s, k); share != 0)
        it.mine += share * uu.col(pair_place[std::size_t(packed_index(std::max(a, other), std::min(a, other)))]);
    }
  };
  for (Index k = 0; k < count; ++k) {
    it.participants.setZero(rows);
    for (Index s = 0; s < count; ++s) {
      sums_of(it.covariates[std::size_t(s)], k);
      it.participants += it.shares(s, k) * it.mine;
    }
    it.a_own.noalias() = w.leftCols(elements).transpose() * it.participants;
    it.square.resize(m, m);
    for (Index e = 0, j = 0; j < m; ++j)
      for (Index l = 0; l <= j; ++l, ++e) it.square(j, l) = it.a_own[e];
    it.factor.compute(it.square);
    if (it.factor.info() != Eigen::Success) return false;
    it.root.setIdentity(m, m);
    it.factor.matrixL().solveInPlace(it.root);
    for (Index x = 0; x < m; ++x)
      for (Index j = 0; j < m; ++j) {
        auto to = it.whitened_w.col(x * m + j);
        to = it.root(x, 0) * w.col(packed_index(j, 0));
        for (Index y = 1; y <= x; ++y) to += it.root(x, y) * w.col(place_of[std::size_t(y * m + j)]);
      }
    it.times_count.noalias() = it.participants.asDiagonal() * it.whitened_w;
    it.crossed.setZero();
    it.a_rest.setZero();
    for (Index c = 0; c < r; ++c)
      for (VisitData::Piece const& piece : data->columns[std::size_t(it.rest[std::size_t(c)])]) {
        sums_of(Index(piece.covariate), k);
        Index const* at_visit = places(piece.visit);
        for (Index j = 0; j < m; ++j) {
          it.a_rest(c, j) += it.mine.dot(w.col(at_visit[j]));
          it.crossed.col(c * m + j).array() += it.mine.array() * w.col(at_visit[j]).array();
        }
      }
    it.b.noalias() = it.a_rest * it.root.transpose();
    it.left.noalias() -= it.b * it.b.transpose();
    for (Index block = 0; block < blocks; ++block) {
      const Index from = start[std::size_t(block)], patterns = start[std::size_t(block) + 1] - from;
      const auto own_w = it.whitened_w.middleRows(from, patterns);
      it.products.noalias() = own_w.transpose() * it.times_count.middleRows(from, patterns);
      // Of each pair of visits x, y (or a column c and a visit), what every element (j, l) has: product(xj, yl) + product(xl,
      // yj).
      const auto gather = [&](MatrixXd const& product, Index x, Index y, double* to) {
        to += block * elements;
        double const* first = product.data() + y * m * product.rows() + x * m;
        for (Index j = 0; j < m; ++j) {
          for (Index l = 0; l < j; ++l) *to++ = first[l * product.rows() + j] + first[j * product.rows() + l];
          *to++ = first[j * product.rows() + j];
        }
      };
      for (Index x = 0; x < m; ++x)
        for (Index y = 0; y <= x; ++y) gather(it.products, x, y, it.own.data() + (x * m + y) * all);
      if (r == 0) continue;
      it.rest_products.noalias() = it.crossed.middleRows(from, patterns).transpose() * own_w;
      for (Index c = 0; c < r; ++c)
        for (Index y = 0; y < m; ++y) gather(it.rest_products, c, y, it.with_rest.data() + (c * m + y) * all);
    }
    for (Index x = 0; x < m; ++x)
      for (Index y = 0; y <= x; ++y) {
        if (y < x) it.own.col(y * m + x) = it.own.col(x * m + y);
        whitened.col(next++) = it.own.col(x * m + y) * (x == y ? 1.0 : std::numbers::sqrt2);
      }
    if (r == 0) continue;
    it.carried.noalias() = Eigen::Map<const MatrixXd>(it.own.data(), all * m, m) * it.b.transpose();
    for (Index c = 0; c < r; ++c)
      for (Index d = 0; d < r; ++d)
        for (Index y = 0; y < m; ++y)
          it.among.col(c * r + d) -= it.b(d, y) * it.with_rest.col(c * m + y) + it.b(c, y) * it.with_rest.col(d * m + y) -
                                     it.b(d, y) * it.carried.col(c).segment(y * all, all);
    it.before.middleCols(k * r, r) = Eigen::Map<const MatrixXd>(it.with_rest.data(), all * m, r) - it.carried;
  }
  if (r > 0) {
    it.factor.compute(it.left);
    if (it.factor.info() != Eigen::Success) return false;
    it.root.setIdentity(r, r);
    it.factor.matrixL().solveInPlace(it.root);
    for (Index k = 0; k < count; ++k, next += r * m)
      Eigen::Map<MatrixXd>(whitened.data() + next * all, all * m, r).noalias() =
          std::numbers::sqrt2 * it.before.middleCols(k * r, r) * it.root.transpose();
    it.half.resize(all, r * r);
    Eigen::Map<MatrixXd>(it.half.data(), all * r, r).noalias() =
        Eigen::Map<const MatrixXd>(it.among.data(), all * r, r) * it.root.transpose();  // rows of the first column index
    for (Index c = 0; c < r; ++c)
      for (Index d = 0; d <= c; ++d) {
        auto to = whitened.col(next++);
        to.setZero();
        for (Index e = 0; e <= d; ++e) to += it.root(d, e) * it.half.col(c * r + e);
        if (d < c) to *= std::numbers::sqrt2;
      }
  }
  out.selfadjointView<Eigen::Lower>().rankUpdate(whitened, -1.0);
  return true;
}

}  // namespace equipoise::stats

#include "equipoise/stats/repeated/visit_likelihood.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "equipoise/numerics/lanes.h"
#include "equipoise/stats/repeated/covariance.h"

namespace equipoise::stats {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using numerics::Lanes;
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr Index width = Index(numerics::lanes);
constexpr double no_information = 1e-13;  ///< pivot beside its diagonal: a column that others tell but for rounding

Lanes at(MatrixXd const& columns, Index column, Index g) { return numerics::load(columns.data() + column * columns.rows() + g); }
void put(MatrixXd& columns, Index column, Index g, Lanes value) {
  numerics::store(columns.data() + column * columns.rows() + g, value);
}

/// W = V^-1 of four patterns at a time. A visit that a pattern lacks stands as a variance of 1 without correlations: it changes
/// neither inverse nor determinant of the others.
class Inverter {
 public:
  explicit Inverter(std::size_t m) : m_(m), lower_(m * m), scaled_(m * m), pivot_(m) {}

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

}  // namespace

struct VisitLikelihood::Work {
  /// Two pieces of two design columns, by their pair of covariates.
  struct Meeting {
    std::uint32_t c, d;
    std::int32_t v, w;
  };

  VisitData const* data;
  bool restricted;
  Index m, q, p, pairs, elements, rows, blocks;  // packed pairs of covariates, packed elements, padded patterns
  std::vector<Index> start;                      // first row of each block, and the end
  std::vector<Index> row_of_pattern;
  MatrixXd seen, uu, uy, yy, w, root, rh, qq, v;
  VectorXd n;
  double observations = 0, participants = 0;
  std::vector<std::vector<Meeting>> meetings;  // of each pair of covariates a >= b
  MatrixXd sums, a_matrix, phi_matrix, t_extended, t, k4, zz, weighted, products, pair_weights, between, along, made, slope_along,
      half_way;
  VectorXd rhs, b, b_at, gradient_values;
  Eigen::LLT<MatrixXd> factor;
  MatrixXd slope_columns, whitened;  // p(p+1)/2 x elements, after an exact hessian; its transpose
  RowMatrix slope_rows;
  RowMatrix z, stack, turned, inverse_root;  // by rows: a solve from the left then runs along all their columns at once
  std::vector<std::int32_t> times;           // how often each participant is in the sums
  VectorXd origin, b_given;                  // what the responses in the sums are less; b with it
  std::vector<double> origin_at;             // as coefficients of u at each visit; empty until it is moved
  std::vector<double> last;                  // workspace of `spread`
  mutable std::vector<double> shifted;       // responses of one participant
  std::vector<Index> place_of;               // m x m: packed
  std::vector<Lanes> w_full, x_full, y_full, root_full;  // of four patterns, m x m
  Inverter inverter;
  double value = 0, log_det_a = 0, rounding = 0;
  bool stands_in = false;  // n W in qq holds a stand-in for the term in Phi P Phi P

  Work(VisitData const& d, bool reml)
      : data(&d),
        restricted(reml),
        m(Index(d.m())),
        q(Index(d.covariates)),
        p(Index(d.p())),
        pairs(q * (q + 1) / 2),
        elements(m * (m + 1) / 2),
        blocks(Index(d.blocks.size())),
        inverter(d.m()) {
    lay_out();
    meet();
    sums.resize(pairs, elements + m);
    a_matrix.resize(p, p);
    phi_matrix.resize(p, p);
    pair_weights.resize(p, p);
    t_extended.resize((m + 1) * (m + 1), pairs);
    t.resize(pairs, elements);
    k4.resize(elements, elements);
    zz.resize(elements + m, q * m);
    z.resize(p, elements * blocks);
    rhs.resize(p);
    b.resize(p);
    b_at.resize(q * m);
    gradient_values.resize(elements * blocks);
    factor = Eigen::LLT<MatrixXd>(p);
    for (Index j = 0; j < m; ++j)
      for (Index k = 0; k < m; ++k) place_of.push_back(packed_index(j, k));
    for (Index k = 0; k < m; ++k) place_of.push_back(elements + k);
    w_full.resize(std::size_t(m * m));
    x_full.resize(std::size_t(m * m));
    root_full.resize(std::size_t(m * m));
    y_full.resize(std::size_t(m * m));
  }

  void lay_out() {
    row_of_pattern.resize(data->patterns.size());
    start.push_back(0);
    Index next = 0;
    for (Index block = 0; block < blocks; ++block) {
      for (std::size_t g = 0; g < data->patterns.size(); ++g)
        if (data->patterns[g].block == block) row_of_pattern[g] = next++;
      next = (next + width - 1) / width * width;
      start.push_back(next);
    }
    rows = next;
    seen = MatrixXd::Zero(rows, m);
    uu = MatrixXd::Zero(rows, pairs);
    uy = MatrixXd::Zero(rows, q * m);
    yy = MatrixXd::Zero(rows, elements);
    w = MatrixXd::Zero(rows, elements + m);
    root = MatrixXd::Zero(rows, elements);
    rh = MatrixXd::Zero(rows, elements);
    qq = MatrixXd::Zero(rows, elements);
    v = MatrixXd::Zero(rows, q * m);
    n = VectorXd::Zero(rows);
    for (std::size_t g = 0; g < data->patterns.size(); ++g) {
      for (Index j = 0; j < m; ++j) seen(row_of_pattern[g], j) = double(data->patterns[g].seen >> j & 1u);
      n[row_of_pattern[g]] = data->patterns[g].participants;
    }
    times.assign(data->n(), 1);
    origin = VectorXd::Zero(p);
    sum_products();
    observations = double(data->observations);
    participants = double(data->n());
  }

  /// A pattern's sums stand together while they are taken, then one sum of all patterns together.
  void sum_products() {
    const std::size_t each = std::size_t(pairs + q * m + elements);
    std::vector<double> own(each * data->patterns.size(), 0.0);
    for (std::size_t i = 0; i < data->n(); ++i) add(i, own.data() + each * data->pattern_of[i], double(times[i]));
    for (std::size_t g = 0; g < data->patterns.size(); ++g) {
      double const* from = own.data() + each * g;
      const Index row = row_of_pattern[g];
      for (Index k = 0; k < pairs; ++k) uu(row, k) = *from++;
      for (Index k = 0; k < q * m; ++k) uy(row, k) = *from++;
      for (Index k = 0; k < elements; ++k) yy(row, k) = *from++;
    }
  }

  void recentre() {
    origin += b;
    origin_at.assign(std::size_t(q * m), 0.0);
    for (Index c = 0; c < p; ++c)
      for (auto const& piece : data->columns[std::size_t(c)])
        for (Index j = 0; j < m; ++j)
          if (piece.visit == VisitData::every_visit || piece.visit == j)
            origin_at[std::size_t(Index(piece.covariate) * m + j)] += origin[c];
    shifted.resize(std::size_t(m));
    sum_products();
  }

  /// Responses of participant i less X times the origin.
  double const* response(std::size_t i) const {
    double const* y = data->y.data() + i * std::size_t(m);
    if (origin_at.empty()) return y;
    double const* u = data->u.data() + i * std::size_t(q);
    const std::uint64_t has = data->patterns[data->pattern_of[i]].seen;
    for (Index j = 0; j < m; ++j) {
      double left = y[j];
      if (has >> j & 1u)
        for (Index a = 0; a < q; ++a) left -= u[a] * origin_at[std::size_t(a * m + j)];
      shifted[std::size_t(j)] = left;
    }
    return shifted.data();
  }

  /// Adds sign times the products of participant i: u u', u y', y y'.
  void add(std::size_t i, double* to, double sign) const {
    double const* u = data->u.data() + i * std::size_t(q);
    double const* y = response(i);
    for (Index a = 0; a < q; ++a)
      for (Index c = 0; c <= a; ++c) *to++ += sign * u[a] * u[c];
    for (Index a = 0; a < q; ++a)
      for (Index j = 0; j < m; ++j) *to++ += sign * u[a] * y[j];
    for (Index j = 0; j < m; ++j)
      for (Index k = 0; k <= j; ++k) *to++ += sign * y[j] * y[k];
  }

  void change(std::size_t i, double sign) {
    const Index row = row_of_pattern[data->pattern_of[i]];
    double const* u = data->u.data() + i * std::size_t(q);
    double const* y = response(i);
    Index at_pair = 0, at_product = 0, at_element = 0;
    for (Index a = 0; a < q; ++a)
      for (Index c = 0; c <= a; ++c) uu(row, at_pair++) += sign * u[a] * u[c];
    for (Index a = 0; a < q; ++a)
      for (Index j = 0; j < m; ++j) uy(row, at_product++) += sign * u[a] * y[j];
    for (Index j = 0; j < m; ++j)
      for (Index k = 0; k <= j; ++k) yy(row, at_element++) += sign * y[j] * y[k];
    times[i] += sign > 0 ? 1 : -1;
    n[row] += sign;
    participants += sign;
    for (Index j = 0; j < m; ++j) observations += sign * seen(row, j);
  }

  void meet() {
    meetings.resize(std::size_t(pairs));
    for (Index c = 0; c < p; ++c)
      for (Index d = 0; d <= c; ++d)
        for (auto const& left : data->columns[std::size_t(c)])
          for (auto const& right : data->columns[std::size_t(d)]) {
            // kept with the larger covariate first
            const bool swap = left.covariate < right.covariate;
            meetings[packed(left.covariate, right.covariate)].push_back(
                swap ? Meeting{std::uint32_t(d), std::uint32_t(c), right.visit, left.visit}
                     : Meeting{std::uint32_t(c), std::uint32_t(d), left.visit, right.visit});
          }
  }

  /// Columns of (v, 0), (v, 1), ... in W with its row sums.
  Index const* places(std::int32_t visit) const {
    return place_of.data() + (visit == VisitData::every_visit ? m : Index(visit)) * m;
  }

  /// Column of (v, j) in W with its row sums.
  Index place(std::int32_t visit, Index j) const {
    return visit == VisitData::every_visit ? elements + j : Index(packed(std::size_t(visit), std::size_t(j)));
  }

  /// sum over g of u u' x N_g as a matrix over the design's columns; `n_sums`: pairs x (elements and row sums).
  void assemble(MatrixXd const& n_sums, MatrixXd& out) const {
    out.setZero();
    for (Index pair = 0; pair < pairs; ++pair) {
      double total = 0;
      for (Index j = 0; j < m; ++j) total += n_sums(pair, elements + j);
      for (Meeting const& it : meetings[std::size_t(pair)]) {
        const double term = it.v == VisitData::every_visit
                                ? (it.w == VisitData::every_visit ? total : n_sums(pair, elements + it.w))
                                : n_sums(pair, place(it.w, it.v));
        out(Index(std::max(it.c, it.d)), Index(std::min(it.c, it.d))) += term;
      }
    }
    for (Index c = 0; c < p; ++c)
      for (Index d = 0; d < c; ++d) out(d, c) = out(c, d);
  }

  bool evaluate(std::span<const double> at_sigma) {
    double logs = 0;
    for (Index block = 0; block < blocks; ++block) {
      const auto own = at_sigma.subspan(std::size_t(block * elements), std::size_t(elements));
      for (Index g = start[std::size_t(block)]; g < start[std::size_t(block) + 1]; g += width) {
        Lanes determinants;
        if (!inverter.invert(own, seen, g, w, root, determinants)) return false;
        for (Index lane = 0; lane < width; ++lane) logs += n[g + lane] * determinants[std::size_t(lane)];
      }
    }
    sums.noalias() = uu.transpose() * w;
    assemble(sums, a_matrix);
    factor.compute(a_matrix);
    if (factor.info() != Eigen::Success) return false;
    for (Index c = 0; c < p; ++c)  // with somebody left out, what nobody else tells is rounding
      if (!(std::pow(factor.matrixLLT()(c, c), 2) > no_information * a_matrix(c, c))) return false;
    // X'W y, and y'W y
    double squares = 0, magnitude = std::abs(logs);
    b_at.setZero();
    for (Index g = 0; g < rows; g += width)
      for (Index a = 0; a < q; ++a)
        for (Index j = 0; j < m; ++j) {
          Lanes sum = numerics::everywhere(0.0);
          for (Index k = 0; k < m; ++k) sum += at(uy, a * m + k, g) * at(w, Index(packed(std::size_t(j), std::size_t(k))), g);
          b_at[a * m + j] += numerics::total(sum);
        }
    for (Index e = 0, j = 0; j < m; ++j)
      for (Index k = 0; k <= j; ++k, ++e) {
        const double term = (j == k ? 1.0 : 2.0) * w.col(e).dot(yy.col(e));
        squares += term;
        magnitude += std::abs(term);
      }
    for (Index c = 0; c < p; ++c) {
      double sum = 0;
      for (auto const& piece : data->columns[std::size_t(c)])
        for (Index j = 0; j < m; ++j)
          if (piece.visit == VisitData::every_visit || piece.visit == j) sum += b_at[Index(piece.covariate) * m + j];
      rhs[c] = sum;
    }
    b = factor.solve(rhs);
    b_given = b + origin;
    log_det_a = 0;
    for (Index c = 0; c < p; ++c) log_det_a += 2 * std::log(factor.matrixLLT()(c, c));
    value = logs + squares - b.dot(rhs) + (restricted ? log_det_a : 0.0);
    rounding = std::numeric_limits<double>::epsilon() * (magnitude + std::abs(b.dot(rhs)));
    if (!std::isfinite(value)) return false;
    inverse_root.setIdentity(p, p);
    factor.matrixL().solveInPlace(inverse_root);
    phi_matrix.setZero();
    phi_matrix.selfadjointView<Eigen::Lower>().rankUpdate(inverse_root.transpose());
    phi_matrix.triangularView<Eigen::StrictlyUpper>() = phi_matrix.transpose();
    return true;
  }

  /// t: the coefficients of u u' at each pair of visits in X M X', M symmetric over the design's columns.
  void spread(MatrixXd const& weights) {
    t_extended.setZero();
    for (Index pair = 0; pair < pairs; ++pair)
      for (Meeting const& it : meetings[std::size_t(pair)]) {
        const double weight = weights(it.c, it.d);
        const Index left = it.v == VisitData::every_visit ? m : it.v, right = it.w == VisitData::every_visit ? m : it.w;
        // both orders of two columns; the second order is the transpose
        t_extended(left * (m + 1) + right, pair) += weight;
        if (it.c != it.d) t_extended(right * (m + 1) + left, pair) += weight;
      }
    last.resize(std::size_t(m));
    for (Index pair = 0; pair < pairs; ++pair) {
      double const *own = t_extended.data() + pair * (m + 1) * (m + 1), *bottom = own + m * (m + 1);
      double *ends = last.data(), *to = t.data() + pair;
      for (Index j = 0; j < m; ++j) ends[j] = own[j * (m + 1) + m] + bottom[j];
      for (Index j = 0; j < m; ++j)
        for (Index k = 0; k <= j; ++k, to += pairs)
          *to = 0.5 * (own[j * (m + 1) + k] + own[k * (m + 1) + j] + (ends[j] + ends[k])) + bottom[m];
    }
  }

  /// out_s = <P_s, M> = sum_g tr(D_s W X M X' W).
  void against_slopes(MatrixXd const& weights, std::span<double> out) {
    spread(weights);
    between.noalias() = uu * t;
    std::fill(out.begin(), out.end(), 0.0);
    for (Index block = 0; block < blocks; ++block)
      for (Index g = start[std::size_t(block)]; g < start[std::size_t(block) + 1]; g += width) {
        sandwich_four(between, g);
        for (Index e = 0, j = 0; j < m; ++j)
          for (Index l = 0; l <= j; ++l, ++e)
            out[std::size_t(block * elements + e)] += (j == l ? 1.0 : 2.0) * numerics::total(x_full[std::size_t(j * m + l)]);
      }
  }

  /// tr(Phi P_s Phi P_x) of the direction x, P_x = sum_t x_t P_t.
  void traces(std::span<const double> x, std::span<double> out) {
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

  /// R_g + H_g, W_g (R_g + H_g) W_g, gradient.
  void derive() {
    // b as coefficients of u at each visit
    b_at.setZero();
    for (Index c = 0; c < p; ++c)
      for (auto const& piece : data->columns[std::size_t(c)])
        for (Index j = 0; j < m; ++j)
          if (piece.visit == VisitData::every_visit || piece.visit == j) b_at[Index(piece.covariate) * m + j] += b[c];
    if (restricted) pair_weights = phi_matrix;
    else pair_weights.setZero();
    pair_weights.noalias() += b * b.transpose();
    spread(pair_weights);
    rh = yy;
    rh.noalias() += uu * t;
    const double effective = restricted ? double(p) / observations : 0.0;
    stands_in = true;
    gradient_values.setZero();
    for (Index block = 0; block < blocks; ++block)
      for (Index g = start[std::size_t(block)]; g < start[std::size_t(block) + 1]; g += width) {
        unfold(g);
        const Lanes count = numerics::load(n.data() + g);
        whiten(g, count);
        const Lanes keep = count * numerics::everywhere(1 - effective);
        Lanes *x = x_full.data(), *w_of = w_full.data();
        double const* fitted = b_at.data();
        double* to = gradient_values.data() + block * elements;
        for (Index e = 0, j = 0; j < m; ++j)
          for (Index l = 0; l <= j; ++l, ++e) {
            const Lanes slope = x[j * m + l];
            to[e] += (j == l ? 1.0 : 2.0) * numerics::total(slope);
            put(qq, e, g, keep * w_of[j * m + l] - (slope + slope));
          }
        // u r' W
        for (Index a = 0; a < q; ++a) {
          for (Index k = 0; k < m; ++k) {
            Lanes sum = at(uy, a * m + k, g);
            for (Index c = 0; c < q; ++c)
              sum -= at(uu, Index(packed(std::size_t(a), std::size_t(c))), g) * numerics::everywhere(fitted[c * m + k]);
            x[k] = sum * at(seen, k, g);
          }
          for (Index l = 0; l < m; ++l) {
            Lanes sum = numerics::everywhere(0.0);
            for (Index k = 0; k < m; ++k) sum += x[k] * w_of[k * m + l];
            put(v, a * m + l, g, sum);
          }
        }
      }
  }

  /// n W - W X W, X = R + H, in place of the lower triangle of X. Visits that nearly tell one another make W large in some
  /// direction, and rounding there must not spill into the others: so the difference is taken where V is D.
  ///     n W - W X W = L^-T (n D^-1 - D^-1 L^-1 X L^-T D^-1) L^-1
  void whiten(Index g, Lanes count) {
    Lanes *x = x_full.data(), *y = y_full.data(), *l_inverse = root_full.data();
    for (Index e = 0, j = 0; j < m; ++j)
      for (Index k = 0; k <= j; ++k, ++e) l_inverse[j * m + k] = at(root, e, g);
    for (Index j = 0; j < m; ++j)  // Y = L^-1 X
      for (Index l = 0; l < m; ++l) {
        Lanes sum = x[j * m + l];
        for (Index k = 0; k < j; ++k) sum += l_inverse[j * m + k] * x[k * m + l];
        y[j * m + l] = sum;
      }
    for (Index j = 0; j < m; ++j)  // M, both triangles
      for (Index l = 0; l <= j; ++l) {
        Lanes sum = y[j * m + l];
        for (Index k = 0; k < l; ++k) sum += y[j * m + k] * l_inverse[l * m + k];
        const Lanes left = l_inverse[j * m + j], right = l_inverse[l * m + l];
        x[j * m + l] = x[l * m + j] = j == l ? left * (count - left * sum) : -left * sum * right;
      }
    for (Index j = 0; j < m; ++j)  // Y = L^-T M
      for (Index l = 0; l < m; ++l) {
        Lanes sum = x[j * m + l];
        for (Index k = j + 1; k < m; ++k) sum += l_inverse[k * m + j] * x[k * m + l];
        y[j * m + l] = sum;
      }
    for (Index j = 0; j < m; ++j)
      for (Index l = 0; l <= j; ++l) {
        Lanes sum = y[j * m + l];
        for (Index k = l + 1; k < m; ++k) sum += y[j * m + k] * l_inverse[k * m + l];
        x[j * m + l] = sum;
      }
  }

  /// W and R + H of four patterns as full matrices.
  void unfold(Index g) {
    Lanes *x = x_full.data(), *w_of = w_full.data();
    double const* fitted = b_at.data();
    for (Index e = 0, j = 0; j < m; ++j)
      for (Index k = 0; k <= j; ++k, ++e) {
        w_of[j * m + k] = w_of[k * m + j] = at(w, e, g);
        Lanes cross = at(rh, e, g);
        for (Index a = 0; a < q; ++a)
          cross -= at(uy, a * m + j, g) * numerics::everywhere(fitted[a * m + k]) +
                   at(uy, a * m + k, g) * numerics::everywhere(fitted[a * m + j]);
        x[j * m + k] = x[k * m + j] = cross;
      }
  }

  Index packed_index(Index j, Index k) const { return Index(packed(std::size_t(j), std::size_t(k))); }

  void hessian(Curvature curvature, Eigen::Ref<MatrixXd> out) {
    out.setZero();
    if (curvature != Curvature::near && curvature != Curvature::expected && restricted &&
        stands_in) {  // the n W of the likelihood itself
      stands_in = false;
      const double effective = double(p) / observations;
      for (Index e = 0; e < elements; ++e) qq.col(e).array() += effective * n.array() * w.col(e).array();
    }
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
      if (curvature == Curvature::expected) continue;
      zz.noalias() = w.block(from, 0, count, elements + m).transpose() * v.block(from, 0, count, q * m);
      for (Index c = 0; c < p; ++c)
        for (Index s = 0, j = 0; j < m; ++j)
          for (Index l = 0; l <= j; ++l, ++s) {
            double sum = 0;
            for (auto const& piece : data->columns[std::size_t(c)]) {
              const Index a = Index(piece.covariate);
              sum += zz(place(piece.visit, j), a * m + l);
              if (j != l) sum += zz(place(piece.visit, l), a * m + j);
            }
            z(c, block * elements + s) = sum;
          }
    }
    if (curvature == Curvature::expected) return;
    factor.matrixL().solveInPlace(z);
    out.selfadjointView<Eigen::Lower>().rankUpdate(z.transpose(), -2.0);
    if (curvature == Curvature::exact) {
      make_slopes();
      if (restricted) subtract_traces(out);
    }
    out.triangularView<Eigen::StrictlyUpper>() = out.transpose();
  }

  /// P_s of every element.
  void make_slopes() {
    slope_rows.setZero(p * (p + 1) / 2, elements * blocks);
    products.resize(elements + m, elements + m);
    for (Index block = 0; block < blocks; ++block) {
      const Index from = start[std::size_t(block)], count = start[std::size_t(block) + 1] - from;
      const auto own_w = w.block(from, 0, count, elements + m);
      for (Index pair = 0; pair < pairs; ++pair) {
        if (meetings[std::size_t(pair)].empty()) continue;
        weighted.noalias() = uu.col(pair).segment(from, count).asDiagonal() * own_w;
        products.noalias() = own_w.transpose() * weighted;
        for (Meeting const& it : meetings[std::size_t(pair)]) {
          double* to = slope_rows.data() + packed_index(it.c, it.d) * slope_rows.cols() + block * elements;
          Index const *of_v = places(it.v), *of_w = places(it.w);
          for (Index j = 0; j < m; ++j)
            for (Index l = 0; l <= j; ++l) *to++ += products(of_v[j], of_w[l]) + (j != l ? products(of_v[l], of_w[j]) : 0.0);
        }
      }
    }
    slope_columns = slope_rows;
  }

  /// out_st -= tr(Phi P_s Phi P_t), as inner products of Y_s = L^-1 P_s L^-T, A = L L'. A row c of `stack` holds row c of every
  /// P_s, so that one solve makes every L^-1 P_s; turned round, P_s being symmetric, a second one makes every Y_s.
  void subtract_traces(Eigen::Ref<MatrixXd> out) {
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
        whitened.col(e) =
            Eigen::Map<const VectorXd>(turned.data() + (c * p + d) * all, all) * (c == d ? 1.0 : std::numbers::sqrt2);
    out.selfadjointView<Eigen::Lower>().rankUpdate(whitened, -1.0);
  }

  /// W C W of four patterns, lower triangle and row sums (in y_full), C as columns of `c`.
  void sandwich_four(MatrixXd const& c, Index g) {
    Lanes *x = x_full.data(), *y = y_full.data(), *w_of = w_full.data();
    for (Index e = 0, j = 0; j < m; ++j)
      for (Index k = 0; k <= j; ++k, ++e) {
        w_of[j * m + k] = w_of[k * m + j] = at(w, e, g);
        x[j * m + k] = x[k * m + j] = at(c, e, g);
      }
    for (Index j = 0; j < m; ++j)
      for (Index l = 0; l < m; ++l) {
        Lanes sum = numerics::everywhere(0.0);
        for (Index k = 0; k < m; ++k) sum += w_of[j * m + k] * x[k * m + l];
        y[j * m + l] = sum;
      }
    for (Index j = 0; j < m; ++j)
      for (Index l = 0; l <= j; ++l) {
        Lanes sum = numerics::everywhere(0.0);
        for (Index k = 0; k < m; ++k) sum += y[j * m + k] * w_of[k * m + l];
        x[j * m + l] = x[l * m + j] = sum;
      }
  }

  /// X' N X of N_g = W_g C_g W_g, C_g as columns of `c`.
  void sandwich(MatrixXd const& c, MatrixXd& out) {
    made.resize(rows, elements + m);
    for (Index g = 0; g < rows; g += width) {
      sandwich_four(c, g);
      for (Index j = 0; j < m; ++j) {
        Lanes row = numerics::everywhere(0.0);
        for (Index l = 0; l < m; ++l) {
          row += x_full[std::size_t(j * m + l)];
          if (l <= j) put(made, packed_index(j, l), g, x_full[std::size_t(j * m + l)]);
        }
        put(made, elements + j, g, row);
      }
    }
    sums.noalias() = uu.transpose() * made;
    out.resize(p, p);
    assemble(sums, out);
  }
  std::vector<double> sandwich(MatrixXd const& c) {
    MatrixXd out;
    sandwich(c, out);
    return {out.data(), out.data() + p * p};
  }
};

VisitLikelihood::VisitLikelihood(VisitData const& data, bool restricted) : work_(std::make_unique<Work>(data, restricted)) {}
VisitLikelihood::~VisitLikelihood() = default;
VisitLikelihood::VisitLikelihood(VisitLikelihood&&) noexcept = default;

std::size_t VisitLikelihood::elements() const { return std::size_t(work_->elements * work_->blocks); }
void VisitLikelihood::leave_out(std::size_t participant) { work_->change(participant, -1.0); }
void VisitLikelihood::put_back(std::size_t participant) { work_->change(participant, 1.0); }
void VisitLikelihood::recentre() { work_->recentre(); }
bool VisitLikelihood::evaluate(std::span<const double> sigma) { return work_->evaluate(sigma); }
double VisitLikelihood::value() const { return work_->value; }
std::span<const double> VisitLikelihood::b() const { return {work_->b_given.data(), std::size_t(work_->p)}; }
std::span<const double> VisitLikelihood::phi() const { return {work_->phi_matrix.data(), std::size_t(work_->p * work_->p)}; }
double VisitLikelihood::rounding() const { return work_->rounding; }
double VisitLikelihood::log_determinant() const { return work_->log_det_a; }
std::size_t VisitLikelihood::observations() const { return std::size_t(work_->observations + 0.5); }
std::size_t VisitLikelihood::participants() const { return std::size_t(work_->participants + 0.5); }

std::span<const double> VisitLikelihood::gradient() {
  work_->derive();
  return {work_->gradient_values.data(), elements()};
}

void VisitLikelihood::hessian(Curvature curvature, std::span<double> out) {
  const Index size = Index(elements());
  work_->hessian(curvature, Eigen::Map<MatrixXd>(out.data(), size, size));
}

void VisitLikelihood::traces(std::span<const double> x, std::span<double> out) { work_->traces(x, out); }

void VisitLikelihood::variance_slope(std::span<const double> l, std::span<double> out) {
  Work& it = *work_;
  const VectorXd u = it.phi_matrix * Eigen::Map<const VectorXd>(l.data(), it.p);
  it.pair_weights.noalias() = u * u.transpose();
  it.against_slopes(it.pair_weights, out);
}

std::span<const double> VisitLikelihood::slopes() const {
  return {work_->slope_columns.data(), std::size_t(work_->slope_columns.size())};
}

std::vector<double> VisitLikelihood::second_products(std::span<const double> a) const {
  Work& it = *work_;
  const Index elements = it.elements, m = it.m, size = Index(this->elements());
  const auto entry = [&](Index block, Index i, Index j, Index k, Index l) {
    const Index s = block * elements + it.packed_index(i, j), r = block * elements + it.packed_index(k, l);
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

void VisitLikelihood::moments(std::span<double> means, std::span<double> counts) const {
  Work const& it = *work_;
  for (Index block = 0; block < it.blocks; ++block)
    for (Index s = 0, j = 0; j < it.m; ++j)
      for (Index k = 0; k <= j; ++k, ++s) {
        double sum = 0, count = 0;
        for (Index g = it.start[std::size_t(block)]; g < it.start[std::size_t(block) + 1]; ++g) {
          sum += it.yy(g, s);
          count += it.n[g] * it.seen(g, j) * it.seen(g, k);
        }
        counts[std::size_t(block * it.elements + s)] = count;
        means[std::size_t(block * it.elements + s)] = count > 0 ? sum / count : 0.0;
      }
}

}  // namespace equipoise::stats

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "equipoise/stats/repeated/pattern_inverter.h"
#include "equipoise/stats/repeated/visit_likelihood.h"
#include "equipoise/stats/repeated/visit_saturated.h"

namespace equipoise::stats {

/// An evaluation of the likelihood, its parts and workspace; notation as in `VisitLikelihood`. Only its sources include this:
/// visit_likelihood.cpp has value and gradient, visit_curvature.cpp the Hessian and what inference asks for.
struct VisitLikelihood::Work : folded::PatternSums {
  using Index = folded::Index;
  using Lanes = folded::Lanes;
  using MatrixXd = folded::MatrixXd;
  using VectorXd = folded::VectorXd;
  using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  /// Two pieces of two design columns, by their pair of covariates.
  struct Meeting {
    std::uint32_t c, d;
    std::int32_t v, w;
  };

  bool restricted;
  std::vector<std::vector<Meeting>> meetings;  // of each pair of covariates a >= b, in the order of the sums
  std::vector<Index> place_of;                 // m x m: packed; then where the row sums of W are
  double value = 0, log_det_a = 0, rounding = 0;
  VectorXd rhs, b, b_given, gradient_values;  // b less and with the origin
  MatrixXd a_matrix, phi_matrix;
  Eigen::LLT<MatrixXd> factor;  // of A

  // a row for each pattern
  MatrixXd w, root;        // W with its row sums, L^-1 and 1/D
  MatrixXd rh, qq, v;      // R + H, n W - 2 W (R + H) W, u r' W
  MatrixXd v_along;        // u f' W of a fit f
  bool stands_in = false;  // n W in qq holds a stand-in for the term in Phi P Phi P
  MatrixXd between, along, made;

  MatrixXd slope_columns;    // p (p + 1)/2 x elements, when asked for
  bool slopes_made = false;  // at this Sigma

  /// Groups of participants with means of their own at every visit, and the other columns; see visit_group_traces.cpp.
  struct Groups {
    std::vector<Index> covariates;  // whose columns tell the groups
    std::vector<Index> rest;        // columns that do not
    std::vector<std::uint8_t> is_rest;
    MatrixXd shares;  // a group's indicator as a sum of the covariates: a column each
    // workspace; of each element s one after the other: own Y_kk, with_rest P_Rk L_k^-T, carried B_k Y_kk, before L_R^-1: Y_Rk,
    // among Y_RR
    MatrixXd square, root, whitened_w, times_count, crossed, products, rest_products, a_rest, b, left, own, with_rest, carried,
        before, among, half;
    VectorXd participants, mine, a_own;
    Eigen::LLT<MatrixXd> factor;
  };
  std::optional<Groups> groups;
  bool groups_sought = false;

  /// Where the means and covariates allow: value, gradient and Hessian from these; see visit_saturated.h.
  std::optional<folded::Saturated> saturated;
  bool completed = true,
       phi_made = true;  // a_matrix, factor and phi_matrix are those of the last evaluation; the last of them is

  // workspace
  MatrixXd sums, visit_sums, t_extended, t, t_visits, visit_shares, k4, zz, weighted, products, pair_weights, slope_along,
      half_way, whitened;
  VectorXd b_at, totals, total_sums, t_total;
  RowMatrix slope_rows, z, z_along, stack, turned,
      inverse_root;  // by rows: a solve from the left then runs along all their columns at once
  std::vector<double> last;
  VectorXd w_full, x_full, y_full, root_full;  // of a tile of patterns, m x m
  std::vector<Lanes> element_sums;
  folded::PatternInverter inverter;

  Work(VisitData const& d, bool reml);

  bool evaluate(std::span<const double> at_sigma);
  /// R_g + H_g, W_g (R_g + H_g) W_g, gradient.
  void derive();
  void hessian(Curvature curvature, Eigen::Ref<MatrixXd> out);
  /// sum X' W D_s (W r) of each element s, a column of `to`; u r' W as columns of `from`.
  void gather_along(MatrixXd const& from, RowMatrix& to);
  /// P_s u of every element: a column of `to`.
  void slopes_along(VectorXd const& u, RowMatrix& to);
  /// tr(Phi P_s Phi P_x) of the direction x, P_x = sum_t x_t P_t.
  void traces(std::span<const double> x, std::span<double> out);
  /// out_s = <P_s, M> = sum_g tr(D_s W X M X' W).
  void against_slopes(MatrixXd const& weights, std::span<double> out);
  /// X' N X of N_g = W_g C_g W_g, C_g as columns of `c`.
  void sandwich(MatrixXd const& c, MatrixXd& out);
  std::vector<double> sandwich(MatrixXd const& c);
  /// The coefficients of u u' at each pair of visits in X M X', M symmetric over the design's columns: t of pairs that need every
  /// element, e_j + e_k of t_visits for those that need a sum for each visit, and of the others one number, t_total.
  void spread(MatrixXd const& weights);
  /// sum over g of u u' x N_g as a matrix over the design's columns; N_g with its row sums as columns of `of_patterns`.
  void assemble(MatrixXd const& of_patterns, MatrixXd& out);
  /// Adds u u' x the coefficients of `spread`, summed over pairs, to each pattern's row of `out`.
  void add_spread(MatrixXd& out);
  /// Columns of (v, 0), (v, 1), ... in W with its row sums.
  Index const* places(std::int32_t visit) const {
    return place_of.data() + (visit == VisitData::every_visit ? m : Index(visit)) * m;
  }
  /// Column of (v, j) in W with its row sums.
  Index place(std::int32_t visit, Index j) const {
    return visit == VisitData::every_visit ? elements + j : Index(packed(std::size_t(visit), std::size_t(j)));
  }

  /// P_s of every element, or of the columns that `only` marks.
  void make_slopes(std::vector<std::uint8_t> const* only = nullptr);
  void find_groups();
  bool tell_groups(Groups& found) const;  ///< whether there are some

  /// What `Saturated` does without: A, its factor and inverse; the inverse alone.
  void complete();
  void complete_phi();
  void phi_saturated();
  void variance_slope_saturated(std::span<const double> l, std::span<double> out);
  void invert_factor();
  void count(std::size_t i, double sign) {
    change(i, sign);
    if (saturated) saturated->fresh = false;
  }
  void take_saturated_sums();
  bool evaluate_saturated(std::span<const double> at_sigma);
  bool factor_groups();
  void derive_saturated();
  void whiten_residuals();
  void hessian_saturated(Curvature curvature, Eigen::Ref<MatrixXd> out);
  void find_saturated();

 private:
  /// Rows of `stack`: L^-1 P_s L^-T of every element, as often as they stand in a trace of two of them.
  void stack_slopes();
  void whiten_slopes(Index k);
  void meet();
  /// n W - W X W, X = R + H, in place of the lower triangle of X. Visits that nearly tell one another make W large in some
  /// direction, and rounding there must not spill into the others: so the difference is taken where V is D.
  ///     n W - W X W = L^-T (n D^-1 - D^-1 L^-1 X L^-T D^-1) L^-1
  template <Index C>
  void whiten(Index g, folded::Tile<C> const& count);
  /// W and R + H of a tile of patterns as full matrices.
  template <Index C>
  void unfold(Index g);
  /// Adds the lower triangle of x_full, both orders of two visits, to the sums of the elements; and what these sums are.
  template <Index C>
  void add_elements();
  void total_elements(double* to) const;
  /// As subtract_traces where there are groups. False, with `out` as it was: rounding leaves a block of A not positive definite.
  bool subtract_group_traces(Eigen::Ref<MatrixXd> out);
  /// out_st -= tr(Phi P_s Phi P_t), as inner products of Y_s = L^-1 P_s L^-T, A = L L'. A row c of `stack` holds row c of every
  /// P_s, so that one solve makes every L^-1 P_s; turned round, P_s being symmetric, a second one makes every Y_s.
  void subtract_traces(Eigen::Ref<MatrixXd> out);
  /// W C W of a tile of patterns in x_full, C as columns of `c`; or C in x_full itself.
  template <Index C>
  void sandwich_tile(MatrixXd const& c, Index g);
  template <Index C>
  void sandwich_tile(Index g);
};

template <folded::Index C>
void VisitLikelihood::Work::whiten(Index g, folded::Tile<C> const& count) {
  using T = folded::Tile<C>;
  double *x = x_full.data(), *y = y_full.data(), *l_inverse = root_full.data();
  const Index row = m * T::size;
  double const* root_at = root.data() + g;
  for (Index j = 0; j < m; ++j)
    for (Index k = 0; k <= j; ++k, root_at += rows) T::load(root_at).store(l_inverse + j * row + k * T::size);
  const auto dot = [](T sum, double const* left, Index left_step, double const* right, Index right_step, Index terms) {
    for (; terms > 0; --terms, left += left_step, right += right_step) sum.add(T::load(left), T::load(right));
    return sum;
  };
  for (Index j = 0; j < m; ++j)  // Y = L^-1 X
    for (Index l = 0; l < m; ++l) {
      double const* column = x + l * T::size;
      dot(T::load(column + j * row), l_inverse + j * row, T::size, column, row, j).store(y + j * row + l * T::size);
    }
  for (Index j = 0; j < m; ++j)  // M, both triangles
    for (Index l = 0; l <= j; ++l) {
      const T sum = dot(T::load(y + j * row + l * T::size), y + j * row, T::size, l_inverse + l * row, T::size, l);
      const T left = T::load(l_inverse + j * (row + T::size)), right = T::load(l_inverse + l * (row + T::size));
      const T term = j == l ? left * (count - left * sum) : T::all(0.0) - left * sum * right;
      term.store(x + j * row + l * T::size);
      term.store(x + l * row + j * T::size);
    }
  for (Index j = 0; j < m; ++j)  // Y = L^-T M
    for (Index l = 0; l < m; ++l) {
      double const* column = x + l * T::size;
      dot(T::load(column + j * row), l_inverse + (j + 1) * row + j * T::size, row, column + (j + 1) * row, row, m - 1 - j)
          .store(y + j * row + l * T::size);
    }
  for (Index j = 0; j < m; ++j)
    for (Index l = 0; l <= j; ++l)
      dot(T::load(y + j * row + l * T::size), y + j * row + (l + 1) * T::size, T::size, l_inverse + (l + 1) * row + l * T::size,
          row, m - 1 - l)
          .store(x + j * row + l * T::size);
}

template <folded::Index C>
void VisitLikelihood::Work::sandwich_tile(Index g) {
  using T = folded::Tile<C>;
  double *x = x_full.data(), *y = y_full.data(), *w_of = w_full.data();
  const Index row = m * T::size;
  double const* own = &w(g, 0);
  for (Index j = 0; j < m; ++j)
    for (Index k = 0; k <= j; ++k, own += rows) {
      const T entry = T::load(own);
      entry.store(w_of + j * row + k * T::size);
      entry.store(w_of + k * row + j * T::size);
    }
  const auto dot = [&](double const* left, double const* column) {
    T sum = T::load(left) * T::load(column);
    for (Index k = 1; k < m; ++k) sum.add(T::load(left + k * T::size), T::load(column + k * row));
    return sum;
  };
  for (Index j = 0; j < m; ++j)
    for (Index l = 0; l < m; ++l) dot(w_of + j * row, x + l * T::size).store(y + j * row + l * T::size);
  for (Index j = 0; j < m; ++j)
    for (Index l = 0; l <= j; ++l) {
      const T sum = dot(y + j * row, w_of + l * T::size);
      sum.store(x + j * row + l * T::size);
      sum.store(x + l * row + j * T::size);
    }
}

template <folded::Index C>
void VisitLikelihood::Work::add_elements() {
  using T = folded::Tile<C>;
  Lanes* sum = element_sums.data();
  for (Index j = 0; j < m; ++j) {
    double const* x = x_full.data() + j * m * T::size;
    for (Index l = 0; l <= j; ++l, x += T::size, ++sum) T::load(x).add_to(*sum);
  }
}

inline void VisitLikelihood::Work::total_elements(double* to) const {
  Lanes const* sum = element_sums.data();
  for (Index j = 0; j < m; ++j) {
    for (Index l = 0; l < j; ++l) *to++ = 2 * numerics::total(*sum++);
    *to++ = numerics::total(*sum++);
  }
}

}  // namespace equipoise::stats

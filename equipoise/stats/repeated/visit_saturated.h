#pragma once

#include <vector>

#include "equipoise/stats/repeated/pattern_sums.h"

namespace equipoise::stats::folded {

/// Numbers that start where a line of the cache does.
class Aligned {
 public:
  void size(Index count) { values_.setZero(count); }
  bool empty() const { return values_.size() == 0; }
  double* data() { return values_.data(); }
  double const* data() const { return values_.data(); }
  double& operator[](Index at) { return values_[at]; }
  double operator[](Index at) const { return values_[at]; }

 private:
  VectorXd values_;
};

/// A likelihood whose participants fall into groups k with means of their own at every visit (`arm * visit`), and whose other
/// columns c are covariates x of a participant that stand at all visits: the trial's usual model. The means are eliminated:
///
///     A_k = sum_g n_gk W_g = L_k L_k',   A_kR = sum_g (W_g 1) s_gk',   E_k = A_k^-1 A_kR,
///     S = sum_g (1'W_g 1) S_g - sum_k A_kR' E_k = L_R L_R'
///
/// over patterns g, with n_gk participants, s_gk = sum x, S_g = sum x x'. So X' W X never stands as one matrix, and every step is
/// a product over patterns, groups or packed elements (a multiple of 8 of them in a row) of fixed order.
struct Saturated {
  Index count = 0, r = 0;                  // groups, other columns
  Index stride = 0, visit_stride = 0;      // packed elements and visits, padded with zeros
  Index group_stride = 0, rest_pairs = 0;  // groups padded to whole lanes, packed pairs of other columns
  double log_change = 0;                   // log |A| of the columns given less that of means and covariates
  std::vector<Index> covariates, rest;     // u of the groups, columns of the rest
  std::vector<Index> rest_covariates;      // their u
  MatrixXd shares;                         // a group's indicator as a sum of the covariates: a column each
  std::vector<Index> always, at_visit;     // of each covariate: its column of every visit or -1, and of each visit or -1
  bool fresh = false;                      // the sums below are those of the participants

  MatrixXd n, t, s;    // a row for each pattern: n_gk; sums of y; sums of x
  MatrixXd v, v_rest;  // W sum of r, and of x r, where the Hessian asks for them
  Aligned counts;      // n and s of a pattern side by side, padded
  // a row for each pattern: W and, padded, its row sums; n W - 2 W (R + H) W; the v
  Aligned by_pattern, curved, v_by_pattern;
  Aligned own, rest_own;  // a row for each group: A_k packed; for each other column too, A_kR
  // of groups, these the fastest index: L_k^-1, A_k^-1 (full), A_kR, E_k, means
  Aligned root, inverse, with_rest, carried, means, right;
  Aligned rest_root, rest_inverse, rest_matrix, rest_right, reduced, beta;
  std::vector<Lanes> sums, lower;  // workspace
  VectorXd h;                      // of a tile
  Aligned spread, slopes;          // of derive: mu mu' + C + E S^-1 E' of each group; beta mu - E S^-1
  struct Share {
    Index at;
    double weight;
  };
  std::vector<std::vector<Share>> terms;      // each column's b as shares of the means, group the fastest index, and of beta
  Aligned phi, along, row;                    // the inverse over means and beta; workspace
  Aligned kron, gathered, z, stack, hessian;  // of the Hessian, at its first use
  Aligned whole, made, half, among, with, before, weighted, packed_rows, b, of_sums;  // of the exact one
  Index stacked = 0;                                                                  // rows of `stack`
};

/// C (na x nb, by rows of `step`) = A'B of matrices of `count` rows; na a multiple of 4, nb of 8. Lower: only the blocks that
/// reach the diagonal or lie below it.
void products(double const* a, Index a_step, Index na, double const* b, Index b_step, Index nb, Index count, double* c,
              Index step, bool lower = false);

/// Columns of `rows` patterns (a multiple of 4) as rows of `step`, one for each pattern.
void turn(double const* columns, Index rows, Index count, double* to, Index step);

}  // namespace equipoise::stats::folded

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "equipoise/core/columns.h"

/// The empirical ("sandwich") covariance of coefficients that were estimated by weighting with a working covariance V_i of each
/// participant's responses: right in large samples whatever V is.
namespace equipoise::stats {

/// Small-sample correction, with B = (sum_i X_i' V_i^-1 X_i)^-1 the bread, H_i = X_i B X_i' V_i^-1 the leverage of participant i
/// and Q_i = X_i' V_i^-1 X_i B (in generalised estimating equations D_i, the derivative of the mean, stands for X_i):
///
///     none                X_i' V_i^-1 r_i                       Liang & Zeger (1986), Biometrika 73, 13-22: CR0
///     kauermann_carroll   X_i' V_i^-1 (I - H_i)^(-1/2) r_i      Kauermann & Carroll (2001), J. Am. Stat. Assoc. 96, 1387-1396;
///                                                               Bell & McCaffrey (2002), Surv. Methodol. 28, 169-181: CR2
///     mancl_derouen       X_i' V_i^-1 (I - H_i)^-1 r_i          Mancl & DeRouen (2001), Biometrics 57, 126-134: CR3
///     fay_graubard        diag(1 - min(0.75, (Q_i)_jj))^(-1/2) X_i' V_i^-1 r_i   Fay & Graubard (2001), Biometrics 57, 1198-1206
///
/// take the place of the scores in the middle of the sandwich. The roots are the principal ones, in which the order of the visits
/// plays no part: L (I - L^-1 X_i B X_i' L^-T)^(-1/2) L^-1 for any L with V_i = L L'.
enum class Correction { none, kauermann_carroll, mancl_derouen, fay_graubard };

/// Covariance of the estimates of a model whose V is estimated too.
enum class EstimateCovariance {
  model,  ///< B: right when the structure of V is
  cr0,
  cr2,
  cr3
};
inline constexpr std::pair<std::string_view, EstimateCovariance> estimate_covariances[] = {{"model", EstimateCovariance::model},
                                                                                           {"cr0", EstimateCovariance::cr0},
                                                                                           {"cr2", EstimateCovariance::cr2},
                                                                                           {"cr3", EstimateCovariance::cr3}};
Correction correction_of(EstimateCovariance covariance);  ///< of one that is a sandwich

struct SandwichSpec {
  Correction correction = Correction::none;
  bool with_df = false;              ///< keeps what `df` needs: two numbers for each row and coefficient
  double scale = 1;                  ///< V_i is this times L_i L_i'
  std::vector<double> to_written{};  ///< fay_graubard: T, coefficients as written = T times these; r x r row by row
};

/// Var b = B (sum_i s_i s_i') B, s_i the corrected scores.
///
/// Functions l of the coefficients are whitened, w = C'l with C C' = B. With S_i = L_i^-1 X_i C, whose S_i S_i' has the leverages
/// of participant i as eigenvalues, and z_i = L_i^-1 r_i, the variance is the sum of (w' S_i' (I - S_i S_i')^-d z_i)^2, d = 0,
/// 1/2 or 1. Where a leverage is 1 the residual is 0 whatever the error: the correction is 0 there, and what one participant
/// alone determines has no variance (NaN).
///
/// source   as at `Correction`; df: Bell & McCaffrey (2002); Pustejovsky & Tipton (2018), J. Bus. Econ. Stat. 36, 672-683
/// checked  sandwich_test.cpp, gee_test.cpp, tests/independent/sandwich_test.cpp, tests/independent/gee_test.cpp
class Sandwich {
 public:
  /// The rows of one participant: m x (r + 1), row by row; L^-1 X and, last in each row, L^-1 residual.
  using Rows = std::function<std::span<const double>(std::size_t participant)>;

  Sandwich() = default;
  /// root   C, r x r row by row
  Sandwich(std::vector<double> root, SandwichSpec const& spec, std::size_t participants, Rows const& rows);

  std::size_t size() const { return size_; }  ///< r
  std::vector<double> whitened(std::span<const double> l) const;
  double bread(std::span<const double> l) const;  ///< l'Bl
  /// One participant alone determines a part of l'b.
  bool rests_on_one(std::span<const double> l) const;
  /// Var l'b; NaN when it rests on one participant, or is the rounding of 0.
  double variance(std::span<const double> l) const;
  std::vector<double> covariance() const;                     ///< r x r row by row: not to be read for functions without variance
  std::span<const double> middle() const { return middle_; }  ///< C' (sum_i s_i s_i') C

  /// Satterthwaite's degrees of freedom of the variance of l'b when V is right: (tr G)^2 / tr(G G), G_ij = g_i'g_j, where the
  /// variance is the sum of (g_i' L^-1 y)^2 over participants. NaN where the variance is.
  double df(std::span<const double> l) const;

 private:
  std::size_t size_ = 0;
  std::vector<double> root_, middle_;
  std::vector<std::vector<double>> alone_;  ///< unit directions of w in which one participant has leverage 1
  std::vector<std::size_t> first_;          ///< row of each participant, and the end; of the two below
  std::vector<double> plain_, corrected_;   ///< S_i and (I - S_i S_i')^-d S_i; the second empty for d = 0
  bool with_df_ = false;
  double scale_ = 1;
};

/// C lower triangular with C C' = a positive definite matrix, p x p row by row.
std::vector<double> lower_root(std::span<const double> matrix, std::size_t p);

/// rows <- L^-1 rows, in place: L lower triangular m x m, rows m x any, all row by row.
void divide_by_lower(std::span<const double> lower, std::size_t m, std::span<double> rows);

}  // namespace equipoise::stats

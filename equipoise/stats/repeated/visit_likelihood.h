#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "equipoise/stats/repeated/visit_data.h"

namespace equipoise::stats {

/// The (restricted) likelihood of the folded data as a function of the covariance Sigma of the visits, its elements taken as they
/// are; a structure's parameters are a change of variables on top.
///
///     -2 l = sum_g n_g log|V_g| + sum_i r_i' V_i^-1 r_i  [+ log|A|],    A = sum_i X_i' V_i^-1 X_i,  b = A^-1 sum_i X_i' V_i^-1
///     y_i
///
/// over patterns g of visits, with V_g the rows and columns of Sigma that the pattern has. All sums over participants are
/// products of covariates and responses within a pattern, taken once.
///
/// Notation: W_g = V_g^-1, R_g = sum r_i r_i', H_g = sum X_i Phi X_i', Phi = A^-1, D_s = dSigma/d element s.
///     gradient   tr(D_s G_g), G_g = n_g W_g - W_g (R_g + H_g) W_g
///     Hessian    tr(D_s W D_t (2 W (R + H) W - n W)) - 2 z_s' Phi z_t - tr(Phi P_s Phi P_t),
///                z_s = sum X' W D_s W r,  P_s = sum X' W D_s W X
/// (H and the last term only in the restricted likelihood.) Elements: blocks x packed.
///
/// Storage is taken at construction (that of the exact Hessian at its first use) and kept.
///
/// source   Harville (1977), J. Am. Stat. Assoc. 72, 320-338; Jennrich & Schluchter (1986), Biometrics 42, 805-820
/// checked  visit_likelihood_test.cpp (finite differences), tests/independent/mmrm_test.cpp (dense)
class VisitLikelihood {
 public:
  VisitLikelihood(VisitData const& data, bool restricted);
  ~VisitLikelihood();
  VisitLikelihood(VisitLikelihood&&) noexcept;

  std::size_t elements() const;  ///< blocks x m (m + 1)/2

  /// Takes participant i out of, or puts them back into, every sum.
  void leave_out(std::size_t participant);
  void put_back(std::size_t participant);

  /// Takes the sums again, of the responses less their fit at the last b: the terms of the likelihood then cancel less, and
  /// `rounding` falls where that fit is far from the first one. A pass over the participants; b() does not change its meaning.
  void recentre();

  /// Computes b and the likelihood at Sigma. False, with nothing changed that is of use, when a V_g or A is not positive
  /// definite.
  bool evaluate(std::span<const double> sigma);
  double value() const;                 ///< -2 l without the constant, in our units
  double rounding() const;              ///< what the terms of `value` may have lost, each one unit in its last place
  std::span<const double> b() const;    ///< p, of our columns, without the first fit
  std::span<const double> phi() const;  ///< p x p
  double log_determinant() const;       ///< of A
  std::span<const double> gradient();   ///< of -2 l, one for each element

  enum class Curvature {
    exact,    ///< the Hessian
    bare,     ///< without the term in Phi P Phi P, which costs most: see `traces`
    near,     ///< with its value for complete data in the place of that term
    expected  ///< of the likelihood: positive definite everywhere
  };
  /// Hessian of -2 l after `gradient`, elements x elements.
  void hessian(Curvature curvature, std::span<double> out);

  /// tr(Phi P_s Phi sum_t x_t P_t) of each element s: the term that `bare` leaves out, along x, without making it.
  void traces(std::span<const double> x, std::span<double> out);
  /// d(l' Phi l) / d element s, l of shape p.
  void variance_slope(std::span<const double> l, std::span<double> out);

  /// Of u over our columns: u'P_s u of each element, and L^-1 P_s u, A = L L', as p x elements by rows.
  void slopes_along(std::span<const double> u, std::span<double> forms, std::span<double> whitened);
  /// Whether the exact Hessian costs little more than the others: the participants fall into groups with means of their own at
  /// every visit.
  bool grouped();

  /// P_s of each element at the Sigma that was evaluated last: elements of p (p + 1)/2, the lower triangle by rows.
  std::span<const double> slopes() const;
  /// sum_st a_st X' W D_s W D_t W X, a elements x elements: p x p.
  std::vector<double> second_products(std::span<const double> a) const;
  /// X' W E W X of a symmetric E, blocks x packed: p x p.
  std::vector<double> product(std::span<const double> e) const;

  /// Moments of the responses less the first fit: blocks x packed means of y_j y_k, and how many participants have both.
  void moments(std::span<double> means, std::span<double> counts) const;
  std::size_t observations() const;
  std::size_t participants() const;

 private:
  struct Work;
  std::unique_ptr<Work> work_;
};

}  // namespace equipoise::stats

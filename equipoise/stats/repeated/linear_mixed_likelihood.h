#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "equipoise/stats/repeated/linear_mixed_data.h"

namespace equipoise::stats {

/// Number of the pair (a, b) of random effects, a >= b, among q (q + 1)/2.
constexpr std::size_t pair_of(std::size_t a, std::size_t b) { return a >= b ? a * (a + 1) / 2 + b : b * (b + 1) / 2 + a; }
constexpr std::size_t pairs(std::size_t q) { return q * (q + 1) / 2; }

/// The (restricted) likelihood of folded data as a function of the relative covariance Lambda of the random effects: V = s W,
/// W = I + Z Lambda Z'. Given Lambda the residual variance s and the coefficients have closed forms.
///
///     -2 l = c log s + Q/s + log|W| [+ log|A|],   A = X'W^-1 X,  Q = (y - X b)'W^-1 (y - X b),  b = A^-1 X'W^-1 y,
///
/// c = n - p, or n (maximum likelihood: without the bracket). Derivatives in the elements of Lambda; with N_i = Z'W^-1 Z,
/// Y_i = Z'W^-1 X, rho_i = Z'W^-1 r, Phi = A^-1, E the symmetric unit matrix of a pair:
///
///     gradient   tr(E Gamma), Gamma = sum_i N_i [- Y_i Phi Y_i'] - rho_i rho_i'/s
///     Hessian    sum_i tr(E N_i F (2 [Y_i Phi Y_i'] + 2 rho_i rho_i'/s - N_i)) - 2 z_E'Phi z_F/s [- tr(Phi P_E Phi P_F)],
///                z_E = sum_i Y_i'E rho_i,  P_E = sum_i Y_i'E Y_i;   with s: sum_i rho_i'E rho_i/s^2,  of s: 2 Q/s^3 - c/s^2
///
/// A pass costs about q p (p + q) operations a unit (see `MixedData`) and q^3 a pattern. After construction nothing is allocated.
///
/// source   Harville (1977), J. Am. Stat. Assoc. 72, 320-338; Lindstrom & Bates (1988), J. Am. Stat. Assoc. 83, 1014-1022
/// checked  linear_mixed_test.cpp (differences), tests/independent/linear_mixed_test.cpp (dense)
class MixedLikelihood {
 public:
  MixedLikelihood(MixedData const& data, bool restricted);

  /// Coefficients, s and the likelihood at Lambda = L L', L q x rank, row by row. False when they cannot be computed.
  bool evaluate(std::span<const double> factor, std::size_t rank);
  double value() const { return value_; }  ///< -2 l at the best s, without constants, in our units
  double residual_variance() const { return s_; }
  double divisor() const { return divisor_; }                        ///< c
  double log_determinant() const { return log_determinant_; }        ///< log|A|
  std::span<const double> b() const { return b_; }                   ///< p, without the first fit
  std::span<const double> inverse_root() const { return inverse_; }  ///< F, upper triangular: Phi = F F'; p x p

  /// Derivatives at the last point that was evaluated; `slopes` also where the likelihood does without them.
  void derive(bool slopes = false);
  std::span<const double> gradient() const { return gradient_; }  ///< one for each pair
  std::span<const double> hessian() const { return hessian_; }    ///< pairs x pairs, s held
  std::span<const double> mixed() const { return mixed_; }        ///< second derivatives in each pair and s
  double curvature() const { return divisor_ / (s_ * s_); }       ///< in s, at the best s
  /// What the Hessian would be without coefficients, at most: 4 sum_i N_i,aa N_i,bb of each pair; and the gradient: sum_i N_i,aa
  /// of each random effect. A curvature that is nothing beside it is rounding.
  std::span<const double> scale() const { return scale_; }
  std::span<const double> slope_scale() const { return slope_scale_; }
  /// F'P_E F of each pair: p x p, one after the other.
  std::span<const double> slopes() const { return slopes_; }
  /// F'(sum_i Y_i' {sum_EF a_EF E N_i F} Y_i) F, a pairs x pairs: p x p.
  std::vector<double> second_products(std::span<const double> a);

  /// Turns the random effects: u = rotation times the new ones, an orthogonal q x q matrix, row by row. The point stays the one
  /// that was evaluated, its derivatives are not those of the new effects.
  void rotate(std::span<const double> rotation);
  void rotate_back();  ///< to those of the data; then evaluate

 private:
  void image(std::size_t pattern, std::size_t unit);

  MixedData const* data_;
  bool restricted_;
  std::vector<double> factors_;   ///< R of each pattern, rotated
  std::vector<double> roots_;     ///< C^-1 R of each pattern, W = C C' over its turned rows
  std::vector<double> whitened_;  ///< C^-1 (X, y) of each unit
  std::vector<double> b_, a_, inverse_, gradient_, hessian_, mixed_, slopes_, scale_, slope_scale_;
  double value_ = 0, s_ = 1, divisor_, log_determinant_ = 0;
  std::vector<double> w_, n_, c_, y_, yf_, rho_, z_, back_;  // workspace
};

}  // namespace equipoise::stats

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace equipoise::numerics {

enum class Sides {
  both,  ///< the maximum of |T_i|
  upper  ///< the maximum of T_i
};

/// Distribution of the maximum of k statistics that are jointly t: T_i = Z_i / S, Z normal with mean 0, variances 1 and a given
/// correlation, S the square root of an independent chi-square over its df degrees of freedom (infinite df: S = 1).
///
/// Dunnett's correlation has the form rho_ij = lambda_i lambda_j: comparisons of independent means with one control have it, with
/// lambda_i^2 = n_i / (n_i + n_0). Then Z_i = lambda_i Y + sqrt(1 - lambda_i^2) E_i, and
///
///     P(max > t) = int f(s) int phi(y) [1 - prod_i (1 - q_i(y, s))] dy ds,
///     q_i = Phi((lambda_i y - t s)/sigma_i) + [both sides] Phi((-lambda_i y - t s)/sigma_i),  sigma_i^2 = 1 - lambda_i^2
///
/// The trapezoidal rule in y and in log s: both integrands are analytic and die out at both ends, so the error falls
/// exponentially with the number of nodes. The steps follow from lambda and df so that each error stays below 1e-9; the sum is of
/// small terms, so small probabilities keep their digits. Nothing is allocated after construction.
///
/// Differences of LS means in a model with covariates have nearly that form. Any other correlation R is written as
/// lambda lambda' + A A' + diag(psi), the columns of A small; they are integrated by Gauss-Hermite rules, with an order that
/// follows from their size.
///
/// source   Dunnett (1955), J. Am. Stat. Assoc. 50, 1096-1121; Trefethen & Weideman (2014), SIAM Rev. 56, 385-458 (the rule)
/// checked  dunnett_test.cpp, tests/independent/linear_test.cpp
class MaximumT {
 public:
  /// rho_ij = lambda_i lambda_j, |lambda_i| < 1; df > 0.
  static MaximumT product(std::span<const double> lambda, double df, Sides sides);
  /// Any correlation (k x k, row by row). Nothing when it is no correlation matrix, or when no decomposition is possible (a
  /// singular or nearly singular one), or when it would need more than 50 million nodes.
  static std::optional<MaximumT> general(std::span<const double> correlation, double df, Sides sides);

  /// P(max > t).
  double upper(double t) const;
  /// The t with P(max > t) = alpha, 0 < alpha < 1, to 1e-9. NaN for another alpha.
  double critical_value(double alpha) const;

  bool is_product() const { return hidden_.empty(); }

 private:
  MaximumT(double df, Sides sides);
  void set_lambda(std::vector<double> lambda, std::vector<double> psi);

  struct Group {
    double lambda, over_sigma;  ///< lambda, 1/sigma
    int count;                  ///< statistics that share them (when there are no hidden factors)
  };
  struct Scale {
    double s, weight;  ///< node of S and weight
  };
  double given_hidden(double t, std::span<const double> shift, double reach) const;

  double df_;
  Sides sides_;
  std::vector<Group> groups_;
  double step_ = 0;              ///< in y
  std::vector<Scale> scales_;    ///< in falling weight from the mode to each side: fixed for df
  std::vector<double> hidden_;   ///< nodes of the hidden factors: a shift for each statistic, node after node
  std::vector<double> weights_;  ///< of the nodes
};

}  // namespace equipoise::numerics

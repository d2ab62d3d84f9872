#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "equipoise/core/columns.h"
#include "equipoise/core/section.h"
#include "equipoise/stats/formula.h"
#include "equipoise/stats/repeated/sandwich.h"

/// Inference about the fixed effects of a Gaussian model y ~ N(X b, V(theta)) that was fitted by (restricted) maximum likelihood.
namespace equipoise::stats {

/// Degrees of freedom and standard errors of linear functions of the fixed effects.
enum class DfMethod {
  satterthwaite,         ///< 2 v^2 / Var(v) with model-based standard errors
  kenward_roger,         ///< with the covariance adjusted for bias, second derivatives of V included
  kenward_roger_linear,  ///< the same without them: does not depend on the parameters' scale
  between_within,        ///< participants for what is constant within them, observations for the rest
  residual,              ///< observations less coefficients
  asymptotic             ///< infinite: the normal distribution
};
inline constexpr std::pair<std::string_view, DfMethod> df_methods[] = {
    {"satterthwaite", DfMethod::satterthwaite},
    {"kenward_roger", DfMethod::kenward_roger},
    {"kenward_roger_linear", DfMethod::kenward_roger_linear},
    {"between_within", DfMethod::between_within},
    {"residual", DfMethod::residual},
    {"asymptotic", DfMethod::asymptotic},
};
/// "Degrees of freedom by Satterthwaite's approximation; standard errors from the model.": for notes.
std::string describe(DfMethod method, EstimateCovariance covariance = EstimateCovariance::model);
/// Reports that a sandwich takes no part in Kenward and Roger's adjustment.
void refuse_adjusted_sandwich(DfMethod method, EstimateCovariance covariance, Section& options);
/// Whether the method asks for `theta_covariance` and `slopes`; kenward_roger and kenward_roger_linear ask for `q` too, the first
/// also for `r`.
constexpr bool needs_slopes(DfMethod method) { return method <= DfMethod::kenward_roger_linear; }
constexpr bool adjusts_covariance(DfMethod method) {
  return method == DfMethod::kenward_roger || method == DfMethod::kenward_roger_linear;
}

/// What a fit leaves for inference. Matrices row by row; V_i = dV/dtheta_i, V_ij = d2V/dtheta_i dtheta_j. What the chosen method
/// does not ask for may be empty. Only coefficients in the model are here: columns that depend on others are left out before.
struct FixedEffects {
  std::size_t p = 0;                       ///< coefficients
  std::size_t k = 0;                       ///< covariance parameters that were estimated
  std::vector<double> b{};                 ///< p
  std::vector<double> phi{};               ///< (X'V^-1 X)^-1, p x p
  std::vector<double> theta_covariance{};  ///< A, inverse observed Hessian of minus the log (restricted) likelihood, k x k
  std::vector<double> slopes{};  ///< P_i = X'V^-1 V_i V^-1 X, k of p (p + 1)/2, lower by rows: dPhi/dtheta_i = Phi P_i Phi
  std::vector<double> q{};       ///< sum_ij A_ij X'V^-1 V_i V^-1 V_j V^-1 X, p x p
  std::vector<double> r{};       ///< sum_ij A_ij X'V^-1 V_ij V^-1 X, p x p
  std::vector<double> coefficient_df{};  ///< of between_within and residual: one for each coefficient
  Sandwich sandwich{};                   ///< takes the place of phi in standard errors; of size 0: does not

  /// Adds P_i, given p x p.
  void add_slope(std::span<const double> full) {
    for (std::size_t a = 0; a < p; ++a)
      for (std::size_t c = 0; c <= a; ++c) slopes.push_back(0.5 * (full[a * p + c] + full[c * p + a]));
  }
};

/// l'b with its standard error. NaN = not estimable; df may be infinite.
struct ContrastEstimate {
  double value = missing_number, se = missing_number, df = missing_number;

  double t() const { return value / se; }
  double p() const;                       ///< two-sided
  double half_width(double level) const;  ///< of the confidence interval
};

/// Scaled Wald test of several functions at once: F = lambda (Lb)'(L Phi L')^- (Lb) / rank(L).
struct JointTest {
  double f = missing_number;
  double numerator_df = 0;  ///< independent functions; 0 when there is no test
  double denominator_df = missing_number;
  double p() const;
};

/// Standard errors, degrees of freedom and tests of linear functions of the fixed effects.
///
/// With A = C C', N_c = sum_i C_ic P_i and u = Phi l
///
///     Var(l'Phi l) = sum_c (u' N_c u)^2,   df = 2 (l'Phi l)^2 / Var(l'Phi l)              (Satterthwaite)
///     Phi_A = Phi + 2 Phi {Q - R/4 - sum_c N_c Phi N_c} Phi                 (Kenward and Roger; without R in the linear form)
///
/// and one function costs k p^2 operations. One function by Kenward and Roger has Satterthwaite's df, from the unadjusted Phi,
/// and the adjusted standard error. Several: the F approximation of Kenward and Roger (1997); by Satterthwaite that of Fai and
/// Cornelius over the eigenvectors of L Phi L', as in R's lmerTest. Denominator df of `between_within` and `residual`: the
/// smallest of the coefficients that a function touches. With a sandwich in the place of Phi, Satterthwaite's df are the
/// sandwich's own, and neither `theta_covariance` nor `slopes` are asked for.
///
/// A variance that is not positive gives NaN; one whose estimate has no error (A = 0) infinite df. In a joint test functions that
/// depend on others are left out; one that is not estimable, or an approximation without a mean (m <= 2 for several functions by
/// Kenward and Roger), gives NaN.
///
/// Not for two threads at once: it has a workspace, and allocates nothing for a contrast, unless it is a sandwich's.
///
/// source   Kenward & Roger (1997), Biometrics 53, 983-997; Fai & Cornelius (1996), J. Stat. Comput. Simul. 54, 363-378;
///          Kuznetsova, Brockhoff & Christensen (2017), J. Stat. Softw. 82(13); Giesbrecht & Burns (1985), Biometrics 41, 477-486
/// checked  fixed_effects_test.cpp: balanced designs in closed form; tests/independent/
class FixedEffectsInference {
 public:
  FixedEffectsInference(FixedEffects effects, DfMethod method);

  FixedEffects const& effects() const { return effects_; }
  DfMethod method() const { return method_; }
  std::span<const double> covariance() const { return covariance_; }  ///< of the coefficients: adjusted, or the sandwich
  /// Functions asked of a sandwich that has no variance for them: see Sandwich::variance.
  std::size_t without_variance() const { return without_variance_; }

  /// l of shape p; an empty l is a function that is not estimable.
  ContrastEstimate contrast(std::span<const double> l);
  /// The same where the caller knows the df: of between_within in other coordinates than those of `coefficient_df`.
  ContrastEstimate contrast(std::span<const double> l, double df);
  /// Functions of shape p each. `df`: denominator df if the caller knows them.
  JointTest test(std::span<const std::vector<double>> functions, double df = std::numeric_limits<double>::quiet_NaN());

 private:
  double variance(std::span<const double> matrix, std::span<const double> l);  // leaves matrix l in image_
  void take_root();
  void adjust();
  void forms(std::span<const double> u, std::span<const double> v);
  double satterthwaite(double variance, std::span<const double> image);
  bool robust() const { return effects_.sandwich.size() > 0; }
  double fai_cornelius(std::vector<double> gram, std::span<const std::vector<double>> functions, std::span<const double> images,
                       std::size_t rank);
  std::pair<double, double> kenward_roger(std::span<const double> correlation, std::span<const double> images,
                                          std::span<const double> unit, std::span<const std::size_t> kept);

  FixedEffects effects_;
  DfMethod method_;
  std::vector<double> covariance_;
  std::vector<double> root_;  ///< C, lower triangular, k x k
  bool theta_known_ = true;   ///< A is a covariance matrix
  std::size_t without_variance_ = 0;
  std::vector<double> image_, pairs_, along_,
      change_;  ///< workspace: a function's image, its products, forms u' P_i v and u' N_c v
};

/// Says when a sandwich had no variance for some of what was asked.
void explain_sandwich(FixedEffectsInference const& inference, std::vector<std::string>& notes);

/// Smallest df of the coefficients that l touches; NaN when it touches none.
double smallest_df(std::span<const double> coefficient_df, std::span<const double> l);

/// df of each coefficient: participants less the coefficients whose columns are constant within every participant (the intercept
/// is one of them), for these; observations less participants less the other coefficients, for the others and for the intercept.
/// Columns not `used` have NaN and are not counted; so have those left with no degree of freedom. `subject` numbers the
/// participants, one for each row.
///
/// source   the "inner-outer" rule of Pinheiro & Bates (2000), Mixed-Effects Models in S and S-PLUS, p. 91
std::vector<double> between_within_df(Design const& design, std::span<const std::uint8_t> used,
                                      std::span<const std::int32_t> subject);

}  // namespace equipoise::stats

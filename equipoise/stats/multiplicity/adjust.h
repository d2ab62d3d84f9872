#pragma once

#include <span>
#include <vector>

/// Adjusted p values of procedures that need nothing but the p values. A hypothesis is rejected at level alpha exactly when its
/// adjusted p is at most alpha.
namespace equipoise::stats {

/// Each function takes p values in [0, 1] and returns their adjusted values in the same order; NaN (not estimable) counts as 1
/// and stays NaN, so that its hypothesis is never rejected and helps no other. With m hypotheses and p_(1) <= ... <= p_(m):
///
///     bonferroni           min(1, m p_i)
///     holm                 max over k <= i of min(1, (m - k + 1) p_(k))       step down; valid under any dependence
///     hochberg             min over k >= i of (m - k + 1) p_(k)               step up; independence or positive dependence
///     hommel               max over sets J that hold i of Simes' p of J       closed test; as hochberg, never less powerful
///     benjamini_hochberg   min over k >= i of min(1, m p_(k) / k)             false discovery rate, step up
///
/// Simes' p of J is the min over k <= |J| of |J| p_(k:J) / k.
/// source   Holm (1979), Scand. J. Stat. 6, 65-70; Hochberg (1988), Biometrika 75, 800-802; Hommel (1988), Biometrika 75,
///          383-386; Wright (1992), Biometrics 48, 1005-1013; Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57, 289-300
/// checked  adjust_test.cpp, tests/independent/multiplicity_test.cpp (closed testing), tests/reference/multiplicity/
std::vector<double> bonferroni_adjusted(std::span<const double> p);
std::vector<double> holm_adjusted(std::span<const double> p);
std::vector<double> hochberg_adjusted(std::span<const double> p);
std::vector<double> hommel_adjusted(std::span<const double> p);  ///< O(m^2) operations
std::vector<double> benjamini_hochberg_adjusted(std::span<const double> p);

}  // namespace equipoise::stats

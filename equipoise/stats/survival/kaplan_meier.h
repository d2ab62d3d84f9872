#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/survival/rows.h"

namespace equipoise::stats {

/// Scale on which Greenwood's interval is symmetric.
enum class SurvivalInterval { plain, log, log_log, logit, arcsin };

struct SurvivalLimits {
  double lower, upper;
};

/// Pointwise limits of the survival S, g the square root of Greenwood's sum (the standard error of log S), z the normal half
/// width. NaN where S is 0, and where S is 1 on the scales that have no such point (log-log, logit, arcsin).
SurvivalLimits survival_limits(SurvivalInterval interval, double S, double g, double z);

/// Tolerance on the probability scale at which a curve counts as flat at a quantile: the rule of the definition, the square root
/// of the rounding unit, as R's all.equal.
inline constexpr double flat_quantile = 1.5e-8;

/// Product-limit curve at the distinct observed times t_1 < ... < t_k of some rows.
///
///     S(t_i) = prod_{j <= i} (1 - d_j / n_j),     se S(t_i) = S(t_i) sqrt(sum_{j <= i} d_j / (n_j (n_j - d_j)))
///
/// All columns have the same length. n_at_risk counts times >= t_i, so those censored at t_i too. Where S is 0 Greenwood's
/// formula does not exist: se and limits are NaN. So are, where S is 1, the limits on the scales that have no such point
/// (log-log, logit, arcsin).
struct SurvivalCurve {
  std::vector<double> time, survival, se, lower, upper;
  std::vector<std::int64_t> n_at_risk, n_events, n_censored;

  /// The last position with time <= t, or nothing before the first time. Times within `same_time` of t are t.
  std::optional<std::size_t> position(double t) const;
};

/// rows     those of one group, in increasing time
/// level    confidence level of the two-sided pointwise limits, cut to [0, 1]
/// source   Kaplan & Meier (1958), J. Am. Stat. Assoc. 53, 457-481; Greenwood (1926), Rep. Public Health Med. Subj. 33;
///          scales: Kalbfleisch & Prentice (1980), section 1.3; Borgan & Liestol (1990), Scand. J. Stat. 17, 35-41
/// checked  kaplan_meier_test.cpp, the reference cases kaplan_meier
SurvivalCurve product_limit(SurvivalRows const& data, std::span<const std::uint32_t> rows, SurvivalInterval interval,
                            double level);

/// The p quantile read on a curve S (the estimate, or a limit of it): the first time with 1 - S(t) >= p. Where 1 - S equals p
/// within 1.5e-8 the curve is flat at p, and the answer is the midpoint of that time and the next one at which S changes (or the
/// last time). NaN when 1 - S never reaches p. On the lower limit this is the lower limit of Brookmeyer and Crowley, on the upper
/// the upper.
///
/// source   Brookmeyer & Crowley (1982), Biometrics 38, 29-41
double curve_quantile(std::span<const double> time, std::span<const double> survival, double p);

/// Kaplan-Meier estimate, by group or over all rows. Page: docs/methods/kaplan_meier.md
struct KaplanMeier {
  std::string time, event, group;  ///< columns; no group = ""
  SurvivalInterval interval = SurvivalInterval::log_log;
  double level = 0.95;
  std::vector<double> times;       ///< at which the curve is read
  std::vector<double> probs{0.5};  ///< quantiles
  NearTies near_ties = NearTies::merge;
  std::string interval_note;       ///< which scale, and who chose it

  static MethodCard const& card();
  static std::optional<KaplanMeier> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<KaplanMeier>);

}  // namespace equipoise::stats

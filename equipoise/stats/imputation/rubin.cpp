#include "equipoise/stats/imputation/rubin.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/sum.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

Expected<Pooled> pool(std::span<const double> estimates, std::span<const double> variances, double complete_df) {
  if (estimates.size() != variances.size())
    return fail(Code::size_mismatch, "there are {} estimates and {} variances", estimates.size(), variances.size());
  if (estimates.size() < 2)
    return fail(Code::out_of_range, "Rubin's rules need two imputed data sets or more, and there {} {}",
                estimates.size() == 1 ? "is" : "are", estimates.size());
  if (!(complete_df > 0))
    return fail(Code::out_of_range, "the degrees of freedom of the complete data must be above 0, and are {}",
                shortest(complete_df));
  for (std::size_t i = 0; i < variances.size(); ++i)
    if (variances[i] < 0)
      return fail(Code::out_of_range, "variance {} is {}: a variance is not negative", i + 1, shortest(variances[i]));

  const double m = double(estimates.size());
  const numerics::Moments of_estimates = numerics::moments(estimates);
  const double within = numerics::sum(variances) / m, between = of_estimates.sd * of_estimates.sd;
  const double total = within + (1 + 1 / m) * between;
  if (!std::isfinite(total) || !std::isfinite(of_estimates.mean)) return Pooled{};
  Pooled pooled{.estimate = of_estimates.mean, .within = within, .between = between, .se = std::sqrt(total)};
  if (total == 0) return pooled;
  pooled.lambda = (1 + 1 / m) * between / total;
  pooled.df_large_sample = (m - 1) / (pooled.lambda * pooled.lambda);  // infinite for lambda = 0
  if (std::isinf(complete_df)) {
    pooled.df = pooled.df_large_sample;
    return pooled;
  }
  // 1 - lambda is W/T, which keeps its digits when nearly all is due to the missing values
  const double observed = (complete_df + 1) / (complete_df + 3) * complete_df * (within / total);
  pooled.df = 1 / (1 / pooled.df_large_sample + 1 / observed);
  if (pooled.df == 0) pooled.df = missing_number;  // no variance within: nothing says how precise the complete data are
  return pooled;
}

MethodCard const& Rubin::card() {
  static const MethodCard card{
      .keyword = "rubin",
      .title = "Rubin's rules",
      .roles = {},
      .options = {{"estimates", "list of two numbers or more", "one estimate of each imputed data set"},
                  {"variances", "list of numbers, 0 or more", "squared standard errors of the estimates"},
                  {"complete_data_df", "number above 0", "degrees of freedom without missing values (infinite)"},
                  {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
      .quantities = {"estimate", "se", "df", "p", "lower", "upper", "df_large_sample", "lambda"}};
  return card;
}

std::optional<Rubin> Rubin::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  Rubin method;
  check_roles(card(), roles, options);
  if (options.need("estimates")) method.estimates = options.numbers("estimates").value_or(std::vector<double>{});
  if (options.need("variances"))
    method.variances = options.numbers("variances", Limits::at_least(0)).value_or(std::vector<double>{});
  method.complete_data_df = options.number("complete_data_df", Limits::above(0));
  method.level = parse_level(options);
  if (options.problems().size() == problems_before)
    if (const auto pooled = pool(method.estimates, method.variances); !pooled)
      options.report_at("estimates", pooled.error().code, "{}: {}", options.name(), pooled.error().message);
  return options.problems().size() == problems_before ? std::optional(std::move(method)) : std::nullopt;
}

Expected<Answer> Rubin::run(Frame const&) const {
  const auto pooled = pool(estimates, variances, complete_data_df.value_or(infinity));
  if (!pooled) return tl::unexpected(pooled.error());
  Answer answer;
  const double half = numerics::student_t_interval(level, pooled->df) * pooled->se;
  Finding estimate{.quantity = "estimate",
                   .value = pooled->estimate,
                   .se = pooled->se,
                   .lower = pooled->estimate - half,
                   .upper = pooled->estimate + half,
                   .level = level,
                   .p = numerics::student_t_two_sided(pooled->estimate / pooled->se, pooled->df)};
  if (!std::isinf(pooled->df)) estimate.df = pooled->df;
  answer.findings.push_back(std::move(estimate));
  answer.findings.push_back({.quantity = "df_large_sample", .value = pooled->df_large_sample});
  answer.findings.push_back({.quantity = "lambda", .value = pooled->lambda});

  answer.notes.push_back(fmt::format("Rubin's rules over {} imputed data sets; degrees of freedom of {}.", estimates.size(),
                                     complete_data_df ? "Barnard and Rubin (1999)" : "Rubin (1987): those of the complete data are not given"));
  if (std::isnan(pooled->estimate))
    answer.notes.push_back("The numbers are too large for their squares: nothing is estimable.");
  else if (pooled->se == 0) answer.notes.push_back("All variances are 0 and all estimates equal: no test and no limits.");
  else if (pooled->within == 0 && complete_data_df)
    answer.notes.push_back("All variances are 0: no degrees of freedom are left, so no test and no limits.");
  else if (pooled->between == 0)
    answer.notes.push_back("All estimates are equal: no variance is due to the missing values.");
  return answer;
}

}  // namespace equipoise::stats

#include "equipoise/stats/continuous/t_tests.h"

#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/sum.h"

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, TVariance> variances[] = {{"pooled", TVariance::pooled},
                                                                {"welch", TVariance::welch},
                                                                {"paired", TVariance::paired},
                                                                {"one_sample", TVariance::one_sample}};

// A standard error this small beside the values is their rounding, not their spread.
constexpr double rounding_only = 1e-14;

bool two_groups(TVariance variance) { return variance == TVariance::pooled || variance == TVariance::welch; }

Error infinite_value(std::string_view column, double value) {
  return Error{Code::bad_cell, fmt::format("column '{}' holds {}: a value must be finite", column, shortest(value)), {}, {}};
}

}  // namespace

MeanEstimate mean_difference(std::span<const double> first, std::span<const double> second, bool pooled) {
  const numerics::Moments a = numerics::moments(first), b = numerics::moments(second);
  const double estimate = a.mean - b.mean;
  if (pooled) {  // a group of one person has no spread of its own, but counts
    const double df = a.n + b.n - 2;
    const double squares = (a.n > 1 ? (a.n - 1) * a.sd * a.sd : 0) + (b.n > 1 ? (b.n - 1) * b.sd * b.sd : 0);
    if (!(df > 0) || a.n == 0 || b.n == 0) return {estimate, missing_number, missing_number};
    return {estimate, std::sqrt(squares / df * (1 / a.n + 1 / b.n)), df};
  }
  if (a.n < 2 || b.n < 2) return {estimate, missing_number, missing_number};
  const double va = a.sd * a.sd / a.n, vb = b.sd * b.sd / b.n;
  const double larger = std::fmax(va, vb);
  if (larger == 0) return {estimate, 0.0, missing_number};
  const double ra = va / larger, rb = vb / larger;  // ratios, so that squares of tiny or huge variances do not leave the range
  return {estimate, std::sqrt(va + vb), (ra + rb) * (ra + rb) / (ra * ra / (a.n - 1) + rb * rb / (b.n - 1))};
}

MeanEstimate one_mean(std::span<const double> values) {
  const numerics::Moments m = numerics::moments(values);
  if (m.n < 2) return {m.mean, missing_number, missing_number};
  return {m.mean, m.sd / std::sqrt(m.n), m.n - 1};
}

MethodCard const& TTest::card() {
  static const MethodCard card{
      .keyword = "t_test",
      .title = "t test",
      .roles = {{"response", Need::number, Presence::optional, "the analysed value (pooled, welch, one_sample)"},
                {"group", Need::category, Presence::optional, "the groups compared (pooled, welch)"},
                {"first", Need::number, Presence::optional, "first of two paired values (paired)"},
                {"second", Need::number, Presence::optional, "second of two paired values (paired)"}},
      .options = {{"variance", "pooled | welch | paired | one_sample", "which test"},
                  {"difference", "{ level, minus }", "the two groups compared (pooled, welch): level minus the other"},
                  {"mu", "number", "value under the null hypothesis (0)"},
                  {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
      .quantities = {"estimate", "se", "t", "df", "p", "lower", "upper", "mean", "sd", "n"},
      .comparison = Comparison::pairwise};
  return card;
}

std::optional<TTest> TTest::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  TTest method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.group = role(roles, "group");
  method.first = role(roles, "first");
  method.second = role(roles, "second");
  method.mu = options.number("mu", Limits{.min = -1e300, .max = 1e300}).value_or(0.0);
  method.level = parse_level(options);
  std::optional<TVariance> variance;
  if (options.need("variance")) variance = options.word<TVariance>("variance", variances);
  if (variance) {
    method.variance = *variance;
    method.difference = parse_difference(options, two_groups(*variance));
    const auto require = [&](std::string const& column, std::string_view name) {
      if (column.empty())
        add_problem(options.problems(), options.place(), Code::missing_key, "this t_test needs a column for the role '{}'", name);
    };
    const auto refuse = [&](std::string const& column, std::string_view name) {
      if (!column.empty())
        add_problem(options.problems(), options.place(), Code::inconsistent, "this t_test does not use the role '{}'", name);
    };
    if (*variance == TVariance::paired) {
      require(method.first, "first"), require(method.second, "second");
      refuse(method.response, "response"), refuse(method.group, "group");
    } else {
      require(method.response, "response");
      refuse(method.first, "first"), refuse(method.second, "second");
      if (two_groups(*variance)) require(method.group, "group");
      else refuse(method.group, "group");
    }
    if (!two_groups(*variance) && method.difference)
      options.report_at("difference", Code::inconsistent, "'difference' belongs to a t_test of two groups (pooled, welch)");
    std::vector<ColumnNeed> needs;
    add_need(needs, {method.response, Need::number}, options);
    add_need(needs, {method.group, Need::category}, options);
  } else {
    options.allow("difference");
  }
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> TTest::needs() const {
  if (variance == TVariance::paired)
    return first == second ? std::vector<ColumnNeed>{{first, Need::number}}
                           : std::vector<ColumnNeed>{{first, Need::number}, {second, Need::number}};
  std::vector<ColumnNeed> needs{{response, Need::number}};
  if (two_groups(variance)) needs.push_back({group, Need::category});
  return needs;
}

Expected<Answer> TTest::run(Frame const& frame) const {
  std::vector<double> a, b;
  Answer answer;
  if (two_groups(variance)) {
    CategoriesView const& groups = frame.categories(group);
    const auto codes = find_levels(*difference, groups, group);
    if (!codes) return tl::unexpected(codes.error());
    const NumbersView values = frame.numbers(response);
    for (std::size_t i = 0; i < frame.rows; ++i) {
      if (groups.codes[i] == codes->level) a.push_back(values[i]);
      else if (groups.codes[i] == codes->minus) b.push_back(values[i]);
      else continue;
      if (!std::isfinite(values[i])) return tl::unexpected(infinite_value(response, values[i]));
    }
  } else {
    const bool paired = variance == TVariance::paired;
    const NumbersView values = frame.numbers(paired ? first : response);
    const NumbersView minus = paired ? frame.numbers(second) : NumbersView();
    for (std::size_t i = 0; i < frame.rows; ++i) {
      if (!std::isfinite(values[i])) return tl::unexpected(infinite_value(paired ? first : response, values[i]));
      if (paired && !std::isfinite(minus[i])) return tl::unexpected(infinite_value(second, minus[i]));
      a.push_back(paired ? values[i] - minus[i] : values[i]);
    }
  }

  double magnitude = 0;
  for (const double value : a) magnitude = std::fmax(magnitude, std::abs(value));
  for (const double value : b) magnitude = std::fmax(magnitude, std::abs(value));
  if (!std::isfinite(magnitude))
    return fail(Code::out_of_range, "a difference of '{}' and '{}' is too large for a number", first, second);
  // Scaled by a power of two, which rounds nothing, so that squares of huge or tiny values stay in the range of a double.
  const int exponent = magnitude > 0 ? std::ilogb(magnitude) : 0;
  for (double& value : a) value = std::ldexp(value, -exponent);
  for (double& value : b) value = std::ldexp(value, -exponent);
  MeanEstimate got = two_groups(variance) ? mean_difference(a, b, variance == TVariance::pooled) : one_mean(a);
  const auto n = std::int64_t(a.size() + b.size());
  const bool no_spread = got.se <= rounding_only * std::ldexp(magnitude, -exponent);  // false for NaN
  const double t = no_spread ? missing_number : (got.estimate - std::ldexp(mu, -exponent)) / got.se;
  got.estimate = std::ldexp(got.estimate, exponent);
  got.se = std::ldexp(got.se, exponent);
  const double p = numerics::student_t_two_sided(t, got.df);
  const double half = no_spread ? missing_number : numerics::student_t_interval(level, got.df) * got.se;
  answer.findings.push_back({.quantity = "estimate",
                             .value = got.estimate,
                             .se = got.se,
                             .df = got.df,
                             .lower = got.estimate - half,
                             .upper = got.estimate + half,
                             .level = level,
                             .p = p,
                             .n = n});
  answer.findings.push_back({.quantity = "t", .value = t, .df = got.df, .p = p, .n = n});
  if (!two_groups(variance)) {
    const numerics::Moments m = numerics::moments(a);
    answer.findings.push_back({.quantity = "mean", .value = std::ldexp(m.mean, exponent), .n = n});
    answer.findings.push_back({.quantity = "sd", .value = std::ldexp(m.sd, exponent), .n = n});
    answer.findings.push_back({.quantity = "n", .value = m.n, .n = n});
  }
  if (no_spread) answer.notes.push_back("All values within a group are equal: t and the limits are not estimable.");
  else if (!two_groups(variance) && n < 2)
    answer.notes.push_back(fmt::format("{}: a t test needs two.", n == 1 ? "One value" : "No value"));
  else if (std::isnan(got.se))
    answer.notes.push_back(fmt::format("{} value{} of '{}' and {} of '{}' are too few for this t test.", a.size(),
                                       a.size() == 1 ? "" : "s", difference->level, b.size(), difference->minus));
  if (variance == TVariance::welch) answer.notes.push_back("Welch's t test with Satterthwaite's degrees of freedom.");
  if (variance == TVariance::pooled) answer.notes.push_back("Student's t test with the pooled variance.");
  return answer;
}

}  // namespace equipoise::stats

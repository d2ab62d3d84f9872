#include "equipoise/stats/continuous/descriptive.h"

#include <algorithm>
#include <cmath>

#include "equipoise/core/error.h"
#include "equipoise/numerics/sum.h"
#include "equipoise/stats/continuous/ranks.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, QuantileRule> rules[] = {{"sas_5", QuantileRule::sas_5}, {"r_7", QuantileRule::r_7}};

}  // namespace

double quantile(std::span<const double> sorted, double p, QuantileRule rule) {
  expects(p >= 0 && p <= 1, "a quantile is of a probability");
  const std::size_t n = sorted.size();
  if (n == 0) return missing_number;
  if (rule == QuantileRule::r_7) {
    const double h = double(n - 1) * p;
    const auto j = std::min(std::size_t(h), n - 1);
    return j + 1 < n ? sorted[j] + (h - double(j)) * (sorted[j + 1] - sorted[j]) : sorted[j];
  }
  const double np = double(n) * p;
  const double whole = std::round(np);
  if (std::abs(np - whole) < 1e-9 * std::max(1.0, np)) {  // 10 * 0.3 is whole, although 0.3 is not a binary fraction
    const auto k = std::size_t(whole);
    if (k == 0) return sorted.front();
    return k < n ? (sorted[k - 1] + sorted[k]) / 2 : sorted.back();
  }
  return sorted[std::size_t(np)];
}

Summary summarise(std::vector<double> values, QuantileRule rule) {
  std::ranges::sort(values);
  Summary summary{.n = std::int64_t(values.size())};
  if (values.empty()) return summary;
  // Scaled by a power of two, which rounds nothing, so that sums and squares of huge or tiny values stay in range.
  std::vector<double> scaled = values;
  const int exponent = numerics::scale_to_one(scaled).exponent;
  const numerics::Moments moments = numerics::moments(scaled);
  summary.mean = std::ldexp(moments.mean, exponent);
  summary.sd = std::ldexp(moments.sd, exponent);
  summary.min = values.front();
  summary.lower_quartile = quantile(values, 0.25, rule);
  summary.median = quantile(values, 0.5, rule);
  summary.upper_quartile = quantile(values, 0.75, rule);
  summary.max = values.back();
  return summary;
}

MethodCard const& Descriptive::card() {
  static const MethodCard card{
      .keyword = "descriptive",
      .title = "Descriptive statistics",
      .roles = {{"response", Need::number, Presence::required, "the described value"},
                {"group", Need::category, Presence::optional, "the groups described one by one, before all rows together"}},
      .options = {{"quantile_definition", "sas_5 | r_7", "how quantiles fall between values (sas_5; r_7 to match R)"},
                  {"probs", "[ number from 0 to 1, ... ]", "probabilities of the quantiles given (none)"},
                  {"geometric_mean", "true | false", "the geometric mean too (false)"}},
      .quantities = {"n", "mean", "sd", "median", "min", "max", "quantile", "geometric_mean"},
      .comparison = Comparison::all_arms};
  return card;
}

std::optional<Descriptive> Descriptive::parse(Roles const& roles, Section& options, Match match) {
  const std::size_t problems_before = options.problems().size();
  Descriptive method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.group = role(roles, "group");
  method.rule = options.word<QuantileRule>("quantile_definition", rules)
                    .value_or(match == Match::r ? QuantileRule::r_7 : QuantileRule::sas_5);
  method.probs = options.numbers("probs", Limits{.min = 0, .max = 1}).value_or(std::vector<double>{});
  method.geometric = options.flag("geometric_mean").value_or(false);
  add_need(method.needs_, {method.response, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> Descriptive::needs() const { return needs_; }

Expected<Answer> Descriptive::run(Frame const& frame) const {
  const NumbersView values = frame.numbers(response);
  if (auto error = not_finite(values, response)) return tl::unexpected(std::move(*error));
  Answer answer;
  const auto describe = [&](std::vector<double> some, At const& at) {
    const auto n = std::int64_t(some.size());
    const auto give = [&](std::string_view quantity, double value, At where) {
      answer.findings.push_back({.quantity = std::string(quantity), .at = std::move(where), .value = value, .n = n});
    };
    const Summary summary = summarise(some, rule);
    give("n", double(n), at);
    give("mean", summary.mean, at);
    give("sd", summary.sd, at);
    give("median", summary.median, at);
    give("min", summary.min, at);
    give("max", summary.max, at);
    std::ranges::sort(some);
    for (const double p : probs) {
      At where = at;
      where["prob"] = p;
      give("quantile", quantile(some, p, rule), std::move(where));
    }
    if (geometric) {
      numerics::Sum logs;
      for (const double value : some) logs.add(value > 0 ? std::log(value) : missing_number);
      give("geometric_mean", some.empty() ? missing_number : std::exp(logs.value() / double(n)), at);
    }
  };
  if (!group.empty()) {
    CategoriesView const& groups = frame.categories(group);
    for (std::size_t g = 0; g < groups.levels.size(); ++g) {
      std::vector<double> of_group;
      for (std::size_t i = 0; i < frame.rows; ++i)
        if (std::size_t(groups.codes[i]) == g) of_group.push_back(values[i]);
      if (of_group.empty())
        answer.notes.push_back(
            fmt::format("'{}' of '{}' has no values: its statistics are not estimable.", groups.levels[g], group));
      else if (of_group.size() == 1)
        answer.notes.push_back(
            fmt::format("'{}' of '{}' has one value: its standard deviation is not estimable.", groups.levels[g], group));
      describe(std::move(of_group), {{"group", groups.levels[g]}});
    }
  }
  describe({values.begin(), values.end()}, {});
  if (frame.rows < 2)
    answer.notes.emplace_back(frame.rows == 0 ? "There are no values: the statistics are not estimable."
                                              : "There is one value: the standard deviation is not estimable.");
  answer.notes.emplace_back(rule == QuantileRule::sas_5
                                ? "Quantiles of the empirical distribution with averaging (SAS definition 5, R type 2)."
                                : "Quantiles by linear interpolation between values (R type 7).");
  if (geometric && std::ranges::any_of(values, [](double value) { return value <= 0; }))
    answer.notes.emplace_back("The geometric mean of values that are not all above 0 is not estimable.");
  return answer;
}

}  // namespace equipoise::stats

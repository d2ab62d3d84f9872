#include "equipoise/stats/interval/grouped_hazard.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {
namespace {

constexpr std::size_t most_parameters = 400;  // hazard steps and coefficients of one dense Newton step

}  // namespace

MethodCard const& GroupedHazard::card() {
  static const MethodCard card{
      .keyword = "grouped_hazard",
      .title = "Proportional hazards of an event seen only at visits",
      .roles = {{"left", Need::number, Presence::required, "left end: the last time known to be before the event"},
                {"right", Need::number, Presence::required,
                 "right end: the first time known not to be before it; empty = infinity"}},
      .options = {{"formula", "terms of the model: a + b, a:b, a * b", "right-hand side, without intercept"},
                  {"levels", "{ column = [level, ...] }", "categorical columns and their levels, the reference first"},
                  {"visits", "list of numbers above 0, increasing", "planned times, to the nearest of which the ends are moved"},
                  {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
      .quantities = {"hazard_ratio", "hazard_ratio_lower", "hazard_ratio_upper", "estimate", "se", "p",
                     "likelihood_ratio_chi_square", "log_likelihood", "log_likelihood_null", "n_observations", "n_events"},
      .comparison = Comparison::all_arms};
  return card;
}

std::optional<GroupedHazard> GroupedHazard::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  GroupedHazard method;
  check_roles(card(), roles, options);
  method.left = role(roles, "left");
  method.right = role(roles, "right");
  method.model = parse_model_terms(options);
  method.visits = options.numbers("visits", Limits{.min = 0, .max = 1e300, .min_excluded = true}).value_or(std::vector<double>{});
  if (std::adjacent_find(method.visits.begin(), method.visits.end(), std::greater_equal<>()) != method.visits.end())
    options.report_at("visits", Code::out_of_range, "the times of `visits` must increase");
  method.level = parse_level(options);
  add_need(method.needs_, {method.left, Need::number}, options);
  add_need(method.needs_, {.name = method.right, .need = Need::number, .drop_missing = method.right == method.left}, options);
  method.model.add_needs(method.needs_, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> GroupedHazard::needs() const { return needs_; }

Expected<Answer> GroupedHazard::run(Frame const& frame) const {
  auto data = interval_rows(frame, left, right);
  if (!data) return tl::unexpected(data.error());
  const std::string merged = merged_note(*data);
  if (!visits.empty()) *data = on_visits(std::move(*data), visits);
  const auto design = build_design(frame, model.formula);
  if (!design) return tl::unexpected(design.error());
  const std::size_t p = design->names.size();
  const InnermostIntervals innermost = innermost_intervals(*data, all_rows(frame.rows));
  if (innermost.size() + p > most_parameters)
    return fail(
        Code::out_of_range,
        "{} intervals between different ends and {} coefficients are more than the grouped-time model takes ({}); give the "
        "planned times, `visits`",
        innermost.size(), p, most_parameters);
  const auto n = std::int64_t(frame.rows);
  const auto events = std::count_if(data->right.begin(), data->right.end(), [](double r) { return std::isfinite(r); });
  std::int64_t several = 0;
  for (std::size_t i = 0; i < frame.rows; ++i) several += std::isfinite(data->right[i]) && innermost.last[i] > innermost.first[i];
  const GroupedFit fit = fit_grouped_hazard(innermost, *design);

  Answer answer;
  const double z = numerics::normal_interval(level);
  const auto add = [&](Term const& term, double estimate, double se) {
    const At at{{"term", term}};
    const double lower = estimate - z * se, upper = estimate + z * se, p_value = numerics::normal_two_sided(estimate / se);
    answer.findings.push_back({.quantity = "hazard_ratio",
                               .at = at,
                               .value = std::exp(estimate),
                               .lower = std::exp(lower),
                               .upper = std::exp(upper),
                               .level = level,
                               .p = p_value,
                               .n = n,
                               .scale = Scale::log});
    answer.findings.push_back({.quantity = "estimate",
                               .at = at,
                               .value = estimate,
                               .se = se,
                               .lower = lower,
                               .upper = upper,
                               .level = level,
                               .p = p_value,
                               .n = n});
  };
  const std::vector<Term> missing = uncompared(frame, model.formula, design->names);
  for (std::size_t j = 0; j < p; ++j) {
    const bool known = fit.converged && !lacks_reference(frame, design->names[j]);
    add(design->names[j], known ? fit.beta[j] : missing_number, known ? fit.se[j] : missing_number);
  }
  for (Term const& term : missing) add(term, missing_number, missing_number);
  const double df = fit.converged && fit.rank > 0 ? double(fit.rank) : missing_number;
  const double ratio = std::isnan(df) ? missing_number : std::max(2 * (fit.log_likelihood - fit.log_likelihood_null), 0.0);
  answer.findings.push_back(
      {.quantity = "likelihood_ratio_chi_square", .value = ratio, .df = df, .p = numerics::chi_square_upper(ratio, df), .n = n});
  const auto value = [&](std::string quantity, double of_it) {
    answer.findings.push_back({.quantity = std::move(quantity), .value = of_it, .n = n});
  };
  value("log_likelihood", fit.converged ? fit.log_likelihood : missing_number);
  value("log_likelihood_null", fit.log_likelihood_null);
  value("n_observations", double(n));
  value("n_events", double(events));

  answer.notes.push_back(
      fmt::format("Proportional hazards between visits (complementary log-log), {} intervals; {} of {} events lie "
                  "in an interval that spans several of them.",
                  innermost.size(), several, events));
  if (!visits.empty()) answer.notes.emplace_back("Days of visits were moved to the nearest planned visit.");
  if (n == 0) answer.notes.emplace_back("There are no rows: nothing is estimable.");
  else if (innermost.size() < 2)
    answer.notes.emplace_back("Everybody's interval says the same of the time: nothing is estimable.");
  else if (!fit.converged)
    answer.notes.push_back(
        fmt::format("The fit did not converge in {} iterations (gradient {} standard errors): nothing is estimable.",
                    fit.iterations, shortest(fit.distance)));
  for (std::size_t j = 0; fit.converged && j < p; ++j) {
    if (fit.infinite[j])
      answer.notes.push_back(
          fmt::format("{}: its likelihood grows for ever, so the hazard ratio is not estimable.", to_text(design->names[j])));
    if (fit.aliased[j])
      answer.notes.push_back(
          fmt::format("{}: constant, or determined by earlier terms; not estimable.", to_text(design->names[j])));
  }
  for (Term const& term : missing)
    if (!lacks_reference(frame, term))
      answer.notes.push_back(fmt::format("{}: nobody in it, so the hazard ratio is not estimable.", to_text(term)));
  for (std::string const& note : design->notes) answer.notes.push_back(note + ".");
  if (!merged.empty()) answer.notes.push_back(merged);
  return answer;
}

}  // namespace equipoise::stats

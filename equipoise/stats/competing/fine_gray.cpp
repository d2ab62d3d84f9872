#include "equipoise/stats/competing/fine_gray.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {
namespace {

constexpr double most_cells = 2e7;  // times x coefficients squared of the second moments: 160 MB

}  // namespace

MethodCard const& FineGray::card() {
  static const MethodCard card{
      .keyword = "fine_gray",
      .title = "Fine-Gray model of the subdistribution hazard",
      .roles = {{"time", Need::number, Presence::required, "time to the first event or censoring"},
                {"cause", Need::category, Presence::required, "0 censored, any other text is that cause"}},
      .options = {{"cause", "text", "the cause of interest"},
                  {"formula", "terms of the model: a + b, a:b, a * b", "right-hand side, without intercept"},
                  {"levels", "{ column = [level, ...] }", "categorical columns and their levels, the reference first"},
                  {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
      .quantities = {"estimate", "robust_se", "p", "hazard_ratio", "hazard_ratio_lower", "hazard_ratio_upper", "log_likelihood",
                     "log_likelihood_null", "n_observations", "n_events"},
      .comparison = Comparison::all_arms};
  return card;
}

std::optional<FineGray> FineGray::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  FineGray method;
  check_roles(card(), roles, options);
  method.time = role(roles, "time");
  method.cause = role(roles, "cause");
  method.of = parse_cause(options);
  method.model = parse_model_terms(options);
  method.level = parse_level(options);
  add_need(method.needs_, {method.time, Need::number}, options);
  add_need(method.needs_, {method.cause, Need::category}, options);
  method.model.add_needs(method.needs_, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> FineGray::needs() const { return needs_; }

Expected<Answer> FineGray::run(Frame const& frame) const {
  const auto data = cause_rows(frame, time, cause);
  if (!data) return tl::unexpected(data.error());
  const auto number = find_cause(*data, of, cause);
  if (!number) return tl::unexpected(number.error());
  const auto design = build_design(frame, model.formula);
  if (!design) return tl::unexpected(design.error());
  const std::size_t p = design->names.size();
  if (double(frame.rows) * double(p) * double(p) > most_cells)
    return fail(Code::out_of_range, "{} rows with {} coefficients are more than the Fine-Gray model takes", frame.rows, p);
  const auto events = std::count(data->cause.begin(), data->cause.end(), *number);
  const FineGrayFit fit = fit_fine_gray(*data, *number, *design);
  const auto n = std::int64_t(frame.rows);

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
    answer.findings.push_back({.quantity = "robust_se", .at = at, .value = se, .n = n});
  };
  const std::vector<Term> missing = uncompared(frame, model.formula, design->names);
  for (std::size_t j = 0; j < p; ++j) {
    const bool known = events > 0 && fit.converged && !lacks_reference(frame, design->names[j]);
    add(design->names[j], known ? fit.beta[j] : missing_number, known ? fit.se[j] : missing_number);
  }
  for (Term const& term : missing) add(term, missing_number, missing_number);
  const auto value = [&](std::string quantity, double of_it) {
    answer.findings.push_back({.quantity = std::move(quantity), .value = of_it, .n = n});
  };
  value("log_likelihood", events > 0 && fit.converged ? fit.log_likelihood : missing_number);
  value("log_likelihood_null", events > 0 ? fit.log_likelihood_null : missing_number);
  value("n_observations", double(n));
  value("n_events", double(events));

  answer.notes.push_back(
      fmt::format("Hazard ratios are those of the subdistribution of cause '{}': events of other causes stay at risk, weighted "
                  "for censoring.",
                  of));
  answer.notes.emplace_back(
      "Tied events: Breslow's approximation. Standard errors are robust and allow for estimated censoring.");
  if (events == 0) answer.notes.push_back(fmt::format("No event of cause '{}': nothing is estimable.", of));
  else if (!fit.converged)
    answer.notes.push_back(
        fmt::format("The fit did not converge in {} iterations (gradient {} standard errors): nothing is estimable.",
                    fit.iterations, shortest(fit.distance)));
  for (std::size_t j = 0; events > 0 && j < p; ++j) {
    if (fit.infinite[j])
      answer.notes.push_back(
          fmt::format("{}: its likelihood grows for ever, so the hazard ratio is not estimable.", to_text(design->names[j])));
    if (fit.aliased[j])
      answer.notes.push_back(
          fmt::format("{}: constant, or determined by earlier terms, among those at risk at the events; not estimable.",
                      to_text(design->names[j])));
  }
  for (Term const& term : missing)
    if (!lacks_reference(frame, term))
      answer.notes.push_back(fmt::format("{}: nobody in it, so the hazard ratio is not estimable.", to_text(term)));
  for (std::string const& note : design->notes) answer.notes.push_back(note + ".");
  if (const std::string note = merged_note(data->rows); !note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats

#include "equipoise/stats/linear/logistic.h"

#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/linear/logistic_fit.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, bool> intervals[] = {{"wald", false}, {"profile", true}};
constexpr std::pair<std::string_view, Firth> firth_words[] = {
    {"when_separated", Firth::when_separated}, {"always", Firth::always}, {"never", Firth::never}};

}  // namespace

MethodCard const& Logistic::card() {
  static const MethodCard card{
      .keyword = "logistic",
      .title = "Logistic regression",
      .roles = {{"response", Need::number, Presence::required, "1 yes, 0 no"}},
      .options = {{"formula", "terms of the model: a + b, a:b, a * b", "right-hand side, with intercept"},
                  {"levels", "{ column = [level, ...] }", "categorical columns and their levels, the reference first"},
                  {"interval", "wald | profile", "limits of the coefficients (wald)"},
                  {"firth", "when_separated | always | never", "Firth's penalised likelihood (when_separated)"},
                  {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
      .quantities = {"estimate", "se", "z", "p", "lower", "upper", "odds_ratio", "odds_ratio_lower", "odds_ratio_upper",
                     "deviance", "log_likelihood", "n_observations", "n_events"},
      .comparison = Comparison::all_arms,
      .binary_response = true};
  return card;
}

std::optional<Logistic> Logistic::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  Logistic method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.model = parse_model_terms(options);
  method.profile = options.word<bool>("interval", intervals).value_or(false);
  method.firth = options.word<Firth>("firth", firth_words).value_or(Firth::when_separated);
  method.level = parse_level(options);
  add_need(method.needs_, {method.response, Need::number}, options);
  method.model.add_needs(method.needs_, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

Expected<Answer> Logistic::run(Frame const& frame) const {
  const NumbersView y = frame.numbers(response);
  double events = 0;
  for (const double value : y) {
    if (value != 0 && value != 1)
      return fail(Code::bad_cell, "column '{}' holds {}: a yes/no response is 1 or 0", response, shortest(value));
    events += value;
  }
  const auto design = build_design(frame, model.formula, Intercept::first);
  if (!design) return tl::unexpected(design.error());
  Answer answer;
  bool penalised = firth == Firth::always;
  auto fit = fit_logistic(*design, y, {.penalised = penalised, .profile = penalised || profile, .level = level});
  if (!fit) return tl::unexpected(fit.error());
  const bool separated = fit->separated;
  if (separated && firth == Firth::when_separated) {
    penalised = true;
    fit = fit_logistic(*design, y, {.penalised = true, .profile = true, .level = level});
    if (!fit) return tl::unexpected(fit.error());
  }
  answer.penalised = penalised;
  const bool solved = fit->converged || fit->separated;

  const auto n = std::int64_t(frame.rows);
  const double z_level = numerics::normal_interval(level);
  std::vector<Finding> statistics;
  const auto add = [&](Term const& term, double estimate, double se, double lower, double upper, double p) {
    const At at{{"term", term}};
    answer.findings.push_back({.quantity = "estimate",
                               .at = at,
                               .value = estimate,
                               .se = se,
                               .lower = lower,
                               .upper = upper,
                               .level = level,
                               .p = p,
                               .n = n});
    if (!term.empty())
      answer.findings.push_back({.quantity = "odds_ratio",
                                 .at = at,
                                 .value = std::exp(estimate),
                                 .lower = std::exp(lower),
                                 .upper = std::exp(upper),
                                 .level = level,
                                 .p = p,
                                 .n = n,
                                 .scale = Scale::log});
    statistics.push_back({.quantity = "z", .at = at, .value = estimate / se, .n = n});
  };
  const auto none = [&](Term const& term) {
    add(term, missing_number, missing_number, missing_number, missing_number, missing_number);
  };
  for (std::size_t j = 0; j < design->names.size(); ++j) {
    Term const& term = design->names[j];
    if (lacks_reference(frame, term) || !solved || !fit->used[j] || fit->infinite[j]) {
      none(term);
      continue;
    }
    const double b = fit->b[j], se = fit->se[j];
    const bool by_profile = penalised || (profile && fit->converged);
    add(term, b, se, by_profile ? fit->lower[j] : b - z_level * se, by_profile ? fit->upper[j] : b + z_level * se,
        penalised ? fit->p[j] : numerics::normal_two_sided(b / se));
  }
  for (Term const& term : uncompared(frame, model.formula, design->names)) none(term);
  answer.findings.insert(answer.findings.end(), statistics.begin(), statistics.end());
  const auto number = [&](std::string quantity, double value) {
    answer.findings.push_back({.quantity = std::move(quantity), .value = value, .n = n});
  };
  number("deviance", solved ? -2 * fit->log_likelihood : missing_number);
  number("log_likelihood", solved ? fit->log_likelihood : missing_number);
  number("n_observations", double(n));
  number("n_events", events);

  const std::string separation =
      events == 0 || events == double(n)
          ? fmt::format("Every response is {}", events == 0 ? "no" : "yes")
          : "A combination of the covariates separates the responses, so that some maximum likelihood estimates are infinite";
  if (n == 0) answer.notes.push_back("No row: nothing is estimable.");
  else if (!solved) answer.notes.push_back("The fit did not converge: nothing is estimable.");
  else if (penalised)
    answer.notes.push_back(
        fmt::format("{}: estimates by Firth's penalised likelihood, with penalised likelihood ratio P values and profile limits; "
                    "deviance and log "
                    "likelihood are those at these estimates, without the penalty.",
                    separated ? separation : "As chosen"));
  else if (separated) answer.notes.push_back(separation + ": these coefficients are not estimable (firth = \"never\").");
  if (solved && !penalised && n > 0)
    answer.notes.push_back(profile && fit->converged ? "Limits by profile likelihood; P values are Wald's."
                                                     : "P values and limits are Wald's.");
  for (std::size_t j = 0; j < design->names.size() && n > 0; ++j)
    if (solved && !fit->used[j])
      answer.notes.push_back(
          fmt::format("{}: constant, or determined by earlier terms; not estimable.", to_text(design->names[j])));
  for (Term const& term : uncompared(frame, model.formula, design->names))
    if (n > 0 && !lacks_reference(frame, term))
      answer.notes.push_back(fmt::format("{}: nobody in it, so the odds ratio is not estimable.", to_text(term)));
  for (std::string const& note : design->notes) answer.notes.push_back(note + ".");
  return answer;
}

}  // namespace equipoise::stats

#include "equipoise/stats/survival/cox.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/parts.h"
#include "equipoise/stats/strata.h"
#include "equipoise/stats/survival/concordance.h"

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, Ties> ties_words[] = {
    {"efron", Ties::efron}, {"breslow", Ties::breslow}, {"exact", Ties::exact}};

std::string_view sentence(Ties ties) {
  switch (ties) {
    case Ties::efron:
      return "Efron's approximation";
    case Ties::breslow:
      return "Breslow's approximation";
    case Ties::exact:
      break;
  }
  return "exact discrete likelihood (conditional logistic), so a hazard ratio is an odds ratio of an event at one time";
}

constexpr double most_exact_work = 4e9;  // multiplications an evaluation: some seconds

/// Why a coefficient goes to infinity, if counting events by level says so.
std::string reason(Term const& term, Frame const& frame, SurvivalRows const& data) {
  const std::string endless = "its likelihood grows for ever";
  if (term.size() != 1 || !term.front().level) return endless;
  CategoriesView const& category = frame.categories(term.front().column);
  std::vector<std::int64_t> events(category.levels.size(), 0), rows(category.levels.size(), 0);
  for (std::size_t i = 0; i < frame.rows; ++i) {
    events[std::size_t(category.codes[i])] += data.event[i];
    ++rows[std::size_t(category.codes[i])];
  }
  std::size_t reference = 0;
  while (rows[reference] == 0) ++reference;
  for (std::size_t level = 0; level < events.size(); ++level)
    if (category.levels[level] == *term.front().level && events[level] == 0) return "no events in it";
  if (events[reference] == 0)
    return fmt::format("no events in the reference {} '{}'", term.front().column, category.levels[reference]);
  return endless;
}

}  // namespace

MethodCard const& Cox::card() {
  static const MethodCard card{
      .keyword = "cox",
      .title = "Cox proportional hazards model",
      .roles = {{"time", Need::number, Presence::required,
                 "time to event or censoring; with start, the end of an interval at risk"},
                {"event", Need::number, Presence::required, "1 event, 0 censored"},
                {"start", Need::number, Presence::optional, "start of the interval (start, time] at risk"},
                {"strata", Need::category, Presence::optional,
                 "their combinations are the strata, each with its own baseline hazard"},
                {"cluster", Need::category, Presence::optional, "rows of one participant: robust standard errors"}},
      .options = {{"formula", "terms of the model: a + b, a:b, a * b", "right-hand side, without intercept"},
                  {"levels", "{ column = [level, ...] }", "categorical columns and their levels, the reference first"},
                  {"ties", "efron | breslow | exact", "tied events (efron; match = \"sas\": breslow)"},
                  near_ties_card,
                  {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
      .quantities = {"estimate", "se", "robust_se", "hazard_ratio", "hazard_ratio_lower", "hazard_ratio_upper", "p",
                     "log_likelihood_null", "log_likelihood", "likelihood_ratio_chi_square", "score_chi_square",
                     "wald_chi_square", "concordance", "n_observations", "n_events"},
      .comparison = Comparison::all_arms};
  return card;
}

std::optional<Cox> Cox::parse(Roles const& roles, Section& options, Match match) {
  const std::size_t problems_before = options.problems().size();
  Cox method;
  check_roles(card(), roles, options);
  method.time = role(roles, "time");
  method.event = role(roles, "event");
  method.start = role(roles, "start");
  method.cluster = role(roles, "cluster");
  method.strata = role_columns(roles, "strata");

  method.model = parse_model_terms(options);
  const auto ties = options.word<Ties>("ties", ties_words);
  method.ties = ties.value_or(match == Match::sas ? Ties::breslow : Ties::efron);
  if (method.ties == Ties::exact && !method.cluster.empty())
    options.report_at("ties", Code::not_available, "robust standard errors are not available with exact ties").hint =
        "use 'efron' with `cluster`, or exact ties without it";
  method.ties_note = fmt::format("Tied events: {}{}.", sentence(method.ties), ties ? "" : fmt::format(", {}", default_of(match)));
  method.near_ties = parse_near_ties(options);
  method.level = parse_level(options);

  add_need(method.needs_, {method.time, Need::number}, options);
  add_need(method.needs_, {method.event, Need::number}, options);
  add_need(method.needs_, {method.start, Need::number}, options);
  method.model.add_needs(method.needs_, options);
  for (std::string const& column : method.strata) add_need(method.needs_, {column, Need::category}, options);
  add_need(method.needs_, {method.cluster, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> Cox::needs() const { return needs_; }

Expected<Answer> Cox::run(Frame const& frame) const {
  auto data = survival_rows(frame, time, event, start, near_ties);
  if (!data) return tl::unexpected(data.error());
  auto design = build_design(frame, model.formula);
  if (!design) return tl::unexpected(design.error());
  const Strata stratum = combine(frame, strata);
  const Strata clusters = cluster.empty() ? Strata{} : combine(frame, {cluster});

  PartialLikelihood likelihood(*data, stratum.code, stratum.count, *design, ties);
  design->columns.clear();  // the likelihood has its own
  const std::size_t p = design->names.size();
  if (ties == Ties::exact && likelihood.exact_work() > most_exact_work)
    return tl::unexpected(Error{Code::out_of_range,
                                fmt::format("exact ties would take about {:.0e} multiplications an iteration; the limit is {:.0e}",
                                            likelihood.exact_work(), most_exact_work),
                                {},
                                "'efron' is the closest approximation, and with few ties hardly differs"});
  const CoxFit fit = fit_cox(likelihood, frame.rows, clusters.code, clusters.count);
  const bool any_event = likelihood.events() > 0;
  const auto n = std::int64_t(frame.rows);

  Answer answer;
  const double z = numerics::normal_interval(level);
  const std::vector<Term> missing = uncompared(frame, model.formula, design->names);
  const auto add = [&](Term const& term, double estimate, double se, double used_se) {
    const At at{{"term", term}};
    const double lower = estimate - z * used_se, upper = estimate + z * used_se;
    const double p_value = numerics::normal_two_sided(estimate / used_se);
    answer.findings.push_back({.quantity = "estimate",
                               .at = at,
                               .value = estimate,
                               .se = se,
                               .lower = lower,
                               .upper = upper,
                               .level = level,
                               .p = p_value,
                               .n = n});
    if (!cluster.empty()) answer.findings.push_back({.quantity = "robust_se", .at = at, .value = used_se, .n = n});
    answer.findings.push_back({.quantity = "hazard_ratio",
                               .at = at,
                               .value = std::exp(estimate),
                               .lower = std::exp(lower),
                               .upper = std::exp(upper),
                               .level = level,
                               .p = p_value,
                               .n = n,
                               .scale = Scale::log});
  };
  for (std::size_t j = 0; j < p; ++j) {
    Term const& term = design->names[j];
    if (lacks_reference(frame, term)) {
      add(term, missing_number, missing_number, missing_number);
      continue;
    }
    const double se = std::sqrt(fit.variance[j * p + j]);
    add(term, fit.beta[j], se, cluster.empty() ? se : fit.robust.empty() ? missing_number : std::sqrt(fit.robust[j * p + j]));
  }
  for (Term const& term : missing) add(term, missing_number, missing_number, missing_number);
  const double df = fit.rank > 0 ? double(fit.rank) : missing_number;
  const auto test = [&](std::string quantity, double value) {
    answer.findings.push_back(
        {.quantity = std::move(quantity), .value = value, .df = df, .p = numerics::chi_square_upper(value, df), .n = n});
  };
  test("likelihood_ratio_chi_square",
       fit.rank > 0 && fit.converged && fit.limit_reached ? std::max(2 * (fit.log_likelihood - fit.log_likelihood_null), 0.0) : missing_number);
  test("score_chi_square", fit.score);
  test("wald_chi_square", fit.wald);
  const auto number = [&](std::string quantity, double value) {
    answer.findings.push_back({.quantity = std::move(quantity), .value = value, .n = n});
  };
  number("log_likelihood", any_event && fit.converged && fit.limit_reached ? fit.log_likelihood : missing_number);
  number("log_likelihood_null", any_event ? fit.log_likelihood_null : missing_number);
  number("concordance",
         any_event && fit.converged ? concordance(*data, fit.predictor, stratum.code, stratum.count).c() : missing_number);
  number("n_observations", double(n));
  number("n_events", double(likelihood.events()));

  answer.notes.push_back(ties_note);
  if (!strata.empty())
    answer.notes.push_back(
        fmt::format("Stratified by {}: {} strat{}.", quoted(strata), stratum.count, stratum.count == 1 ? "um" : "a"));
  if (!cluster.empty())
    answer.notes.push_back(
        fmt::format("P values and limits use robust standard errors over {} clusters of '{}'.", clusters.count, cluster));
  if (!any_event) answer.notes.push_back("No event: nothing is estimable.");
  else if (fit.converged && !fit.limit_reached)
    answer.notes.push_back("The limit of the infinite coefficient lies beyond overflow: the likelihood is not estimable.");
  else if (!fit.converged)
    answer.notes.push_back(
        fmt::format("The fit did not converge in {} iterations (gradient {} standard errors): nothing is estimable.",
                    fit.iterations, shortest(fit.gradient_norm)));
  for (std::size_t j = 0; any_event && j < p; ++j) {
    if (fit.status[j] == Coefficient::infinite)
      answer.notes.push_back(fmt::format("{}: {}, so the hazard ratio is not estimable.", to_text(design->names[j]),
                                         reason(design->names[j], frame, *data)));
    if (fit.status[j] == Coefficient::aliased)
      answer.notes.push_back(
          fmt::format("{}: constant, or determined by earlier terms, among those at risk at the events; not estimable.",
                      to_text(design->names[j])));
  }
  for (Term const& term : missing)
    if (!lacks_reference(frame, term))
      answer.notes.push_back(fmt::format("{}: nobody in it, so the hazard ratio is not estimable.", to_text(term)));
  for (std::string const& note : design->notes) answer.notes.push_back(note + ".");
  if (const std::string note = merged_note(*data); !note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats

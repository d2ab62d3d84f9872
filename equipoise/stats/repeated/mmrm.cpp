#include "equipoise/stats/repeated/mmrm.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "equipoise/core/text.h"
#include "equipoise/stats/linear/ancova.h"
#include "equipoise/stats/parts.h"
#include "equipoise/stats/repeated/mmrm_focus.h"
#include "equipoise/stats/repeated/mmrm_inference.h"

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, GridWeights> weight_words[] = {{"equal", GridWeights::equal},
                                                                     {"proportional", GridWeights::proportional}};
constexpr std::pair<std::string_view, Estimation> estimation_words[] = {{"reml", Estimation::reml}, {"ml", Estimation::ml}};

std::string offered_structures() {
  std::vector<std::string> words;
  for (CovarianceStructure const& structure : covariance_structures()) words.push_back(structure.keyword());
  return join(words, " | ");
}

/// `covariance = "unstructured"`, or a list: the order in which structures are tried.
std::vector<CovarianceStructure> parse_covariance(Section& options, bool required) {
  std::vector<std::string> words;
  const Node* written = options.node().find("covariance");
  if (written && written->text()) words.push_back(options.need_text("covariance").value_or(""));
  else if (written) words = options.texts("covariance").value_or(std::vector<std::string>{});
  else if (required) options.need_text("covariance");
  else words = {"unstructured"};
  std::vector<CovarianceStructure> structures;
  std::set<std::string> seen;
  for (std::string const& word : words) {
    const auto structure = covariance_structure(word);
    if (!structure) {
      std::vector<std::string> known;
      for (CovarianceStructure const& one : covariance_structures()) known.push_back(one.keyword());
      Error& error = options.report_at("covariance", Code::unknown_keyword, "no covariance structure is called '{}'", word);
      const auto near = nearest(word, known);
      error.hint = near ? fmt::format("did you mean '{}'?", *near) : "one of " + join(known, ", ");
    } else if (!seen.insert(word).second) {
      options.report_at("covariance", Code::duplicate, "the covariance structure '{}' is listed twice", word);
    } else {
      structures.push_back(*structure);
    }
  }
  if (written && words.empty()) options.report_at("covariance", Code::out_of_range, "`covariance` lists no structure");
  return structures;
}

/// One structure after the other until one converges.
struct Chosen {
  std::optional<MmrmFit> fit;
  std::optional<FixedEffects> effects;
  std::vector<FitAttempt> attempts;
};

std::string sentence_of(FitAttempt const& attempt) {
  std::string reason = attempt.reason;
  return fmt::format("{}: {} ({} iterations)", attempt.structure, reason.empty() ? "not converged" : reason, attempt.iterations);
}

}  // namespace

MethodCard const& Mmrm::card() {
  static const std::string structures = offered_structures() + ", or a list of them";
  static const MethodCard card{
      .keyword = "mmrm",
      .title = "Mixed model for repeated measures",
      .roles = {{"response", Need::number, Presence::required, "the analysed value"},
                {"subject", Need::category, Presence::required, "participant: rows of one are correlated"},
                {"visit", Need::category, Presence::required, "visit, in the order of its levels"},
                {"weight", Need::number, Presence::optional, "positive weight: variances are divided by it"}},
      .options = {{"formula", "terms of the model: a + b, a:b, a * b", "right-hand side, with intercept"},
                  {"levels", "{ column = [level, ...] }", "categorical columns and their levels, the reference first"},
                  {"covariance", structures, "between the visits of a participant; a list is the order of fallback"},
                  {"covariance_by", "a column", "each of its levels has a covariance of its own (one for all)"},
                  {"times", "{ visit = number }", "of the visits, for a spatial structure"},
                  {"estimation", "reml | ml", "likelihood (reml)"},
                  {"df", "satterthwaite | kenward_roger | kenward_roger_linear | between_within | residual | asymptotic",
                   "degrees of freedom and standard errors (satterthwaite)"},
                  {"covariance_of_estimates", "model | cr0 | cr2 | cr3",
                   "standard errors of the model, or from participants' residuals (model)"},
                  {"factor", "a category of the formula", "whose means and differences come first (the first but the visit)"},
                  {"lsmean_weights", "equal | proportional",
                   "averaging of LS means over other factors: equal, or by observed frequencies (equal)"},
                  {"contrasts", "[{ name, factor, weights = { level = number } }]", "comparisons of LS means"},
                  {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
      .quantities = {"estimate", "se", "df", "t", "p", "f", "residual_df", "lower", "upper", "covariance", "neg2_log_likelihood",
                     "aic", "aicc", "bic", "n_observations", "n_subjects", "scaled_gradient", "iterations"},
      .comparison = Comparison::all_arms};
  return card;
}

std::optional<Mmrm> Mmrm::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  Mmrm method;
  check_roles(card(), roles, options);
  method.roles = {.response = role(roles, "response"),
                  .subject = role(roles, "subject"),
                  .visit = role(roles, "visit"),
                  .weight = role(roles, "weight")};
  method.model = parse_model_terms(options);
  method.factor = parse_factor(options, method.model, false);
  if (method.factor.empty())
    for (std::string const& column : method.model.formula.columns())
      if (method.factor.empty() && column != method.roles.visit && method.model.levels.contains(column)) method.factor = column;
  method.covariance = parse_covariance(options, true);
  method.roles.covariance_by = options.filled_text("covariance_by").value_or("");
  const bool spatial = std::any_of(method.covariance.begin(), method.covariance.end(), [](auto const& structure) {
    return std::holds_alternative<SpatialExponential>(structure.family);
  });
  if (auto times = parse_scores(options, "times", spatial)) method.times = std::move(*times);
  method.estimation = options.word<Estimation>("estimation", estimation_words).value_or(Estimation::reml);
  method.df = options.word<DfMethod>("df", df_methods).value_or(DfMethod::satterthwaite);
  method.covariance_of_estimates =
      options.word<EstimateCovariance>("covariance_of_estimates", estimate_covariances).value_or(EstimateCovariance::model);
  refuse_adjusted_sandwich(method.df, method.covariance_of_estimates, options);
  method.weights = options.word<GridWeights>("lsmean_weights", weight_words).value_or(GridWeights::equal);
  method.contrasts = parse_contrasts(options, method.model);
  method.level = parse_level(options);
  add_need(method.needs_, {method.roles.response, Need::number}, options);
  add_need(method.needs_, {method.roles.subject, Need::category}, options);
  const auto visits = method.model.levels.find(method.roles.visit);
  add_need(method.needs_,
           {.name = method.roles.visit,
            .need = Need::category,
            .levels = visits == method.model.levels.end() ? std::vector<std::string>{} : visits->second},
           options);
  if (!method.roles.weight.empty()) add_need(method.needs_, {method.roles.weight, Need::number}, options);
  method.model.add_needs(method.needs_, options);
  if (std::string const& by = method.roles.covariance_by; !by.empty()) {
    const auto levels = method.model.levels.find(by);
    if (by == method.roles.visit || by == method.roles.subject)
      options.report_at("covariance_by", Code::inconsistent, "a covariance is of the visits of participants: '{}' cannot tell it",
                        by);
    else
      add_need(method.needs_,
               {.name = by,
                .need = Need::category,
                .levels = levels == method.model.levels.end() ? std::vector<std::string>{} : levels->second},
               options);
  }
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

namespace {

Expected<std::vector<double>> visit_times(Mmrm const& method, VisitData const& data) {
  std::vector<double> times;
  if (method.times.empty()) return times;
  for (std::string const& visit : data.visits) {
    const auto found = method.times.find(visit);
    if (found == method.times.end()) return fail(Code::unresolved, "`times` has no time of visit '{}'", visit);
    if (std::find(times.begin(), times.end(), found->second) != times.end())
      return fail(Code::duplicate, "`times` puts visit '{}' at the time of another", visit);
    times.push_back(found->second);
  }
  return times;
}

Chosen choose(Mmrm const& method, VisitData const& data, VisitLikelihood& likelihood, std::vector<double> const& times,
              Focus const* focus) {
  Chosen chosen;
  for (CovarianceStructure const& structure : method.covariance) {
    FitAttempt attempt;
    const Covariance covariance(structure, data.m(), times);
    const bool brief = focus && answers_one_by_one(method.df, method.covariance_of_estimates, covariance);
    chosen.fit = fit_structure(data, likelihood, covariance, method.estimation, attempt, nullptr,
                               brief ? MmrmFocus::finish(method.df) : Finish::curvature);
    if (chosen.fit && !brief)
      chosen.effects = fixed_effects(data, *chosen.fit, likelihood, method.df, method.covariance_of_estimates);
    chosen.attempts.push_back(std::move(attempt));
    if (chosen.fit) break;
  }
  return chosen;
}

/// Fitted values and residuals; scaled: L^-1 r with V_i = L L', uncorrelated with variance 1 when the model holds.
Series residuals(VisitData const& data, MmrmFit const& fit, NumbersView response) {
  const std::size_t m = data.m(), q = data.covariates;
  std::vector<double> at_visit(q * m, 0.0), visit, fitted, raw, scaled;
  for (std::size_t c = 0; c < data.p(); ++c)
    for (VisitData::Piece const& piece : data.columns[c])
      for (std::size_t j = 0; j < m; ++j)
        if (piece.visit == VisitData::every_visit || std::size_t(piece.visit) == j) at_visit[piece.covariate * m + j] += fit.b[c];
  std::vector<double> lower(m * m), z(m);
  for (std::size_t i = 0; i < data.n(); ++i) {
    double const* sigma = fit.sigma.data() + data.patterns[data.pattern_of[i]].block * packed_size(m);
    std::vector<std::size_t> seen;
    for (std::size_t j = 0; j < m; ++j)
      if (data.row_of[i * m + j] >= 0) seen.push_back(j);
    for (std::size_t s = 0; s < seen.size(); ++s) {
      const std::size_t j = seen[s];
      const double weight = data.root_weight.empty() ? 1.0 : data.root_weight[i * m + j];
      double value = 0;
      for (std::size_t a = 0; a < q; ++a) value += data.u[i * q + a] * at_visit[a * m + j];
      value = value / weight * data.unit;
      const double residual = response[std::size_t(data.row_of[i * m + j])] - value;
      double whitened = residual * weight / data.unit;
      for (std::size_t t = 0; t <= s; ++t) {
        double pivot = sigma[packed(j, seen[t])];
        for (std::size_t w = 0; w < t; ++w) pivot -= lower[s * m + w] * lower[t * m + w];
        lower[s * m + t] = t == s ? std::sqrt(pivot) : pivot / lower[t * m + t];
        if (t < s) whitened -= lower[s * m + t] * z[t];
      }
      z[s] = whitened / lower[s * m + s];
      visit.push_back(double(j));
      fitted.push_back(value);
      raw.push_back(residual);
      scaled.push_back(z[s]);
    }
  }
  return {.quantity = "residuals",
          .at = {},
          .columns = {{"visit", std::move(visit)},
                      {"fitted", std::move(fitted)},
                      {"residual", std::move(raw)},
                      {"scaled_residual", std::move(scaled)}}};
}

void add_covariances(VisitData const& data, MmrmFit const& fit, Mmrm const& method, Answer& answer) {
  const std::size_t m = data.m(), elements = packed_size(m);
  for (std::size_t block = 0; block < data.blocks.size(); ++block)
    for (std::size_t j = 0; j < m; ++j)
      for (std::size_t k = 0; k < m; ++k) {
        At at{{"row", data.visits[j]}, {"column", data.visits[k]}};
        if (data.blocks.size() > 1) at["within"] = Term{{method.roles.covariance_by, data.blocks[block]}};
        answer.findings.push_back({.quantity = "covariance",
                                   .at = std::move(at),
                                   .value = fit.sigma[block * elements + packed(j, k)] * data.unit * data.unit});
      }
}

void add_fit(VisitData const& data, MmrmFit const& fit, Mmrm const& method, Answer& answer) {
  const double minus2 = fit.neg2_log_likelihood, k = double(fit.parameters), n = double(data.n());
  const double counted = double(data.observations) - (method.estimation == Estimation::reml ? double(data.p()) : 0.0);
  const auto number = [&](std::string quantity, double value) {
    answer.findings.push_back({.quantity = std::move(quantity), .value = value, .n = std::int64_t(data.observations)});
  };
  number("neg2_log_likelihood", minus2);
  number("aic", minus2 + 2 * k);
  number("aicc", counted > k + 1 ? minus2 + 2 * k * counted / (counted - k - 1) : missing_number);
  number("bic", minus2 + k * std::log(n));
  number("n_observations", double(data.observations));
  number("n_subjects", n);
  number("scaled_gradient", fit.report.scaled_gradient);
  number("iterations", fit.report.iterations);
}

std::string no_fit(std::vector<FitAttempt> const& attempts) {
  std::vector<std::string> said;
  for (FitAttempt const& attempt : attempts) said.push_back(sentence_of(attempt));
  return join(said, "; ");
}

void notes(VisitData const& data, Mmrm const& method, Chosen const& chosen, Answer& answer) {
  std::vector<std::string>& notes = answer.notes;
  MmrmFit const& fit = *chosen.fit;
  notes.push_back(fmt::format("{} likelihood; covariance of the visits of a participant: {}{}, {} parameters.",
                              method.estimation == Estimation::reml ? "Restricted maximum" : "Maximum", fit.report.structure,
                              data.blocks.size() > 1 ? fmt::format(", one for each '{}'", method.roles.covariance_by) : "",
                              fit.parameters));
  answer.fell_back = chosen.attempts.size() > 1;
  if (answer.fell_back) {
    std::vector<FitAttempt> failed(chosen.attempts.begin(), chosen.attempts.end() - 1);
    notes.push_back(fmt::format("Declared fallback of the covariance: {}; then {}.", no_fit(failed), fit.report.structure));
  }
  notes.push_back(fmt::format("Converged in {} iterations; the optimum is within {:.1g} standard errors.", fit.report.iterations,
                              std::fmax(fit.report.scaled_gradient, 1e-16)));
  notes.push_back(describe(method.df, method.covariance_of_estimates));
  if (!method.roles.weight.empty()) notes.push_back(fmt::format("Variances are divided by '{}'.", method.roles.weight));
  std::size_t complete = 0;
  for (auto const& pattern : data.patterns)
    if (std::size_t(std::popcount(pattern.seen)) == data.m()) complete += std::size_t(pattern.participants);
  notes.push_back(
      fmt::format("{} participants with {} values at {} visits, {} of them complete; missing values are taken to be "
                  "missing at random.",
                  data.n(), data.observations, data.m(), complete));
}

}  // namespace

Expected<Answer> Mmrm::run(Frame const& frame) const { return answer(frame, nullptr); }
Expected<Answer> Mmrm::run(Frame const& frame, Focus const& focus) const { return answer(frame, &focus); }

Expected<Answer> Mmrm::answer(Frame const& frame, Focus const* focus) const {
  const auto data = fold_visits(frame, model.formula, roles);
  if (!data) return tl::unexpected(data.error());
  const auto visit_at = visit_times(*this, *data);
  if (!visit_at) return tl::unexpected(visit_at.error());
  VisitLikelihood likelihood(*data, estimation == Estimation::reml);
  Chosen chosen = choose(*this, *data, likelihood, *visit_at, focus);
  if (!chosen.fit) return fail(Code::no_convergence, "no covariance structure could be estimated: {}", no_fit(chosen.attempts));
  Answer answer;
  const ModelQuestion question{model.formula, factor, weights, contrasts, level};
  if (focus) {
    answer.fell_back = chosen.attempts.size() > 1;
    if (chosen.effects)
      answer_focus(question, *focus, frame, data->design, MmrmInference(*data, std::move(*chosen.effects), df), answer);
    else answer_focus(question, *focus, frame, data->design, MmrmFocus(*data, *chosen.fit, likelihood, estimation, df), answer);
    return answer;
  }
  notes(*data, *this, chosen, answer);
  answer_model(question, frame, data->design, MmrmInference(*data, std::move(*chosen.effects), df), answer);
  add_covariances(*data, *chosen.fit, *this, answer);
  add_fit(*data, *chosen.fit, *this, answer);
  answer.series.push_back(residuals(*data, *chosen.fit, frame.numbers(roles.response)));
  return answer;
}

MethodCard const& Gls::card() {
  static const std::string structures = offered_structures();
  static const MethodCard card{
      .keyword = "gls",
      .title = "Generalised least squares",
      .roles = {{"response", Need::number, Presence::required, "the analysed value"},
                {"subject", Need::category, Presence::required, "participant: rows of one are correlated"},
                {"visit", Need::category, Presence::required, "visit, in the order of its levels"}},
      .options = {{"formula", "terms of the model: a + b, a:b, a * b", "right-hand side, with intercept"},
                  {"levels", "{ column = [level, ...] }", "categorical columns and their levels, the reference first"},
                  {"covariance", structures, "between the visits of a participant"},
                  {"estimation", "reml | ml", "likelihood (reml)"},
                  {"covariance_of_estimates", "model | cr0 | cr2 | cr3",
                   "standard errors of the model, or from participants' residuals (model)"}},
      .quantities = {"estimate", "se"},
      .comparison = Comparison::all_arms};
  return card;
}

std::optional<Gls> Gls::parse(Roles const& roles, Section& options, Match match) {
  auto model = Mmrm::parse(roles, options, match);
  if (!model) return {};
  model->df = DfMethod::asymptotic;
  return Gls{std::move(*model)};
}

Expected<Answer> Gls::run(Frame const& frame) const {
  auto answer = model.run(frame);
  if (!answer) return answer;
  std::erase_if(answer->findings,
                [](Finding const& finding) { return finding.quantity != "estimate" || !finding.at.contains("term"); });
  return answer;
}

}  // namespace equipoise::stats

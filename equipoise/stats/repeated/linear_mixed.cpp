#include "equipoise/stats/repeated/linear_mixed.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "equipoise/core/text.h"
#include "equipoise/stats/linear/ancova.h"
#include "equipoise/stats/parts.h"
#include "equipoise/stats/repeated/linear_mixed_fit.h"

namespace equipoise::stats {
namespace {

constexpr std::size_t most_random_effects = 10;
constexpr std::string_view intercept = "1";
constexpr std::pair<std::string_view, GridWeights> weight_words[] = {{"equal", GridWeights::equal},
                                                                     {"proportional", GridWeights::proportional}};
constexpr std::pair<std::string_view, Estimation> estimation_words[] = {{"reml", Estimation::reml}, {"ml", Estimation::ml}};

std::vector<std::string> parse_random(Section& options) {
  if (!options.has("random")) {
    options.need("random");
    return {};
  }
  auto names = options.texts("random").value_or(std::vector<std::string>{});
  const auto wrong = [&](Code code, std::string text) { options.report_at("random", code, "{}", text); };
  if (names.empty()) wrong(Code::out_of_range, "`random` lists no random effect");
  if (names.size() > most_random_effects)
    wrong(Code::out_of_range, fmt::format("{} random effects; at most {} are possible", names.size(), most_random_effects));
  if (std::set<std::string>(names.begin(), names.end()).size() < names.size())
    wrong(Code::duplicate, "a random effect is listed twice");
  if (std::find(names.begin(), names.end(), "") != names.end()) wrong(Code::out_of_range, "a random effect has no name");
  return names;
}

/// Rows of every participant whitened by V = s I + Z G Z'.
Sandwich mixed_sandwich(MixedData const& data, LinearMixedFit const& fit, SandwichSpec const& spec) {
  const std::size_t p = data.p, q = data.q, width = p + 1;
  const double s = fit.residual_variance / data.unit / data.unit;
  std::vector<std::vector<std::size_t>> rows_of(data.participants);
  for (std::size_t row = 0; row < data.subject.size(); ++row) rows_of[std::size_t(data.subject[row])].push_back(row);
  std::vector<double> rows, own, lower;
  return Sandwich(lower_root(fit.effects.phi, p), spec, data.participants, [&](std::size_t i) {
    const std::size_t m = rows_of[i].size();
    own.assign(m * fit.rank, 0.0), lower.assign(m * m, 0.0), rows.clear();
    for (std::size_t k = 0; k < m; ++k) {
      double const* z = data.random_rows.data() + rows_of[i][k] * q;
      for (std::size_t a = 0; a < q; ++a)
        for (std::size_t b = 0; b < fit.rank; ++b) own[k * fit.rank + b] += z[a] * fit.root[a * fit.rank + b];
      double const* given = data.rows.data() + rows_of[i][k] * width;
      rows.insert(rows.end(), given, given + width);
      for (std::size_t c = 0; c < p; ++c) rows.back() -= given[c] * (fit.effects.b[c] - data.first_fit[c]);
    }
    for (std::size_t j = 0; j < m; ++j)
      for (std::size_t k = 0; k <= j; ++k) {
        double entry = j == k ? s : 0.0;
        for (std::size_t b = 0; b < fit.rank; ++b) entry += own[j * fit.rank + b] * own[k * fit.rank + b];
        for (std::size_t t = 0; t < k; ++t) entry -= lower[j * m + t] * lower[k * m + t];
        lower[j * m + k] = j == k ? std::sqrt(entry) : entry / lower[k * m + k];
      }
    divide_by_lower(lower, m, rows);
    return std::span<const double>(rows);
  });
}

/// Answers about the coefficients, in the units of the data; without a fit nothing is estimable, for the reason that it gives.
class MixedInference : public CoefficientInference {
 public:
  MixedInference(MixedData const& data, LinearMixedFit const& fit, FixedEffects effects, Design const& design, DfMethod df)
      : data_(data), fit_(fit), inference_(std::move(effects), fit.usable() ? df : DfMethod::asymptotic) {
    if (!fit.usable()) return;
    if (df == DfMethod::residual) {
      given_df_.assign(design.names.size(), double(data.observations) - double(data.p));
    } else if (df == DfMethod::between_within) {
      std::vector<std::uint8_t> used(design.names.size());
      for (std::size_t j = 0; j < used.size(); ++j) used[j] = data.least_squares.used(j);
      given_df_ = between_within_df(design, used, data.subject);
    }
  }

  Inferred function(std::span<const double> l) const override {
    return inferred(data_.least_squares.function(l), given_df_.empty() ? missing_number : smallest_df(given_df_, l));
  }
  Inferred coefficient(std::size_t j) const override {
    return inferred(data_.least_squares.coefficient(j), given_df_.empty() ? missing_number : given_df_[j]);
  }
  bool used(std::size_t j) const override { return data_.least_squares.used(j); }
  EffectTest test(std::vector<std::vector<double>> const& rows) const override {
    std::vector<std::vector<double>> functions;
    double df = missing_number;
    for (auto const& row : rows) {
      const LinearFunction function = data_.least_squares.function(row);
      if (!function.estimable()) return {};
      functions.push_back(data_.ours(function));
      if (given_df_.empty()) continue;
      const double own = smallest_df(given_df_, row);
      if (std::isnan(own)) return {.estimable = true};
      if (!(df <= own)) df = own;
    }
    if (functions.empty()) return {};
    if (!fit_.usable()) return {.estimable = true};
    const JointTest made = inference_.test(functions, df);
    return {.f = made.f, .df = made.numerator_df, .residual_df = made.denominator_df, .estimable = true};
  }
  void explain(std::vector<std::string>& notes) const override {
    if (!fit_.usable()) notes.push_back(fit_.report.reason + ": nothing is estimable.");
    explain_sandwich(inference_, notes);
  }

 private:
  Inferred inferred(LinearFunction const& function, double df) const {
    if (!function.estimable()) return {};
    if (!fit_.usable()) return {.estimable = true};
    const std::vector<double> l = data_.ours(function);
    const ContrastEstimate made = given_df_.empty() ? inference_.contrast(l) : inference_.contrast(l, df);
    return {.value = made.value * data_.unit, .se = made.se * data_.unit, .df = made.df, .t = made.t(), .estimable = true};
  }

  MixedData const& data_;
  LinearMixedFit const& fit_;
  mutable FixedEffectsInference inference_;  // its workspace is no state
  std::vector<double> given_df_;             ///< of the design's columns, of methods that count
};

void add_fit(LinearMixed const& method, MixedData const& data, LinearMixedFit const& fit, Answer& answer) {
  const auto n = std::int64_t(data.observations);
  const std::size_t q = data.q;
  for (std::size_t i = 0; i < q; ++i)
    for (std::size_t j = 0; j < q; ++j)
      answer.findings.push_back({.quantity = "random_covariance",
                                 .at = {{"row", method.random[i]}, {"column", method.random[j]}},
                                 .value = fit.usable() ? fit.covariance[i * q + j] : missing_number,
                                 .se = fit.usable() ? fit.covariance_se[i * q + j] : missing_number,
                                 .n = n});
  answer.findings.push_back(
      {.quantity = "residual_variance", .value = fit.residual_variance, .se = fit.residual_variance_se, .n = n});
  const auto number = [&](std::string quantity, double value) {
    answer.findings.push_back({.quantity = std::move(quantity), .value = value, .n = n});
  };
  number("residual_sd", std::sqrt(fit.residual_variance));
  const double minus2 = fit.neg2_log_likelihood, k = double(fit.parameters), m = double(data.participants);
  const double counted = double(n) - (method.estimation == Estimation::reml ? double(data.p) : 0.0);
  number("neg2_log_likelihood", minus2);
  number("aic", minus2 + 2 * k);
  number("aicc", counted > k + 1 ? minus2 + 2 * k * counted / (counted - k - 1) : missing_number);
  number("bic", minus2 + k * std::log(m));
  number("n_observations", double(n));
  number("n_subjects", m);
  number("scaled_gradient", fit.usable() ? fit.report.scaled_gradient : missing_number);
  number("iterations", fit.report.iterations);
}

std::string effects_text(std::vector<std::string> const& random) {
  std::vector<std::string> names;
  for (std::string const& name : random) names.push_back(name == intercept ? "intercept" : "'" + name + "'");
  return join(names, ", ");
}

void notes(LinearMixed const& method, MixedData const& data, LinearMixedFit const& fit, Answer& answer) {
  std::vector<std::string>& notes = answer.notes;
  const std::size_t q = data.q;
  notes.push_back(fmt::format("{} likelihood; random effects of a participant: {}{}; {} covariance parameters.",
                              method.estimation == Estimation::reml ? "Restricted maximum" : "Maximum",
                              effects_text(method.random), q > 1 ? " with any covariances" : "", fit.parameters));
  if (!fit.usable()) return;  // the reason comes with the coefficients
  if (fit.rank < q) {
    notes.push_back(
        fit.rank == 0
            ? fmt::format("The estimated variance of {} is 0: participants differ no more than their rows do.",
                          q == 1 ? "the random effect" : "every random effect")
            : fmt::format(
                  "The estimated covariance of the random effects is singular, of rank {} of {}: a combination of them has "
                  "variance 0. Standard errors and degrees of freedom are those of a model with this rank.",
                  fit.rank, q));
  }
  notes.push_back(fmt::format("Converged in {} iterations; the optimum is within {:.1g} standard errors.", fit.report.iterations,
                              std::fmax(fit.report.scaled_gradient, 1e-16)));
  notes.push_back(describe(method.df, method.covariance_of_estimates));
  notes.push_back(fmt::format("{} participants with {} rows; missing responses are taken to be missing at random.",
                              data.participants, data.observations));
}

}  // namespace

MethodCard const& LinearMixed::card() {
  static const MethodCard card{
      .keyword = "linear_mixed",
      .title = "Linear mixed model",
      .roles = {{"response", Need::number, Presence::required, "the analysed value"},
                {"subject", Need::category, Presence::required, "participant: rows of one share their random effects"}},
      .options = {{"formula", "terms of the model: a + b, a:b, a * b", "right-hand side, with intercept"},
                  {"levels", "{ column = [level, ...] }", "categorical columns and their levels, the reference first"},
                  {"random", "[\"1\", column, ...]",
                   "random effects of a participant, with any covariances: the intercept \"1\", slopes of numbers"},
                  {"estimation", "reml | ml", "likelihood (reml)"},
                  {"df", "satterthwaite | kenward_roger | kenward_roger_linear | between_within | residual | asymptotic",
                   "degrees of freedom and standard errors (satterthwaite)"},
                  {"covariance_of_estimates", "model | cr0 | cr2 | cr3",
                   "standard errors of the model, or from participants' residuals (model)"},
                  {"factor", "a category of the formula", "whose means and differences come first (the first category)"},
                  {"lsmean_weights", "equal | proportional",
                   "averaging of LS means over other factors: equal, or by observed frequencies (equal)"},
                  {"contrasts", "[{ name, factor, weights = { level = number } }]", "comparisons of LS means"},
                  {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
      .quantities = {"estimate",
                     "se",
                     "df",
                     "t",
                     "p",
                     "f",
                     "residual_df",
                     "lower",
                     "upper",
                     "random_covariance",
                     "residual_variance",
                     "residual_sd",
                     "neg2_log_likelihood",
                     "aic",
                     "aicc",
                     "bic",
                     "n_observations",
                     "n_subjects",
                     "scaled_gradient",
                     "iterations"},
      .comparison = Comparison::all_arms};
  return card;
}

std::optional<LinearMixed> LinearMixed::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  LinearMixed method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.subject = role(roles, "subject");
  method.model = parse_model_terms(options);
  method.random = parse_random(options);
  method.factor = parse_factor(options, method.model, false);
  method.estimation = options.word<Estimation>("estimation", estimation_words).value_or(Estimation::reml);
  method.df = options.word<DfMethod>("df", df_methods).value_or(DfMethod::satterthwaite);
  method.covariance_of_estimates =
      options.word<EstimateCovariance>("covariance_of_estimates", estimate_covariances).value_or(EstimateCovariance::model);
  refuse_adjusted_sandwich(method.df, method.covariance_of_estimates, options);
  if (adjusts_covariance(method.df) && method.estimation == Estimation::ml)
    options.report_at("df", Code::inconsistent, "Kenward and Roger's method is for estimation = \"reml\"").hint =
        "satterthwaite goes with both likelihoods";
  method.weights = options.word<GridWeights>("lsmean_weights", weight_words).value_or(GridWeights::equal);
  method.contrasts = parse_contrasts(options, method.model);
  method.level = parse_level(options);
  add_need(method.needs_, {method.response, Need::number}, options);
  add_need(method.needs_, {method.subject, Need::category}, options);
  for (std::string const& name : method.random)
    if (name != intercept) add_need(method.needs_, {name, Need::number}, options);
  method.model.add_needs(method.needs_, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

Expected<Answer> LinearMixed::run(Frame const& frame) const {
  const auto design = build_design(frame, model.formula, Intercept::first);
  if (!design) return tl::unexpected(design.error());
  const bool robust = covariance_of_estimates != EstimateCovariance::model;
  const auto data = fold_mixed(frame, *design, response, subject, random, robust ? Keep::rows : Keep::folded);
  if (!data) return tl::unexpected(data.error());
  const LinearMixedFit fit = fit_mixed(*data, estimation, robust ? DfMethod::asymptotic : df);
  FixedEffects effects = fit.effects;
  if (robust && fit.usable())
    effects.sandwich = mixed_sandwich(
        *data, fit, {.correction = correction_of(covariance_of_estimates), .with_df = df == DfMethod::satterthwaite});
  Answer answer;
  notes(*this, *data, fit, answer);
  const MixedInference inference(*data, fit, std::move(effects), *design, df);
  answer_model({model.formula, factor, weights, contrasts, level}, frame, *design, inference, answer);
  add_fit(*this, *data, fit, answer);
  return answer;
}

}  // namespace equipoise::stats

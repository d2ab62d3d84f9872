#include "equipoise/stats/linear/ancova.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/linear/linear_fit.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, GridWeights> weight_words[] = {{"equal", GridWeights::equal},
                                                                     {"proportional", GridWeights::proportional}};

/// A least squares fit as answers to questions about its coefficients.
class LeastSquares : public CoefficientInference {
 public:
  LeastSquares(LinearFit const& fit, std::size_t rows) : fit_(fit), rows_(rows) {}

  Inferred function(std::span<const double> l) const override { return inferred(fit_.function(l)); }
  Inferred coefficient(std::size_t j) const override { return inferred(fit_.coefficient(j)); }
  bool used(std::size_t j) const override { return fit_.used(j); }
  EffectTest test(std::vector<std::vector<double>> const& rows) const override {
    std::vector<LinearFunction> functions;
    for (auto const& row : rows) functions.push_back(fit_.function(row));
    const LinearFit::Wald wald = fit_.test(functions);
    const bool all = !functions.empty() && std::all_of(functions.begin(), functions.end(), [](auto const& f) { return f.estimable(); });
    return {.f = wald.f, .df = wald.df, .residual_df = fit_.df(), .estimable = all};
  }
  void explain(std::vector<std::string>& notes) const override {
    if (rows_ == 0) notes.push_back("No row: nothing is estimable.");
    else if (!(fit_.df() > 0))
      notes.push_back("As many coefficients as rows: no residual variance, so standard errors are not estimable.");
    else if (fit_.perfect()) notes.push_back("The model fits every row exactly: tests and limits are not estimable.");
  }

 private:
  Inferred inferred(LinearFunction const& f) const {
    return {.value = f.value,
            .se = fit_.standard_error(f),
            .df = f.estimable() ? fit_.df() : missing_number,
            .t = fit_.t(f),
            .estimable = f.estimable()};
  }

  LinearFit const& fit_;
  std::size_t rows_;
};

}  // namespace

std::string parse_factor(Section& options, ModelTerms const& model, bool required) {
  const auto name = required ? options.need_text("factor") : options.filled_text("factor");
  if (!name) return {};
  const std::vector<std::string> columns = model.formula.columns();
  if (columns.empty()) return *name;  // the formula has its own problem
  if (std::find(columns.begin(), columns.end(), *name) == columns.end()) {
    options.report_at("factor", Code::unresolved, "the formula has no column '{}'", *name);
    return {};
  }
  if (!model.levels.contains(*name)) {
    options.report_at("factor", Code::inconsistent, "'{}' is a number in this model, and `factor` names a category", *name).hint =
        "a column of the formula is a category when `levels` lists its levels";
    return {};
  }
  return *name;
}

std::vector<NamedContrast> parse_contrasts(Section& options, ModelTerms const& model) {
  std::vector<NamedContrast> contrasts;
  std::set<std::string> names;
  for (Section& table : options.tables("contrasts", "a contrast of " + options.name())) {
    NamedContrast contrast;
    const std::size_t before = options.problems().size();
    contrast.name = table.need_text("name").value_or("");
    contrast.factor = parse_factor(table, model, true);
    if (auto weights = parse_scores(table, "weights", true)) contrast.weights = std::move(*weights);
    table.finish();
    if (!contrast.name.empty() && !names.insert(contrast.name).second)
      table.report_at("name", Code::duplicate, "two contrasts are called '{}'", contrast.name);
    if (options.problems().size() > before) continue;
    const auto levels = model.levels.find(contrast.factor);
    double sum = 0, size = 0;
    for (auto const& [level, weight] : contrast.weights) {
      sum += weight;
      size += std::abs(weight);
      if (levels != model.levels.end() && std::find(levels->second.begin(), levels->second.end(), level) == levels->second.end())
        table.report_at("weights", Code::unresolved, "'{}' is not a level of '{}'; its levels are {}", level, contrast.factor,
                        quoted(levels->second));
    }
    if (!(size > 0) || !(std::abs(sum) <= 1e-9 * size))
      table.report_at("weights", Code::inconsistent,
                      "the weights of contrast '{}' sum to {}: a contrast has weights on both sides that sum to 0", contrast.name,
                      shortest(sum));
    if (options.problems().size() == before) contrasts.push_back(std::move(contrast));
  }
  return contrasts;
}

MethodCard const& Ancova::card() {
  static const MethodCard card{
      .keyword = "ancova",
      .title = "Analysis of covariance",
      .roles = {{"response", Need::number, Presence::required, "the analysed value"}},
      .options = {{"formula", "terms of the model: a + b, a:b, a * b", "right-hand side, with intercept"},
                  {"levels", "{ column = [level, ...] }", "categorical columns and their levels, the reference first"},
                  {"factor", "a category of the formula", "whose means and differences come first (the first category)"},
                  {"lsmean_weights", "equal | proportional",
                   "averaging of LS means over other factors: equal, or by observed frequencies (equal)"},
                  {"contrasts", "[{ name, factor, weights = { level = number } }]", "comparisons of LS means"},
                  {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
      .quantities = {"estimate", "se", "df", "t", "p", "f", "lower", "upper", "residual_sd", "residual_df", "n_observations"},
      .comparison = Comparison::all_arms};
  return card;
}

std::optional<Ancova> Ancova::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  Ancova method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.model = parse_model_terms(options);
  method.factor = parse_factor(options, method.model, false);
  method.weights = options.word<GridWeights>("lsmean_weights", weight_words).value_or(GridWeights::equal);
  method.contrasts = parse_contrasts(options, method.model);
  method.level = parse_level(options);
  add_need(method.needs_, {method.response, Need::number}, options);
  method.model.add_needs(method.needs_, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

Expected<Answer> Ancova::run(Frame const& frame) const {
  const auto design = build_design(frame, model.formula, Intercept::first);
  if (!design) return tl::unexpected(design.error());
  const auto fit = LinearFit::fit(*design, frame.numbers(response), response);
  if (!fit) return tl::unexpected(fit.error());
  Answer answer;
  answer_model({model.formula, factor, weights, contrasts, level}, frame, *design, LeastSquares(*fit, frame.rows), answer);
  const auto number = [&](std::string quantity, double value) {
    answer.findings.push_back({.quantity = std::move(quantity), .value = value, .n = std::int64_t(frame.rows)});
  };
  number("residual_sd", fit->df() > 0 ? fit->sigma() : missing_number);
  number("residual_df", fit->df());
  number("n_observations", double(frame.rows));
  return answer;
}

}  // namespace equipoise::stats

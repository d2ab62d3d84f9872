#include "equipoise/stats/linear/dunnett.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "equipoise/numerics/dunnett.h"
#include "equipoise/stats/linear/ancova.h"
#include "equipoise/stats/linear/linear_fit.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::pair<std::string_view, Direction> alternatives[] = {
    {"two_sided", Direction::two_sided}, {"greater", Direction::greater}, {"less", Direction::less}};
constexpr std::pair<std::string_view, bool> procedures[] = {{"single_step", false}, {"step_down", true}};

struct Against {
  std::string level;
  LinearFunction difference;
  double statistic = missing_number;  ///< t, turned so that large values speak for the alternative
  double adjusted_p = missing_number;
};

/// Correlation of the differences, row by row.
std::vector<double> correlations(std::vector<Against const*> const& family) {
  const std::size_t k = family.size();
  std::vector<double> length, r(k * k, 1.0);
  for (auto const* one : family) length.push_back(std::sqrt(inner_product(one->difference.direction, one->difference.direction)));
  for (std::size_t i = 0; i < k; ++i)
    for (std::size_t j = 0; j < i; ++j)
      r[i * k + j] = r[j * k + i] =
          inner_product(family[i]->difference.direction, family[j]->difference.direction) / (length[i] * length[j]);
  return r;
}

}  // namespace

MethodCard const& Dunnett::card() {
  static const MethodCard card{
      .keyword = "dunnett",
      .title = "Dunnett comparisons with control",
      .roles = {{"response", Need::number, Presence::required, "the analysed value"}},
      .options = {{"formula", "terms of the model: a + b, a:b, a * b", "right-hand side, with intercept"},
                  {"levels", "{ column = [level, ...] }", "categorical columns and their levels, the reference first"},
                  {"factor", "a category of the formula", "the treatments compared"},
                  {"control", "a level of the factor", "what they are compared with (the first level)"},
                  {"alpha", "number above 0 and below 1", "familywise error of critical value and limits (0.05)"},
                  {"level", "number above 0 and below 1", "when alpha is absent: two-sided level of the limits (0.95)"},
                  {"alternative", "two_sided | greater | less", "direction of the treatments' means (two_sided)"},
                  {"procedure", "single_step | step_down", "adjustment of the P values (single_step)"}},
      .quantities = {"estimate", "se", "df", "t", "adjusted_p", "lower", "upper", "critical_value", "residual_df",
                     "n_observations"},
      .comparison = Comparison::all_arms};
  return card;
}

std::optional<Dunnett> Dunnett::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  Dunnett method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.model = parse_model_terms(options);
  method.factor = parse_factor(options, method.model, true);
  const auto control = options.filled_text("control");
  if (const auto levels = method.model.levels.find(method.factor); levels != method.model.levels.end()) {
    method.control = control.value_or(levels->second.front());
    if (std::find(levels->second.begin(), levels->second.end(), method.control) == levels->second.end())
      options.report_at("control", Code::unresolved, "'{}' is not a level of '{}'; its levels are {}", method.control,
                        method.factor, quoted(levels->second));
  }
  method.alternative = options.word<Direction>("alternative", alternatives).value_or(Direction::two_sided);
  method.step_down = options.word<bool>("procedure", procedures).value_or(false);
  const double level = parse_level(options);
  method.alpha = options.number("alpha", Limits::open(0, 1))
                     .value_or(method.alternative == Direction::two_sided || !options.has("level") ? 1 - level : (1 - level) / 2);
  if (!options.has("alpha") && !options.has("level")) method.alpha = 0.05;
  add_need(method.needs_, {method.response, Need::number}, options);
  method.model.add_needs(method.needs_, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

Expected<Answer> Dunnett::run(Frame const& frame) const {
  const auto design = build_design(frame, model.formula, Intercept::first);
  if (!design) return tl::unexpected(design.error());
  const auto fit = LinearFit::fit(*design, frame.numbers(response), response);
  if (!fit) return tl::unexpected(fit.error());
  const ReferenceGrid grid(frame, model.formula, *design, GridWeights::equal);
  ReferenceGrid::GridFactor const& treatments = *grid.factor(factor);
  const auto occurs = [&](std::string const& level) {
    return std::find(treatments.levels.begin(), treatments.levels.end(), level) != treatments.levels.end();
  };
  Answer answer;

  // The family: differences that the rows determine.
  const bool two_sided = alternative == Direction::two_sided;
  std::vector<Against> comparisons;
  std::vector<std::string> left_out;
  for (std::string const& level : frame.categories(factor).levels) {
    if (level == control) continue;
    Against one{.level = level, .difference = {}};
    if (occurs(level) && occurs(control)) {
      std::vector<double> row = grid.mean({{factor, level}});
      const std::vector<double> minus = grid.mean({{factor, control}});
      for (std::size_t j = 0; j < row.size(); ++j) row[j] -= minus[j];
      one.difference = fit->function(row);
      const double t = fit->t(one.difference);
      one.statistic = two_sided ? std::abs(t) : alternative == Direction::greater ? t : -t;
    }
    if (!one.difference.estimable()) left_out.push_back(level);
    comparisons.push_back(std::move(one));
  }
  std::vector<Against*> order;
  for (Against& one : comparisons)
    if (!std::isnan(one.statistic)) order.push_back(&one);
  std::stable_sort(order.begin(), order.end(), [](auto const* a, auto const* b) { return a->statistic > b->statistic; });

  double critical = missing_number;
  bool integrable = true;
  const auto maximum_of = [&](std::size_t first) {
    auto made = numerics::MaximumT::general(correlations({order.begin() + std::ptrdiff_t(first), order.end()}), fit->df(),
                                            two_sided ? numerics::Sides::both : numerics::Sides::upper);
    integrable = integrable && made.has_value();
    return made;
  };
  if (!order.empty())
    if (const auto all = maximum_of(0)) {
      critical = all->critical_value(alpha);
      double running = 0;
      for (std::size_t i = 0; i < order.size(); ++i) {
        const auto rest = step_down && i > 0 ? maximum_of(i) : all;
        if (!rest) break;
        const double p = rest->upper(order[i]->statistic);
        running = step_down ? std::max(running, p) : p;
        order[i]->adjusted_p = running;
      }
    }

  const auto n = std::int64_t(frame.rows);
  std::vector<Finding> t_values, p_values;
  for (Against const& one : comparisons) {
    const At at{{"difference", LevelDifference{factor, one.level, control}}};
    const double se = fit->standard_error(one.difference), half = fit->perfect() ? missing_number : critical * se;
    const double df = one.difference.estimable() ? fit->df() : missing_number;
    const double estimate = one.difference.value;
    const double lower = std::isnan(half) || alternative != Direction::less ? estimate - half : -infinity;
    const double upper = std::isnan(half) || alternative != Direction::greater ? estimate + half : infinity;
    answer.findings.push_back({.quantity = "estimate",
                               .at = at,
                               .value = estimate,
                               .se = se,
                               .df = df,
                               .lower = lower,
                               .upper = upper,
                               .level = 1 - alpha,
                               .p = one.adjusted_p,
                               .n = n});
    p_values.push_back({.quantity = "adjusted_p", .at = at, .value = one.adjusted_p, .n = n});
    t_values.push_back({.quantity = "t", .at = at, .value = fit->t(one.difference), .df = df, .n = n});
  }
  answer.findings.insert(answer.findings.end(), p_values.begin(), p_values.end());
  answer.findings.insert(answer.findings.end(), t_values.begin(), t_values.end());
  answer.findings.push_back({.quantity = "critical_value", .value = critical, .df = fit->df(), .n = n});
  answer.findings.push_back({.quantity = "residual_df", .value = fit->df(), .n = n});
  answer.findings.push_back({.quantity = "n_observations", .value = double(n), .n = n});

  answer.notes.push_back(fmt::format(
      "P values are adjusted for {} comparison{} with '{}' (Dunnett, {}{}).", order.size(), order.size() == 1 ? "" : "s", control,
      step_down ? "step down" : "single step",
      two_sided ? ", two-sided"
                : fmt::format(", one-sided: {} than the control", alternative == Direction::greater ? "greater" : "less")));
  answer.notes.push_back(
      fmt::format("Limits are simultaneous at level {}{}.", shortest(1 - alpha),
                  step_down ? "; they are those of the single step, which may not agree with the P values" : ""));
  if (grid.averages_over_others(factor)) answer.notes.push_back("LS means with equal weights of the levels of other factors.");
  if (frame.rows == 0) answer.notes.push_back("No row: nothing is estimable.");
  else if (!occurs(control))
    answer.notes.push_back(fmt::format("No row has the control '{}': nothing can be compared.", control));
  else if (!left_out.empty()) answer.notes.push_back(fmt::format("Not estimable, and not in the family: {}.", quoted(left_out)));
  if (frame.rows > 0 && !(fit->df() > 0))
    answer.notes.push_back("As many coefficients as rows: no residual variance, so nothing can be tested.");
  else if (fit->perfect() && frame.rows > 0)
    answer.notes.push_back("The model fits every row exactly: tests and limits are not estimable.");
  if (!integrable)
    answer.notes.push_back(
        "The differences are too closely dependent for the multivariate t integral: adjusted P values and limits are "
        "not estimable.");
  return answer;
}

}  // namespace equipoise::stats

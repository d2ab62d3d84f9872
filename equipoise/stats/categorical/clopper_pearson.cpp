#include "equipoise/stats/categorical/clopper_pearson.h"

#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {

ProportionInterval clopper_pearson(double x, double n, double level) {
  if (!(n > 0)) return {missing_number, missing_number, missing_number};
  const double tail = (1 - level) / 2;
  return {x / n, x == 0 ? 0.0 : numerics::beta_quantile(tail, x, n - x + 1),
          x == n ? 1.0 : numerics::beta_upper_quantile(tail, x + 1, n - x)};
}

MethodCard const& ClopperPearson::card() {
  static const MethodCard card{.keyword = "clopper_pearson",
                               .title = "Clopper-Pearson interval of a proportion",
                               .roles = {{"response", Need::number, Presence::required, "1 or 0"}},
                               .options = {{"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
                               .quantities = {"estimate", "lower", "upper", "n", "n_events"},
                               .comparison = Comparison::one_group,
                               .binary_response = true};
  return card;
}

std::optional<ClopperPearson> ClopperPearson::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  ClopperPearson method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.level = parse_level(options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> ClopperPearson::needs() const { return {{response, Need::number}}; }

Expected<Answer> ClopperPearson::run(Frame const& frame) const {
  std::int64_t events = 0;
  for (const double value : frame.numbers(response)) {
    if (value != 0 && value != 1)
      return fail(Code::bad_cell, "column '{}' holds {}: a response is 1 or 0", response, shortest(value));
    events += value == 1;
  }
  const auto n = std::int64_t(frame.rows);
  const auto [estimate, lower, upper] = clopper_pearson(double(events), double(n), level);
  Answer answer;
  answer.findings.push_back(
      {.quantity = "estimate", .value = estimate, .lower = lower, .upper = upper, .level = level, .n = n, .scale = Scale::exact});
  answer.findings.push_back({.quantity = "n", .value = double(n), .n = n});
  answer.findings.push_back({.quantity = "n_events", .value = double(events), .n = n});
  if (n == 0) answer.notes.push_back("There are no rows: the proportion is not estimable.");
  return answer;
}

}  // namespace equipoise::stats

#include "equipoise/stats/categorical/wilson.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {

ProportionInterval wilson_at(double x, double n, double z, bool correction) {
  if (!(n > 0)) return {missing_number, missing_number, missing_number};
  const double shift = correction ? 0.5 : 0.0, z2 = z * z;
  const auto half_width = [&](double y) { return z * std::sqrt(y * (n - y) / n + z2 / 4); };
  const double below = x - shift, above = x + shift;
  // Lower limit by the conjugate where the difference would cancel: (u - w)(u + w) = y^2 (1 + z^2/n) for u = y + z^2/2.
  const auto lower_at = [&](double y) { return y * y * (1 + z2 / n) / (y + z2 / 2 + half_width(y)) / (n + z2); };
  ProportionInterval interval{x / n, 0, 1};
  if (below > 0) interval.lower = lower_at(below);
  if (above < n) interval.upper = 1 - lower_at(n - above);
  return interval;
}

ProportionInterval wilson(double x, double n, double level, bool correction) {
  return wilson_at(x, n, numerics::normal_interval(level), correction);
}

MethodCard const& Wilson::card() {
  static const MethodCard card{.keyword = "wilson",
                               .title = "Wilson interval of a proportion",
                               .roles = {{"response", Need::number, Presence::required, "1 or 0"}},
                               .options = {{"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"},
                                           {"correction", "true | false", "continuity correction 1/(2n) (false)"}},
                               .quantities = {"estimate", "lower", "upper", "n", "n_events"},
                               .comparison = Comparison::one_group,
                               .binary_response = true};
  return card;
}

std::optional<Wilson> Wilson::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  Wilson method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.level = parse_level(options);
  method.correction = options.flag("correction").value_or(false);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> Wilson::needs() const { return {{response, Need::number}}; }

Expected<Answer> Wilson::run(Frame const& frame) const {
  std::int64_t events = 0;
  for (const double value : frame.numbers(response)) {
    if (value != 0 && value != 1)
      return fail(Code::bad_cell, "column '{}' holds {}: a response is 1 or 0", response, shortest(value));
    events += value == 1;
  }
  const auto n = std::int64_t(frame.rows);
  const auto [estimate, lower, upper] = wilson(double(events), double(n), level, correction);
  Answer answer;
  answer.findings.push_back(
      {.quantity = "estimate", .value = estimate, .lower = lower, .upper = upper, .level = level, .n = n, .scale = Scale::logit});
  answer.findings.push_back({.quantity = "n", .value = double(n), .n = n});
  answer.findings.push_back({.quantity = "n_events", .value = double(events), .n = n});
  if (correction) answer.notes.emplace_back("Wilson interval with continuity correction.");
  if (n == 0) answer.notes.emplace_back("There are no rows: the proportion is not estimable.");
  return answer;
}

}  // namespace equipoise::stats

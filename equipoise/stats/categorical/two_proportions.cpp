#include "equipoise/stats/categorical/two_proportions.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/categorical/newcombe.h"

namespace equipoise::stats {
namespace {

MethodCard card_of(std::string_view keyword, std::string_view title, std::string_view intervals, std::string_view help) {
  return {.keyword = keyword,
          .title = title,
          .roles = {{"response", Need::number, Presence::required, "1 or 0"},
                    {"group", Need::category, Presence::required, "the groups compared"}},
          .options = {{"difference", "{ level, minus }", "the groups compared: level minus (over) minus"},
                      {"interval", intervals, help},
                      {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
          .quantities = {"estimate", "lower", "upper", "n", "n_events"},
          .comparison = Comparison::pairwise,
          .binary_response = true};
}

/// Groups and level; `interval` too where the method has a single word for it.
template <class M>
std::optional<M> parse_ratio(MethodCard const& card, Roles const& roles, Section& options, std::string_view interval) {
  const std::size_t problems_before = options.problems().size();
  M method;
  if (auto groups = TwoGroups::parse(card, roles, options)) method.groups = std::move(*groups);
  method.level = parse_level(options);
  const std::pair<std::string_view, bool> only[] = {{interval, true}};
  options.word<bool>("interval", only);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

/// The estimate of a ratio with limits symmetric on the log scale.
Finding ratio(double value, double log_variance, double level, std::int64_t n) {
  Finding finding{.quantity = "estimate",
                  .value = value,
                  .lower = missing_number,
                  .upper = missing_number,
                  .level = level,
                  .n = n,
                  .scale = Scale::log};
  if (value > 0 && std::isfinite(value) && std::isfinite(log_variance)) {
    const double width = numerics::normal_interval(level) * std::sqrt(log_variance), centre = std::log(value);
    finding.lower = std::exp(centre - width);
    finding.upper = std::exp(centre + width);
  }
  return finding;
}

}  // namespace

MethodCard const& RiskDifference::card() {
  static const MethodCard card = [] {
    MethodCard made = card_of("risk_difference", "Risk difference", "wald | agresti_caffo | newcombe", "interval (wald)");
    made.quantities = {"estimate", "se", "lower", "upper", "z", "p", "n", "n_events"};
    return made;
  }();
  return card;
}

std::optional<RiskDifference> RiskDifference::parse(Roles const& roles, Section& options, Match) {
  constexpr std::pair<std::string_view, RiskDifferenceInterval> words[] = {
      {"wald", RiskDifferenceInterval::wald},
      {"agresti_caffo", RiskDifferenceInterval::agresti_caffo},
      {"newcombe", RiskDifferenceInterval::newcombe}};
  const std::size_t problems_before = options.problems().size();
  RiskDifference method;
  if (auto groups = TwoGroups::parse(card(), roles, options)) method.groups = std::move(*groups);
  method.level = parse_level(options);
  method.interval = options.word<RiskDifferenceInterval>("interval", words).value_or(RiskDifferenceInterval::wald);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

Expected<Answer> RiskDifference::run(Frame const& frame) const {
  const auto tables = groups.count(frame);
  if (!tables) return tl::unexpected(tables.error());
  TwoByTwo const& t = tables->front();
  Answer answer;
  if (const auto note = groups.nobody_note(t)) answer.notes.push_back(*note);
  Finding found{.quantity = "estimate",
                .se = missing_number,
                .lower = missing_number,
                .upper = missing_number,
                .level = level,
                .n = t.total()};
  const auto variance = [](double x, double n) { return x * (n - x) / (n * n * n); };
  const double x1 = double(t.a), n1 = double(t.first()), x2 = double(t.c), n2 = double(t.second());
  Finding test{.quantity = "z", .p = missing_number};
  if (t.has_both()) {
    const double quantile = numerics::normal_interval(level);
    found.value = x1 / n1 - x2 / n2;
    found.se = std::sqrt(variance(x1, n1) + variance(x2, n2));
    double centre = found.value, width = quantile * *found.se;
    if (interval == RiskDifferenceInterval::agresti_caffo) {
      centre = (x1 + 1) / (n1 + 2) - (x2 + 1) / (n2 + 2);
      width = quantile * std::sqrt(variance(x1 + 1, n1 + 2) + variance(x2 + 1, n2 + 2));
    }
    // Not cut to [-1, 1]: a Wald limit beyond says that the approximation does not hold.
    found.lower = centre - width, found.upper = centre + width;
    if (interval == RiskDifferenceInterval::newcombe) {
      const DifferenceInterval by_newcombe = newcombe(t, level);
      found.lower = by_newcombe.lower, found.upper = by_newcombe.upper;
    }
    if (*found.se > 0) {
      test.value = found.value / *found.se;
      test.p = numerics::normal_two_sided(test.value);
    } else {
      answer.notes.emplace_back(
          "Neither group has both responses: the standard error is 0, so that no test is estimable and a Wald interval has no "
          "width.");
    }
  }
  if (interval == RiskDifferenceInterval::agresti_caffo)
    answer.notes.emplace_back("Agresti-Caffo interval: one event and one non-event are added to each group.");
  if (interval == RiskDifferenceInterval::newcombe) answer.notes.emplace_back("Newcombe interval without correction.");
  answer.findings.push_back(std::move(found));
  answer.findings.push_back(std::move(test));
  groups.add_counts(answer, t);
  return answer;
}

MethodCard const& RiskRatio::card() {
  static const MethodCard card = card_of("risk_ratio", "Risk ratio", "katz", "interval, symmetric on the log scale (katz)");
  return card;
}

std::optional<RiskRatio> RiskRatio::parse(Roles const& roles, Section& options, Match) {
  return parse_ratio<RiskRatio>(card(), roles, options, "katz");
}

Expected<Answer> RiskRatio::run(Frame const& frame) const {
  const auto tables = groups.count(frame);
  if (!tables) return tl::unexpected(tables.error());
  TwoByTwo const& t = tables->front();
  Answer answer;
  const double x1 = double(t.a), n1 = double(t.first()), x2 = double(t.c), n2 = double(t.second());
  double value = missing_number;
  if (const auto note = groups.nobody_note(t)) answer.notes.push_back(*note);
  else if (t.a == 0 && t.c == 0) answer.notes.emplace_back("No event in either group: the risk ratio is not estimable.");
  else if (t.c == 0)
    answer.notes.push_back(
        fmt::format("No event in '{}': the risk ratio is infinite, shown as not estimable.", groups.difference.minus));
  else {
    value = x1 / n1 / (x2 / n2);
    if (t.a == 0)
      answer.notes.push_back(
          fmt::format("No event in '{}': the risk ratio is 0, and its logarithm has no interval.", groups.difference.level));
    else if (t.b == 0 && t.d == 0)
      answer.notes.emplace_back("Everybody in both groups has the event: the standard error is 0 and the interval has no width.");
  }
  answer.findings.push_back(ratio(value, double(t.b) / (x1 * n1) + double(t.d) / (x2 * n2), level, t.total()));
  groups.add_counts(answer, t);
  return answer;
}

MethodCard const& OddsRatio::card() {
  static const MethodCard card = card_of("odds_ratio", "Odds ratio", "woolf", "interval, symmetric on the log scale (woolf)");
  return card;
}

std::optional<OddsRatio> OddsRatio::parse(Roles const& roles, Section& options, Match) {
  return parse_ratio<OddsRatio>(card(), roles, options, "woolf");
}

Expected<Answer> OddsRatio::run(Frame const& frame) const {
  const auto tables = groups.count(frame);
  if (!tables) return tl::unexpected(tables.error());
  TwoByTwo const& t = tables->front();
  Answer answer;
  const double a = double(t.a), b = double(t.b), c = double(t.c), d = double(t.d);
  const bool zero = t.a == 0 || t.d == 0, infinite = t.b == 0 || t.c == 0;
  double value = missing_number;
  if (const auto note = groups.nobody_note(t)) answer.notes.push_back(*note);
  else if (zero && infinite) answer.notes.emplace_back("All responses are equal: the odds ratio is not estimable.");
  else if (infinite) answer.notes.emplace_back("A cell is 0: the odds ratio is infinite, shown as not estimable.");
  else {
    value = a / b * (d / c);
    if (zero) answer.notes.emplace_back("A cell is 0: the odds ratio is 0, and its logarithm has no interval.");
  }
  answer.findings.push_back(ratio(value, 1 / a + 1 / b + 1 / c + 1 / d, level, t.total()));
  groups.add_counts(answer, t);
  return answer;
}

}  // namespace equipoise::stats

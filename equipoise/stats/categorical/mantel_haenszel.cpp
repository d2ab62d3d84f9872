#include "equipoise/stats/categorical/mantel_haenszel.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/sum.h"

namespace equipoise::stats {
namespace {

/// A table in doubles.
struct Cells {
  double a, b, c, d, n1, n0, n;
  explicit Cells(TwoByTwo const& t)
      : a(double(t.a)), b(double(t.b)), c(double(t.c)), d(double(t.d)), n1(a + b), n0(c + d), n(n1 + n0) {}
};

MethodCard card_of(std::string_view keyword, std::string_view title) {
  return {.keyword = keyword,
          .title = title,
          .roles = {{"response", Need::number, Presence::required, "1 or 0"},
                    {"group", Need::category, Presence::required, "the groups compared"},
                    {"strata", Need::category, Presence::required, "columns whose combinations are strata"}},
          .options = {{"difference", "{ level, minus }", "the groups compared: level minus (over) minus"},
                      {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
          .quantities = {"estimate", "lower", "upper", "z", "p", "n", "n_events"},
          .comparison = Comparison::pairwise,
          .binary_response = true};
}

template <class M>
std::optional<M> parse_common(MethodCard const& card, Roles const& roles, Section& options) {
  const std::size_t problems_before = options.problems().size();
  M method;
  if (auto groups = TwoGroups::parse(card, roles, options)) method.groups = std::move(*groups);
  method.level = parse_level(options);
  return options.problems().size() == problems_before ? std::optional(std::move(method)) : std::nullopt;
}

/// The strata with both groups, and a note when there are none.
std::vector<TwoByTwo> usable(std::vector<TwoByTwo> const& tables, TwoGroups const& groups, TwoByTwo const& all,
                             std::vector<std::string>& notes) {
  std::vector<TwoByTwo> used = informative(tables, notes);
  if (const auto note = groups.nobody_note(all)) notes.push_back(*note);
  else if (used.empty()) notes.emplace_back("No stratum has both groups: nothing is estimable.");
  return used;
}

/// z and p of the Cochran-Mantel-Haenszel test, after the estimate.
Finding test_of(std::vector<TwoByTwo> const& used, std::vector<std::string>& notes) {
  const double z = mantel_haenszel_z(used);
  if (std::isnan(z) && !used.empty())
    notes.emplace_back("No stratum has both groups and both responses: the Mantel-Haenszel test is not estimable.");
  return {.quantity = "z", .value = z, .p = numerics::normal_two_sided(z)};
}

Expected<Answer> common_ratio(TwoGroups const& groups, Frame const& frame, double level, std::string_view name,
                              CommonEffect (*common)(std::vector<TwoByTwo> const&)) {
  const auto tables = groups.count(frame);
  if (!tables) return tl::unexpected(tables.error());
  const TwoByTwo all = pooled(*tables);
  Answer answer;
  const std::vector<TwoByTwo> used = usable(*tables, groups, all, answer.notes);
  auto [estimate, variance] = common(used);
  Finding found{.quantity = "estimate",
                .value = estimate,
                .lower = missing_number,
                .upper = missing_number,
                .level = level,
                .n = all.total(),
                .scale = Scale::log};
  if (estimate > 0 && std::isfinite(estimate) && std::isfinite(variance)) {
    const double width = numerics::normal_interval(level) * std::sqrt(variance), centre = std::log(estimate);
    found.lower = std::exp(centre - width), found.upper = std::exp(centre + width);
  } else if (estimate == 0) {
    answer.notes.push_back(fmt::format("The common {} is 0, and its logarithm has no interval.", name));
  } else if (std::isinf(estimate)) {
    found.value = missing_number;
    answer.notes.push_back(fmt::format("The common {} is infinite, shown as not estimable.", name));
  } else if (!used.empty()) {
    answer.notes.push_back(fmt::format("No stratum says anything about the common {}: it is not estimable.", name));
  }
  Finding test = test_of(used, answer.notes);
  answer.findings.push_back(std::move(found));
  answer.findings.push_back(std::move(test));
  groups.add_counts(answer, all);
  return answer;
}

}  // namespace

CommonEffect mantel_haenszel_odds_ratio(std::vector<TwoByTwo> const& tables) {
  numerics::Sum r, s, pr, cross, qs;
  for (TwoByTwo const& table : tables) {
    const Cells t(table);
    const double rj = t.a * t.d / t.n, sj = t.b * t.c / t.n, p = (t.a + t.d) / t.n, q = (t.b + t.c) / t.n;
    r.add(rj), s.add(sj);
    pr.add(p * rj), cross.add(p * sj + q * rj), qs.add(q * sj);
  }
  const double R = r.value(), S = s.value();
  return {R / S, pr.value() / (2 * R * R) + cross.value() / (2 * R * S) + qs.value() / (2 * S * S)};
}

CommonEffect mantel_haenszel_risk_ratio(std::vector<TwoByTwo> const& tables) {
  numerics::Sum r, s, p;
  for (TwoByTwo const& table : tables) {
    const Cells t(table);
    r.add(t.a * t.n0 / t.n);
    s.add(t.c * t.n1 / t.n);
    p.add((t.n1 * t.n0 * (t.a + t.c) - t.a * t.c * t.n) / (t.n * t.n));
  }
  const double R = r.value(), S = s.value();
  return {R / S, std::max(0.0, p.value()) / (R * S)};
}

CommonEffect mantel_haenszel_risk_difference(std::vector<TwoByTwo> const& tables, RiskDifferenceVariance kind) {
  numerics::Sum weight, difference, p, q, unpooled;
  for (TwoByTwo const& table : tables) {
    const Cells t(table);
    weight.add(t.n1 * t.n0 / t.n);
    difference.add((t.a * t.n0 - t.c * t.n1) / t.n);
    p.add((t.n1 * t.n1 * t.c - t.n0 * t.n0 * t.a + t.n1 * t.n0 * (t.n0 - t.n1) / 2) / (t.n * t.n));
    q.add((t.a * t.d + t.c * t.b) / (2 * t.n));
    unpooled.add((t.a * t.b * t.n0 * t.n0 / t.n1 + t.c * t.d * t.n1 * t.n1 / t.n0) / (t.n * t.n));
  }
  const double w = weight.value(), d = difference.value() / w;
  const double numerator = kind == RiskDifferenceVariance::sato ? d * p.value() + q.value() : unpooled.value();
  return {d, numerator / (w * w)};
}

double mantel_haenszel_z(std::vector<TwoByTwo> const& tables) {
  numerics::Sum excess, variance;
  for (TwoByTwo const& table : tables) {
    const Cells t(table);
    const double m = t.a + t.c;
    excess.add((t.a * t.n0 - t.c * t.n1) / t.n);
    if (t.n > 1) variance.add(t.n1 * t.n0 / t.n * (m / t.n) * (t.n - m) / (t.n - 1));
  }
  return variance.value() > 0 ? excess.value() / std::sqrt(variance.value()) : missing_number;
}

MethodCard const& MantelHaenszelOddsRatio::card() {
  static const MethodCard card = card_of("mantel_haenszel_odds_ratio", "Common odds ratio (Mantel-Haenszel)");
  return card;
}
std::optional<MantelHaenszelOddsRatio> MantelHaenszelOddsRatio::parse(Roles const& roles, Section& options, Match) {
  return parse_common<MantelHaenszelOddsRatio>(card(), roles, options);
}
Expected<Answer> MantelHaenszelOddsRatio::run(Frame const& frame) const {
  return common_ratio(groups, frame, level, "odds ratio", mantel_haenszel_odds_ratio);
}

MethodCard const& MantelHaenszelRiskRatio::card() {
  static const MethodCard card = card_of("mantel_haenszel_risk_ratio", "Common risk ratio (Mantel-Haenszel)");
  return card;
}
std::optional<MantelHaenszelRiskRatio> MantelHaenszelRiskRatio::parse(Roles const& roles, Section& options, Match) {
  return parse_common<MantelHaenszelRiskRatio>(card(), roles, options);
}
Expected<Answer> MantelHaenszelRiskRatio::run(Frame const& frame) const {
  return common_ratio(groups, frame, level, "risk ratio", mantel_haenszel_risk_ratio);
}

MethodCard const& MantelHaenszelRiskDifference::card() {
  static const MethodCard card = [] {
    MethodCard made = card_of("mantel_haenszel_risk_difference", "Common risk difference (Mantel-Haenszel)");
    made.options.push_back({"variance", "sato | greenland_robins", "variance (sato)"});
    made.quantities.insert(made.quantities.begin() + 1, "se");
    return made;
  }();
  return card;
}
std::optional<MantelHaenszelRiskDifference> MantelHaenszelRiskDifference::parse(Roles const& roles, Section& options, Match) {
  constexpr std::pair<std::string_view, RiskDifferenceVariance> words[] = {
      {"sato", RiskDifferenceVariance::sato}, {"greenland_robins", RiskDifferenceVariance::greenland_robins}};
  const std::size_t problems_before = options.problems().size();
  auto method = parse_common<MantelHaenszelRiskDifference>(card(), roles, options);
  const auto variance = options.word<RiskDifferenceVariance>("variance", words);
  if (!method || options.problems().size() != problems_before) return {};
  method->variance = variance.value_or(RiskDifferenceVariance::sato);
  return method;
}
Expected<Answer> MantelHaenszelRiskDifference::run(Frame const& frame) const {
  const auto tables = groups.count(frame);
  if (!tables) return tl::unexpected(tables.error());
  const TwoByTwo all = pooled(*tables);
  Answer answer;
  const std::vector<TwoByTwo> used = usable(*tables, groups, all, answer.notes);
  const auto [estimate, squared] = mantel_haenszel_risk_difference(used, variance);
  Finding found{.quantity = "estimate",
                .value = estimate,
                .se = missing_number,
                .lower = missing_number,
                .upper = missing_number,
                .level = level,
                .n = all.total()};
  if (!used.empty()) {
    // A sum of positive terms in exact arithmetic where all shares are 0 or 1 is 0: rounding may leave it just below.
    found.se = std::sqrt(std::max(0.0, squared));
    const double width = numerics::normal_interval(level) * *found.se;
    found.lower = estimate - width, found.upper = estimate + width;
    if (!(squared > 0)) answer.notes.emplace_back("The standard error is 0: the interval has no width.");
  }
  Finding test = test_of(used, answer.notes);
  answer.findings.push_back(std::move(found));
  answer.findings.push_back(std::move(test));
  groups.add_counts(answer, all);
  return answer;
}

}  // namespace equipoise::stats

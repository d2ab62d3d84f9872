#include "equipoise/stats/categorical/breslow_day.h"

#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/sum.h"
#include "equipoise/stats/categorical/mantel_haenszel.h"
#include "equipoise/stats/categorical/score_interval.h"

namespace equipoise::stats {

Homogeneity breslow_day(std::vector<TwoByTwo> const& tables, bool tarone) {
  const double odds_ratio = mantel_haenszel_odds_ratio(tables).estimate;
  const bool usable = odds_ratio > 0 && std::isfinite(odds_ratio);
  std::size_t used = 0;
  numerics::Sum squares, excess, variance;
  for (TwoByTwo const& t : tables) {
    if (t.a + t.c == 0 || t.b + t.d == 0) continue;
    ++used;
    if (!usable) continue;
    const ExpectedCells e = expected_cells(t, odds_ratio);
    const double v = e.variance(), distance = double(t.a) - e.a;
    squares.add(distance * distance / v);
    excess.add(distance);
    variance.add(v);
  }
  if (!usable || used < 2) return {missing_number, 0, used};
  const double less = tarone ? excess.value() * excess.value() / variance.value() : 0.0;
  return {squares.value() - less, double(used - 1), used};
}

MethodCard const& BreslowDay::card() {
  static const MethodCard card{.keyword = "breslow_day",
                               .title = "Breslow-Day test of homogeneous odds ratios",
                               .roles = {{"response", Need::number, Presence::required, "1 or 0"},
                                         {"group", Need::category, Presence::required, "the groups compared"},
                                         {"strata", Need::category, Presence::required, "columns whose combinations are strata"}},
                               .options = {{"difference", "{ level, minus }", "the groups compared"},
                                           {"tarone", "true | false", "Tarone's adjustment (false)"}},
                               .quantities = {"chi_square", "df", "p", "n", "n_events"},
                               .comparison = Comparison::pairwise,
                               .binary_response = true};
  return card;
}

std::optional<BreslowDay> BreslowDay::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  BreslowDay method;
  if (auto groups = TwoGroups::parse(card(), roles, options)) method.groups = std::move(*groups);
  method.tarone = options.flag("tarone").value_or(false);
  return options.problems().size() == problems_before ? std::optional(std::move(method)) : std::nullopt;
}

Expected<Answer> BreslowDay::run(Frame const& frame) const {
  const auto tables = groups.count(frame);
  if (!tables) return tl::unexpected(tables.error());
  const TwoByTwo all = pooled(*tables);
  Answer answer;
  const std::vector<TwoByTwo> with_both = informative(*tables, answer.notes);
  const Homogeneity test = breslow_day(with_both, tarone);
  Finding found{.quantity = "chi_square", .value = test.chi_square, .df = missing_number, .p = missing_number, .n = all.total()};
  if (test.used < with_both.size())
    answer.notes.push_back(fmt::format("{} of {} strata {} one response only and {} not counted.", with_both.size() - test.used,
                                       with_both.size(), with_both.size() - test.used == 1 ? "has" : "have",
                                       with_both.size() - test.used == 1 ? "is" : "are"));
  if (test.df > 0) {
    found.df = test.df;
    found.p = numerics::chi_square_upper(test.chi_square, test.df);
    if (tarone) answer.notes.emplace_back("With Tarone's adjustment.");
  } else if (test.used < 2) {
    answer.notes.emplace_back("Fewer than two strata have both groups and both responses: the test is not estimable.");
  } else {
    answer.notes.emplace_back("The common odds ratio is 0 or infinite: the test is not estimable.");
  }
  answer.findings.push_back(std::move(found));
  groups.add_counts(answer, all);
  return answer;
}

}  // namespace equipoise::stats

#include "equipoise/stats/continuous/rank_sum.h"

#include <cmath>

#include "equipoise/numerics/sum.h"
#include "equipoise/stats/continuous/ordered_null.h"

namespace equipoise::stats {

RankSum rank_sum(Midranks const& ranks, std::span<const std::uint8_t> first) {
  numerics::Sum of_first;
  double m = 0;
  for (std::size_t i = 0; i < first.size(); ++i)
    if (first[i]) of_first.add(ranks.rank[i]), m += 1;
  const double total = double(first.size()), n = total - m;
  return {of_first.value() - m * (m + 1) / 2, m * n / 2, m * n / 12 * (total + 1 - ranks.tie_sum() / (total * (total - 1)))};
}

MethodCard const& WilcoxonRankSum::card() {
  static const MethodCard card{
      .keyword = "wilcoxon_rank_sum",
      .title = "Wilcoxon rank-sum test",
      .roles = {{"response", Need::number, Presence::required, "the analysed value"},
                {"group", Need::category, Presence::required, "the groups compared"}},
      .options = {{"difference", "{ level, minus }", "the two groups compared; rows of other groups are dropped"},
                  {"exact", "true | false",
                   "the exact distribution, also with ties (false; match = \"r\": below 50 without ties)"},
                  {"correction", "true | false",
                   "continuity correction 1/2 of the approximation (false; true to match R or SAS)"},
                  tail_card()},
      .quantities = {"statistic", "z", "p"},
      .comparison = Comparison::pairwise};
  return card;
}

std::optional<WilcoxonRankSum> WilcoxonRankSum::parse(Roles const& roles, Section& options, Match match) {
  const std::size_t problems_before = options.problems().size();
  WilcoxonRankSum method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.group = role(roles, "group");
  method.difference = parse_difference(options, true).value_or(Difference{});
  method.exact = options.flag("exact");
  method.correction = options.flag("correction").value_or(match != Match::equipoise);
  method.tail = parse_tail(options);
  method.match = match;
  add_need(method.needs_, {method.response, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> WilcoxonRankSum::needs() const { return needs_; }

Expected<Answer> WilcoxonRankSum::run(Frame const& frame) const {
  const auto groups = pair_of_groups(frame, response, group, difference);
  if (!groups) return tl::unexpected(groups.error());
  Answer answer;
  const auto n = std::int64_t(groups->size());
  if (groups->n_first == 0 || groups->n_second == 0) {
    answer.findings.push_back({.quantity = "statistic", .p = missing_number, .n = n});
    answer.findings.push_back({.quantity = "z", .n = n});
    answer.notes.push_back(needs_both_groups(*groups, difference, "the rank-sum test"));
    return answer;
  }
  const Midranks ranks = midranks(groups->value);
  const RankSum sum = rank_sum(ranks, groups->first);
  const bool r_would = match == Match::r && groups->n_first < 50 && groups->n_second < 50 && !ranks.ties();
  const bool exactly = exact.value_or(r_would);

  const double root = std::sqrt(sum.variance), excess = sum.u - sum.expected;
  const double half =
      tail == Tail::two_sided ? std::fmin(0.5, std::abs(excess)) * (excess < 0 ? -1 : 1) : (tail == Tail::greater ? 0.5 : -0.5);
  const bool all_tied = ranks.block.size() == 1;
  const double z = all_tied ? missing_number : (correction && !exactly ? excess - half : excess) / root;
  double p = normal_p(z, tail);
  if (exactly) {
    const std::uint32_t sizes[] = {std::uint32_t(groups->n_second), std::uint32_t(groups->n_first)};
    auto null = ordered_null(ranks.block, sizes);
    if (!null)
      return tl::unexpected(
          std::move(null.error()).with_hint("exact = false gives the normal approximation, which is good here"));
    p = exact_p(null->lower(sum.u), null->upper(sum.u), tail);
  }
  answer.findings.push_back(
      {.quantity = "statistic", .value = sum.u, .p = p, .n = n, .scale = exactly ? Scale::exact : Scale::identity});
  answer.findings.push_back({.quantity = "z", .value = z, .n = n});

  answer.notes.push_back(
      fmt::format("The statistic counts the pairs in which the value of '{}' is larger than that of '{}', ties one half.",
                  difference.level, difference.minus));
  if (exactly)
    answer.notes.push_back(fmt::format("Exact {} P value from the permutation distribution of the {}.", tail_words(tail),
                                       ranks.ties() ? "midranks, given the ties" : "ranks"));
  else
    answer.notes.push_back(
        fmt::format("{} P value from the normal approximation with the variance corrected for ties, {} continuity correction.",
                    tail == Tail::two_sided ? "Two-sided" : "One-sided", correction ? "with" : "without"));
  if (all_tied && !exactly) answer.notes.emplace_back("All values are equal: the test is not estimable.");
  if (const std::string note = merged_values_note(ranks.merged); !note.empty()) answer.notes.push_back(note);
  return answer;
}

MethodCard const& VanElteren::card() {
  static const MethodCard card{
      .keyword = "van_elteren",
      .title = "Van Elteren's stratified rank-sum test",
      .roles = {{"response", Need::number, Presence::required, "the analysed value"},
                {"group", Need::category, Presence::required, "the groups compared"},
                {"strata", Need::category, Presence::required, "columns whose combinations are the strata"}},
      .options = {{"difference", "{ level, minus }", "the two groups compared; rows of other groups are dropped"}, tail_card()},
      .quantities = {"z", "p"},
      .comparison = Comparison::pairwise};
  return card;
}

std::optional<VanElteren> VanElteren::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  VanElteren method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.group = role(roles, "group");
  method.strata = role_columns(roles, "strata");
  method.difference = parse_difference(options, true).value_or(Difference{});
  method.tail = parse_tail(options);
  add_need(method.needs_, {method.response, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  for (std::string const& column : method.strata) add_need(method.needs_, {column, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> VanElteren::needs() const { return needs_; }

Expected<Answer> VanElteren::run(Frame const& frame) const {
  const auto groups = pair_of_groups(frame, response, group, difference, strata);
  if (!groups) return tl::unexpected(groups.error());
  std::vector<std::vector<double>> values(groups->strata);
  std::vector<std::vector<std::uint8_t>> first(groups->strata);
  for (std::size_t i = 0; i < groups->size(); ++i) {
    values[std::size_t(groups->stratum[i])].push_back(groups->value[i]);
    first[std::size_t(groups->stratum[i])].push_back(groups->first[i]);
  }
  numerics::Sum excess, variance;
  std::size_t used = 0, occurring = 0, merged = 0;
  std::int64_t n = 0;
  for (std::size_t h = 0; h < values.size(); ++h) {
    if (values[h].empty()) continue;
    ++occurring;
    const Midranks ranks = midranks(values[h]);
    const RankSum sum = rank_sum(ranks, first[h]);
    if (sum.expected == 0) continue;  // one group only
    ++used;
    n += std::int64_t(values[h].size());
    merged += ranks.merged;
    if (ranks.block.size() == 1) continue;  // all values tied: no excess and no variance
    const double weight = 1 / (double(values[h].size()) + 1);
    excess.add(weight * (sum.u - sum.expected));
    variance.add(weight * weight * sum.variance);
  }
  Answer answer;
  const double z = variance.value() > 0 ? excess.value() / std::sqrt(variance.value()) : missing_number;
  answer.findings.push_back({.quantity = "z", .value = z, .p = normal_p(z, tail), .n = n});
  answer.notes.push_back(fmt::format(
      "{} P value. z is positive when '{}' tends to have larger values than '{}' within {} strat{}.",
      tail == Tail::two_sided ? "Two-sided" : "One-sided", difference.level, difference.minus, used, used == 1 ? "um" : "a"));
  if (used < occurring)
    answer.notes.push_back(fmt::format("{} strat{} with one of the two groups only {} left out.", occurring - used,
                                       occurring - used == 1 ? "um" : "a", occurring - used == 1 ? "is" : "are"));
  if (used == 0) answer.notes.emplace_back("No stratum has values of both groups: the test is not estimable.");
  else if (std::isnan(z)) answer.notes.emplace_back("All values within each stratum are equal: the test is not estimable.");
  if (const std::string note = merged_values_note(merged); !note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats

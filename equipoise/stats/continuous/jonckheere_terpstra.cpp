#include "equipoise/stats/continuous/jonckheere_terpstra.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/sum.h"
#include "equipoise/stats/continuous/ordered_null.h"

namespace equipoise::stats {

OrderedStatistic ordered_statistic(Midranks const& ranks, std::span<const std::int32_t> group_of, std::size_t groups) {
  // Position of each value among the blocks of tied values, from its midrank: blocks are in ascending order.
  std::vector<std::size_t> order(group_of.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return ranks.rank[a] < ranks.rank[b]; });
  std::vector<double> below(groups, 0.0), here(groups, 0.0);
  double twice_j = 0;  // a whole number: exact below 2^53
  std::size_t at = 0;
  for (const std::uint32_t block : ranks.block) {
    std::fill(here.begin(), here.end(), 0.0);
    for (std::uint32_t i = 0; i < block; ++i) here[std::size_t(group_of[order[at++]])] += 1;
    double earlier_below = 0, earlier_here = 0;
    for (std::size_t g = 0; g < groups; ++g) {
      twice_j += here[g] * (2 * earlier_below + earlier_here);
      earlier_below += below[g], earlier_here += here[g];
    }
    for (std::size_t g = 0; g < groups; ++g) below[g] += here[g];
  }

  const double n = double(group_of.size());
  const auto sums = [](auto const& sizes, double& two, double& three, double& five) {
    for (const double t : sizes) two += t * (t - 1), three += t * (t - 1) * (t - 2), five += t * (t - 1) * (2 * t + 5);
  };
  double n2 = 0, n3 = 0, n5 = 0, t2 = 0, t3 = 0, t5 = 0, squares = 0;
  sums(below, n2, n3, n5);
  sums(ranks.block, t2, t3, t5);
  for (const double size : below) squares += size * size;
  double variance = (n * (n - 1) * (2 * n + 5) - n5 - t5) / 72;
  if (n > 2) variance += n3 * t3 / (36 * n * (n - 1) * (n - 2));
  if (n > 1) variance += n2 * t2 / (8 * n * (n - 1));
  return {twice_j / 2, (n * n - squares) / 4, variance};
}

MethodCard const& JonckheereTerpstra::card() {
  static const MethodCard card{
      .keyword = "jonckheere_terpstra",
      .title = "Jonckheere-Terpstra test",
      .roles = {{"response", Need::number, Presence::required, "the analysed value"},
                {"group", Need::category, Presence::required, "the ordered groups"}},
      .options = {{"order", "[ group, ... ]", "groups from first to last; in a protocol the arms by their doses"},
                  {"exact", "true | false", "the exact distribution, also with ties (false)"},
                  {"alternative", "two_sided | greater | less", "greater: values grow along the order (two_sided)"}},
      .quantities = {"statistic", "z", "p"},
      .comparison = Comparison::all_arms};
  return card;
}

std::optional<JonckheereTerpstra> JonckheereTerpstra::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  JonckheereTerpstra method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.group = role(roles, "group");
  if (options.need("order")) method.order = options.texts("order").value_or(std::vector<std::string>{});
  if (options.problems().size() == problems_before || !method.order.empty()) {
    std::vector<std::string> sorted = method.order;
    std::sort(sorted.begin(), sorted.end());
    if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
      options.report_at("order", Code::duplicate, "'order' names '{}' twice", *twice);
    if (options.has("order") && sorted.size() < 2)
      options.report_at("order", Code::out_of_range, "'order' names {} group{}: a trend needs two", sorted.size(),
                        sorted.size() == 1 ? "" : "s");
  }
  method.exact = options.flag("exact").value_or(false);
  method.tail = parse_tail(options);
  add_need(method.needs_, {method.response, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> JonckheereTerpstra::needs() const { return needs_; }

Expected<Answer> JonckheereTerpstra::run(Frame const& frame) const {
  CategoriesView const& categories = frame.categories(group);
  std::vector<std::int32_t> place(categories.levels.size(), -1);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto found = std::find(categories.levels.begin(), categories.levels.end(), order[i]);
    if (found == categories.levels.end())
      return fail(Code::unresolved, "'{}' is not a level of column '{}'; its levels are {}", order[i], group,
                  categories.levels.empty() ? "none" : quoted({categories.levels.begin(), categories.levels.end()}));
    place[std::size_t(found - categories.levels.begin())] = std::int32_t(i);
  }
  const NumbersView all = frame.numbers(response);
  std::vector<double> values;
  std::vector<std::int32_t> group_of;
  std::vector<std::uint32_t> sizes(order.size(), 0);
  for (std::size_t i = 0; i < frame.rows; ++i) {
    const std::int32_t g = place[std::size_t(categories.codes[i])];
    if (g < 0) continue;
    if (auto error = not_finite(all.subspan(i, 1), response)) return tl::unexpected(std::move(*error));
    values.push_back(all[i]);
    group_of.push_back(g);
    ++sizes[std::size_t(g)];
  }
  const auto n = std::int64_t(values.size());
  const auto groups_with_values = order.size() - std::size_t(std::count(sizes.begin(), sizes.end(), 0u));
  Answer answer;
  Finding statistic{.quantity = "statistic", .p = missing_number, .n = n};
  Finding standardised{.quantity = "z", .n = n};
  if (groups_with_values < 2) {
    answer.notes.push_back(fmt::format("{} of the ordered groups {} values: the test is not estimable.",
                                       groups_with_values == 0 ? "None" : "Only one", groups_with_values == 0 ? "have" : "has"));
  } else {
    const Midranks ranks = midranks(values);
    const OrderedStatistic j = ordered_statistic(ranks, group_of, order.size());
    statistic.value = j.j;
    const bool all_tied = ranks.block.size() == 1;
    if (!all_tied) standardised.value = (j.j - j.expected) / std::sqrt(j.variance);
    statistic.p = normal_p(standardised.value, tail);
    if (exact) {
      std::vector<std::uint32_t> occurring;
      for (const std::uint32_t size : sizes)
        if (size > 0) occurring.push_back(size);
      auto null = ordered_null(ranks.block, occurring);
      if (!null)
        return tl::unexpected(
            std::move(null.error()).with_hint("exact = false gives the normal approximation, which is good here"));
      statistic.p = exact_p(null->lower(j.j), null->upper(j.j), tail);
      statistic.scale = Scale::exact;
    }
    answer.notes.push_back(fmt::format("Groups in the order {}; z is positive when values grow along it.", join(order, ", ")));
    if (exact)
      answer.notes.push_back(fmt::format("Exact {} P value from the permutation distribution{}.", tail_words(tail),
                                         ranks.ties() ? ", given the ties" : ""));
    else
      answer.notes.push_back(fmt::format(
          "{} P value from the normal approximation with the variance corrected for ties, without continuity correction.",
          tail == Tail::two_sided ? "Two-sided" : "One-sided"));
    if (all_tied && !exact) answer.notes.emplace_back("All values are equal: the test is not estimable.");
    if (const std::string note = merged_values_note(ranks.merged); !note.empty()) answer.notes.push_back(note);
  }
  if (values.size() < frame.rows)
    answer.notes.push_back(fmt::format("{} row{} of groups outside the order {} left out.", frame.rows - values.size(),
                                       frame.rows - values.size() == 1 ? "" : "s",
                                       frame.rows - values.size() == 1 ? "is" : "are"));
  answer.findings.push_back(statistic);
  answer.findings.push_back(standardised);
  return answer;
}

}  // namespace equipoise::stats

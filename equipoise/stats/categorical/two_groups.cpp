#include "equipoise/stats/categorical/two_groups.h"

#include <algorithm>

#include "equipoise/stats/strata.h"

namespace equipoise::stats {

TwoByTwo pooled(std::vector<TwoByTwo> const& tables) {
  TwoByTwo all;
  for (TwoByTwo const& t : tables) all.a += t.a, all.b += t.b, all.c += t.c, all.d += t.d;
  return all;
}

std::optional<TwoGroups> TwoGroups::parse(MethodCard const& card, Roles const& roles, Section& options) {
  const std::size_t problems_before = options.problems().size();
  TwoGroups made;
  check_roles(card, roles, options);
  made.response = role(roles, "response");
  made.group = role(roles, "group");
  made.strata = role_columns(roles, "strata");
  made.difference = parse_difference(options, true).value_or(Difference{});
  add_need(made.needs_, {made.response, Need::number}, options);
  add_need(made.needs_, {made.group, Need::category}, options);
  for (std::string const& column : made.strata) {
    add_need(made.needs_, {column, Need::category}, options);
    if (column == made.group && !column.empty())
      add_problem(options.problems(), options.place(), Code::inconsistent,
                  "{} takes column '{}' both as group and as stratum: within it there is nothing to compare", card.keyword, column);
  }
  return options.problems().size() == problems_before ? std::optional(std::move(made)) : std::nullopt;
}

Expected<std::vector<TwoByTwo>> TwoGroups::count(Frame const& frame) const {
  CategoriesView const& groups = frame.categories(group);
  const auto codes = find_levels(difference, groups, group);
  if (!codes) return tl::unexpected(codes.error());
  const NumbersView responses = frame.numbers(response);
  const Strata stratum = combine(frame, strata);
  std::vector<TwoByTwo> tables(std::max<std::size_t>(stratum.count, 1));
  for (std::size_t i = 0; i < frame.rows; ++i) {
    const bool first = groups.codes[i] == codes->level;
    if (!first && groups.codes[i] != codes->minus) continue;
    if (responses[i] != 0 && responses[i] != 1)
      return fail(Code::bad_cell, "column '{}' holds {}: a response is 1 or 0", response, shortest(responses[i]));
    TwoByTwo& table = tables[std::size_t(stratum.code[i])];
    ++(responses[i] == 1 ? (first ? table.a : table.c) : (first ? table.b : table.d));
  }
  if (!strata.empty()) std::erase_if(tables, [](TwoByTwo const& table) { return table.total() == 0; });
  return tables;
}

void TwoGroups::add_counts(Answer& answer, TwoByTwo const& table) const {
  const auto add = [&](std::string const& name, std::int64_t events, std::int64_t size) {
    answer.findings.push_back({.quantity = "n", .at = {{"group", name}}, .value = double(size), .n = size});
    answer.findings.push_back({.quantity = "n_events", .at = {{"group", name}}, .value = double(events), .n = size});
  };
  add(difference.level, table.a, table.first());
  add(difference.minus, table.c, table.second());
}

std::optional<std::string> TwoGroups::nobody_note(TwoByTwo const& table) const {
  if (table.has_both()) return {};
  std::vector<std::string> empty;
  if (table.first() == 0) empty.push_back(difference.level);
  if (table.second() == 0) empty.push_back(difference.minus);
  return fmt::format("Nobody in {} of '{}': nothing is estimable.", quoted(empty), group);
}

std::vector<TwoByTwo> informative(std::vector<TwoByTwo> tables, std::vector<std::string>& notes) {
  const std::size_t before = tables.size();
  std::erase_if(tables, [](TwoByTwo const& table) { return !table.has_both(); });
  const std::size_t dropped = before - tables.size();
  if (dropped > 0 && before > 1)
    notes.push_back(fmt::format("{} of {} strata {} only one of the two groups and {} not used.", dropped, before,
                                dropped == 1 ? "has" : "have", dropped == 1 ? "is" : "are"));
  return tables;
}

}  // namespace equipoise::stats

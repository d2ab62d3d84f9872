#include "equipoise/stats/categorical/pearson_chi_square.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/sum.h"
#include "equipoise/stats/categorical/two_groups.h"

namespace equipoise::stats {

ChiSquare pearson_chi_square(Contingency const& table, bool correction) {
  const std::size_t rows = table.rows.size(), columns = table.columns.size();
  if (rows < 2 || columns < 2) return {missing_number, 0, 0};
  const std::vector<std::int64_t> row = table.row_sums(), column = table.column_sums();
  const double n = double(table.total());
  ChiSquare made{0, double((rows - 1) * (columns - 1)), 0};
  numerics::Sum sum;
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) {
      const double expected = double(row[i]) * double(column[j]) / n;
      double distance = std::abs(double(table.at(i, j)) - expected);
      if (correction) distance = std::max(0.0, distance - 0.5);
      sum.add(distance * distance / expected);
      made.expected_below_5 += expected < 5;
    }
  made.value = sum.value();
  return made;
}

MethodCard const& PearsonChiSquare::card() {
  static const MethodCard card{
      .keyword = "pearson_chi_square",
      .title = "Pearson's chi-square test",
      .roles = {{"response", Need::category, Presence::required, "1 or 0 with `difference`, else a category"},
                {"group", Need::category, Presence::required, "the groups compared"}},
      .options = {{"difference", "{ level, minus }", "the rows of the table; its columns are response 1 and 0"},
                  {"correction", "true | false", "Yates's continuity correction, 2 x 2 only (false)"}},
      .quantities = {"chi_square", "df", "p", "n", "n_events"},
      .comparison = Comparison::pairwise,
      .binary_response = true};
  return card;
}

std::optional<PearsonChiSquare> PearsonChiSquare::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  PearsonChiSquare method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.group = role(roles, "group");
  method.difference = parse_difference(options, false);
  method.correction = options.flag("correction").value_or(false);
  if (method.response == method.group && !method.group.empty())
    add_problem(options.problems(), options.place(), Code::inconsistent,
                "pearson_chi_square takes column '{}' both as response and as group", method.group);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> PearsonChiSquare::needs() const {
  return {{response, difference ? Need::number : Need::category}, {group, Need::category}};
}

Expected<Answer> PearsonChiSquare::run(Frame const& frame) const {
  Answer answer;
  Contingency table;
  TwoGroups pair;
  pair.response = response, pair.group = group, pair.difference = difference.value_or(Difference{});
  TwoByTwo counts;
  if (difference) {
    const auto tables = pair.count(frame);
    if (!tables) return tl::unexpected(tables.error());
    counts = tables->front();
    for (auto const& [name, yes, no] : {std::tuple(difference->level, counts.a, counts.b), std::tuple(difference->minus, counts.c, counts.d)})
      if (yes + no > 0) table.rows.push_back(name);
    const bool any = counts.a + counts.c > 0, others = counts.b + counts.d > 0;
    if (any) table.columns.emplace_back("1");
    if (others) table.columns.emplace_back("0");
    for (auto const& [yes, no] : {std::pair(counts.a, counts.b), std::pair(counts.c, counts.d)}) {
      if (yes + no == 0) continue;
      if (any) table.count.push_back(yes);
      if (others) table.count.push_back(no);
    }
  } else {
    table = cross_table(frame.categories(group), frame.categories(response));
  }
  const std::size_t rows = table.rows.size(), columns = table.columns.size();
  if (correction && (rows > 2 || columns > 2))
    return fail(Code::inconsistent, "Yates's correction is for 2 x 2 tables, and '{}' by '{}' is {} x {}", group, response, rows,
                columns);
  const ChiSquare test = pearson_chi_square(table, correction);
  const std::int64_t n = table.total();
  Finding finding{.quantity = "chi_square", .value = test.value, .df = missing_number, .p = missing_number, .n = n};
  if (rows < 2) answer.notes.push_back(fmt::format("Fewer than two groups of '{}' have anybody: the test is not estimable.", group));
  else if (columns < 2) answer.notes.emplace_back("All responses are equal: the test is not estimable.");
  else {
    finding.df = test.df;
    finding.p = numerics::chi_square_upper(test.value, test.df);
    if (correction) answer.notes.emplace_back("With Yates's continuity correction.");
    if (test.expected_below_5 > 0)
      answer.notes.push_back(fmt::format("{} of {} expected counts {} below 5: the chi-square distribution is a poor approximation.",
                                         test.expected_below_5, rows * columns, test.expected_below_5 == 1 ? "is" : "are"));
  }
  answer.findings.push_back(std::move(finding));
  if (difference) {
    pair.add_counts(answer, counts);
  } else {
    const std::vector<std::int64_t> sizes = table.row_sums();
    for (std::size_t i = 0; i < rows; ++i)
      answer.findings.push_back({.quantity = "n", .at = {{"group", table.rows[i]}}, .value = double(sizes[i]), .n = sizes[i]});
  }
  return answer;
}

}  // namespace equipoise::stats

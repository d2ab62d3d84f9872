#include "equipoise/stats/categorical/fisher_exact.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/numerics/sum.h"
#include "equipoise/stats/categorical/fisher_table.h"

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, Alternative> alternatives[] = {
    {"two_sided", Alternative::two_sided}, {"greater", Alternative::greater}, {"less", Alternative::less}};

constexpr double tie = 1 + 1e-7;  // the definition's: tables equally probable in exact arithmetic count as such

/// Given the margins, a has weights C(r, x) C(s, k - x), x from low to high.
struct Margins {
  double r, s, k;  ///< first row, second row, first column
  double low, high;

  explicit Margins(TwoByTwo const& t)
      : r(double(t.a + t.b)), s(double(t.c + t.d)), k(double(t.a + t.c)), low(std::max(0.0, k - s)), high(std::min(k, r)) {}

  /// weight(x + 1) / weight(x): decreasing in x.
  double ratio(double x) const { return (r - x) / (x + 1) * ((k - x) / (s - k + x + 1)); }

  /// The most probable value when the odds ratio is `odds`: the first x after which weights fall.
  double mode(double odds) const {
    double below = low, above = high;
    while (below < above) {
      const double x = std::floor((below + above) / 2);
      if (ratio(x) * odds >= 1) below = x + 1;
      else above = x;
    }
    return below;
  }
};

/// Weights of all values relative to the most probable one.
std::vector<double> weights(Margins const& m) {
  std::vector<double> weight(std::size_t(m.high - m.low) + 1, 0.0);
  const double mode = m.mode(1.0);
  const auto at = [&](double x) -> double& { return weight[std::size_t(x - m.low)]; };
  at(mode) = 1.0;
  for (double x = mode; x < m.high; ++x) at(x + 1) = at(x) * m.ratio(x);
  for (double x = mode; x > m.low; --x) at(x - 1) = at(x) / m.ratio(x - 1);
  return weight;
}

/// Mean and variance of a when the odds ratio is `odds`. The weights are log-concave: what follows a weight of 1e-20 adds
/// nothing.
struct Spread {
  double mean, variance;
};
Spread spread(Margins const& m, double odds) {
  constexpr double negligible = 1e-20;
  const double mode = m.mode(odds);
  numerics::Sum total, first, second;  // of weights, and of weights times the distance from the mode and its square
  const auto add = [&](double w, double distance) {
    total.add(w), first.add(w * distance), second.add(w * distance * distance);
    return w > negligible;
  };
  add(1.0, 0.0);
  double w = 1.0;
  for (double x = mode; x < m.high && add(w *= m.ratio(x) * odds, x + 1 - mode); ++x) {
  }
  w = 1.0;
  for (double x = mode; x > m.low && add(w /= m.ratio(x - 1) * odds, x - 1 - mode); --x) {
  }
  const double shift = first.value() / total.value();
  return {mode + shift, second.value() / total.value() - shift * shift};
}

/// Newton's method for the logarithm of the odds ratio at which a has the mean observed, kept inside a bracket: the mean
/// increases.
double conditional_log_odds_ratio(TwoByTwo const& t, Margins const& m) {
  const double a = double(t.a);
  double theta = std::log((a + 0.5) * (double(t.d) + 0.5) / ((double(t.b) + 0.5) * (double(t.c) + 0.5)));
  double low = theta - 1, high = theta + 1;
  for (double step = 1; spread(m, std::exp(low)).mean > a; step *= 2) low -= step;
  for (double step = 1; spread(m, std::exp(high)).mean < a; step *= 2) high += step;
  for (int iteration = 0; iteration < 200; ++iteration) {
    const auto [mean, variance] = spread(m, std::exp(theta));
    (mean < a ? low : high) = theta;
    double next = theta + (a - mean) / variance;
    if (!(next > low && next < high)) next = low + (high - low) / 2;
    const bool done = std::abs(next - theta) <= 1e-14 * std::max(1.0, std::abs(theta));
    theta = next;
    if (done) break;
  }
  return theta;
}

}  // namespace

FisherResult fisher_exact(TwoByTwo const& table, Alternative alternative) {
  const Margins margins(table);
  const std::vector<double> weight = weights(margins);
  const auto observed = std::size_t(double(table.a) - margins.low);
  numerics::Sum total, extreme;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    total.add(weight[i]);
    const bool counts = alternative == Alternative::two_sided ? weight[i] <= tie * weight[observed]
                        : alternative == Alternative::greater ? i >= observed
                                                              : i <= observed;
    if (counts) extreme.add(weight[i]);
  }
  FisherResult result{std::min(extreme.value() / total.value(), 1.0), missing_number};
  if (weight.size() == 1) return result;
  if (observed == 0) result.odds_ratio = 0;
  else if (observed + 1 == weight.size()) result.odds_ratio = std::numeric_limits<double>::infinity();
  else result.odds_ratio = std::exp(conditional_log_odds_ratio(table, margins));
  return result;
}

MethodCard const& FisherExact::card() {
  static const MethodCard card{
      .keyword = "fisher_exact",
      .title = "Fisher's exact test",
      .roles = {{"response", Need::category, Presence::required, "1 or 0 with `difference`, else a category"},
                {"group", Need::category, Presence::required, "the groups compared"}},
      .options = {{"difference", "{ level, minus }", "the rows of the table; its columns are response 1 and 0"},
                  {"alternative", "two_sided | greater | less", "of the odds ratio (two_sided)"}},
      .quantities = {"p", "estimate", "n", "n_events"},
      .comparison = Comparison::pairwise,
      .binary_response = true};
  return card;
}

std::optional<FisherExact> FisherExact::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  FisherExact method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.group = role(roles, "group");
  method.difference = parse_difference(options, false);
  method.alternative = options.word<Alternative>("alternative", alternatives).value_or(Alternative::two_sided);
  if (method.response == method.group && !method.group.empty())
    add_problem(options.problems(), options.place(), Code::inconsistent,
                "fisher_exact takes column '{}' both as response and as group", method.group);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> FisherExact::needs() const {
  return {{response, difference ? Need::number : Need::category}, {group, Need::category}};
}

namespace {

/// The levels that some row has, in their order.
std::vector<std::int32_t> occurring(CategoriesView const& category) {
  std::vector<std::int32_t> found;
  std::vector<std::uint8_t> seen(category.levels.size(), 0);
  for (const std::int32_t code : category.codes) seen[std::size_t(code)] = 1;
  for (std::size_t level = 0; level < seen.size(); ++level)
    if (seen[level]) found.push_back(std::int32_t(level));
  return found;
}

/// Both levels of a category of two, also when one has no rows; of a longer one those that occur.
std::vector<std::int32_t> table_levels(CategoriesView const& category) {
  if (category.levels.size() == 2) return {0, 1};
  return occurring(category);
}

}  // namespace

Expected<Answer> FisherExact::larger_table(CategoriesView const& groups, CategoriesView const& responses) const {
  const Contingency table = cross_table(groups, responses);
  if (alternative != Alternative::two_sided)
    return fail(Code::inconsistent, "'alternative' is that of an odds ratio, and '{}' by '{}' is {} x {}", group, response,
                table.rows.size(), table.columns.size());
  const auto p = fisher_exact_table(table);
  if (!p) return tl::unexpected(p.error());
  const std::int64_t n = table.total();
  Answer answer;
  Finding found{.quantity = "p", .value = *p, .n = n};
  if (table.rows.size() < 2) {
    found.value = missing_number;
    answer.notes.push_back(fmt::format("Fewer than two groups of '{}' have anybody: the test is not estimable.", group));
  } else if (table.columns.size() < 2) {
    answer.notes.emplace_back("All responses are equal: no other table is possible (p = 1).");
  } else {
    answer.notes.push_back(fmt::format("Exact test of {} groups by {} responses.", table.rows.size(), table.columns.size()));
  }
  answer.findings.push_back(std::move(found));
  const std::vector<std::int64_t> sizes = table.row_sums();
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    answer.findings.push_back({.quantity = "n", .at = {{"group", table.rows[i]}}, .value = double(sizes[i]), .n = sizes[i]});
  return answer;
}

Expected<Answer> FisherExact::run(Frame const& frame) const {
  CategoriesView const& groups = frame.categories(group);
  TwoByTwo table;
  Answer answer;
  std::string rows[2];
  if (difference) {
    const auto codes = find_levels(*difference, groups, group);
    if (!codes) return tl::unexpected(codes.error());
    const NumbersView responses = frame.numbers(response);
    for (std::size_t i = 0; i < frame.rows; ++i) {
      const bool first = groups.codes[i] == codes->level;
      if (!first && groups.codes[i] != codes->minus) continue;
      if (responses[i] != 0 && responses[i] != 1)
        return fail(Code::bad_cell, "column '{}' holds {}: a response is 1 or 0", response, shortest(responses[i]));
      ++(responses[i] == 1 ? (first ? table.a : table.c) : (first ? table.b : table.d));
    }
    rows[0] = difference->level, rows[1] = difference->minus;
  } else {
    CategoriesView const& responses = frame.categories(response);
    const std::vector<std::int32_t> group_levels = table_levels(groups), response_levels = table_levels(responses);
    if (group_levels.size() > 2 || response_levels.size() > 2) return larger_table(groups, responses);
    for (std::size_t i = 0; i < frame.rows; ++i) {
      const bool first = groups.codes[i] == group_levels.front(), left = responses.codes[i] == response_levels.front();
      ++(left ? (first ? table.a : table.c) : (first ? table.b : table.d));
    }
    for (std::size_t i = 0; i < group_levels.size(); ++i) rows[i] = groups.levels[std::size_t(group_levels[i])];
    if (response_levels.size() == 2)
      answer.notes.push_back(fmt::format("Odds of '{}' against '{}' in '{}'.", responses.levels[std::size_t(response_levels[0])],
                                         responses.levels[std::size_t(response_levels[1])], response));
  }

  const std::int64_t n = table.a + table.b + table.c + table.d;
  FisherResult result = fisher_exact(table, alternative);
  if (table.a + table.b == 0 || table.c + table.d == 0) {
    result = {missing_number, missing_number};
    answer.notes.push_back(fmt::format("Nobody in one of the two groups of '{}': the test is not estimable.", group));
  } else if (std::isnan(result.odds_ratio)) {
    answer.notes.push_back("All responses are equal: the odds ratio is not estimable, and no other table is possible (p = 1).");
  } else if (std::isinf(result.odds_ratio)) {
    result.odds_ratio = missing_number;
    answer.notes.push_back("The conditional maximum likelihood estimate of the odds ratio is infinite: shown as not estimable.");
  }
  answer.findings.push_back({.quantity = "estimate", .value = result.odds_ratio, .p = result.p, .n = n, .scale = Scale::exact});
  for (int row = 0; row < 2; ++row) {
    if (rows[row].empty()) continue;
    const At at{{"group", rows[row]}};
    const std::int64_t events = row == 0 ? table.a : table.c, size = row == 0 ? table.a + table.b : table.c + table.d;
    answer.findings.push_back({.quantity = "n", .at = at, .value = double(size), .n = size});
    answer.findings.push_back({.quantity = "n_events", .at = at, .value = double(events), .n = size});
  }
  return answer;
}

}  // namespace equipoise::stats

#include "equipoise/stats/fisher_exact.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/numerics/sum.h"

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, Alternative> alternatives[] = {
    {"two_sided", Alternative::two_sided}, {"greater", Alternative::greater}, {"less", Alternative::less}};

constexpr double tie = 1 + 1e-7;  // the definition's: tables equally probable in exact arithmetic count as such

/// The possible values of a, and their weights relative to the most probable one.
struct Support {
  std::int64_t low = 0;
  std::vector<double> weight;
};

Support hypergeometric(TwoByTwo const& t) {
  // r, s row sums; k first column sum; a given the margins runs from max(0, k - s) to min(k, r)
  const std::int64_t r = t.a + t.b, s = t.c + t.d, k = t.a + t.c;
  Support support{std::max<std::int64_t>(0, k - s), {}};
  const std::int64_t high = std::min(k, r);
  const auto size = std::size_t(high - support.low + 1);
  support.weight.assign(size, 0.0);
  const double mode_at = std::floor((double(k) + 1) * (double(r) + 1) / (double(r) + double(s) + 2));
  const std::int64_t mode = std::clamp(std::int64_t(mode_at), support.low, high);
  const auto at = [&](std::int64_t x) -> double& { return support.weight[std::size_t(x - support.low)]; };
  at(mode) = 1.0;
  for (std::int64_t x = mode; x < high; ++x)
    at(x + 1) = at(x) * (double(r - x) / double(x + 1)) * (double(k - x) / double(s - k + x + 1));
  for (std::int64_t x = mode; x > support.low; --x)
    at(x - 1) = at(x) * (double(x) / double(r - x + 1)) * (double(s - k + x) / double(k - x + 1));
  return support;
}

/// Mean and variance of a when the log odds ratio is theta.
struct Spread {
  double mean, variance;
};
Spread tilted(Support const& support, std::vector<double> const& log_weight, double theta) {
  double top = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < log_weight.size(); ++i) top = std::max(top, log_weight[i] + theta * double(i));
  numerics::Sum total, first, second;
  for (std::size_t i = 0; i < log_weight.size(); ++i) {
    const double w = std::exp(log_weight[i] + theta * double(i) - top);
    total.add(w), first.add(w * double(i));
  }
  const double mean = first.value() / total.value();
  for (std::size_t i = 0; i < log_weight.size(); ++i)
    second.add(std::exp(log_weight[i] + theta * double(i) - top) * (double(i) - mean) * (double(i) - mean));
  return {double(support.low) + mean, second.value() / total.value()};
}

/// Logarithms of the weights: by the same ratios, but without leaving the range of doubles in the far tails.
std::vector<double> log_weights(TwoByTwo const& t, Support const& support) {
  const std::int64_t r = t.a + t.b, s = t.c + t.d, k = t.a + t.c;
  std::vector<double> logs(support.weight.size());
  numerics::Sum sum;
  for (std::size_t i = 1; i < logs.size(); ++i) {
    const std::int64_t x = support.low + std::int64_t(i) - 1;
    sum.add(std::log(double(r - x) / double(x + 1) * (double(k - x) / double(s - k + x + 1))));
    logs[i] = sum.value();
  }
  return logs;
}

/// Newton's method for the log odds ratio, kept inside a bracket: the mean increases with theta.
double conditional_log_odds_ratio(TwoByTwo const& t, Support const& support) {
  const std::vector<double> logs = log_weights(t, support);
  const double a = double(t.a);
  double theta = std::log((a + 0.5) * (double(t.d) + 0.5) / ((double(t.b) + 0.5) * (double(t.c) + 0.5)));
  double low = theta - 1, high = theta + 1;
  for (double step = 1; tilted(support, logs, low).mean > a; step *= 2) low -= step;
  for (double step = 1; tilted(support, logs, high).mean < a; step *= 2) high += step;
  for (int iteration = 0; iteration < 200; ++iteration) {
    const auto [mean, variance] = tilted(support, logs, theta);
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
  const Support support = hypergeometric(table);
  const auto observed = std::size_t(table.a - support.low);
  numerics::Sum total, extreme;
  for (std::size_t i = 0; i < support.weight.size(); ++i) {
    const double weight = support.weight[i];
    total.add(weight);
    const bool counts = alternative == Alternative::two_sided ? weight <= tie * support.weight[observed]
                        : alternative == Alternative::greater ? i >= observed
                                                              : i <= observed;
    if (counts) extreme.add(weight);
  }
  FisherResult result{std::min(extreme.value() / total.value(), 1.0), missing_number};
  if (support.weight.size() == 1) return result;
  if (observed == 0) result.odds_ratio = 0;
  else if (observed + 1 == support.weight.size()) result.odds_ratio = std::numeric_limits<double>::infinity();
  else result.odds_ratio = std::exp(conditional_log_odds_ratio(table, support));
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
      .comparison = Comparison::pairwise};
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
    report(options.problems(), options.place(), Code::inconsistent, "fisher_exact takes column '{}' both as response and as group",
           method.group);
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
    if (group_levels.size() > 2 || response_levels.size() > 2)
      return fail(Code::not_available,
                  "fisher_exact of {} groups by {} responses: this build has the test for 2 x 2 tables only; name two groups in `difference`",
                  group_levels.size(), response_levels.size());
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

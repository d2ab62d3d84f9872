#include "equipoise/stats/continuous/k_groups.h"

#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/sum.h"

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, GroupVariance> variances[] = {{"equal", GroupVariance::equal},
                                                                    {"welch", GroupVariance::welch}};

// A spread this small beside the values is their rounding.
constexpr double rounding_only = 1e-14;

/// The values of each group that has any, and their names.
struct Groups {
  std::vector<std::vector<double>> values;
  std::vector<std::string> names;
};
Groups by_group(NumbersView values, CategoriesView const& groups) {
  std::vector<std::vector<double>> all(groups.levels.size());
  for (std::size_t i = 0; i < values.size(); ++i) all[std::size_t(groups.codes[i])].push_back(values[i]);
  Groups out;
  for (std::size_t g = 0; g < all.size(); ++g)
    if (!all[g].empty()) out.values.push_back(std::move(all[g])), out.names.push_back(groups.levels[g]);
  return out;
}

}  // namespace

MethodCard const& KruskalWallis::card() {
  static const MethodCard card{.keyword = "kruskal_wallis",
                               .title = "Kruskal-Wallis test",
                               .roles = {{"response", Need::number, Presence::required, "the analysed value"},
                                         {"group", Need::category, Presence::required, "the groups compared"}},
                               .options = {},
                               .quantities = {"chi_square", "df", "p"},
                               .comparison = Comparison::all_arms};
  return card;
}

std::optional<KruskalWallis> KruskalWallis::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  KruskalWallis method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.group = role(roles, "group");
  add_need(method.needs_, {method.response, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> KruskalWallis::needs() const { return needs_; }

Expected<Answer> KruskalWallis::run(Frame const& frame) const {
  const NumbersView values = frame.numbers(response);
  if (auto error = not_finite(values, response)) return tl::unexpected(std::move(*error));
  const Midranks ranks = midranks(values);
  const Groups groups = by_group(ranks.rank, frame.categories(group));
  const double n = double(frame.rows), centre = (n + 1) / 2;
  numerics::Sum between, total;
  for (const double rank : ranks.rank) total.add((rank - centre) * (rank - centre));
  for (std::vector<double> const& of_group : groups.values) {
    const double size = double(of_group.size());
    const double mean = numerics::sum(of_group) / size;
    between.add(size * (mean - centre) * (mean - centre));
  }
  Answer answer;
  Finding test{.quantity = "chi_square", .df = missing_number, .p = missing_number, .n = std::int64_t(frame.rows)};
  if (groups.values.size() < 2) {
    answer.notes.push_back(groups.values.empty() ? std::string("There are no rows: the test is not estimable.")
                                                 : fmt::format("Only '{}' of '{}' has values: the test is not estimable.",
                                                               groups.names.front(), group));
  } else if (ranks.block.size() == 1) {
    answer.notes.emplace_back("All values are equal: the test is not estimable.");
  } else {
    test.value = (n - 1) * between.value() / total.value();
    test.df = double(groups.values.size() - 1);
    test.p = numerics::chi_square_upper(test.value, *test.df);
    answer.notes.push_back(fmt::format("Test of {} groups on midranks, corrected for ties.", groups.values.size()));
  }
  answer.findings.push_back(test);
  if (const std::string note = merged_values_note(ranks.merged); !note.empty()) answer.notes.push_back(note);
  return answer;
}

MethodCard const& OneWayAnova::card() {
  static const MethodCard card{.keyword = "one_way_anova",
                               .title = "One-way analysis of variance",
                               .roles = {{"response", Need::number, Presence::required, "the analysed value"},
                                         {"group", Need::category, Presence::required, "the groups compared"}},
                               .options = {{"variance", "equal | welch", "one variance in all groups, or one in each (equal)"}},
                               .quantities = {"f", "df", "residual_df", "p"},
                               .comparison = Comparison::all_arms};
  return card;
}

std::optional<OneWayAnova> OneWayAnova::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  OneWayAnova method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.group = role(roles, "group");
  method.variance = options.word<GroupVariance>("variance", variances).value_or(GroupVariance::equal);
  add_need(method.needs_, {method.response, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> OneWayAnova::needs() const { return needs_; }

namespace {

struct FTest {
  double f = missing_number, df1 = missing_number, df2 = missing_number;
  std::string why{};  ///< it is not estimable
};

FTest equal_variances(std::vector<numerics::Moments> const& groups, double magnitude) {
  numerics::Sum sizes, weighted, between, within;
  for (numerics::Moments const& g : groups) sizes.add(g.n), weighted.add(g.n * g.mean);
  const double mean = weighted.value() / sizes.value(), k = double(groups.size()), rest = sizes.value() - k;
  if (rest < 1) return {.why = "Every group has one value"};
  for (numerics::Moments const& g : groups) {
    between.add(g.n * (g.mean - mean) * (g.mean - mean));
    if (g.n > 1) within.add((g.n - 1) * g.sd * g.sd);
  }
  if (std::sqrt(within.value() / rest) <= rounding_only * magnitude) return {.why = "All values within a group are equal"};
  return {between.value() / (k - 1) / (within.value() / rest), k - 1, rest, {}};
}

FTest unequal_variances(std::vector<numerics::Moments> const& groups, double magnitude) {
  const double k = double(groups.size());
  numerics::Sum weights, weighted, between, spread;
  std::vector<double> weight;
  for (numerics::Moments const& g : groups) {
    if (g.n < 2) return {.why = "A group has one value"};
    if (g.sd <= rounding_only * magnitude) return {.why = "All values of a group are equal"};
    weight.push_back(g.n / (g.sd * g.sd));
    weights.add(weight.back());
    weighted.add(weight.back() * g.mean);
  }
  const double mean = weighted.value() / weights.value();
  for (std::size_t j = 0; j < groups.size(); ++j) {
    between.add(weight[j] * (groups[j].mean - mean) * (groups[j].mean - mean));
    const double share = 1 - weight[j] / weights.value();
    spread.add(share * share / (groups[j].n - 1));
  }
  const double a = spread.value();
  return {between.value() / (k - 1) / (1 + 2 * (k - 2) * a / (k * k - 1)), k - 1, (k * k - 1) / (3 * a), {}};
}

}  // namespace

Expected<Answer> OneWayAnova::run(Frame const& frame) const {
  const NumbersView values = frame.numbers(response);
  if (auto error = not_finite(values, response)) return tl::unexpected(std::move(*error));
  // F has no unit: squares of values scaled by a power of two, which rounds nothing, stay in the range of a double.
  std::vector<double> scaled(values.begin(), values.end());
  const double magnitude = numerics::scale_to_one(scaled).magnitude;
  const Groups groups = by_group(scaled, frame.categories(group));
  std::vector<numerics::Moments> moments;
  for (std::vector<double> const& of_group : groups.values) moments.push_back(numerics::moments(of_group));
  FTest test;
  if (groups.values.empty()) test.why = "There are no rows";
  else if (groups.values.size() < 2) test.why = fmt::format("Only '{}' of '{}' has values", groups.names.front(), group);
  else test = variance == GroupVariance::equal ? equal_variances(moments, magnitude) : unequal_variances(moments, magnitude);
  const auto n = std::int64_t(frame.rows);
  Answer answer;
  answer.findings.push_back(
      {.quantity = "f", .value = test.f, .df = test.df1, .p = numerics::f_upper(test.f, test.df1, test.df2), .n = n});
  answer.findings.push_back({.quantity = "residual_df", .value = test.df2, .n = n});
  if (!test.why.empty()) answer.notes.push_back(test.why + ": the test is not estimable.");
  else
    answer.notes.push_back(variance == GroupVariance::equal ? "F test with one variance for all groups."
                                                            : "Welch's F test with a variance of each group.");
  return answer;
}

}  // namespace equipoise::stats

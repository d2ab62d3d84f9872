#include "equipoise/stats/survival/restricted_mean.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/sum.h"

namespace equipoise::stats {
namespace {

constexpr OptionCard tau_card{"tau", "number above 0", "horizon: the mean of min(time, tau) is estimated; must be given"};
constexpr OptionCard level_card{"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"};

std::optional<double> parse_tau(Section& options) { return options.need_number("tau", {.min = 0, .max = 1e300, .min_excluded = true}); }

RestrictedMean of_rows(SurvivalRows const& data, std::span<const std::uint32_t> rows, double tau) {
  return restricted_mean(product_limit(data, rows, SurvivalInterval::plain, 0.95), tau);
}

/// Two-sided p of estimate / se; NaN when there is no spread to measure by.
double two_sided(double estimate, double se) { return se > 0 ? numerics::normal_two_sided(estimate / se) : missing_number; }

void add_tau_notes(std::vector<std::string>& notes, double tau, std::string_view column, std::vector<std::string> const& carried,
                   std::vector<std::string> const& empty) {
  if (!empty.empty())
    notes.push_back(column.empty() ? std::string("There are no rows: nothing is estimable.")
                                   : fmt::format("Nobody in {} {}: not estimable.", column, quoted(empty)));
  if (!carried.empty())
    notes.push_back(fmt::format(
        "The last observed time{} is censored and comes before tau {}: from there to tau the curve is taken to stay at its last "
        "value, which the data do not show. A smaller tau avoids that.",
        column.empty() ? "" : fmt::format(" of {} {}", column, quoted(carried)), shortest(tau)));
}

std::string area_note(double tau, double level) {
  return fmt::format("Area under the Kaplan-Meier curve from 0 to {}, Greenwood's variance, normal {} % limits.", shortest(tau),
                     shortest(100 * level));
}

}  // namespace

RestrictedMean restricted_mean(SurvivalCurve const& curve, double tau) {
  if (curve.time.empty()) return {};
  std::size_t within = 0;  // times before tau
  while (within < curve.time.size() && curve.time[within] < tau) ++within;
  // From tau back to 0, in units of tau so that no square overflows: the area so far is A_i when t_i is met.
  numerics::Sum area, variance;
  double right = tau;
  for (std::size_t i = within; i-- > 0; right = curve.time[i]) {
    area.add(curve.survival[i] * ((right - curve.time[i]) / tau));
    const double n = double(curve.n_at_risk[i]), d = double(curve.n_events[i]);
    if (d > 0 && n > d) variance.add(area.value() * area.value() * (d / (n * (n - d))));
  }
  area.add(right / tau);  // S = 1 before the first time
  const bool beyond = curve.time.back() + same_time * curve.time.back() < tau;
  return {tau * area.value(), tau * std::sqrt(variance.value()), beyond && curve.survival.back() > 0};
}

MethodCard const& Rmst::card() {
  static const MethodCard card{.keyword = "rmst",
                               .title = "Restricted mean survival time",
                               .roles = {{"time", Need::number, Presence::required, "time to event or censoring"},
                                         {"event", Need::number, Presence::required, "1 event, 0 censored"},
                                         {"group", Need::category, Presence::optional, "one mean for each level"}},
                               .options = {tau_card, level_card, near_ties_card},
                               .quantities = {"estimate", "se", "lower", "upper", "n", "n_events"},
                               .comparison = Comparison::all_arms};
  return card;
}

std::optional<Rmst> Rmst::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  Rmst method;
  check_roles(card(), roles, options);
  method.time = role(roles, "time");
  method.event = role(roles, "event");
  method.group = role(roles, "group");
  method.tau = parse_tau(options).value_or(method.tau);
  method.level = parse_level(options);
  method.near_ties = parse_near_ties(options);
  add_need(method.needs_, {method.time, Need::number}, options);
  add_need(method.needs_, {method.event, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> Rmst::needs() const { return needs_; }

Expected<Answer> Rmst::run(Frame const& frame) const {
  auto data = survival_rows(frame, time, event, {}, near_ties);
  if (!data) return tl::unexpected(data.error());
  const std::vector<std::int32_t> together(group.empty() ? frame.rows : 0, 0);
  const std::size_t groups = group.empty() ? 1 : frame.categories(group).levels.size();
  const Partition parts = partition(data->by_time, group.empty() ? std::span(together) : frame.categories(group).codes, groups);
  const double z = numerics::normal_interval(level);

  Answer answer;
  std::vector<std::string> carried, empty, certain;
  for (std::size_t g = 0; g < groups; ++g) {
    At at;
    std::string name;
    if (!group.empty()) at["group"] = name = frame.categories(group).levels[g];
    const RestrictedMean mean = of_rows(*data, parts.of(g), tau);
    const auto n = std::int64_t(parts.of(g).size());
    std::int64_t events = 0;
    for (const std::uint32_t row : parts.of(g)) events += data->event[row];
    answer.findings.push_back({.quantity = "estimate",
                               .at = at,
                               .value = mean.area,
                               .se = mean.se,
                               .lower = mean.area - z * mean.se,
                               .upper = mean.area + z * mean.se,
                               .level = level,
                               .n = n});
    answer.findings.push_back({.quantity = "n", .at = at, .value = double(n), .n = n});
    answer.findings.push_back({.quantity = "n_events", .at = at, .value = double(events), .n = n});
    if (n == 0) empty.push_back(name);
    if (mean.carried_on) carried.push_back(name);
    if (mean.se == 0) certain.push_back(name);
  }
  answer.notes.push_back(area_note(tau, level));
  if (!certain.empty())
    answer.notes.push_back(fmt::format("No event before tau, or all at one time{}: the standard error is 0, and the limits say nothing.",
                                       group.empty() ? "" : fmt::format(", in {} {}", group, quoted(certain))));
  add_tau_notes(answer.notes, tau, group, carried, empty);
  if (const std::string note = merged_note(*data); !note.empty()) answer.notes.push_back(note);
  return answer;
}

MethodCard const& RmstDifference::card() {
  static const MethodCard card{
      .keyword = "rmst_difference",
      .title = "Difference of restricted means",
      .roles = {{"time", Need::number, Presence::required, "time to event or censoring"},
                {"event", Need::number, Presence::required, "1 event, 0 censored"},
                {"group", Need::category, Presence::required, "the groups compared"}},
      .options = {tau_card,
                  {"difference", "{ level, minus }", "the two groups compared: level minus (over) minus"},
                  level_card, near_ties_card},
      .quantities = {"estimate", "se", "p", "lower", "upper", "rmst_ratio", "rmst_ratio_lower", "rmst_ratio_upper"},
      .comparison = Comparison::pairwise};
  return card;
}

std::optional<RmstDifference> RmstDifference::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  RmstDifference method;
  check_roles(card(), roles, options);
  method.time = role(roles, "time");
  method.event = role(roles, "event");
  method.group = role(roles, "group");
  method.tau = parse_tau(options).value_or(method.tau);
  method.level = parse_level(options);
  method.near_ties = parse_near_ties(options);
  method.difference = parse_difference(options, true).value_or(method.difference);
  add_need(method.needs_, {method.time, Need::number}, options);
  add_need(method.needs_, {method.event, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> RmstDifference::needs() const { return needs_; }

Expected<Answer> RmstDifference::run(Frame const& frame) const {
  auto data = survival_rows(frame, time, event, {}, near_ties);
  if (!data) return tl::unexpected(data.error());
  CategoriesView const& category = frame.categories(group);
  const auto codes = find_levels(difference, category, group);
  if (!codes) return tl::unexpected(codes.error());
  const Partition parts = partition(data->by_time, category.codes, category.levels.size());
  const double z = numerics::normal_interval(level);

  RestrictedMean mean[2];
  std::vector<std::string> carried, empty;
  std::int64_t n = 0;
  const std::pair<std::int32_t, std::string> sides[] = {{codes->level, difference.level}, {codes->minus, difference.minus}};
  for (std::size_t side = 0; side < 2; ++side) {
    auto const& [code, name] = sides[side];
    const std::span<const std::uint32_t> rows = parts.of(std::size_t(code));
    mean[side] = of_rows(*data, rows, tau);
    n += std::int64_t(rows.size());
    if (rows.empty()) empty.push_back(name);
    if (mean[side].carried_on) carried.push_back(name);
  }
  const double estimate = mean[0].area - mean[1].area;
  const double se = std::hypot(mean[0].se, mean[1].se);
  // The log of the ratio by the delta method. Areas are above 0, as tau is and S starts at 1, unless everybody has the event at 0.
  const bool both = mean[0].area > 0 && mean[1].area > 0;
  const double log_ratio = both ? std::log(mean[0].area) - std::log(mean[1].area) : missing_number;
  const double log_se = both ? std::hypot(mean[0].se / mean[0].area, mean[1].se / mean[1].area) : missing_number;

  Answer answer;
  answer.findings.push_back({.quantity = "estimate",
                             .value = estimate,
                             .se = se,
                             .lower = estimate - z * se,
                             .upper = estimate + z * se,
                             .level = level,
                             .p = two_sided(estimate, se),
                             .n = n});
  answer.findings.push_back({.quantity = "rmst_ratio",
                             .value = std::exp(log_ratio),
                             .lower = std::exp(log_ratio - z * log_se),
                             .upper = std::exp(log_ratio + z * log_se),
                             .level = level,
                             .p = two_sided(log_ratio, log_se),
                             .n = n,
                             .scale = Scale::log});
  answer.notes.push_back(area_note(tau, level));
  answer.notes.push_back(fmt::format("The difference is '{}' minus '{}', the ratio '{}' over '{}'.", difference.level,
                                     difference.minus, difference.level, difference.minus));
  add_tau_notes(answer.notes, tau, group, carried, empty);
  if (se == 0)
    answer.notes.emplace_back("Neither group leaves a variance before tau (no event, or all have it at one time): P is not estimable.");
  if (empty.empty() && !both)
    answer.notes.emplace_back("A group has no time before its events, so the ratio is not estimable.");
  if (const std::string note = merged_note(*data); !note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats

#include "equipoise/stats/survival/max_combo.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/multivariate_normal.h"
#include "equipoise/numerics/sum.h"
#include "equipoise/stats/strata.h"

namespace equipoise::stats {
namespace {

constexpr std::size_t most_components = 8;

/// `weights = [[0, 0], [1, 0], [0, 1], [1, 1]]`, the default.
std::vector<RhoGamma> parse_weights(Section& options) {
  if (!options.has("weights")) {
    options.allow("weights");
    return {{0, 0}, {1, 0}, {0, 1}, {1, 1}};
  }
  const Node* value = options.take("weights");
  const Limits exponent{.min = 0, .max = largest_exponent};
  std::vector<RhoGamma> weights;
  if (!value->array() || value->array()->empty() || value->array()->size() > most_components) {
    options.report_at("weights", Code::wrong_type, "'weights' of {} must be a list of 1 to {} pairs [rho, gamma]", options.name(),
                      most_components);
    return {};
  }
  for (Node const& entry : *value->array()) {
    const Node::Array* pair = entry.array();
    const auto rho = pair && pair->size() == 2 ? (*pair)[0].number() : std::nullopt;
    const auto gamma = pair && pair->size() == 2 ? (*pair)[1].number() : std::nullopt;
    if (!rho || !gamma || !exponent.contain(*rho) || !exponent.contain(*gamma)) {
      add_problem(options.problems(), entry.place(), Code::out_of_range,
                  "each of the 'weights' of {} is a pair [rho, gamma] of numbers {}", options.name(), exponent.sentence());
      continue;
    }
    const auto same = [&](RhoGamma const& other) { return other.rho == *rho && other.gamma == *gamma; };
    if (std::any_of(weights.begin(), weights.end(), same))
      add_problem(options.problems(), entry.place(), Code::duplicate, "'weights' of {} hold [{}, {}] twice", options.name(),
                  shortest(*rho), shortest(*gamma));
    weights.push_back({*rho, *gamma});
  }
  return weights;
}

/// The rows of two groups: columns of their own, and whether a row is of `level`.
struct Pair {
  std::vector<double> time, event;
  std::vector<std::int32_t> in_first, stratum;
};

Pair rows_of(Frame const& frame, MaxCombo const& method, DifferenceCodes codes, Strata const& strata) {
  Pair pair;
  CategoriesView const& category = frame.categories(method.group);
  const NumbersView time = frame.numbers(method.time), event = frame.numbers(method.event);
  for (std::size_t i = 0; i < frame.rows; ++i) {
    if (category.codes[i] != codes.level && category.codes[i] != codes.minus) continue;
    pair.time.push_back(time[i]), pair.event.push_back(event[i]);
    pair.in_first.push_back(category.codes[i] == codes.level);
    pair.stratum.push_back(strata.code[i]);
  }
  return pair;
}

}  // namespace

FlemingHarringtonFamily fleming_harrington_family(SurvivalRows const& data, std::span<const std::int32_t> in_first,
                                                  std::span<const std::int32_t> stratum, std::size_t strata,
                                                  std::span<const RhoGamma> weights) {
  const std::size_t m = weights.size();
  std::vector<numerics::Sum> excess(m), covariance(m * m);
  const Partition parts = partition(data.by_time, stratum, strata);
  std::vector<double> first_at_risk, first_events;
  std::vector<std::vector<double>> w(m);
  for (std::size_t s = 0; s < strata; ++s) {
    const std::span<const std::uint32_t> rows = parts.of(s);
    PooledTimes times;
    first_at_risk.clear(), first_events.clear();
    double n = double(rows.size()), n1 = 0;
    for (const std::uint32_t row : rows) n1 += in_first[row];
    for (std::size_t i = 0; i < rows.size();) {
      const double t = data.time[rows[i]], N = n, N1 = n1;
      double d = 0, d1 = 0;
      for (; i < rows.size() && data.time[rows[i]] == t; ++i) {
        const double e = data.event[rows[i]], first = in_first[rows[i]];
        d += e, d1 += e * first, --n, n1 -= first;
      }
      if (d == 0) continue;
      times.at_risk.push_back(N), times.events.push_back(d);
      first_at_risk.push_back(N1), first_events.push_back(d1);
    }
    for (std::size_t a = 0; a < m; ++a) w[a] = fleming_harrington_weights(weights[a], times);
    for (std::size_t i = 0; i < times.events.size(); ++i) {
      const double N = times.at_risk[i], d = times.events[i], share = first_at_risk[i] / N;
      const double spread = N > 1 ? d * (N - d) / (N - 1) * share * ((N - first_at_risk[i]) / N) : 0;
      for (std::size_t a = 0; a < m; ++a) {
        excess[a].add(w[a][i] * (first_events[i] - d * share));
        for (std::size_t b = 0; b <= a; ++b) covariance[a * m + b].add(w[a][i] * w[b][i] * spread);
      }
    }
  }
  FlemingHarringtonFamily family{std::vector<double>(m, missing_number), std::vector<double>(m * m, 0.0)};
  for (std::size_t a = 0; a < m; ++a) {
    const double root = std::sqrt(covariance[a * m + a].value());
    if (root > 0) family.z[a] = excess[a].value() / root;
    for (std::size_t b = 0; b < a; ++b) {
      const double other = std::sqrt(covariance[b * m + b].value());
      const double r = root > 0 && other > 0 ? std::clamp(covariance[a * m + b].value() / root / other, -1.0, 1.0) : 0.0;
      family.correlation[a * m + b] = family.correlation[b * m + a] = r;
    }
    family.correlation[a * m + a] = 1;
  }
  return family;
}

MethodCard const& MaxCombo::card() {
  static const MethodCard card{
      .keyword = "max_combo",
      .title = "MaxCombo test",
      .roles = {{"time", Need::number, Presence::required, "time to event or censoring"},
                {"event", Need::number, Presence::required, "1 event, 0 censored"},
                {"group", Need::category, Presence::required, "the groups compared"},
                {"strata", Need::category, Presence::optional, "their combinations are the strata, each with its own weights"}},
      .options = {{"weights", "list of pairs [rho, gamma]",
                   "Fleming-Harrington exponents of the components ([[0, 0], [1, 0], [0, 1], [1, 1]])"},
                  {"difference", "{ level, minus }", "the two groups compared"}, near_ties_card},
      .quantities = {"statistic", "p", "z"},
      .comparison = Comparison::pairwise};
  return card;
}

std::optional<MaxCombo> MaxCombo::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  MaxCombo method;
  check_roles(card(), roles, options);
  method.time = role(roles, "time");
  method.event = role(roles, "event");
  method.group = role(roles, "group");
  method.strata = role_columns(roles, "strata");
  method.weights = parse_weights(options);
  method.difference = parse_difference(options, true).value_or(method.difference);
  method.near_ties = parse_near_ties(options);
  add_need(method.needs_, {method.time, Need::number}, options);
  add_need(method.needs_, {method.event, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  for (std::string const& column : method.strata) add_need(method.needs_, {column, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> MaxCombo::needs() const { return needs_; }

Expected<Answer> MaxCombo::run(Frame const& frame) const {
  const auto codes = find_levels(difference, frame.categories(group), group);
  if (!codes) return tl::unexpected(codes.error());
  const Strata strata_of = combine(frame, strata);
  const Pair pair = rows_of(frame, *this, *codes, strata_of);
  const Frame compared{.rows = pair.time.size(),
                       .columns = {{time, NumbersView(pair.time)}, {event, NumbersView(pair.event)}}};
  auto data = survival_rows(compared, time, event, {}, near_ties);
  if (!data) return tl::unexpected(data.error());
  const FlemingHarringtonFamily family = fleming_harrington_family(*data, pair.in_first, pair.stratum, strata_of.count, weights);

  // Components without a variance are left out.
  const std::size_t m = weights.size();
  std::vector<std::size_t> kept;
  std::vector<std::string> silent;
  double statistic = 0;
  std::size_t largest = 0;
  for (std::size_t a = 0; a < m; ++a) {
    if (std::isnan(family.z[a])) {
      silent.push_back(to_text(weights[a]));
      continue;
    }
    kept.push_back(a);
    if (std::abs(family.z[a]) > statistic || kept.size() == 1) statistic = std::abs(family.z[a]), largest = a;
  }
  const std::size_t k = kept.size();
  std::vector<double> correlation(k * k);
  for (std::size_t a = 0; a < k; ++a)
    for (std::size_t b = 0; b < k; ++b) correlation[a * k + b] = family.correlation[kept[a] * m + kept[b]];
  const std::vector<double> lower(k, -statistic), upper(k, statistic);

  Answer answer;
  const auto n = std::int64_t(data->size());
  Finding test{.quantity = "statistic", .p = missing_number, .n = n};
  if (k > 0) {
    const auto outside = numerics::multivariate_normal_outside(correlation, lower, upper);
    if (outside.rank > numerics::most_normal_components)
      return fail(Code::out_of_range,
                  "the {} components of the MaxCombo test hold {} independent ones, and its P value is computed for {} at most",
                  k, outside.rank, numerics::most_normal_components);
    test.value = statistic, test.p = outside.probability;
    answer.notes.push_back(fmt::format(
        "The largest of {} Fleming-Harrington statistics, with {}: z = {:.4g}. P is two-sided, from the joint normal distribution "
        "of all ({} independent), by quadrature.",
        k, to_text(weights[largest]), family.z[largest], outside.rank));
    answer.notes.push_back(
        fmt::format("z is positive when '{}' has more events than expected and '{}' fewer.", difference.level, difference.minus));
  } else {
    std::size_t events = 0;
    for (const std::uint8_t e : data->event) events += e;
    answer.notes.emplace_back(events == 0 ? "No event: the MaxCombo test is not estimable."
                                          : "Never were two groups at risk together at an event that counts: the MaxCombo test is "
                                            "not estimable.");
  }
  answer.findings.push_back(std::move(test));
  for (std::size_t a = 0; a < m; ++a)
    answer.findings.push_back({.quantity = "z",
                               .at = {{"index", double(a + 1)}},
                               .value = family.z[a],
                               .p = numerics::normal_two_sided(family.z[a]),
                               .n = n});
  std::vector<std::string> names;
  for (std::size_t a = 0; a < m; ++a) names.push_back(fmt::format("{} {}", a + 1, to_text(weights[a])));
  answer.notes.push_back(fmt::format("Components: {}. Their own P values are not adjusted.", fmt::join(names, "; ")));
  if (k > 0 && !silent.empty())
    answer.notes.push_back(fmt::format("No event counts in the component{} with {}, which {} left out.",
                                       silent.size() == 1 ? "" : "s", fmt::join(silent, " and "),
                                       silent.size() == 1 ? "is" : "are"));
  if (!strata.empty())
    answer.notes.push_back(
        fmt::format("Stratified by {}: {} strat{}.", quoted(strata), strata_of.count, strata_of.count == 1 ? "um" : "a"));
  if (const std::string note = merged_note(*data); !note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats

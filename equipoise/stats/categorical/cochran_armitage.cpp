#include "equipoise/stats/categorical/cochran_armitage.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/sum.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {
namespace {

constexpr std::size_t most_values = 1'000'000;

/// Scores around their weighted mean, divided by the largest distance: z and the exact p do not change, and no square overflows.
/// Empty when all scores of groups with somebody are equal.
std::vector<double> centred(std::span<const double> sizes, std::span<const double> scores) {
  double largest = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i] > 0) largest = std::max(largest, std::abs(scores[i]));
  numerics::Sum total, n;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i] > 0) total.add(sizes[i] * (scores[i] / largest)), n.add(sizes[i]);
  std::vector<double> distance(sizes.size(), 0.0);
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (!(sizes[i] > 0)) continue;
    low = std::min(low, scores[i]), high = std::max(high, scores[i]);
    distance[i] = scores[i] / largest - total.value() / n.value();
  }
  if (!(high > low)) return {};
  double widest = 0;
  for (const double d : distance) widest = std::max(widest, std::abs(d));
  for (double& d : distance) d /= widest;
  return distance;
}

/// Ways to reach a number of events with a value of the statistic.
struct Reached {
  double value, weight;
};

void merge_equal(std::vector<Reached>& list) {
  std::stable_sort(list.begin(), list.end(), [](Reached const& x, Reached const& y) { return x.value < y.value; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (kept > 0 && list[i].value - list[kept - 1].value <= 1e-9) list[kept - 1].weight += list[i].weight;
    else list[kept++] = list[i];
  }
  list.resize(kept);
}

}  // namespace

double cochran_armitage_z(std::span<const double> events, std::span<const double> sizes, std::span<const double> scores) {
  const std::vector<double> distance = centred(sizes, scores);
  if (distance.empty()) return missing_number;
  numerics::Sum t, squares;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    t.add(distance[i] * events[i]);
    squares.add(sizes[i] * distance[i] * distance[i]);
  }
  const double n = numerics::sum(sizes), x = numerics::sum(events);
  if (!(x > 0 && x < n)) return missing_number;
  return t.value() / std::sqrt(x / n * ((n - x) / n) * squares.value());
}

Expected<double> cochran_armitage_exact(std::span<const double> events, std::span<const double> sizes,
                                        std::span<const double> scores) {
  const std::vector<double> distance = centred(sizes, scores);
  const double x = numerics::sum(events);
  if (distance.empty() || !(x > 0 && x < numerics::sum(sizes))) return missing_number;
  numerics::Sum observed;
  for (std::size_t i = 0; i < sizes.size(); ++i) observed.add(distance[i] * events[i]);
  const auto most = std::size_t(x);
  std::vector<std::vector<Reached>> by_events(most + 1);
  by_events[0].push_back({0.0, 1.0});
  double rest = numerics::sum(sizes);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const double n = sizes[i];
    rest -= n;
    std::vector<std::vector<Reached>> next(most + 1);
    // Weights C(n, k) / 2^n: their sums stay between 0 and 1, and the common factor drops out at the end.
    std::vector<double> ways(std::size_t(n) + 1);
    for (std::size_t k = 0; k < ways.size(); ++k)
      ways[k] = std::exp(std::lgamma(n + 1) - std::lgamma(double(k) + 1) - std::lgamma(n - double(k) + 1) - n * std::log(2.0));
    std::size_t kept = 0;
    for (std::size_t e = 0; e <= most; ++e)
      for (std::size_t k = 0; k < ways.size() && e + k <= most; ++k) {
        if (double(most - e - k) > rest) continue;  // the groups left cannot have that many
        for (Reached const& from : by_events[e]) {
          next[e + k].push_back({from.value + distance[i] * double(k), from.weight * ways[k]});
          if (++kept > 20 * most_values)
            return fail(Code::out_of_range, "the exact trend test of {} events has too many outcomes; leave out exact = true", x);
        }
      }
    kept = 0;
    for (std::vector<Reached>& list : next) {
      merge_equal(list);
      kept += list.size();
    }
    if (kept > most_values)
      return fail(Code::out_of_range, "the exact trend test of {} events has too many outcomes; leave out exact = true", x);
    by_events = std::move(next);
  }
  numerics::Sum total, extreme;
  for (Reached const& one : by_events[most]) {
    total.add(one.weight);
    if (std::abs(one.value) >= std::abs(observed.value()) - 1e-8) extreme.add(one.weight);
  }
  return std::min(1.0, extreme.value() / total.value());
}

MethodCard const& CochranArmitage::card() {
  static const MethodCard card{.keyword = "cochran_armitage_trend",
                               .title = "Cochran-Armitage trend test",
                               .roles = {{"response", Need::number, Presence::required, "1 or 0"},
                                         {"group", Need::category, Presence::required, "the groups in order of their scores"}},
                               .options = {{"scores", "{ group = number, ... }", "score of each group"},
                                           {"exact", "true | false", "exact p value given the margins (false)"}},
                               .quantities = {"chi_square", "df", "z", "p", "n", "n_events"},
                               .binary_response = true};
  return card;
}

std::optional<CochranArmitage> CochranArmitage::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  CochranArmitage method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.group = role(roles, "group");
  if (const auto scores = parse_scores(options, "scores", true)) method.scores = *scores;
  method.exact = options.flag("exact").value_or(false);
  if (method.response == method.group && !method.group.empty())
    add_problem(options.problems(), options.place(), Code::inconsistent,
                "cochran_armitage_trend takes column '{}' both as response and as group", method.group);
  return options.problems().size() == problems_before ? std::optional(std::move(method)) : std::nullopt;
}

Expected<Answer> CochranArmitage::run(Frame const& frame) const {
  CategoriesView const& groups = frame.categories(group);
  const auto by_level = scores_by_level(scores, groups, group);
  if (!by_level) return tl::unexpected(by_level.error());
  const NumbersView responses = frame.numbers(response);
  const std::size_t k = groups.levels.size();
  std::vector<double> events(k, 0), sizes(k, 0);
  for (std::size_t i = 0; i < frame.rows; ++i) {
    if (responses[i] != 0 && responses[i] != 1)
      return fail(Code::bad_cell, "column '{}' holds {}: a response is 1 or 0", response, shortest(responses[i]));
    const auto g = std::size_t(groups.codes[i]);
    ++sizes[g];
    events[g] += responses[i];
  }
  const double z = cochran_armitage_z(events, sizes, *by_level);
  const bool estimable = !std::isnan(z);
  double p = numerics::normal_two_sided(z);
  Answer answer;
  if (!estimable) {
    const auto present = std::count_if(sizes.begin(), sizes.end(), [](double n) { return n > 0; });
    answer.notes.emplace_back(present < 2 ? "Fewer than two groups have anybody: the trend is not estimable."
                              : centred(sizes, *by_level).empty() ? "All groups have one score: the trend is not estimable."
                                                                  : "All responses are equal: the trend is not estimable.");
  } else if (exact) {
    const auto exact_p = cochran_armitage_exact(events, sizes, *by_level);
    if (!exact_p) return tl::unexpected(exact_p.error());
    p = *exact_p;
    answer.notes.emplace_back("The P value is exact given the margins; z and chi-square are the large-sample statistics.");
  }
  const auto n = std::int64_t(frame.rows);
  answer.findings.push_back(
      {.quantity = "chi_square", .value = z * z, .df = estimable ? 1.0 : missing_number, .p = p, .n = n});
  answer.findings.push_back({.quantity = "z", .value = z, .p = p});
  if (estimable) answer.notes.emplace_back("z is positive when the share rises with the score.");
  for (std::size_t g = 0; g < k; ++g) {
    const auto size = std::int64_t(sizes[g]);
    answer.findings.push_back({.quantity = "n", .at = {{"group", groups.levels[g]}}, .value = sizes[g], .n = size});
    answer.findings.push_back({.quantity = "n_events", .at = {{"group", groups.levels[g]}}, .value = events[g], .n = size});
  }
  return answer;
}

}  // namespace equipoise::stats

#include "equipoise/stats/survival/log_rank_trend.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/sum.h"
#include "equipoise/stats/parts.h"
#include "equipoise/stats/strata.h"

namespace equipoise::stats {
namespace {

/// Scores from 0 to 1 in the order of the levels; a level without a score (nobody has it) 0. Empty when all are one number.
std::vector<double> unit_scores(std::vector<double> scores) {
  double low = INFINITY, high = -INFINITY;
  for (const double score : scores)
    if (!std::isnan(score)) low = std::min(low, score), high = std::max(high, score);
  if (!(low < high)) return {};
  const double width = high / 2 - low / 2;  // halves: the difference of two numbers may be too large for one
  for (double& score : scores) score = std::isnan(score) ? 0 : (score / 2 - low / 2) / width;
  return scores;
}

}  // namespace

MethodCard const& LogRankTrend::card() {
  static const MethodCard card{.keyword = "log_rank_trend",
                               .title = "Log-rank test for trend",
                               .roles = {{"time", Need::number, Presence::required, "time to event or censoring"},
                                         {"event", Need::number, Presence::required, "1 event, 0 censored"},
                                         {"group", Need::category, Presence::required, "the ordered groups"},
                                         {"strata", Need::category, Presence::optional, "their combinations are the strata"}},
                               .options = {{"scores", "{ group = number, ... }", "the score of each group; must be given"}, near_ties_card},
                               .quantities = {"chi_square", "df", "p", "z"},
                               .comparison = Comparison::all_arms};
  return card;
}

std::optional<LogRankTrend> LogRankTrend::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  LogRankTrend method;
  check_roles(card(), roles, options);
  method.time = role(roles, "time");
  method.event = role(roles, "event");
  method.group = role(roles, "group");
  method.strata = role_columns(roles, "strata");
  method.scores = parse_scores(options, "scores", true).value_or(std::map<std::string, double>{});
  method.near_ties = parse_near_ties(options);
  add_need(method.needs_, {method.time, Need::number}, options);
  add_need(method.needs_, {method.event, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  for (std::string const& column : method.strata) add_need(method.needs_, {column, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> LogRankTrend::needs() const { return needs_; }

Expected<Answer> LogRankTrend::run(Frame const& frame) const {
  auto data = survival_rows(frame, time, event, {}, near_ties);
  if (!data) return tl::unexpected(data.error());
  CategoriesView const& category = frame.categories(group);
  const auto by_level = scores_by_level(scores, category, group);
  if (!by_level) return tl::unexpected(by_level.error());
  const std::vector<double> w = unit_scores(*by_level);
  const std::size_t k = category.levels.size();
  const Strata strata_of = combine(frame, strata);
  const LogRankSums sums = log_rank_sums(*data, category.codes, k, strata_of.code, strata_of.count);

  Answer answer;
  // Reasons why nothing can be said are those of the log-rank test.
  std::vector<std::string> reasons;
  const Finding all = log_rank_chi_square(sums, category, group, "log-rank test for trend", !strata.empty(), reasons);
  double z = missing_number;
  if (std::isnan(all.value)) {
    answer.notes = reasons;
  } else if (w.empty()) {
    answer.notes.emplace_back("All groups have the same score: there is no trend to test.");
  } else {
    numerics::Sum excess, variance;
    for (std::size_t j = 0; j < k; ++j) {
      excess.add(w[j] * (sums.observed[j] - sums.expected[j]));
      // Rows of V sum to 0, so w'V w is a sum over pairs, every term of which is 0 or more: nothing cancels.
      for (std::size_t l = 0; l < j; ++l) variance.add(-sums.covariance[j * k + l] * (w[j] - w[l]) * (w[j] - w[l]));
    }
    if (variance.value() > 0) z = excess.value() / std::sqrt(variance.value());
    else
      answer.notes.emplace_back(
          "At no event were groups of different scores at risk together: the log-rank test for trend is not estimable.");
  }
  const auto n = std::int64_t(frame.rows);
  const bool known = !std::isnan(z);
  answer.findings.push_back({.quantity = "chi_square",
                             .value = z * z,
                             .df = known ? 1 : missing_number,
                             .p = known ? numerics::normal_two_sided(z) : missing_number,
                             .n = n});
  answer.findings.push_back({.quantity = "z", .value = z, .n = n});

  std::vector<std::string> used;
  for (std::size_t j = 0; j < k; ++j)
    if (!std::isnan((*by_level)[j])) used.push_back(fmt::format("'{}' {}", category.levels[j], shortest((*by_level)[j])));
  answer.notes.push_back(fmt::format("Scores: {}. z is positive when groups of higher score have more events than expected.",
                                     fmt::join(used, ", ")));
  if (!strata.empty())
    answer.notes.push_back(
        fmt::format("Stratified by {}: {} strat{}.", quoted(strata), strata_of.count, strata_of.count == 1 ? "um" : "a"));
  if (const std::string note = merged_note(*data); !note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats

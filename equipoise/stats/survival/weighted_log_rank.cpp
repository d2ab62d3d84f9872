#include "equipoise/stats/survival/weighted_log_rank.h"

#include <cmath>

#include "equipoise/stats/strata.h"

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, RankWeight> weight_words[] = {{"gehan_breslow", RankWeight::gehan_breslow},
                                                                    {"tarone_ware", RankWeight::tarone_ware},
                                                                    {"modified_peto_peto", RankWeight::modified_peto_peto}};

std::string_view sentence(RankWeight weight) {
  switch (weight) {
    case RankWeight::gehan_breslow:
      return "Each event counts for the number at risk at its time (Gehan, Breslow).";
    case RankWeight::tarone_ware:
      return "Each event counts for the square root of the number at risk at its time (Tarone, Ware).";
    case RankWeight::modified_peto_peto:
      break;
  }
  return "Each event counts for about the share of all participants still without the event (Peto, Peto, modified).";
}

/// (O - E) / sqrt(V) of `level`. Of two groups it is minus that of the other, so that its sign has a meaning.
Finding standardised_excess(LogRankSums const& sums, std::size_t groups, DifferenceCodes codes, double df,
                            std::vector<std::string>& notes, Difference const& names, std::string_view column) {
  const auto level = std::size_t(codes.level), minus = std::size_t(codes.minus);
  const double variance = sums.covariance[level * groups + level];
  Finding z{.quantity = "z"};
  if (std::isnan(df)) return z;
  // A group that was never at risk has a variance of exactly 0, and every other one that shares a degree of freedom has more.
  if (df > 1 || !(variance > 0) || !(sums.covariance[minus * groups + minus] > 0)) {
    notes.push_back(fmt::format(
        "z compares two groups, and those of '{}' with anybody at risk are not just '{}' and '{}': z is not estimable.", column,
        names.level, names.minus));
    return z;
  }
  z.value = (sums.observed[level] - sums.expected[level]) / std::sqrt(variance);
  notes.push_back(fmt::format("z is positive when '{}' has more events than expected and '{}' fewer.", names.level, names.minus));
  return z;
}

}  // namespace

std::vector<double> rank_weights(RankWeight weight, PooledTimes const& times) {
  std::vector<double> weights = times.at_risk;
  double survival = 1;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double n = times.at_risk[i];
    survival *= (n + 1 - times.events[i]) / (n + 1);
    if (weight == RankWeight::tarone_ware) weights[i] = std::sqrt(n);
    if (weight == RankWeight::modified_peto_peto) weights[i] = survival;
  }
  return weights;
}

MethodCard const& WeightedLogRank::card() {
  static const MethodCard card{
      .keyword = "weighted_log_rank",
      .title = "Weighted log-rank test",
      .roles = {{"time", Need::number, Presence::required, "time to event or censoring"},
                {"event", Need::number, Presence::required, "1 event, 0 censored"},
                {"group", Need::category, Presence::required, "the groups compared"},
                {"strata", Need::category, Presence::optional, "their combinations are the strata, each with its own weights"}},
      .options = {{"weight", "gehan_breslow | tarone_ware | modified_peto_peto", "what an event counts for"},
                  {"difference", "{ level, minus }", "the two groups that z compares; without it there is no z"},
                  near_ties_card},
      .quantities = {"chi_square", "df", "p", "z"},
      .comparison = Comparison::pairwise};
  return card;
}

std::optional<WeightedLogRank> WeightedLogRank::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  WeightedLogRank method;
  check_roles(card(), roles, options);
  method.time = role(roles, "time");
  method.event = role(roles, "event");
  method.group = role(roles, "group");
  method.strata = role_columns(roles, "strata");
  if (options.need("weight")) method.weight = options.word<RankWeight>("weight", weight_words).value_or(method.weight);
  method.difference = parse_difference(options, false);
  method.near_ties = parse_near_ties(options);
  add_need(method.needs_, {method.time, Need::number}, options);
  add_need(method.needs_, {method.event, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  for (std::string const& column : method.strata) add_need(method.needs_, {column, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> WeightedLogRank::needs() const { return needs_; }

Expected<Answer> WeightedLogRank::run(Frame const& frame) const {
  return weighted_log_rank_answer(
      frame, {time, event, group, strata, difference, near_ties, "weighted log-rank test"},
      [this](PooledTimes const& times) { return rank_weights(weight, times); }, {std::string(sentence(weight))});
}

Expected<Answer> weighted_log_rank_answer(Frame const& frame, WeightedComparison const& comparison, TimeWeights const& weights,
                                          std::vector<std::string> notes) {
  auto const& [time, event, group, strata, difference, near_ties, test_name] = comparison;
  auto data = survival_rows(frame, time, event, {}, near_ties);
  if (!data) return tl::unexpected(data.error());
  CategoriesView const& category = frame.categories(group);
  std::optional<DifferenceCodes> codes;
  if (difference) {
    const auto found = find_levels(*difference, category, group);
    if (!found) return tl::unexpected(found.error());
    codes = *found;
  }
  const std::size_t groups = category.levels.size();
  const Strata strata_of = combine(frame, strata);
  std::size_t events = 0;
  for (const std::uint8_t e : data->event) events += e;
  bool counts = false;  // whether any event has a weight
  const LogRankSums sums =
      log_rank_sums(*data, category.codes, groups, strata_of.code, strata_of.count, [&](PooledTimes const& times) {
        std::vector<double> of_times = weights(times);
        for (const double w : of_times) counts = counts || w > 0;
        return of_times;
      });

  Answer answer;
  answer.notes = std::move(notes);
  Finding test{.quantity = "chi_square", .df = missing_number, .p = missing_number, .n = std::int64_t(frame.rows)};
  if (events > 0 && !counts)
    answer.notes.push_back(fmt::format("No event has a weight above 0: the {} is not estimable.", test_name));
  else test = log_rank_chi_square(sums, category, group, test_name, !strata.empty(), answer.notes);
  const double df = test.df.value_or(missing_number);
  answer.findings.push_back(std::move(test));
  if (codes) answer.findings.push_back(standardised_excess(sums, groups, *codes, df, answer.notes, *difference, group));
  if (!strata.empty())
    answer.notes.push_back(
        fmt::format("Stratified by {}: {} strat{}.", quoted(strata), strata_of.count, strata_of.count == 1 ? "um" : "a"));
  if (const std::string note = merged_note(*data); !note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats

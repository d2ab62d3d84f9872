#include "equipoise/stats/survival/log_rank.h"

#include <algorithm>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/semidefinite.h"
#include "equipoise/stats/parts.h"
#include "equipoise/stats/strata.h"

namespace equipoise::stats {
namespace {

// Rounding leaves about 1e-16 k of a variance where the exact pivot is 0; a group of one person among 1e8 still has 1e-8 of it.
constexpr double singular = 1e-10;

std::vector<std::int64_t> level_counts(CategoriesView const& groups) {
  std::vector<std::int64_t> n(groups.levels.size(), 0);
  for (const std::int32_t code : groups.codes) ++n[std::size_t(code)];
  return n;
}

/// From the last time of a stratum back, so that the risk set grows: `enter` for each row, then `at_event` for each time with
/// events.
template <class Enter, class AtEvent>
void back_from_last_time(SurvivalRows const& data, std::span<const std::uint32_t> rows, Enter enter, AtEvent at_event) {
  double N = 0;
  for (std::size_t end = rows.size(); end > 0;) {
    const double t = data.time[rows[end - 1]];
    double d = 0;
    for (; end > 0 && data.time[rows[end - 1]] == t; --end) {
      ++N, d += data.event[rows[end - 1]];
      enter(rows[end - 1]);
    }
    if (d > 0) at_event(N, d);
  }
}

PooledTimes pooled_times(SurvivalRows const& data, std::span<const std::uint32_t> rows) {
  PooledTimes times;
  back_from_last_time(
      data, rows, [](std::uint32_t) {},
      [&](double N, double d) {
        times.at_risk.push_back(N);
        times.events.push_back(d);
      });
  std::reverse(times.at_risk.begin(), times.at_risk.end());
  std::reverse(times.events.begin(), times.events.end());
  return times;
}

/// The risk sets of all strata at one time, as time goes on. K groups, or any number when K is 0.
template <std::size_t K>
class RiskSets {
 public:
  RiskSets(std::span<const std::int64_t> class_rows, std::size_t groups, LogRankSums& sums)
      : k_(K > 0 ? K : groups), sums_(sums), at_risk_(class_rows.begin(), class_rows.end()), deaths_(at_risk_.size(), 0.0),
        leaving_(at_risk_.size(), 0.0), touched_(at_risk_.size() / k_, 0) {}

  void operator()(double t, std::uint32_t c, std::uint32_t events, std::uint32_t rows) {
    if (t != time_ && !open_.empty()) close();
    time_ = t;
    const auto stratum = std::uint32_t(c / k_);
    if (!touched_[stratum]) touched_[stratum] = 1, open_.push_back(stratum);
    deaths_[c] += events;
    leaving_[c] += rows;
  }

  void close() {
    for (const std::uint32_t stratum : open_) {
      const std::size_t first = stratum * k_;
      double N = 0, d = 0;
      for (std::size_t j = 0; j < k_; ++j) N += at_risk_[first + j], d += deaths_[first + j];
      if (d > 0) at_event(&at_risk_[first], &deaths_[first], N, d);
      for (std::size_t j = 0; j < k_; ++j) {
        at_risk_[first + j] -= leaving_[first + j];
        deaths_[first + j] = leaving_[first + j] = 0;
      }
      touched_[stratum] = 0;
    }
    open_.clear();
  }

 private:
  void at_event(double const* at_risk, double const* deaths, double N, double d) {
    const double spread = d == 1 ? double(N > 1) : N > 1 ? d * (N - d) / (N - 1) : 0;
    const double one_share = 1 / N;
    double* covariance = sums_.covariance.data();
    for (std::size_t j = 0; j < k_; ++j, covariance += k_) {
      const double share = at_risk[j] * one_share;
      sums_.observed[j] += deaths[j];
      sums_.expected[j] += d * share;
      for (std::size_t i = 0; i < j; ++i) covariance[i] -= spread * share * (at_risk[i] * one_share);
      covariance[j] += spread * share * ((N - at_risk[j]) * one_share);
    }
  }

  std::size_t k_;
  LogRankSums& sums_;
  std::vector<double> at_risk_, deaths_, leaving_;  // by class
  std::vector<std::uint8_t> touched_;               // by stratum: has rows at this time
  std::vector<std::uint32_t> open_;                 // those strata
  double time_ = 0;
};

template <std::size_t K>
void sum_forward(OrderedTimes const& data, std::size_t groups, LogRankSums& sums) {
  RiskSets<K> sets(data.class_rows(), groups, sums);
  data.forward([&](double t, std::uint32_t c, std::uint32_t events, std::uint32_t rows) { sets(t, c, events, rows); });
  sets.close();
}

}  // namespace

LogRankSums log_rank_sums(OrderedTimes const& data, std::size_t groups) {
  LogRankSums sums{std::vector<double>(groups), std::vector<double>(groups), std::vector<double>(groups * groups)};
  if (groups == 0) return sums;
  if (groups == 2) sum_forward<2>(data, groups, sums);
  else if (groups == 3) sum_forward<3>(data, groups, sums);
  else if (groups == 4) sum_forward<4>(data, groups, sums);
  else sum_forward<0>(data, groups, sums);
  for (std::size_t j = 0; j < groups; ++j)
    for (std::size_t i = 0; i < j; ++i) sums.covariance[i * groups + j] = sums.covariance[j * groups + i];
  return sums;
}

LogRankSums log_rank_sums(SurvivalRows const& data, std::span<const std::int32_t> group, std::size_t groups,
                          std::span<const std::int32_t> stratum, std::size_t strata, TimeWeights const& weights) {
  LogRankSums sums{std::vector<double>(groups), std::vector<double>(groups), std::vector<double>(groups * groups)};
  std::vector<double> at_risk(groups), deaths(groups), weight_at;
  const Partition parts = partition(data.by_time, stratum, strata);
  for (std::size_t s = 0; s < strata; ++s) {
    const std::span<const std::uint32_t> rows = parts.of(s);
    std::fill(at_risk.begin(), at_risk.end(), 0.0);
    if (weights) {
      const PooledTimes times = pooled_times(data, rows);
      weight_at = weights(times);
      expects(weight_at.size() == times.events.size(), "there is one weight for each event time");
    }
    const auto enter = [&](std::uint32_t row) {
      const auto g = std::size_t(group[row]);
      ++at_risk[g];
      deaths[g] += data.event[row];
    };
    const auto at_event = [&](double N, double d) {
      double w = 1;
      if (weights) w = weight_at.back(), weight_at.pop_back();
      const double spread = N > 1 ? w * w * (d * (N - d) / (N - 1)) : 0;
      for (std::size_t j = 0; j < groups; ++j) {
        sums.observed[j] += w * deaths[j];
        deaths[j] = 0;
        if (at_risk[j] == 0) continue;
        const double share = at_risk[j] / N;
        sums.expected[j] += w * d * share;
        for (std::size_t k = 0; k < groups; ++k) sums.covariance[j * groups + k] += spread * share * ((j == k) - at_risk[k] / N);
      }
    };
    back_from_last_time(data, rows, enter, at_event);
  }
  return sums;
}

Finding log_rank_chi_square(LogRankSums const& sums, CategoriesView const& groups, std::string_view column, std::string_view test,
                            bool stratified, std::vector<std::string>& notes) {
  const std::size_t k = groups.levels.size();
  std::vector<double> difference(k);
  double events = 0;
  const std::vector<std::int64_t> n = level_counts(groups);
  const auto present =
      k - std::size_t(std::count(n.begin(), n.end(), 0));  // an arm left out of a comparison is a level with nobody
  std::vector<std::string> never_at_risk;
  for (std::size_t j = 0; j < k; ++j) {
    difference[j] = sums.observed[j] - sums.expected[j];
    events += sums.observed[j];
    if (sums.expected[j] == 0 && n[j] > 0) never_at_risk.push_back(groups.levels[j]);
  }
  numerics::SemidefiniteFactor covariance(k);
  covariance.factor(sums.covariance, singular);

  Finding finding{.quantity = "chi_square", .df = missing_number, .p = missing_number, .n = std::int64_t(groups.codes.size())};
  if (events == 0) {
    notes.push_back(fmt::format("No event: the {} is not estimable.", test));
  } else if (present < 2) {
    notes.push_back(fmt::format("Only one group of '{}' has anybody: the {} is not estimable.", column, test));
  } else if (covariance.rank() == 0) {
    notes.push_back(
        stratified ? fmt::format("In no stratum were two groups at risk together at an event: the {} is not estimable.", test)
                   : fmt::format("Never were two groups at risk together at an event: the {} is not estimable.", test));
  } else {
    const double df = double(covariance.rank());
    finding.value = covariance.quadratic_form(difference);
    finding.df = df;
    finding.p = numerics::chi_square_upper(finding.value, df);
    if (!never_at_risk.empty())
      notes.push_back(
          fmt::format("{} {}: nobody at risk at any event; left out of the degrees of freedom.", column, quoted(never_at_risk)));
    else if (covariance.rank() + 1 < present)
      notes.push_back(fmt::format("The strata do not connect all groups of '{}': {} degree{} of freedom instead of {}.", column,
                                  covariance.rank(), covariance.rank() == 1 ? "" : "s", present - 1));
  }
  return finding;
}

MethodCard const& LogRank::card() {
  static const MethodCard card{.keyword = "log_rank",
                               .title = "Log-rank test",
                               .roles = {{"time", Need::number, Presence::required, "time to event or censoring"},
                                         {"event", Need::number, Presence::required, "1 event, 0 censored"},
                                         {"group", Need::category, Presence::required, "the groups compared"},
                                         {"strata", Need::category, Presence::optional, "their combinations are the strata"}},
                               .options = {near_ties_card},
                               .quantities = {"chi_square", "df", "p", "observed", "expected", "n"},
                               .comparison = Comparison::pairwise};
  return card;
}

std::optional<LogRank> LogRank::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  LogRank method;
  check_roles(card(), roles, options);
  method.time = role(roles, "time");
  method.event = role(roles, "event");
  method.group = role(roles, "group");
  method.strata = role_columns(roles, "strata");
  method.near_ties = parse_near_ties(options);
  add_need(method.needs_, {method.time, Need::number}, options);
  add_need(method.needs_, {method.event, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  for (std::string const& column : method.strata) add_need(method.needs_, {column, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> LogRank::needs() const { return needs_; }

Expected<Answer> LogRank::run(Frame const& frame) const {
  CategoriesView const& category = frame.categories(group);
  const std::size_t groups = category.levels.size();
  const Strata strata_of = strata.empty() ? Strata{{}, frame.rows > 0 ? std::size_t(1) : 0} : combine(frame, strata);
  std::vector<std::int32_t> classes(strata_of.code.size());
  for (std::size_t i = 0; i < classes.size(); ++i) classes[i] = strata_of.code[i] * std::int32_t(groups) + category.codes[i];
  auto data = OrderedTimes::of(frame, time, event, strata.empty() ? category.codes : std::span<const std::int32_t>(classes),
                               groups * std::max(strata_of.count, std::size_t(1)), near_ties);
  if (!data) return tl::unexpected(data.error());
  const LogRankSums sums = log_rank_sums(*data, groups);
  const std::vector<std::int64_t> n = level_counts(category);

  Answer answer;
  answer.findings.push_back(log_rank_chi_square(sums, category, group, "log-rank test", !strata.empty(), answer.notes));
  for (std::size_t j = 0; j < groups; ++j) {
    const At at{{"group", category.levels[j]}};
    answer.findings.push_back({.quantity = "observed", .at = at, .value = sums.observed[j], .n = n[j]});
    answer.findings.push_back({.quantity = "expected", .at = at, .value = sums.expected[j], .n = n[j]});
    answer.findings.push_back({.quantity = "n", .at = at, .value = double(n[j]), .n = n[j]});
  }
  if (!strata.empty())
    answer.notes.push_back(
        fmt::format("Stratified by {}: {} strat{}.", quoted(strata), strata_of.count, strata_of.count == 1 ? "um" : "a"));
  if (const std::string note = near_ties_note(data->near(), near_ties); !note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats

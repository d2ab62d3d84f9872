#include "equipoise/stats/survival/log_rank.h"

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/semidefinite.h"
#include "equipoise/stats/parts.h"
#include "equipoise/stats/strata.h"

namespace equipoise::stats {
namespace {

// Rounding leaves about 1e-16 k of a variance where the exact pivot is 0; a group of one person among 1e8 still has 1e-8 of it.
constexpr double singular = 1e-10;

}  // namespace

LogRankSums log_rank_sums(SurvivalRows const& data, std::span<const std::int32_t> group, std::size_t groups,
                          std::span<const std::int32_t> stratum, std::size_t strata) {
  LogRankSums sums{std::vector<double>(groups), std::vector<double>(groups), std::vector<double>(groups * groups)};
  std::vector<double> at_risk(groups), deaths(groups);
  const Partition parts = partition(data.by_time, stratum, strata);
  for (std::size_t s = 0; s < strata; ++s) {
    const std::span<const std::uint32_t> rows = parts.of(s);
    std::fill(at_risk.begin(), at_risk.end(), 0.0);
    double N = 0;
    for (std::size_t end = rows.size(); end > 0;) {  // from the last time back: the risk set grows
      const double t = data.time[rows[end - 1]];
      double d = 0;
      for (; end > 0 && data.time[rows[end - 1]] == t; --end) {
        const std::uint32_t row = rows[end - 1];
        const auto g = std::size_t(group[row]);
        ++at_risk[g], ++N;
        deaths[g] += data.event[row], d += data.event[row];
      }
      if (d == 0) continue;
      const double spread = N > 1 ? d * (N - d) / (N - 1) : 0;
      for (std::size_t j = 0; j < groups; ++j) {
        sums.observed[j] += deaths[j];
        deaths[j] = 0;
        if (at_risk[j] == 0) continue;
        const double share = at_risk[j] / N;
        sums.expected[j] += d * share;
        for (std::size_t k = 0; k < groups; ++k) sums.covariance[j * groups + k] += spread * share * ((j == k) - at_risk[k] / N);
      }
    }
  }
  return sums;
}

MethodCard const& LogRank::card() {
  static const MethodCard card{.keyword = "log_rank",
                               .title = "Log-rank test",
                               .roles = {{"time", Need::number, Presence::required, "time to event or censoring"},
                                         {"event", Need::number, Presence::required, "1 event, 0 censored"},
                                         {"group", Need::category, Presence::required, "the groups compared"},
                                         {"strata", Need::category, Presence::optional, "their combinations are the strata"}},
                               .options = {},
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
  add_need(method.needs_, {method.time, Need::number}, options);
  add_need(method.needs_, {method.event, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  for (std::string const& column : method.strata) add_need(method.needs_, {column, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> LogRank::needs() const { return needs_; }

Expected<Answer> LogRank::run(Frame const& frame) const {
  auto data = survival_rows(frame, time, event);
  if (!data) return tl::unexpected(data.error());
  CategoriesView const& category = frame.categories(group);
  const std::size_t groups = category.levels.size();
  const Strata strata_of = combine(frame, strata);
  const LogRankSums sums = log_rank_sums(*data, category.codes, groups, strata_of.code, strata_of.count);

  std::vector<double> difference(groups);
  double events = 0;
  std::size_t present = 0;
  std::vector<std::int64_t> n(groups, 0);
  for (const std::int32_t code : category.codes) ++n[std::size_t(code)];
  std::vector<std::string> never_at_risk;
  for (std::size_t j = 0; j < groups; ++j) {
    difference[j] = sums.observed[j] - sums.expected[j];
    events += sums.observed[j];
    if (n[j] > 0) ++present;
    if (sums.expected[j] == 0) never_at_risk.push_back(category.levels[j]);
  }
  numerics::SemidefiniteFactor covariance(groups);
  covariance.factor(sums.covariance, singular);

  Answer answer;
  Finding test{.quantity = "chi_square", .df = missing_number, .p = missing_number, .n = std::int64_t(frame.rows)};
  if (events == 0) {
    answer.notes.push_back("No event: the log-rank test is not estimable.");
  } else if (present < 2) {
    answer.notes.push_back(fmt::format("Only one group of '{}' has anybody: the log-rank test is not estimable.", group));
  } else if (covariance.rank() == 0) {
    answer.notes.push_back(strata.empty()
                               ? "Never were two groups at risk together at an event: the log-rank test is not estimable."
                               : "In no stratum were two groups at risk together at an event: the log-rank test is not estimable.");
  } else {
    const double df = double(covariance.rank());
    test.value = covariance.quadratic_form(difference);
    test.df = df;
    test.p = numerics::chi_square_upper(test.value, df);
    if (!never_at_risk.empty())
      answer.notes.push_back(fmt::format("{} {}: nobody at risk at any event; left out of the degrees of freedom.", group,
                                         quoted(never_at_risk)));
    else if (covariance.rank() + 1 < groups)
      answer.notes.push_back(fmt::format("The strata do not connect all groups of '{}': {} degree{} of freedom instead of {}.", group,
                                         covariance.rank(), covariance.rank() == 1 ? "" : "s", groups - 1));
  }
  answer.findings.push_back(std::move(test));
  for (std::size_t j = 0; j < groups; ++j) {
    const At at{{"group", category.levels[j]}};
    answer.findings.push_back({.quantity = "observed", .at = at, .value = sums.observed[j], .n = n[j]});
    answer.findings.push_back({.quantity = "expected", .at = at, .value = sums.expected[j], .n = n[j]});
    answer.findings.push_back({.quantity = "n", .at = at, .value = double(n[j]), .n = n[j]});
  }
  if (!strata.empty())
    answer.notes.push_back(fmt::format("Stratified by {}: {} strat{}.", quoted(strata), strata_of.count, strata_of.count == 1 ? "um" : "a"));
  if (const std::string note = merged_note(*data); !note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats

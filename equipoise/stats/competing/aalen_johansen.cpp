#include "equipoise/stats/competing/aalen_johansen.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/sum.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, IncidenceInterval> intervals[] = {
    {"plain", IncidenceInterval::plain}, {"log", IncidenceInterval::log}, {"log-log", IncidenceInterval::log_log}};

std::string_view name_of(IncidenceInterval interval) {
  for (auto const& [name, meaning] : intervals)
    if (meaning == interval) return name;
  return {};
}

Scale scale_of(IncidenceInterval interval) {
  if (interval == IncidenceInterval::plain) return Scale::identity;
  return interval == IncidenceInterval::log ? Scale::log : Scale::log_log;
}

struct LimitPair {
  double lower = missing_number, upper = missing_number;
};

/// F incidence, z normal half width. NaN where the scale has no such point, or nothing has happened yet.
LimitPair limits(IncidenceInterval interval, double F, double se, double z) {
  if (!(F > 0) || std::isnan(se)) return {};
  const double half = z * se;
  switch (interval) {
    case IncidenceInterval::plain:
      return {std::max(F - half, 0.0), std::min(F + half, 1.0)};
    case IncidenceInterval::log:
      return {F * std::exp(-half / F), std::min(F * std::exp(half / F), 1.0)};
    case IncidenceInterval::log_log: {
      if (F >= 1) return {};
      const double log_F = std::log(F), width = half / (F * -log_F);  // the standard error of log(-log F) times z
      return {std::exp(log_F * std::exp(width)), std::exp(log_F * std::exp(-width))};
    }
  }
  return {};
}

std::vector<double> as_numbers(std::vector<std::int64_t> const& counts) { return {counts.begin(), counts.end()}; }

std::vector<double> from_origin(std::vector<double> column, double first) {
  column.insert(column.begin(), first);
  return column;
}

}  // namespace

IncidenceCurve cumulative_incidence(CauseRows const& data, std::span<const std::uint32_t> rows, std::int32_t cause) {
  IncidenceCurve curve;
  SurvivalRows const& times = data.rows;
  // S survival before the time, F incidence, A = sum S d_k/n^2, G = sum B(s-) S d_k/n, B as in the header
  double S = 1, F = 0, A = 0, G = 0, B = 0;
  numerics::Sum aa, ab, bb;  // over rows with x <= t: a = U at F = 0, b = slope in F
  for (std::size_t i = 0; i < rows.size();) {
    const double t = times.time[rows[i]];
    const double n = double(rows.size() - i);
    std::int64_t events = 0, of_cause = 0;
    std::size_t end = i;
    for (; end < rows.size() && times.time[rows[end]] == t; ++end) {
      events += times.event[rows[end]];
      of_cause += data.cause[rows[end]] == cause;
    }
    const double d = double(events), d_k = double(of_cause);
    A += S * d_k / (n * n);
    G += B * S * d_k / n;
    F += S * d_k / n;
    const bool last = d == n;  // nobody is left: F does not change any more, and what it would be multiplied with is not needed
    if (!last) B += d / (n * (n - d));
    for (std::size_t j = i; j < end; ++j) {
      const double e = times.event[rows[j]], e_k = data.cause[rows[j]] == cause ? 1.0 : 0.0;
      const double slope = last ? 0.0 : B - e / (n - d);
      const double start = e_k * S / n - A + G - F * slope;
      aa.add(start * start), ab.add(start * slope), bb.add(slope * slope);
    }
    S *= (n - d) / n;
    curve.complete = last;
    const double at_t = G - A, left = double(rows.size() - end);
    const double variance = aa.value() + 2 * F * ab.value() + F * F * bb.value() + left * at_t * at_t;
    curve.time.push_back(t);
    curve.incidence.push_back(std::min(F, 1.0));
    curve.se.push_back(std::sqrt(std::max(variance, 0.0)));
    curve.n_at_risk.push_back(std::int64_t(rows.size() - i));
    curve.n_events.push_back(of_cause);
    i = end;
  }
  return curve;
}

MethodCard const& AalenJohansen::card() {
  static const MethodCard card{
      .keyword = "aalen_johansen",
      .title = "Cumulative incidence with competing risks",
      .roles = {{"time", Need::number, Presence::required, "time to the first event or censoring"},
                {"cause", Need::category, Presence::required, "0 censored, any other text is that cause"},
                {"group", Need::category, Presence::optional, "curves for each level"}},
      .options = {{"times", "list of numbers from 0", "times at which the curves are read"},
                  {"interval", "plain | log | log-log", "scale of the pointwise interval (log-log; match = \"r\": log)"},
                  {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
      .quantities = {"cumulative_incidence", "se", "lower", "upper", "n_at_risk", "n_events", "n"},
      .comparison = Comparison::all_arms};
  return card;
}

std::optional<AalenJohansen> AalenJohansen::parse(Roles const& roles, Section& options, Match match) {
  const std::size_t problems_before = options.problems().size();
  AalenJohansen method;
  check_roles(card(), roles, options);
  method.time = role(roles, "time");
  method.cause = role(roles, "cause");
  method.group = role(roles, "group");
  method.times = options.numbers("times", Limits{.min = 0, .max = 1e300}).value_or(std::vector<double>{});
  const auto interval = options.word<IncidenceInterval>("interval", intervals);
  method.interval = interval.value_or(match == Match::r ? IncidenceInterval::log : IncidenceInterval::log_log);
  method.level = parse_level(options);
  method.interval_note =
      fmt::format("Pointwise {} % limits: infinitesimal jackknife on the {} scale{}.", shortest(100 * method.level),
                  name_of(method.interval), interval ? "" : fmt::format(", {}", default_of(match)));
  add_need(method.needs_, {method.time, Need::number}, options);
  add_need(method.needs_, {method.cause, Need::category}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> AalenJohansen::needs() const { return needs_; }

Expected<Answer> AalenJohansen::run(Frame const& frame) const {
  const auto data = cause_rows(frame, time, cause);
  if (!data) return tl::unexpected(data.error());
  const std::vector<std::int32_t> together(group.empty() ? frame.rows : 0, 0);
  const std::size_t groups = group.empty() ? 1 : frame.categories(group).levels.size();
  const Partition parts =
      partition(data->rows.by_time, group.empty() ? std::span(together) : frame.categories(group).codes, groups);
  const double z = numerics::normal_interval(level);

  Answer answer;
  std::vector<std::string> empty_groups, ended_groups;
  for (std::size_t g = 0; g < groups; ++g) {
    At group_at;
    if (!group.empty()) group_at["group"] = frame.categories(group).levels[g];
    const std::span<const std::uint32_t> rows = parts.of(g);
    const auto n = std::int64_t(rows.size());
    bool ended = false;
    for (std::size_t k = 0; k < data->names.size(); ++k) {
      At at = group_at;
      at["cause"] = data->names[k];
      const IncidenceCurve curve = cumulative_incidence(*data, rows, std::int32_t(k) + 1);
      for (const double t : times) {
        At place = at;
        place["time"] = t;
        const double reach = t + same_time * std::abs(t);
        const auto after = std::size_t(std::upper_bound(curve.time.begin(), curve.time.end(), reach) - curve.time.begin());
        Finding found{.quantity = "cumulative_incidence", .at = place, .level = level, .n = n, .scale = scale_of(interval)};
        found.se = found.lower = found.upper = missing_number;
        if (n > 0 && after == 0) found.value = 0, found.se = 0;
        else if (n > 0 && (curve.complete || curve.time.back() >= t - same_time * std::abs(t))) {
          found.value = curve.incidence[after - 1], found.se = curve.se[after - 1];
          const LimitPair pair = limits(interval, found.value, *found.se, z);
          found.lower = pair.lower, found.upper = pair.upper;
        } else {
          ended = ended || n > 0;
        }
        answer.findings.push_back(std::move(found));
      }
      std::int64_t events = 0;
      for (const std::int64_t here : curve.n_events) events += here;
      answer.findings.push_back({.quantity = "n_events", .at = at, .value = double(events), .n = n});
      if (n == 0) continue;
      std::vector<double> lower, upper;
      for (std::size_t i = 0; i < curve.time.size(); ++i) {
        const LimitPair pair = limits(interval, curve.incidence[i], curve.se[i], z);
        lower.push_back(pair.lower), upper.push_back(pair.upper);
      }
      answer.series.push_back({"cumulative_incidence",
                               at,
                               {{"time", from_origin(curve.time, 0)},
                                {"cumulative_incidence", from_origin(curve.incidence, 0)},
                                {"lower", from_origin(lower, 0)},
                                {"upper", from_origin(upper, 0)},
                                {"n_at_risk", from_origin(as_numbers(curve.n_at_risk), double(n))},
                                {"n_events", from_origin(as_numbers(curve.n_events), 0)}}});
    }
    for (const double t : times) {
      At place = group_at;
      place["time"] = t;
      std::int64_t at_risk = 0;
      for (const std::uint32_t row : rows) at_risk += data->rows.time[row] >= t - same_time * std::abs(t);
      answer.findings.push_back({.quantity = "n_at_risk", .at = std::move(place), .value = double(at_risk), .n = n});
    }
    answer.findings.push_back({.quantity = "n", .at = group_at, .value = double(n), .n = n});
    if (n == 0) empty_groups.push_back(group.empty() ? "" : frame.categories(group).levels[g]);
    if (ended) ended_groups.push_back(group.empty() ? "" : frame.categories(group).levels[g]);
  }

  answer.notes.push_back(interval_note);
  if (data->names.empty() && frame.rows > 0) answer.notes.emplace_back("No event of any cause: there is no curve.");
  if (!empty_groups.empty())
    answer.notes.push_back(group.empty() ? std::string("There are no rows: nothing is estimable.")
                                         : fmt::format("Nobody in {} {}.", group, quoted(empty_groups)));
  if (!ended_groups.empty())
    answer.notes.push_back(fmt::format("Beyond the last observed time{} the curves do not exist (NE).",
                                       group.empty() ? "" : fmt::format(" of {} {}", group, quoted(ended_groups))));
  if (const std::string note = merged_note(data->rows); !note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats

#include "equipoise/stats/survival/kaplan_meier.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/parts.h"
#include "equipoise/stats/survival/curve_reader.h"
#include "equipoise/stats/survival/ordered_times.h"

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, SurvivalInterval> intervals[] = {{"plain", SurvivalInterval::plain},
                                                                       {"log", SurvivalInterval::log},
                                                                       {"log-log", SurvivalInterval::log_log},
                                                                       {"logit", SurvivalInterval::logit},
                                                                       {"arcsin", SurvivalInterval::arcsin}};

SurvivalInterval default_interval(Match match) { return match == Match::r ? SurvivalInterval::log : SurvivalInterval::log_log; }

std::string_view name_of(SurvivalInterval interval) {
  for (auto const& [name, meaning] : intervals)
    if (meaning == interval) return name;
  return {};
}

Scale scale_of(SurvivalInterval interval) {
  switch (interval) {
    case SurvivalInterval::plain:
      return Scale::identity;
    case SurvivalInterval::log:
      return Scale::log;
    case SurvivalInterval::log_log:
      return Scale::log_log;
    case SurvivalInterval::logit:
      return Scale::logit;
    case SurvivalInterval::arcsin:
      return Scale::arcsin;
  }
  return Scale::identity;
}

/// The columns of a figure. The curve begins at time 0 with everybody at risk, unless something was observed at 0 itself.
Series curve_series(CurveReader const& curve, SurvivalInterval interval, double z, At at, std::int64_t n) {
  const std::span<const CurveStep> steps = curve.steps();
  const std::size_t origin = steps.empty() || steps.front().time > 0 ? 1 : 0;
  Series series{"survival", std::move(at), {}};
  for (const std::string_view name : {"time", "survival", "lower", "upper", "n_at_risk", "n_events", "n_censored"})
    series.columns.emplace_back(name, std::vector<double>(steps.size() + origin));
  const auto put = [&](std::size_t i, std::array<double, 7> const& values) {
    for (std::size_t c = 0; c < values.size(); ++c) series.columns[c].second[i] = values[c];
  };
  if (origin == 1) put(0, {0, 1, 1, 1, double(n), 0, 0});
  for (std::size_t i = 0; i < steps.size(); ++i) {
    CurveStep const& step = steps[i];
    const auto [lower, upper] = survival_limits(interval, step.survival, std::sqrt(step.greenwood), z);
    put(origin + i, {step.time, step.survival, lower, upper, step.at_risk, step.events, step.censored});
  }
  return series;
}

}  // namespace

SurvivalLimits survival_limits(SurvivalInterval interval, double S, double g, double z) {
  const SurvivalLimits none{missing_number, missing_number};
  if (!(S > 0)) return none;
  const double half = z * g;
  switch (interval) {
    case SurvivalInterval::plain:
      return {std::max(S - half * S, 0.0), std::min(S + half * S, 1.0)};
    case SurvivalInterval::log:
      return {S * std::exp(-half), std::min(S * std::exp(half), 1.0)};
    case SurvivalInterval::log_log: {
      if (S >= 1) return none;
      const double log_S = std::log(S), width = half / -log_S;  // the standard error of log(-log S) is g / |log S|
      return {std::exp(log_S * std::exp(width)), std::exp(log_S * std::exp(-width))};
    }
    case SurvivalInterval::logit: {
      if (S >= 1) return none;
      const double odds = S / (1 - S), width = half / (1 - S);
      const double low = odds * std::exp(-width), high = odds * std::exp(width);
      return {low / (1 + low), std::isinf(high) ? 1.0 : high / (1 + high)};
    }
    case SurvivalInterval::arcsin: {
      if (S >= 1) return none;
      const double angle = std::asin(std::sqrt(S)), width = 0.5 * half * std::sqrt(S / (1 - S));
      const double low = std::sin(std::max(angle - width, 0.0)), high = std::sin(std::min(angle + width, std::asin(1.0)));
      return {low * low, high * high};
    }
  }
  return none;
}

std::optional<std::size_t> SurvivalCurve::position(double t) const {
  const double reach = t + same_time * std::abs(t);
  const auto after = std::upper_bound(time.begin(), time.end(), reach);
  if (after == time.begin()) return {};
  return std::size_t(after - time.begin()) - 1;
}

SurvivalCurve product_limit(SurvivalRows const& data, std::span<const std::uint32_t> rows, SurvivalInterval interval,
                            double level) {
  const double z = numerics::normal_interval(level);
  SurvivalCurve curve;
  double survival = 1.0, greenwood = 0.0;
  for (std::size_t i = 0; i < rows.size();) {
    const double t = data.time[rows[i]];
    const auto at_risk = std::int64_t(rows.size() - i);
    std::int64_t events = 0, here = 0;
    for (; i < rows.size() && data.time[rows[i]] == t; ++i, ++here) events += data.event[rows[i]];
    const double n = double(at_risk), d = double(events);
    if (events > 0) {
      survival *= (n - d) / n;
      greenwood += d / (n * (n - d));  // infinite at the last event of all: no standard error from there on
    }
    const auto [lower, upper] = survival_limits(interval, survival, std::sqrt(greenwood), z);
    curve.time.push_back(t);
    curve.survival.push_back(survival);
    curve.se.push_back(survival > 0 ? survival * std::sqrt(greenwood) : missing_number);
    curve.lower.push_back(lower);
    curve.upper.push_back(upper);
    curve.n_at_risk.push_back(at_risk);
    curve.n_events.push_back(events);
    curve.n_censored.push_back(here - events);
  }
  return curve;
}

double curve_quantile(std::span<const double> time, std::span<const double> survival, double p) {
  for (std::size_t i = 0; i < time.size(); ++i) {
    const double F = 1 - survival[i];
    if (!(F >= p - flat_quantile)) continue;  // also passes over NaN
    if (F > p + flat_quantile) return time[i];
    for (std::size_t next = i + 1; next < time.size(); ++next)
      if (survival[next] < survival[i]) return (time[i] + time[next]) / 2;
    return (time[i] + time.back()) / 2;
  }
  return missing_number;
}

MethodCard const& KaplanMeier::card() {
  static const MethodCard card{.keyword = "kaplan_meier",
                               .title = "Kaplan-Meier estimate",
                               .roles = {{"time", Need::number, Presence::required, "time to event or censoring"},
                                         {"event", Need::number, Presence::required, "1 event, 0 censored"},
                                         {"group", Need::category, Presence::optional, "one curve for each level"}},
                               .options = {{"interval", "plain | log | log-log | logit | arcsin",
                                            "scale of the pointwise interval (log-log; match = \"r\": log)"},
                                           {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"},
                                           {"times", "list of numbers from 0", "times at which the curve is read"},
                                           {"probs", "list of numbers above 0 and below 1", "quantiles (0.5, the median)"},
                                           near_ties_card},
                               .quantities = {"survival", "se", "lower", "upper", "n_at_risk", "n_events", "n", "quantile"},
                               .comparison = Comparison::all_arms};
  return card;
}

std::optional<KaplanMeier> KaplanMeier::parse(Roles const& roles, Section& options, Match match) {
  const std::size_t problems_before = options.problems().size();
  KaplanMeier method;
  check_roles(card(), roles, options);
  method.time = role(roles, "time");
  method.event = role(roles, "event");
  method.group = role(roles, "group");

  const auto interval = options.word<SurvivalInterval>("interval", intervals);
  method.interval = interval.value_or(default_interval(match));
  method.level = parse_level(options);
  method.times = options.numbers("times", Limits{.min = 0, .max = 1e300}).value_or(std::vector<double>{});
  method.probs = options.numbers("probs", Limits::open(0, 1)).value_or(std::vector<double>{0.5});
  method.near_ties = parse_near_ties(options);
  method.interval_note =
      fmt::format("Pointwise {} % limits: Greenwood's variance on the {} scale{}.", shortest(100 * method.level),
                  name_of(method.interval), interval ? "" : fmt::format(", {}", default_of(match)));

  add_need(method.needs_, {method.time, Need::number}, options);
  add_need(method.needs_, {method.event, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> KaplanMeier::needs() const { return needs_; }

Expected<Answer> KaplanMeier::run(Frame const& frame) const {
  const std::vector<std::int32_t> together(group.empty() ? frame.rows : 0, 0);
  const std::size_t groups = group.empty() ? 1 : frame.categories(group).levels.size();
  auto data = OrderedTimes::of(frame, time, event, group.empty() ? std::span(together) : frame.categories(group).codes, groups,
                               near_ties);
  if (!data) return tl::unexpected(data.error());

  CurveQuestions questions{.interval = interval,
                           .level = level,
                           .times = times,
                           .probs = probs,
                           .tolerance = near_ties == NearTies::merge ? same_time : 0,
                           .last = data->last()};
  std::sort(questions.times.begin(), questions.times.end());
  std::vector<CurveReader> curves;
  curves.reserve(groups);
  for (const std::int64_t rows : data->class_rows()) curves.emplace_back(questions, rows);
  data->forward([first = curves.data()](double t, std::uint32_t g, std::uint32_t events, std::uint32_t rows) {
    first[g].add(t, events, rows);
  });
  const double z = numerics::normal_interval(level);

  Answer answer;
  std::vector<std::string> empty_groups, ended_groups, thinned;
  for (std::size_t g = 0; g < groups; ++g) {
    At at;
    if (!group.empty()) at["group"] = frame.categories(group).levels[g];
    CurveReader& curve = curves[g];
    curve.finish();
    const std::int64_t n = data->class_rows()[g];
    if (n == 0) empty_groups.push_back(group.empty() ? "" : frame.categories(group).levels[g]);

    answer.findings.push_back({.quantity = "n", .at = at, .value = double(n), .n = n});
    answer.findings.push_back({.quantity = "n_events", .at = at, .value = double(curve.events()), .n = n});
    const std::vector<CurveReader::Quantile> quantiles = curve.quantiles();
    for (std::size_t i = 0; i < probs.size(); ++i) {
      At where = at;
      where["prob"] = probs[i];
      answer.findings.push_back({.quantity = "quantile",
                                 .at = where,
                                 .value = quantiles[i].estimate,
                                 .lower = quantiles[i].lower,
                                 .upper = quantiles[i].upper,
                                 .level = level,
                                 .n = n,
                                 .scale = scale_of(interval)});
    }
    bool ended = false;
    for (const double t : times) {
      At where = at;
      where["time"] = t;
      const auto asked = std::lower_bound(questions.times.begin(), questions.times.end(), t) - questions.times.begin();
      CurveReader::Reading const& reading = curve.readings()[std::size_t(asked)];
      Finding survival{.quantity = "survival", .at = where, .level = level, .n = n, .scale = scale_of(interval)};
      if (reading.beyond) {
        survival.se = survival.lower = survival.upper = missing_number;
        ended = ended || n > 0;
      } else {
        const double g_here = std::sqrt(reading.greenwood);
        const auto [lower, upper] = survival_limits(interval, reading.survival, g_here, z);
        survival.value = reading.survival;
        survival.se = reading.survival > 0 ? reading.survival * g_here : missing_number;
        survival.lower = lower, survival.upper = upper;
      }
      answer.findings.push_back(std::move(survival));
      answer.findings.push_back({.quantity = "n_at_risk", .at = where, .value = reading.at_risk, .n = n});
    }
    if (ended) ended_groups.push_back(group.empty() ? "" : frame.categories(group).levels[g]);
    if (n > 0) answer.series.push_back(curve_series(curve, interval, z, at, n));
    if (curve.thinned())
      thinned.push_back(fmt::format("{}{} of {}", group.empty() ? "" : fmt::format("{} '{}' ", group, frame.categories(group).levels[g]),
                                    curve.steps().size(), curve.steps_seen()));
  }

  answer.notes.push_back(interval_note);
  if (!empty_groups.empty())
    answer.notes.push_back(group.empty() ? std::string("There are no rows: nothing is estimable.")
                                         : fmt::format("Nobody in {} {}.", group, quoted(empty_groups)));
  if (!ended_groups.empty())
    answer.notes.push_back(fmt::format("Beyond the last observed time{} the curve does not exist (NE).",
                                       group.empty() ? "" : fmt::format(" of {} {}", group, quoted(ended_groups))));
  if (!thinned.empty())
    answer.notes.push_back(
        fmt::format("The curve as drawn and listed keeps every time at which it, the number at risk or the time has moved by 1/4096 of "
                    "its whole, with events and censored times summed between: {} times.",
                    one_of(thinned, "and")));
  if (const std::string note = near_ties_note(data->near(), near_ties); !note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats

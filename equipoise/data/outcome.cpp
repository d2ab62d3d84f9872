#include "equipoise/data/outcome.h"

#include <algorithm>
#include <cmath>

namespace equipoise::data {
namespace {

using protocol::EndpointKind;
using protocol::Intercurrent;
using protocol::Strategy;

bool is_word(Intercurrent const& ice, std::string_view word) {
  const auto* text = std::get_if<std::string>(&ice.value);
  return text && *text == word;
}

bool ends_follow_up(Intercurrent const& ice) {
  return ice.strategy == Strategy::hypothetical || ice.strategy == Strategy::while_on_treatment;
}

std::vector<Intercurrence> in_order(std::span<const Intercurrence> intercurrent) {
  std::vector<Intercurrence> sorted(intercurrent.begin(), intercurrent.end());
  std::ranges::stable_sort(sorted, {}, &Intercurrence::day);
  return sorted;
}

}  // namespace

TimeToEvent first_event(std::optional<double> event_day, FollowUp follow_up, std::span<const Intercurrence> intercurrent) {
  TimeToEvent seen{follow_up.end, false};
  if (event_day && *event_day <= follow_up.end) seen = {*event_day, true};
  for (auto const& [day, ice] : in_order(intercurrent)) {
    const bool decides = day < seen.time || (day == seen.time && !seen.event);
    if (!decides || ice->strategy == Strategy::treatment_policy) continue;
    if (ends_follow_up(*ice)) return {day, false};
    if (is_word(*ice, "event")) return {day, true};
    if (is_word(*ice, "never")) return {std::max(follow_up.planned_end, seen.time), false};
  }
  return seen;
}

EventBounds first_event_bounds(std::optional<double> event_day, std::span<const double> without_days, FollowUp follow_up,
                               std::span<const Intercurrence> intercurrent) {
  if (event_day && *event_day > follow_up.end) event_day = {};
  const auto last_without = [&](double until) {
    double last = 0;
    for (const double day : without_days)
      if (day <= until && day <= follow_up.end) last = std::max(last, day);
    return last;
  };
  for (auto const& [day, ice] : in_order(intercurrent)) {
    const bool decides = event_day ? day < *event_day : day <= follow_up.end;
    if (!decides || ice->strategy == Strategy::treatment_policy) continue;
    if (ends_follow_up(*ice)) return {last_without(day), missing_number};
    // Not seen without on that very day: an intercurrent event on the day of a visit comes after the visit.
    if (is_word(*ice, "event")) return {last_without(day), day};
    if (is_word(*ice, "never")) return {std::max(follow_up.planned_end, last_without(follow_up.end)), missing_number};
  }
  if (!event_day) return {last_without(follow_up.end), missing_number};
  double left = 0;
  for (const double day : without_days)
    if (day < *event_day) left = std::max(left, day);
  return {left, *event_day};
}

std::vector<Interval> event_intervals(std::span<const double> event_days, FollowUp follow_up,
                                      std::span<const Intercurrence> intercurrent) {
  double end = follow_up.end;
  for (auto const& [day, ice] : intercurrent)
    if (ends_follow_up(*ice)) end = std::min(end, day);
  std::vector<Interval> intervals;
  double start = 0;
  for (const double day : event_days) {
    if (day > end) break;
    intervals.push_back({start, day, true});
    start = day;
  }
  if (start < end) intervals.push_back({start, end, false});
  return intervals;
}

double value_at(double value, double visit_day, std::span<const Intercurrence> intercurrent) {
  for (auto const& [day, ice] : in_order(intercurrent))
    if (const auto* number = std::get_if<double>(&ice->value); number && ice->strategy == Strategy::composite && day <= visit_day)
      return *number;
  return value;
}

double response_of(double response, double visit_day, std::span<const Intercurrence> intercurrent) {
  for (auto const& [day, ice] : in_order(intercurrent)) {
    if (ice->strategy != Strategy::composite || day > visit_day) continue;
    if (is_word(*ice, "event")) return 1.0;
    if (is_word(*ice, "never")) return 0.0;
  }
  return response;
}

std::optional<std::string> not_carried_out(protocol::Endpoint const& endpoint, Intercurrent const& ice) {
  if (ice.strategy == Strategy::treatment_policy) return {};
  if (ice.strategy == Strategy::principal_stratum)
    return "a principal stratum needs a causal model that no method of this build fits";
  const bool number = std::holds_alternative<double>(ice.value), word = std::holds_alternative<std::string>(ice.value);
  switch (endpoint.kind) {
    case EndpointKind::time_to_event: {
      const bool every = endpoint.event && endpoint.event->gives_several();
      if (ice.strategy == Strategy::composite && every)
        return "a composite strategy has no meaning for an event that can happen again";
      if (ice.strategy == Strategy::composite && number)
        return "a composite value of a time to event is 'event' or 'never', not a number";
      if (ice.strategy == Strategy::hypothetical && ice.handling != "censored")
        return "for a time to event the hypothetical strategy is handling = 'censored'";
      return {};
    }
    case EndpointKind::continuous:
      if (ice.strategy == Strategy::composite && number && endpoint.at.empty())
        return "a composite value from a date on needs the visit of the question: the endpoint's key 'at'";
      if (ice.strategy == Strategy::composite && number) return {};
      if (ice.strategy == Strategy::composite) return "a composite value of a continuous endpoint is a number";
      if (ice.strategy == Strategy::hypothetical)
        return "leaving data out needs a model of the missing values, and a test of complete cases is none";
      return "the last value on treatment is not derived in this build";
    case EndpointKind::binary:
      if (ice.strategy == Strategy::composite && is_word(ice, "never") && endpoint.at.empty())
        return "over the whole of follow-up it is not known whether the response came first: give the endpoint the visit of the "
               "question, 'at'";
      if (ice.strategy == Strategy::composite && word) return {};
      return "of a binary endpoint only treatment policy and the composite values 'event' and 'never' are derived";
    case EndpointKind::count:
      return "of a count only treatment policy is derived";
  }
  return {};
}

}  // namespace equipoise::data

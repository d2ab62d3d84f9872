#include "equipoise/data/outcome.h"

#include <algorithm>
#include <cmath>

#include "equipoise/core/expected.h"

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

/// By day; of one day in the order given. Copies only what is not in order, as simulated trials come by the million.
class InOrder {
 public:
  explicit InOrder(std::span<const Intercurrence> intercurrent) : all_(intercurrent) {
    if (std::ranges::is_sorted(intercurrent, {}, &Intercurrence::day)) return;
    sorted_.assign(intercurrent.begin(), intercurrent.end());
    std::ranges::stable_sort(sorted_, {}, &Intercurrence::day);
    all_ = sorted_;
  }
  InOrder(InOrder const&) = delete;
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }

 private:
  std::vector<Intercurrence> sorted_;
  std::span<const Intercurrence> all_;
};

}  // namespace

TimeToEvent first_event(std::optional<double> event_day, FollowUp follow_up, std::span<const Intercurrence> intercurrent) {
  TimeToEvent seen{follow_up.end, false};
  if (event_day && *event_day <= follow_up.end) seen = {*event_day, true};
  for (auto const& [day, ice] : InOrder(intercurrent)) {
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
  for (auto const& [day, ice] : InOrder(intercurrent)) {
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

std::optional<Intercurrence> deciding(double visit_day, std::span<const Intercurrence> intercurrent) {
  std::optional<Intercurrence> first;
  for (Intercurrence const& one : intercurrent) {
    const bool reaches = one.strategy->strategy == Strategy::composite ? one.day <= visit_day
                         : ends_follow_up(*one.strategy)               ? one.day < visit_day
                                                                       : false;
    if (reaches && (!first || one.day < first->day)) first = one;
  }
  return first;
}

double planned_end(protocol::Protocol const& protocol, double observed) {
  if (protocol.follow_up_days) return *protocol.follow_up_days;
  double last = 0;
  for (protocol::Visit const& visit : protocol.visits) last = std::max(last, double(visit.day.offset()));
  return last > 0 ? last : observed;
}

double days_of_unit(protocol::Endpoint const& endpoint, protocol::Conventions const& conventions) {
  return endpoint.time_unit == "wk"   ? 7.0
         : endpoint.time_unit == "mo" ? conventions.month_days
         : endpoint.time_unit == "a"  ? 12 * conventions.month_days
                                      : 1.0;
}

double composite_response(Intercurrent const& ice) {
  if (const auto* number = std::get_if<double>(&ice.value)) return *number;
  return is_word(ice, "event") ? 1.0 : is_word(ice, "never") ? 0.0 : missing_number;
}

namespace {

/// Of a response at a visit, whatever its kind.
std::optional<std::string> value_not_carried_out(protocol::Endpoint const& endpoint, Intercurrent const& ice, bool by_visit) {
  const bool binary = endpoint.kind == EndpointKind::binary;
  const std::string_view kind = binary                                 ? "binary endpoint"
                                : endpoint.kind == EndpointKind::count ? "count"
                                                                       : "continuous endpoint";
  const bool at_visit = by_visit || !endpoint.at.empty();
  switch (ice.strategy) {
    case Strategy::composite:
      if (endpoint.kind == EndpointKind::count) return "of a count no composite value is derived";
      if (std::holds_alternative<double>(ice.value) == binary)
        return binary ? "a composite value of a binary endpoint is 'event' or 'never'"
                      : "a composite value of a continuous endpoint is a number";
      if (at_visit || is_word(ice, "event")) return {};
      if (binary)
        return "over the whole of follow-up it is not known whether the response came first: give the endpoint the visit of the "
               "question, 'at'";
      return "a composite value from a date on needs the visit of the question: the endpoint's key 'at'";
    case Strategy::hypothetical:
      if (!by_visit) return "leaving data out needs a model of the missing values, and a test of complete cases is none";
      if (ice.handling == "missing_at_random") return {};
      return fmt::format("for a {} the hypothetical strategy is handling = 'missing_at_random'", kind);
    case Strategy::while_on_treatment:
      if (by_visit || (!endpoint.at.empty() && !endpoint.visits.empty())) return {};
      return "the last value on treatment is looked for among the endpoint's 'visits' up to its 'at', and it does not give both";
    case Strategy::treatment_policy:
    case Strategy::principal_stratum:
      break;
  }
  return {};
}

}  // namespace

std::optional<std::string> not_carried_out(protocol::Endpoint const& endpoint, Intercurrent const& ice, bool by_visit) {
  if (ice.strategy == Strategy::treatment_policy) return {};
  if (ice.strategy == Strategy::principal_stratum)
    return "a principal stratum needs a causal model that no method of this build fits";
  if (endpoint.kind != EndpointKind::time_to_event) return value_not_carried_out(endpoint, ice, by_visit);
  const bool every = endpoint.event && endpoint.event->gives_several();
  if (ice.strategy == Strategy::composite && every)
    return "a composite strategy has no meaning for an event that can happen again";
  if (ice.strategy == Strategy::composite && std::holds_alternative<double>(ice.value))
    return "a composite value of a time to event is 'event' or 'never', not a number";
  if (ice.strategy == Strategy::hypothetical && ice.handling != "censored")
    return "for a time to event the hypothetical strategy is handling = 'censored'";
  return {};
}

}  // namespace equipoise::data

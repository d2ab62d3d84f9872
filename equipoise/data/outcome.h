#pragma once

#include <cmath>
#include <optional>
#include <span>
#include <vector>

#include "equipoise/core/columns.h"
#include "equipoise/protocol/protocol.h"

/// What one participant's records say of an endpoint once the estimand's strategies are carried out. Days are days since
/// randomisation.
namespace equipoise::data {

/// A dated event that an estimand refers to, with the strategy for it.
struct Intercurrence {
  double day;
  protocol::Intercurrent const* strategy;
};

/// Until when a participant was seen, and until when the protocol would have followed them (both cut at the data cut-off).
struct FollowUp {
  double end = 0;
  double planned_end = 0;
};

/// The planned end of follow-up in days since randomisation: as the protocol states it, else its last visit, else what was
/// observed.
double planned_end(protocol::Protocol const& protocol, double observed);

/// Days in one unit of the endpoint's own time.
double days_of_unit(protocol::Endpoint const& endpoint, protocol::Conventions const& conventions);

struct TimeToEvent {
  double time = 0;
  bool event = false;
  friend bool operator==(TimeToEvent const&, TimeToEvent const&) = default;
};

/// First event or end of follow-up, under the strategies, the earliest intercurrent event deciding:
///   treatment policy      nothing changes
///   hypothetical          (handling "censored") follow-up is censored at it, if it comes before the event
///   while on treatment    the same
///   composite "event"     it is an event at its own day, if it comes before the event
///   composite "never"     free of the event to the planned end of follow-up, if it comes before the event
/// On one day the event counts before the intercurrent event. `event_day` absent: not seen.
/// source  ICH E9(R1), section A.3.2
TimeToEvent first_event(std::optional<double> event_day, FollowUp follow_up, std::span<const Intercurrence> intercurrent);

/// An event seen only at visits lies in (left, right]: after the last visit known to be without it, up to the first visit with
/// it.
struct EventBounds {
  double left = 0;
  double right = missing_number;  ///< missing: only known to be after left
  friend bool operator==(EventBounds const& a, EventBounds const& b) {
    return a.left == b.left && (a.right == b.right || (std::isnan(a.right) && std::isnan(b.right)));
  }
};

/// The bounds under the strategies, the earliest intercurrent event before the first visit with the event deciding:
///   treatment policy      nothing changes
///   hypothetical          (handling "censored") after the last visit known to be without the event up to it
///   while on treatment    the same
///   composite "event"     up to the day of the intercurrent event: it, or the event itself, had come by then
///   composite "never"     after the planned end of follow-up
/// without_days  visits known to be without the event, before its first visit with it, sorted; those after follow-up do not count
/// source  ICH E9(R1), section A.3.2; Turnbull (1976), J. R. Stat. Soc. B 38, 290-295
EventBounds first_event_bounds(std::optional<double> event_day, std::span<const double> without_days, FollowUp follow_up,
                               std::span<const Intercurrence> intercurrent);

struct Interval {
  double start = 0, stop = 0;
  bool event = false;
  friend bool operator==(Interval const&, Interval const&) = default;
};

/// Counting-process intervals (start, stop] of a repeatable event, for Andersen and Gill's model: one up to each event, one up to
/// the end of follow-up. Strategies: treatment policy; hypothetical "censored" and while on treatment end follow-up. `event_days`
/// sorted, no two equal. source  Andersen & Gill (1982), Ann. Stat. 10, 1100-1120
std::vector<Interval> event_intervals(std::span<const double> event_days, FollowUp follow_up,
                                      std::span<const Intercurrence> intercurrent);

/// The intercurrent event that decides what a response at a visit is: the earliest of those whose strategy reaches the visit.
///
///     treatment policy                    reaches none
///     composite                           visits of its day and after it
///     hypothetical, while on treatment    visits after its day: on one day the measurement counts first
///
/// visit_day   infinite for a response over the whole of follow-up
/// returns     nothing when no event reaches it
/// source      ICH E9(R1), section A.3.2
std::optional<Intercurrence> deciding(double visit_day, std::span<const Intercurrence> intercurrent);

/// The response that a composite strategy puts in the place of the measured one: its number; of yes or no, 1 for "event" and 0
/// for "never".
double composite_response(protocol::Intercurrent const& strategy);

/// Whether the derivation of an endpoint of this kind carries the strategy out; else why not, in words.
/// by_visit   one row a participant and visit, for a model of the response at every visit
std::optional<std::string> not_carried_out(protocol::Endpoint const& endpoint, protocol::Intercurrent const& strategy,
                                           bool by_visit = false);

}  // namespace equipoise::data

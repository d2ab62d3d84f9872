#include "equipoise/data/outcome.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "equipoise/core/columns.h"

namespace equipoise::data {
namespace {

using protocol::Endpoint;
using protocol::EndpointKind;
using protocol::Intercurrent;
using protocol::Strategy;

const Intercurrent policy{.event = "rescue", .strategy = Strategy::treatment_policy};
const Intercurrent censored{.event = "rescue", .strategy = Strategy::hypothetical, .handling = "censored"};
const Intercurrent mar{.event = "rescue", .strategy = Strategy::hypothetical, .handling = "missing_at_random"};
const Intercurrent on_treatment{.event = "treatment_stop", .strategy = Strategy::while_on_treatment};
const Intercurrent counts{.event = "death", .strategy = Strategy::composite, .value = std::string("event")};
const Intercurrent never{.event = "death", .strategy = Strategy::composite, .value = std::string("never")};
const Intercurrent zero{.event = "death", .strategy = Strategy::composite, .value = 0.0};

constexpr FollowUp year{.end = 300, .planned_end = 365};

TimeToEvent with(std::optional<double> event_day, std::vector<Intercurrence> met) { return first_event(event_day, year, met); }

TEST(FirstEvent, IsCensoredAtTheEndOfFollowUp) {
  EXPECT_EQ(with({}, {}), (TimeToEvent{300, false}));
  EXPECT_EQ(with(120, {}), (TimeToEvent{120, true}));
  EXPECT_EQ(with(300, {}), (TimeToEvent{300, true}));
  EXPECT_EQ(with(301, {}), (TimeToEvent{300, false}));  // after follow-up: not seen
}

TEST(FirstEvent, CarriesOutEachStrategy) {
  EXPECT_EQ(with(120, {{50, &policy}}), (TimeToEvent{120, true}));
  EXPECT_EQ(with(120, {{50, &censored}}), (TimeToEvent{50, false}));
  EXPECT_EQ(with(120, {{50, &on_treatment}}), (TimeToEvent{50, false}));
  EXPECT_EQ(with(120, {{50, &counts}}), (TimeToEvent{50, true}));
  EXPECT_EQ(with(120, {{50, &never}}), (TimeToEvent{365, false}));  // to the planned end, not the last day seen
  EXPECT_EQ(with({}, {{50, &never}}), (TimeToEvent{365, false}));
}

TEST(FirstEvent, IgnoresWhatCameAfterTheEvent) {
  for (Intercurrent const* ice : {&censored, &on_treatment, &counts, &never}) {
    EXPECT_EQ(with(120, {{121, ice}}), (TimeToEvent{120, true}));
    EXPECT_EQ(with(120, {{120, ice}}), (TimeToEvent{120, true})) << "on one day the event counts first";
  }
}

TEST(FirstEvent, LetsTheEarliestDecideWhateverTheOrderOfRecords) {
  EXPECT_EQ(with(120, {{80, &never}, {50, &censored}}), (TimeToEvent{50, false}));
  EXPECT_EQ(with(120, {{80, &censored}, {50, &never}}), (TimeToEvent{365, false}));
  EXPECT_EQ(with(120, {{80, &counts}, {50, &policy}}), (TimeToEvent{80, true}));
}

EventBounds bounds(std::optional<double> event_day, std::vector<double> without, std::vector<Intercurrence> met) {
  return first_event_bounds(event_day, without, year, met);
}

TEST(FirstEventBounds, LieBetweenTheLastVisitWithoutAndTheFirstWith) {
  EXPECT_EQ(bounds(120, {30, 60}, {}), (EventBounds{60, 120}));
  EXPECT_EQ(bounds(120, {}, {}), (EventBounds{0, 120}));
  EXPECT_EQ(bounds({}, {30, 60, 280}, {}), (EventBounds{280, missing_number}));
  EXPECT_EQ(bounds({}, {}, {}), (EventBounds{0, missing_number}));
  EXPECT_EQ(bounds(310, {30, 290, 305}, {}), (EventBounds{290, missing_number})) << "seen after the end of follow-up";
}

TEST(FirstEventBounds, CarryOutEachStrategy) {
  EXPECT_EQ(bounds(120, {30, 60}, {{50, &policy}}), (EventBounds{60, 120}));
  EXPECT_EQ(bounds(120, {30, 60}, {{50, &censored}}), (EventBounds{30, missing_number}));
  EXPECT_EQ(bounds(120, {30, 60}, {{90, &on_treatment}}), (EventBounds{60, missing_number}));
  EXPECT_EQ(bounds(120, {30, 60}, {{90, &counts}}), (EventBounds{60, 90})) << "one of the two had come by day 90";
  EXPECT_EQ(bounds(120, {30, 60}, {{90, &never}}), (EventBounds{365, missing_number}));
  EXPECT_EQ(bounds({}, {30, 60, 200}, {{90, &never}}), (EventBounds{365, missing_number}));
  for (Intercurrent const* ice : {&censored, &on_treatment, &counts, &never})
    EXPECT_EQ(bounds(120, {30, 60}, {{120, ice}}), (EventBounds{60, 120})) << "on one day the event counts first";
  EXPECT_EQ(bounds(120, {30, 60}, {{80, &never}, {50, &censored}}), (EventBounds{30, missing_number}));
}

TEST(EventIntervals, FollowEachOtherToTheEnd) {
  const std::vector<double> days{8, 26, 152};
  EXPECT_EQ(event_intervals(days, year, {}),
            (std::vector<Interval>{{0, 8, true}, {8, 26, true}, {26, 152, true}, {152, 300, false}}));
  EXPECT_EQ(event_intervals({}, year, {}), (std::vector<Interval>{{0, 300, false}}));
  EXPECT_EQ(event_intervals(std::vector<double>{300}, year, {}), (std::vector<Interval>{{0, 300, true}}));
  const std::vector<Intercurrence> stop{{100, &on_treatment}};
  EXPECT_EQ(event_intervals(days, year, stop), (std::vector<Interval>{{0, 8, true}, {8, 26, true}, {26, 100, false}}));
}

/// The response at a visit: the given one, or what the deciding strategy puts in its place (missing: not used).
double at(double response, double visit_day, std::vector<Intercurrence> met) {
  const auto decides = deciding(visit_day, met);
  if (!decides) return response;
  return decides->strategy->strategy == Strategy::composite ? composite_response(*decides->strategy) : missing_number;
}

TEST(Deciding, CompositeValueReplacesFromTheIntercurrentEventOn) {
  const std::vector<Intercurrence> died{{100, &zero}};
  EXPECT_EQ(at(57, 99, died), 57);
  EXPECT_EQ(at(57, 100, died), 0);
  EXPECT_EQ(at(missing_number, 336, died), 0);  // the dead have no measurement, and the composite value all the same
  EXPECT_TRUE(std::isnan(at(missing_number, 50, died)));
}

TEST(Deciding, YesOrNoFollowsTheCompositeValueFromTheIntercurrentEventOn) {
  const double always = std::numeric_limits<double>::infinity();
  EXPECT_EQ(at(1, 168, {{5, &never}}), 0);
  EXPECT_EQ(at(1, 168, {{300, &never}}), 1);  // responded at week 24, died later
  EXPECT_EQ(at(0, 168, {{168, &counts}}), 1);
  EXPECT_EQ(at(0, 168, {{169, &counts}}), 0);
  EXPECT_EQ(at(0, always, {{300, &counts}}), 1);
  EXPECT_EQ(at(1, 168, {{5, &policy}}), 1);
}

TEST(Deciding, DataAfterAHypotheticalEventAreNotUsed) {
  EXPECT_EQ(at(57, 99, {{100, &mar}}), 57);
  EXPECT_EQ(at(57, 100, {{100, &mar}}), 57) << "on one day the measurement counts first";
  EXPECT_TRUE(std::isnan(at(57, 101, {{100, &mar}})));
  EXPECT_TRUE(std::isnan(at(57, 101, {{100, &on_treatment}})));
}

TEST(Deciding, LetsTheEarliestDecideWhateverTheOrderOfRecords) {
  EXPECT_TRUE(std::isnan(at(57, 200, {{150, &zero}, {100, &mar}})));  // death after rescue is not part of a world without it
  EXPECT_EQ(at(57, 200, {{150, &mar}, {100, &zero}}), 0);
  EXPECT_EQ(at(57, 120, {{150, &zero}, {100, &policy}}), 57);
  EXPECT_EQ(at(57, 200, {{150, &zero}, {100, &policy}}), 0);
}

TEST(NotCarriedOut, RefusesWhatNoDerivationDoes) {
  Endpoint time{.kind = EndpointKind::time_to_event}, change{.kind = EndpointKind::continuous, .at = "w24"},
      yes{.kind = EndpointKind::binary, .at = "w24"}, number{.kind = EndpointKind::count};
  const Intercurrent stratum{.event = "rescue", .strategy = Strategy::principal_stratum};
  for (Endpoint const* endpoint : {&time, &change, &yes, &number}) {
    EXPECT_FALSE(not_carried_out(*endpoint, policy));
    EXPECT_TRUE(not_carried_out(*endpoint, stratum));
    EXPECT_TRUE(not_carried_out(*endpoint, mar));
  }
  for (Intercurrent const* ice : {&censored, &on_treatment, &counts, &never}) EXPECT_FALSE(not_carried_out(time, *ice));
  EXPECT_TRUE(not_carried_out(time, zero));
  EXPECT_FALSE(not_carried_out(change, zero));
  EXPECT_TRUE(not_carried_out(change, never));
  EXPECT_FALSE(not_carried_out(yes, never));
  EXPECT_TRUE(not_carried_out(yes, zero));
  EXPECT_TRUE(not_carried_out(number, never));
  yes.at.clear(), change.at.clear();
  EXPECT_TRUE(not_carried_out(yes, never)) << "over the whole of follow-up nobody knows which came first";
  EXPECT_FALSE(not_carried_out(yes, counts));
  EXPECT_TRUE(not_carried_out(change, zero)) << "from then on has no meaning without a visit";
}

TEST(NotCarriedOut, AModelOfEveryVisitCarriesOutMore) {
  const Endpoint change{.kind = EndpointKind::continuous, .visits = {"w4", "w24"}}, number{.kind = EndpointKind::count},
      yes{.kind = EndpointKind::binary, .visits = {"w4", "w24"}};
  for (Endpoint const* endpoint : {&change, &number, &yes})
    for (Intercurrent const* ice : {&policy, &mar, &on_treatment}) EXPECT_FALSE(not_carried_out(*endpoint, *ice, true));
  EXPECT_FALSE(not_carried_out(change, zero, true));
  EXPECT_FALSE(not_carried_out(yes, never, true));
  EXPECT_TRUE(not_carried_out(number, zero, true));
  EXPECT_TRUE(not_carried_out(change, censored, true)) << "a value is not censored";
  EXPECT_TRUE(not_carried_out(change, never, true));
}

TEST(NotCarriedOut, TheLastValueOnTreatmentNeedsVisitsToLookThrough) {
  EXPECT_TRUE(not_carried_out({.kind = EndpointKind::continuous, .at = "w24"}, on_treatment));
  EXPECT_FALSE(not_carried_out({.kind = EndpointKind::continuous, .visits = {"w4", "w24"}, .at = "w24"}, on_treatment));
}

}  // namespace
}  // namespace equipoise::data

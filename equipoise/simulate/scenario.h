#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/error.h"
#include "equipoise/simulate/event_time.h"
#include "equipoise/simulate/models.h"
#include "equipoise/study/study.h"

namespace equipoise::simulate {

/// How candidates come.
struct Accrual {
  std::vector<double> per_month;  ///< participants of each site of the protocol, before its cap; one entry when it has no sites
  std::vector<std::int64_t> cap;  ///< of each; -1: none
  std::vector<double> start_day;  ///< of each, since the trial opened
  double ramp_days = 0;           ///< from a site's start its rate rises linearly to the planned one
  std::int64_t participants = 0;  ///< to be randomised
  bool made_up = false;           ///< nothing says a rate: one a month at each site
};

/// Leaving the study. At each planned visit after randomisation, before it takes place, a participant leaves with
///
///     odds = exp(intercept + log_odds (x - centre)) weeks since the visit planned before
///
/// x is the last value seen (mar), the value that this visit would show (mnar), or nothing (mcar). The intercept is such that
/// without any other event `probability` of all participants leave by the day.
struct StudyStop {
  enum class Mechanism { mcar, mar, mnar };
  Mechanism mechanism = Mechanism::mcar;
  double probability = 0, by_day = 0;
  double log_odds = 0;     ///< a unit of the marker
  std::size_t marker = 0;  ///< of the model
};

/// Adverse events come as two Poisson processes over the planned follow-up, serious ones and others.
struct AdverseEvents {
  protocol::Form const* form = nullptr;
  std::vector<double> any, serious;  ///< of each arm: probability of at least one in the planned follow-up
  std::array<double, 5> grade{0.60, 0.32, 0.08, 0, 0}, serious_grade{0, 0.15, 0.60, 0.20, 0.05};
  std::vector<double> related;  ///< probability of each code; empty: the form has no such item
  double duration_days = 10;    ///< mean, exponential
};

/// The value of an item that no model makes: once drawn for a participant, the same at each visit.
struct ItemRule {
  enum class Kind { constant, normal, log_normal, categories };
  protocol::Item const* item = nullptr;
  Kind kind = Kind::constant;
  double centre = 0, spread = 0;      ///< constant: the value
  double min = 0, max = 0;            ///< drawn again beyond: taken as the limit
  std::vector<double> probabilities;  ///< of each code, or of false and true
};

/// One [[scenario]] with all that it extends: a world in which the trial is rehearsed.
struct Scenario {
  std::string id;
  Models::Any model;
  Accrual accrual;
  double visit_day_sd = 0;
  std::vector<double> missed;  ///< of each visit of the schedule: probability that it is missed though nobody has left
  std::optional<StudyStop> study_stop;
  std::vector<EventKind> events;
  std::optional<AdverseEvents> adverse_events;
  std::vector<ItemRule> items;
  Place place;
};

/// Reads and checks a scenario by its place in protocol.scenarios; every problem is reported. Its model is one of this build.
std::optional<Scenario> parse_scenario(protocol::Protocol const& protocol, std::size_t index, Problems& problems);
/// The same of a scenario with everything that it extends: see merged.h.
std::optional<Scenario> parse_scenario(protocol::Protocol const& protocol, protocol::MethodSection const& whole,
                                       Problems& problems);

/// Reports that the protocol has no scenario, or whatever `what` is, of that id, with the nearest of those known, or all of them.
void report_unknown(Problems& problems, std::string const& file, std::string_view what, std::string_view id,
                    std::vector<std::string> const& known);

/// Ids of the scenarios whose model this build carries.
std::vector<std::string> scenario_ids(protocol::Protocol const& protocol);

/// Checks all scenarios and the section [rehearsal]: every problem of those whose model this build carries, unknown models, and
/// published ones that it does not carry, which are no problem until they are to be run.
void check_scenarios(protocol::Protocol const& protocol, Problems& problems, std::vector<study::Unavailable>& unavailable);

}  // namespace equipoise::simulate

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/core/columns.h"

/// What a plan is worth: the operating characteristics of every analysis in every scenario, each with its Monte Carlo error. All
/// of it is simulated.
///
/// source  Morris, White & Crowther (2019), Using simulation studies to evaluate statistical methods, Stat. Med. 38, 2074-2102,
///         table 6
namespace equipoise::results {

/// A share of replicates.
struct Share {
  std::int64_t n = 0, of = 0;
  double value() const { return of > 0 ? double(n) / double(of) : missing_number; }
  double mc_se() const;  ///< sqrt(p (1 - p) / of)
};

/// A number that is estimated by simulation, with its Monte Carlo standard error.
struct Measured {
  double value = missing_number, mc_se = missing_number;
};

std::string json(Share const& share);
std::string json(Measured const& measured);

/// One analysis, of one arm against its control or by itself, over all replicates.
struct StatementCharacteristics {
  std::string analysis, method, role, endpoint, arm, against;
  Share rejected;                        ///< P at most alpha, not adjusted; of the replicates in which it was asked
  std::optional<Share> rejected_better;  ///< of them in the direction of the benefit that the protocol states
  Share not_estimable;
  std::optional<Measured> truth;                               ///< on the scale of the estimate (of a ratio the logarithm)
  bool no_difference = false;                                  ///< in this scenario the two arms differ for nobody
  std::optional<Measured> mean, bias, empirical_se, model_se;  ///< of methods that estimate
  std::optional<Share> coverage;                               ///< of the interval, when the truth is known
  bool ratio = false;                                          ///< the estimate is the logarithm of a ratio
  /// Of the first replicates: estimate and limits, for figures. Empty of methods without an estimate.
  std::vector<double> estimates{}, lower{}, upper{};
};

struct ClaimCharacteristics {
  std::string id, label;
  Share holds;
  std::int64_t unknown = 0;  ///< replicates in which an analysis that it reads had no answer: there it does not hold
};

struct HypothesisCharacteristics {
  std::string id, analysis, arm;
  bool is_true = false;  ///< in this scenario nobody differs by the arm
  Share rejected;        ///< by the procedure of [multiplicity]
};

struct AnalysisFailures {
  std::string analysis;
  Share no_answer, fell_back;
};

/// When the trial had its participants, over the first replicates.
struct AccrualFan {
  std::vector<std::int64_t> randomised;  ///< how many participants
  /// For each of `quantiles`, the day (since the trial opened) by which so many were randomised in that share of trials.
  std::vector<std::vector<double>> days;
  static constexpr std::array<double, 5> quantiles{0.05, 0.25, 0.5, 0.75, 0.95};
};

/// A look at the data of a monitored trial, and what became of the trials that reached it.
struct LookCharacteristics {
  std::string id;
  Share reached, stopped_for_benefit, stopped_for_futility;
  Measured day, participants, events;  ///< of the trials that reached it; `events` of an endpoint of time to event
};

/// [monitoring]: the looks at one statement in turn.
struct MonitoringCharacteristics {
  std::string analysis, arm;
  std::vector<LookCharacteristics> looks;
  Share rejected;                                 ///< at one of the looks
  Measured expected_participants, expected_days;  ///< when the trial stopped
  std::optional<Measured> expected_events;
};

struct ScenarioCharacteristics {
  std::string id;
  std::int64_t replicates = 0;
  std::vector<StatementCharacteristics> statements;
  std::vector<ClaimCharacteristics> claims;
  std::vector<HypothesisCharacteristics> hypotheses;
  std::optional<Share> any_rejected, all_rejected;  ///< of the hypotheses
  std::optional<Share> family_wise_error;           ///< some true hypothesis rejected; absent when none is true
  std::vector<AnalysisFailures> failures;
  std::vector<MonitoringCharacteristics> monitoring;
  std::optional<Share> monitored_any, monitored_all;  ///< some, or every, monitored comparison rejected
  Measured accrual_days, trial_days, screened, imbalance, guessed, left_early;
  AccrualFan accrual;
  std::vector<std::string> notes;  ///< what the world assumes, in sentences
};

/// One scenario over all combinations of some of its numbers.
struct Grid {
  struct Axis {
    std::string label;
    std::vector<std::string> keys;  ///< of the scenario, "effect.cd4.low"; all get the same value
    std::vector<double> values;
  };
  std::string id, scenario;
  std::vector<Axis> axes;
  std::vector<ScenarioCharacteristics> cells;  ///< the last axis runs fastest
};

struct Rehearsal {
  std::string trial, title;
  std::string version, protocol_digest;
  std::uint64_t seed = 0;
  double alpha = 0.05, level = 0.95;
  std::vector<ScenarioCharacteristics> scenarios;
  std::vector<Grid> grids;
};

/// rehearsal.json: one object, labelled as simulated; keys in a fixed order, numbers in shortest round-trip form.
std::string to_json(Rehearsal const& rehearsal);

}  // namespace equipoise::results

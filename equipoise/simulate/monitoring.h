#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/simulate/statements.h"
#include "equipoise/simulate/virtual_trial.h"
#include "equipoise/study/study.h"

namespace equipoise::simulate {

/// A look at the data of a running trial.
struct Look {
  std::string id;
  std::optional<std::int64_t> events;  ///< it takes place when so many participants had the event of the endpoint
  std::optional<std::int64_t>
      completed;                         ///< or when so many have their visit of the question behind them, or have left before it
  std::optional<double> critical_value;  ///< at or beyond it the null hypothesis is rejected; absent: no rejection at this look
  std::optional<double> futility;        ///< below it, in the direction of the benefit, the comparison ends without rejection
  Place place;
};

/// [monitoring]: one analysis is looked at several times, and compared with critical values that the protocol gives. A comparison
/// that has ended at a look is not looked at again; allocation goes on as before.
///
/// Of each statement of the analysis, with the sign of the benefit that its endpoint states (two-sided and without a stated
/// benefit: of the estimate):
///
///     statistic = "z"     z = sign * qnorm(1 - P / 2), of the two-sided P value
///     statistic = "wald"  estimate / its standard error: for critical values of Student's t, as Dunnett's
///
/// direction = "better" (the default where the endpoint states its benefit): z >= c rejects; "either": |z| >= c does. A look for
/// which the trial does not gather enough takes place at its end if it is the last one, and else not at all.
class Monitoring {
 public:
  enum class Statistic { z, wald };

  /// Reads and checks [monitoring]; nothing without one. Every problem is reported.
  static std::optional<Monitoring> parse(protocol::Protocol const& protocol, Problems& problems);

  std::string analysis;
  Statistic statistic = Statistic::z;
  bool either = true;  ///< direction
  std::vector<Look> looks;
  Place place;

  /// The signed statistic; NaN: no answer.
  double value(Statement const& statement, Said const& said) const;
  bool rejects(Look const& look, double z) const;
  bool ends_for_futility(Look const& look, double z) const;
};

/// When the looks at a trial take place. Not for several threads at once.
class LookDays {
 public:
  /// All must outlive it. planned: place of the monitored analysis in the plan.
  LookDays(study::Study const& study, Layout const& layout, Monitoring const& monitoring, std::size_t planned);
  ~LookDays();
  LookDays(LookDays&&) noexcept;

  /// Whether looks at events can be found: the endpoint's derivation is one that compiles.
  bool sound() const;

  /// Of one look: days since the trial opened. Nothing: it does not take place. `last`: it takes place at the end all the same.
  struct Day {
    double day = 0;
    double events = missing_number;  ///< observed by then, of an endpoint of time to event
  };
  void take(VirtualTrial const& trial);
  std::optional<Day> day(Look const& look, bool last) const;

 private:
  struct Work;
  std::unique_ptr<Work> work_;
};

/// What of a trial is known on the morning after a day (since the trial opened): participants randomised by then, visits that
/// have taken place, events that have happened. `cut` is filled anew.
void cut_off(VirtualTrial const& trial, Layout const& layout, double day, VirtualTrial& cut);

}  // namespace equipoise::simulate

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/columns.h"
#include "equipoise/core/expected.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::data {

/// Which columns an analysis needs, in the protocol's words: the question (endpoint in a set, under an estimand's strategies) and
/// covariates. Known before any data are; `schema` says what the columns will be, so that a plan is compiled once and run on many
/// data sets.
///
/// Columns, one row a participant of the set (for `every(...)` one row an interval; with `visits` one a participant and visit):
///   participant   category
///   arm           category, levels in protocol order; as randomised or as treated, as the set says
///   time, event   days since randomisation (or the endpoint's own unit) and 1/0, of a time to event; `start` too for
///   `every(...)`; with `bounds` left and right: the event lies in (left, right], a missing right is infinity
///   response      number of a continuous, binary (1/0) or count endpoint item@visit    number or category:
///   covariates, strata; also `site`, and log(item@visit), sqrt(item@visit) of numbers
///
/// With `replay` everybody who was randomised has a row, those outside the set without a value, and there are besides:
///   randomisation_order   1, 2, 3, ...: by date, then by the source's own order, then as in the data
///   factor ID             category: each factor of the randomisation, as its rule says
///
/// The long form has a row for every planned visit of every participant, also where nothing was measured (response missing),
/// visits of one participant together and in protocol order. It has besides:
///   visit         category, levels as in `visits`
///   ice           with `ice`: 1 from the first visit after the intercurrent event `after` on, else 0
///   ice_reason    with `reasons`: category, the first of these events that the participant had, else `no_event`
///   visit_day     as a covariate: days since randomisation on which the visit took place (its target day when it did not)
///   target_day    as a covariate: planned days since randomisation
///   item          as a covariate, without a visit: the item at the visit of the row
///   assigned_arm  with a constrained baseline, where `arm` at baseline is the control for everybody
struct Recipe {
  std::string set;
  std::string endpoint;
  std::string estimand;                 ///< empty: no intercurrent event is handled
  std::vector<std::string> covariates;  ///< "cd4@baseline", "log(cd8@baseline)", "site"
  bool bounds = false;                  ///< `left` and `right` too, of an endpoint seen only at visits
  std::vector<std::string> visits{};    ///< not empty: the long form, at these visits in protocol order
  std::string common_baseline{};        ///< control arm; the first of `visits` is baseline, at which no arm differs from it
  bool ice = false;                     ///< with the column `ice`
  std::string after{};                  ///< the dated event of `ice`; empty: nobody has it
  std::vector<std::string> reasons{};   ///< dated events of `ice` beside it, told apart
  bool replay = false;                  ///< what a replay of the randomisation needs; of one row a participant
  bool carry_forward = false;           ///< of one row a participant: the last response before a visit without one

  bool by_visit() const { return !visits.empty(); }
  /// The events of `ice`, each once.
  std::vector<std::string> events() const;
};

inline constexpr std::string_view no_event = "no_event";
/// The column of a factor of the randomisation.
inline std::string factor_column(std::string const& factor) { return "factor " + factor; }

/// A covariate as it is named: item or item@visit, on its own scale or another.
struct CovariateName {
  std::string transform;  ///< "", "log", "sqrt"
  std::string item, visit;
};
CovariateName covariate_name(std::string_view written);

/// The visits at which the derivation of a response reads the endpoint: those of the long form; of one row a participant the
/// visits up to that of the question, which is the last; none for a response over the whole of follow-up.
std::vector<std::string> visits_read(protocol::Endpoint const& endpoint, Recipe const& recipe);

/// The item (or derivation) at a visit from which the endpoint is a change, "cd4@baseline" of `cd4 - cd4@baseline`: one that its
/// variable, opened, reads both at the visit under evaluation and at one visit not after randomisation.
std::optional<std::string> baseline_of_change(protocol::Protocol const& protocol, protocol::Endpoint const& endpoint);

/// The columns that `analysis_dataset` will make. Reports covariates that do not resolve, where `written_at` says that a person
/// named them.
Schema schema(protocol::Protocol const& protocol, Recipe const& recipe, std::map<std::string, Place> const& written_at,
              Problems& problems);

}  // namespace equipoise::data

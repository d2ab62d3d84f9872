#pragma once

#include <map>
#include <string>
#include <vector>

#include "equipoise/core/columns.h"
#include "equipoise/core/expected.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::data {

/// Which columns an analysis needs, in the protocol's words: the question (endpoint in a set, under an estimand's strategies) and
/// covariates. Known before any data are; `schema` says what the columns will be, so that a plan is compiled once and run on many
/// data sets.
///
/// Columns, one row a participant of the set (for `every(...)` one row an interval):
///   participant   category
///   arm           category, levels in protocol order; as randomised or as treated, as the set says
///   time, event   days since randomisation (or the endpoint's own unit) and 1/0, of a time to event; `start` too for
///   `every(...)`; with `bounds` left and right: the event lies in (left, right], a missing right is infinity
///   response      number of a continuous, binary (1/0) or count endpoint item@visit    number or category:
///   covariates, strata; also `site`
struct Recipe {
  std::string set;
  std::string endpoint;
  std::string estimand;                 ///< empty: no intercurrent event is handled
  std::vector<std::string> covariates;  ///< "cd4@baseline", "site"
  bool bounds = false;                  ///< `left` and `right` too, of an endpoint seen only at visits
};

/// The columns that `analysis_dataset` will make. Reports covariates that do not resolve, where `written_at` says that a person
/// named them.
Schema schema(protocol::Protocol const& protocol, Recipe const& recipe, std::map<std::string, Place> const& written_at,
              Problems& problems);

}  // namespace equipoise::data

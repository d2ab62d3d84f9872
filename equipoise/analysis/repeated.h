#pragma once

#include <optional>
#include <string>

#include "equipoise/core/section.h"
#include "equipoise/data/recipe.h"
#include "equipoise/protocol/protocol.h"
#include "equipoise/stats/method.h"

/// What an [[analysis]] of a response at several visits adds to its plan. See docs/guide/protocol.md, "Repeated measures".
namespace equipoise::analysis {

/// The method takes a row a participant and visit: its card has the roles `subject` and `visit`.
bool models_visits(stats::MethodCard const& card);

/// Reads `constrained_baseline` and `after` into the recipe of such a method, with the visits of its endpoint. Of any other
/// method the two keys, and of these methods `missing`, are problems.
///     after                  a dated event of the protocol: the column `ice` is 1 after it
///     constrained_baseline   baseline is a response too, at which the arms do not differ
void read_repeated(protocol::Protocol const& protocol, protocol::Analysis const& analysis, stats::MethodCard const& card,
                   std::string const& control, Section& section, data::Recipe& recipe);

/// Reads `missing = "locf"` of a method with one row a participant.
void read_missing(protocol::Protocol const& protocol, protocol::Analysis const& analysis, stats::MethodCard const& card,
                  Section& section, data::Recipe& recipe);

/// The model of an analysis that gives no formula: `arm * visit`, and with an endpoint that is a change from baseline
/// `arm * visit + cd4@baseline`.
std::string default_visit_formula(protocol::Protocol const& protocol, data::Recipe const& recipe);

/// The terms of a formula that do not hold the visit, for an analysis of one visit; "" when nothing is left or it does not parse.
std::string without_visit(std::string const& formula);

/// A covariate of the formula that is the response itself at the constrained baseline; nothing when there is none.
std::optional<std::string> baseline_twice(protocol::Protocol const& protocol, data::Recipe const& recipe,
                                          std::vector<std::string> const& columns);

}  // namespace equipoise::analysis

#pragma once

#include <memory>

#include "equipoise/core/section.h"
#include "equipoise/data/recipe.h"
#include "equipoise/protocol/protocol.h"
#include "equipoise/stats/method.h"
#include "equipoise/stats/replay.h"

/// The protocol's randomisation in the hands of an analysis.
namespace equipoise::analysis {

/// Whether the method randomises the trial again.
bool replays(stats::MethodCard const& card);

/// What such a method needs beside its outcome: the columns in the recipe and the roles, and the rule of [randomisation], which
/// is returned. Nothing when the protocol or its [source] lack something, or the analysis set goes by the treatment received: all
/// that is wrong is reported, but for the problems of [randomisation] itself, which are reported where it is checked.
std::shared_ptr<const stats::Replay> plan_replay(protocol::Protocol const& protocol, protocol::AnalysisSet const& set,
                                                 Section& section, data::Recipe& recipe, stats::Roles& roles);

}  // namespace equipoise::analysis

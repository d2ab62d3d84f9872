#pragma once

#include <string>

#include "equipoise/protocol/protocol.h"
#include "equipoise/results/comparison.h"
#include "equipoise/results/rehearsal.h"

namespace equipoise::cli {

/// The operating characteristics as a table for a terminal, scenario by scenario; it says that all of it is simulated.
std::string rehearsal_text(protocol::Protocol const& protocol, results::Rehearsal const& rehearsal);

/// The claims and the rejections of [multiplicity] (or, without claims, of each analysis) by scenario, in one table.
std::string rehearsal_summary(protocol::Protocol const& protocol, results::Rehearsal const& rehearsal);

/// The comparison of two plans in tables; the labels are those of the first.
std::string comparison_text(protocol::Protocol const& protocol, results::Comparison const& comparison);

}  // namespace equipoise::cli

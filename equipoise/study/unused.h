#pragma once

#include <string>
#include <vector>

#include "equipoise/core/node.h"

namespace equipoise::study {

/// The sections and keys of a protocol file that are read, checked and kept, and change nothing that this build computes:
/// "[eligibility]", "'window' of visits", ... Each once, in the order of the format. A room that begins to use one strikes it off
/// here.
std::vector<std::string> not_used(Node const& document);

}  // namespace equipoise::study

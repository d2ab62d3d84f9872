#pragma once

#include <string>
#include <vector>

#include "equipoise/core/node.h"

namespace equipoise::study {

/// The sections of a protocol file that are read, checked and kept, and change nothing that this build computes. Only [design] is
/// left; tests/e2e/used_test.cpp changes every key of the flagship and finds what reads it. A section that is new and waits for its
/// room is named here, and struck off by it.
std::vector<std::string> not_used(Node const& document);

}  // namespace equipoise::study

#pragma once

#include <string>
#include <vector>

#include "equipoise/data/trial_data.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::data {

/// A value that the data keep and somebody should look at.
struct Query {
  std::string participant, item, visit;  ///< ids; no visit for an item without one
  std::string message;
};

/// Numbers outside the soft limits of their item, and required items without a value at a visit of their form that took place, in
/// the order of the protocol's items and visits, then of the participants. Values known only within bounds are taken at their
/// bounds.
std::vector<Query> queries_of(protocol::Protocol const& protocol, TrialRecords const& records);

}  // namespace equipoise::data

#pragma once

#include <string>
#include <vector>

#include "equipoise/data/trial_data.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::data {

/// A value that the data keep and somebody should look at.
struct Query {
  std::string participant, item, visit;  ///< ids
  std::string message;
};

/// Of the values at the protocol's visits: numbers outside the soft limits of their item (what the rules of windows made of several
/// readings, not each reading), and required items without a value where another item of their form has one; in the order of the
/// protocol's items and visits, then of the participants. Values known only within bounds are taken at their bounds. Entries of forms
/// without a visit are not looked at.
std::vector<Query> queries_of(protocol::Protocol const& protocol, TrialRecords const& records);

}  // namespace equipoise::data

#pragma once

#include <string>
#include <vector>

#include "equipoise/data/trial_data.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::data {

/// A value that the data keep and somebody should look at.
struct Query {
  std::string participant, item;  ///< ids
  std::string visit;              ///< id; empty for dated values and for entries of forms without a visit
  std::string date;               ///< of those, where known: "2024-03-01", or "15 days since randomisation" without calendar dates
  std::string message;
};

/// Numbers outside the soft limits of their item, and required items without a value where another item of their form has one: of
/// the protocol's visits, of each dated reading (whatever visit the rules of windows put it in), and of the entries of forms
/// without a visit; in the order of the protocol's forms, items and visits, then of the participants and dates. Values known only
/// within bounds are taken at their bounds. What [source] does not map is not asked for.
std::vector<Query> queries_of(protocol::Protocol const& protocol, TrialRecords const& records);

}  // namespace equipoise::data

#pragma once

#include <string>
#include <vector>

#include "equipoise/core/expected.h"
#include "equipoise/data/formats/csv.h"
#include "equipoise/data/trial_data.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::data {

/// Reads a data file as the protocol's [source] says: one row a participant, or several rows that are intervals at risk.
/// Every problem is reported with the line of the file and the column: missing columns, unknown codes, text in a number column,
/// numbers outside hard limits, duplicate participants, values that change within a participant, intervals that leave gaps.
/// shown  problems of one column that are told; the rest is counted
Checked<TrialRecords> read_source(protocol::Protocol const& protocol, CellTable const& table, std::size_t shown = 20);

/// The columns that [source] asks for, of the data file and of a joined file (by its own names): no other cell need be kept. A
/// name with the prefix of a joined file may still be one of the data file.
std::vector<std::string> columns_of_file(protocol::Source const& source);
std::vector<std::string> columns_of_file(protocol::Source const& source, protocol::SourceJoin const& join);

}  // namespace equipoise::data

#pragma once

#include <span>

#include "equipoise/core/expected.h"
#include "equipoise/data/cell_table.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::data {

/// The data file with the columns of the joined files beside its own (`join` of [source]): of each participant the one row that
/// `where` leaves, its columns called "adsl.AGE". With rows = "visits" a participant who is in a joined file and has no row gets one
/// without a day, so that nobody who was randomised is lost; with other rows that is a problem.
///
/// files   the joined files, in the order of the protocol
/// Every problem is reported, with file and line or row: columns that are not there, two rows of one participant, participants without
/// a row in a joined file. errors  missing_column, duplicate, unresolved
Checked<CellTable> with_joined(protocol::Protocol const& protocol, CellTable table, std::span<const CellTable> files);

}  // namespace equipoise::data

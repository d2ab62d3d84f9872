#pragma once

#include <string>
#include <vector>

#include "equipoise/data/cell_reader.h"
#include "equipoise/data/trial_data.h"

namespace equipoise::data {

/// One dated value as it stands in the data file.
struct Reading {
  std::size_t participant = 0;
  double day = 0;
  std::size_t value = 0;  ///< row of the values' column
  int line = 0;
  std::size_t visit = 0;  ///< place in protocol.visits, of a row that names its visit
};

/// Makes one value of each participant and day: equal values are one; different ones become one by [schedule] same_day, or are a
/// problem of the data, named with their lines. Without same_day, nominal = "mean" takes the mean of the day and "worst" its
/// worst. Does not depend on the order of the rows. The days that had different values are kept in `records.days_of_many`.
Readings one_a_day(protocol::Protocol const& protocol, protocol::Item const& item, expression::Column const& values,
                   std::vector<Reading> read, std::string const& column, CellReader& cells, TrialRecords& records);

/// Puts the values of an item at the visits that their rows name, whatever their days. Two different values of a participant at
/// one visit are a problem of the data, and so is a value at a visit that does not collect the item. With `visit` nothing is
/// placed by windows.
void at_named_visits(protocol::Protocol const& protocol, protocol::Item const& item, expression::Column const& values,
                     std::vector<Reading> read, std::string const& column, CellReader& cells, TrialRecords& records);

/// The day of each visit is that of the row that names it; of several rows the one closest to the target, then the earlier. Says
/// in `records.notes` how many of these days no window of their visit holds.
/// read  a row each that names a visit; its day may be missing
void days_of_named_visits(protocol::Protocol const& protocol, std::vector<Reading> const& read, TrialRecords& records);

}  // namespace equipoise::data

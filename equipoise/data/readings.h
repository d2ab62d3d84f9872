#pragma once

#include <cmath>
#include <string>
#include <utility>
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
class NamedVisits {
 public:
  /// values  of the item, which may still be filled
  NamedVisits(protocol::Protocol const& protocol, protocol::Item const& item, expression::Column const& values,
              TrialRecords& records);
  /// A value in a row of `values`, at a place in protocol.visits; false when there is a problem (see tell_named_visits).
  bool put(std::size_t visit, std::size_t participant, std::size_t value);
  void finish();

 private:
  std::string id_;
  expression::Column const& values_;
  TrialRecords& records_;
  std::vector<std::pair<std::string, expression::Column>> placed_;  // of the visits that collect the item
  std::vector<expression::Column*> at_;                             // of each visit its own, or none
  std::vector<std::int32_t> same_;
};

/// Tells the problems of values at named visits, in the order of visits, then participants.
void tell_named_visits(protocol::Protocol const& protocol, protocol::Item const& item, expression::Column const& values,
                       std::vector<Reading> read, std::string const& column, CellReader& cells, TrialRecords const& records);

/// The day of each visit is that of the row that names it; of several rows the one closest to the target, then the earlier. Says
/// in `records.notes` how many of these days no window of their visit holds.
class DaysOfNamedVisits {
 public:
  DaysOfNamedVisits(protocol::Protocol const& protocol, TrialRecords& records);
  /// The day of a row that names a visit (its place in protocol.visits).
  void see(std::size_t visit, std::size_t participant, double day) {
    if (days_[visit].empty()) days_[visit].assign(records_.participants.size(), missing_number);
    protocol::Visit const& planned = protocol_.visits[visit];
    const double target = records_.randomisation.low[participant] + planned.day.offset();
    outside_ += planned.has_window && (day < target - planned.days_before || day > target + planned.days_after);
    double& known = days_[visit][participant];
    const auto rank = [&](double at) { return std::pair(std::fabs(at - target), at); };
    if (std::isnan(known) || rank(day) < rank(known)) known = day;
  }
  void finish();

 private:
  protocol::Protocol const& protocol_;
  TrialRecords& records_;
  std::vector<std::vector<double>> days_;  // by visit, then participant
  std::size_t outside_ = 0;
};

}  // namespace equipoise::data

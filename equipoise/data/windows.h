#pragma once

#include <span>
#include <vector>

#include "equipoise/data/trial_data.h"
#include "equipoise/protocol/protocol.h"

/// From dated values to values at visits, by the rules that the protocol states. See docs/guide/protocol.md, "Which value
/// counts".
namespace equipoise::data {

/// One of several dated values of one item and participant, in the order of their days.
struct DatedValue {
  double day = 0;  ///< from the target day of the visit
  expression::Interval value{};
};

/// Which of them counts; `values` not empty, days distinct and rising.
///
///     closest   the least |day|; of two equally far the earlier
///     first     the least day             last   the greatest day
///     worst     the value at the item's bad end; of equal ones the earlier
/// `mean` has no single place: see `averaged`.
/// checked  windows_test.cpp, tests/independent/windows_test.cpp (enumeration of all days)
std::size_t chosen(std::span<const DatedValue> values, protocol::Nominal rule, protocol::Worst worst);

/// Mean of values, some of them perhaps only bounds.
///
///     all exact, or a bound that the rule makes a number: (x_1 + ... + x_k) / k
///     a bound that it leaves out: the interval of all possible means; missing when that has no end
///     all below (all above) limits: below (above) the mean of the limits
/// `limit_entered` is set when a bound entered as a number. The sum is taken in the given order.
expression::Interval averaged(std::span<const expression::Interval> values, protocol::Item const& item,
                              protocol::Conventions const& conventions, bool& limit_entered);

/// Orders values of which some are bounds: by number, "<20" just before 20 and ">20" just after it.
bool comes_before(expression::Interval const& a, expression::Interval const& b);

/// Makes `items`, `visit_days`, `marks` and `outside` of all `readings`, and carries out the definition of baseline: on them,
/// and, when the data are read, on the items that have a column a visit.
void place_readings(TrialRecords& records, protocol::Protocol const& protocol, bool columns_too = false);

/// Forgets values dated after the day.
void cut_readings(TrialRecords& records, double last_day);

}  // namespace equipoise::data

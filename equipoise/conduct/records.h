#pragma once

#include <span>
#include <string>
#include <vector>

#include "equipoise/conduct/plan.h"
#include "equipoise/conduct/state.h"
#include "equipoise/data/trial_data.h"

namespace equipoise::conduct {

/// Participants as expressions and analyses see them: one row each, in the given order. Dates are calendar dates. Who has
/// forbidden any further use keeps a row without values. Nobody's arm is in them.
///
/// plan  the version of the protocol whose words are used; values of items that it lacks are left out
data::TrialRecords to_records(Plan const& plan, std::span<Participant const* const> who);

/// The item by which the entries of a form are dated: its first date; nothing when it has none.
protocol::Item const* date_item(protocol::Form const& form);
/// The day number of a date as far as it is known (its earliest day); NaN when it is none.
double day_of(std::string_view date);
/// A participant's entries of a form without a visit, but those struck out: by date, undated ones last, then as they were made.
struct DatedEntry {
  Record const* record = nullptr;
  double day = 0;  ///< NaN: undated
};
std::vector<DatedEntry> entries_of(Participant const& who, protocol::Form const& form);

/// One entered value, checked against its item: the canonical text, or the problem as a sentence. The unit may be one of the item's
/// others.
///
/// errors  bad_cell (not a value of the item, outside the hard limits), unit_mismatch
struct EnteredText {
  std::string value;    ///< canonical
  std::string entered;  ///< as typed, when that says more
};
Expected<EnteredText> canonical_value(protocol::Item const& item, std::string_view text, std::string_view unit);

/// Whether the value lies outside the item's soft limits.
bool outside_soft_limits(protocol::Item const& item, std::string_view canonical);

}  // namespace equipoise::conduct

#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "equipoise/conduct/plan.h"
#include "equipoise/conduct/state.h"
#include "equipoise/data/trial_data.h"

namespace equipoise::conduct {

/// What of the log is to be seen in records.
struct Sight {
  /// Arms of participants, by id: of none, of dummies, or after the trial is unblinded. Absent: nobody's arm is known.
  std::map<std::string, std::string, std::less<>> const* arms = nullptr;
  /// Values that are left out; absent: none.
  std::function<bool(std::string_view item, std::string_view visit)> hidden{};
};

/// Participants as expressions and analyses see them: one row each, in the given order. Dates are calendar dates. Who has
/// forbidden any further use keeps a row without values.
///
/// plan  the version of the protocol whose words are used; values of items that it lacks are left out
data::TrialRecords to_records(Plan const& plan, std::span<Participant const* const> who, Sight const& sight = {});

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

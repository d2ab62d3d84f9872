#pragma once

#include <string>
#include <vector>

#include "equipoise/conduct/records.h"

namespace equipoise::conduct {

/// A check that a record does not pass.
struct Fired {
  std::string check{};     ///< "soft:cd4", or the id of an edit check
  bool hard = false;
  std::string sentence{};  ///< in English, for the answer
};

/// The soft limits of the items that were entered now, and the edit checks of the form, on the participant as saved. A check whose
/// rule is unknown (a value is missing) does not fire.
std::vector<Fired> fired_checks(Plan const& plan, Participant const& as_saved, RecordKey const& key,
                                std::vector<std::string> const& entered);

}  // namespace equipoise::conduct

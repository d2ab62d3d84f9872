#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/core/section.h"
#include "equipoise/protocol/protocol.h"

/// Who gets which arm. A method is a fold over the participants in their order, and sees nothing of chance but a random::Draw.
namespace equipoise::allocation {

/// A factor of the randomisation: what it can be, in an order that codes refer to.
struct Factor {
  std::string id;
  std::vector<std::string> levels;
  std::vector<std::int64_t> caps;  ///< of each level; no_cap = none. Empty: no level has one
};
inline constexpr std::int64_t no_cap = -1;

/// Over what a method allocates: the same for every method.
///
/// Unequal ratios are kept by places. An arm of ratio r has r places, and every method but the blocks treats all places alike, as
/// if each were an arm of its own; a participant who gets a place gets its arm. By symmetry every place has the same probability
/// before anything is drawn, whoever comes and whatever the method: the ratio holds at every allocation, not only in the long
/// run. source  Kuznetsova & Tymofyeyev (2012), Stat. Med. 31, 701-723
struct Setting {
  std::vector<std::string> arms;   ///< ids, in the order of the protocol
  std::vector<int> ratio;          ///< of each arm, at least 1
  std::vector<int> place_arm;      ///< of each place its arm; arms in order
  std::vector<Factor> factors;     ///< in the order of the protocol
  std::vector<std::int64_t> caps;  ///< of each arm; no_cap = none. Empty: no arm has one
  std::size_t strata = 1;          ///< combinations of the factors' levels
  std::int64_t planned = 0;        ///< participants; 0 = the protocol does not say

  std::size_t places() const { return place_arm.size(); }
  bool equal_ratio() const { return places() == arms.size(); }
};

inline constexpr int most_places = 60;              ///< sum of a ratio
inline constexpr std::size_t most_strata = 100000;  ///< that a method keeps apart

/// Reads what every method has: `ratio`, `factors` and `caps`. What the protocol's own reader reports (an arm without a ratio, a
/// factor without a rule) is left out quietly.
Setting read_setting(protocol::Protocol const& protocol, Section& section);

}  // namespace equipoise::allocation

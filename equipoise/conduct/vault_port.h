#pragma once

#include <span>
#include <string>
#include <vector>

#include "equipoise/allocation/concealed.h"
#include "equipoise/core/expected.h"

namespace equipoise::conduct {

/// The vault as conduct sees it. Answers are functions of the seed, of what has been confirmed, and of what is asked: asking again
/// changes nothing, so that an act which could not be stored never happened. No sentence of an error names an arm.
class VaultPort {
 public:
  virtual ~VaultPort() = default;

  /// The receipt of the next allocation.
  /// errors  refused (no arm takes the participant: caps, an imported list at its end), inconsistent (wrong number), unavailable
  virtual Expected<allocation::Receipt> allocate(allocation::Request const& request) = 0;
  /// Whether the receipt was made for this request by this vault.
  virtual Expected<bool> genuine(allocation::Request const& request, allocation::Receipt const& receipt) = 0;
  /// How much is to be prepared: for the preparer alone.
  virtual Expected<allocation::DoseOrder> dose(allocation::DoseRequest const& request) = 0;
  /// Numbers of the kits of a lot, sorted: the same again when asked again.
  virtual Expected<std::vector<allocation::Kit>> label_kits(std::string const& lot, std::string const& expires,
                                                            std::int64_t kits_per_arm) = 0;
  /// Which kit of a lot holds what: for the preparer alone.
  virtual Expected<std::vector<allocation::LabelledKit>> labels(std::string const& lot, std::string const& act) = 0;
  /// The number of one of the kits, which are in stock at the participant's site.
  /// errors  refused: none of them will do; the sentence is the same for every arm
  virtual Expected<std::string> choose_kit(std::int64_t allocation, std::span<const allocation::Kit> stock) = 0;
  /// One participant's arm. `act` is the digest of the event that records the unblinding.
  virtual Expected<allocation::Opening> open(std::string const& participant, std::string const& act) = 0;
  /// Envelopes to print: of each participant so far, or of the next places for these levels. Each opens an arm: for an unblinded role
  /// alone. errors  not_available (the arms of the next places depend on who comes)
  virtual Expected<std::vector<allocation::Envelope>> envelopes(std::string const& act) = 0;
  virtual Expected<std::vector<allocation::Envelope>> envelopes(std::vector<std::int32_t> const& levels, std::int64_t count,
                                                                std::string const& act) = 0;
  /// All arms and the seed.
  virtual Expected<allocation::Reveal> reveal(std::string const& act) = 0;
};

}  // namespace equipoise::conduct

#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "equipoise/core/expected.h"

namespace equipoise::stats {

/// The randomisation of a trial, carried out again over the same participants in the same order. This room knows no trial:
/// whoever plans the analysis hands in the method.
class Replay {
 public:
  virtual ~Replay() = default;

  /// Names the method in a footnote: "permuted blocks of 3 or 6".
  virtual std::string sentence() const = 0;

  /// Writes the group of each participant as the replicate-th replay has it: a pure function of seed, replicate and levels, and
  /// independent draws with the probabilities of the method. Groups are numbers into the levels of the group column.
  ///
  /// levels  of the factors, participant after participant in the order of randomisation
  /// errors  those of the method, such as a cap that the trial itself did not keep
  virtual Expected<void> replay(std::uint64_t seed, std::uint64_t replicate, std::span<const std::int32_t> levels,
                                std::span<std::int32_t> groups) const = 0;
};

}  // namespace equipoise::stats

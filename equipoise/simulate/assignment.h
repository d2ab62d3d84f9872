#pragma once

#include <optional>
#include <span>
#include <vector>

#include "equipoise/core/error.h"
#include "equipoise/protocol/protocol.h"
#include "equipoise/random/philox.h"

namespace equipoise::simulate {

/// Who gets which arm in a virtual trial.
class Assignment {
 public:
  static std::optional<Assignment> parse(protocol::Protocol const& protocol, Problems& problems);

  /// The arm of the participant with this number, in the order of randomisation.
  std::int32_t next(std::span<const std::int32_t> levels, random::PhiloxKey key, std::uint64_t replicate, std::uint32_t participant) const;

 private:
  std::vector<double> reached_;  ///< cumulative shares of the arms
};

}  // namespace equipoise::simulate

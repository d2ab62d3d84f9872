#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "equipoise/allocation/concealed.h"
#include "equipoise/allocation/rule.h"
#include "equipoise/vault/memory.h"

namespace equipoise::vault {

/// One allocation that was made: where it stands, and its arm.
struct Made {
  std::string stream;
  std::int64_t position = 0;
  std::int32_t arm = 0;  ///< number into the arms of the setting
};

/// The arms of an imported list, by stream.
using ArmsByStream = std::unordered_map<std::string, std::vector<std::int32_t>>;

/// The allocations of a trial as a fold over its requests: a pure function of rule, seed and list. The vault allocates with it,
/// and whoever verifies a reveal computes the same again.
class Replay {
 public:
  /// `list`: where the arms come from when not from the seed; may be null.
  Replay(allocation::Rule rule, std::shared_ptr<Mac const> seed, std::shared_ptr<ArmsByStream const> list);

  allocation::Rule const& rule() const { return rule_; }
  std::int64_t made() const { return made_; }

  /// Makes the next allocation. One that is refused leaves everything as it was.
  /// errors  conflict (not the next number); out_of_range (no such level); refused (a cap; the end of the list). No message
  ///         names an arm or depends on one
  Expected<Made> next(allocation::Request const& request);

 private:
  Expected<std::int32_t> arm_of(std::string const& stream, std::int64_t position, std::vector<std::int32_t> const& levels);

  allocation::Rule rule_;
  std::shared_ptr<Mac const> seed_;
  std::shared_ptr<ArmsByStream const> list_;
  allocation::State state_;
  std::unordered_map<std::string, std::int64_t> positions_;  ///< how far each stream is
  std::int64_t made_ = 0;
};

}  // namespace equipoise::vault

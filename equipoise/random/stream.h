#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "equipoise/random/philox.h"

namespace equipoise::random {

/// What random numbers are for: different purposes under one seed share none. Numbers are never used again for something else.
enum class Purpose : std::uint32_t {
  permutation = 1,
  bootstrap = 2,
  posterior = 3,
  imputation = 4,
  allocation = 5,       ///< of simulated trials
  rerandomisation = 6,  ///< replays of a trial's allocation
  accrual = 16,       ///< of virtual trials: when and where candidates come
  participant = 17,   ///< levels and slopes
  site_effect = 18,
  noise = 19,
  visit_day = 20,
  missed_visit = 21,
  study_stop = 22,
  event = 23,
  adverse_event = 24,
  item = 25,
  outcome = 26,
  calibration = 27,   ///< makes the seed of those virtual participants on whom a scenario is calibrated
};

/// Names a stream of one purpose under a seed.
struct StreamKey {
  std::uint64_t seed = 0;
  Purpose purpose{};
};

/// The Philox key of a stream: the first two words of the block of (purpose, 0, 0, 0) under the seed.
PhiloxKey derived_key(StreamKey key);

/// The random words of one replicate, from first to last. Equal keys and replicates give equal words, whatever was drawn before
/// from any other stream. Not for allocations of a live trial.
///
/// The key is the derived one; the counter is (block, 0, replicate).
///
/// page     docs/methods/random.md
/// checked  philox_test.cpp
class Stream {
 public:
  Stream(StreamKey key, std::uint64_t replicate);

  std::uint32_t word();
  /// A whole number from 0 to bound - 1, each equally probable; bound >= 1. Words in the incomplete last interval are drawn
  /// again.
  std::uint32_t below(std::uint32_t bound);
  /// Puts the codes in an order drawn uniformly from all.
  /// source  Durstenfeld (1964), Commun. ACM 7, 420
  void shuffle(std::span<std::int32_t> codes);

 private:
  PhiloxKey key_;
  std::uint64_t replicate_;
  std::uint32_t block_ = 0;
  std::size_t next_ = 4;
  PhiloxCounter words_{};
};

}  // namespace equipoise::random

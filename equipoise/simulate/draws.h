#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "equipoise/random/batch.h"

namespace equipoise::simulate {

/// The random numbers of one virtual trial, by purpose. A participant is a candidate's number in the order of arrival, so that
/// the same candidate has the same luck in every scenario. What is drawn where:
///
///     accrual        visit 0  block 0  uniforms: gap to the candidate before, site, whether the site's rate is already so high
///     participant    visit 0  block m  normals: level and slope of marker m
///     site_effect    visit 0  block m  a normal of the site with this number
///     noise          visit q  block m  normals: of marker m at the visits 2q and 2q + 1 of the schedule
///     visit_day      visit q  block 0  uniforms: of the visits 4q to 4q + 3
///     missed_visit   visit q  block 0  uniforms: of the visits 4q to 4q + 3
///     study_stop     visit q  block 0  uniforms: whether, before the visits 4q to 4q + 3
///                    visit v  block 1  a uniform: the day of one who leaves before visit v
///     event          visit k  block 0  a uniform: when the k-th kind of event happens
///     adverse_event  visit e  block 0  uniforms: gap to the event before the e-th, seriousness with grade, relation, duration
///     item           visit k  block 0  a normal or uniform of the k-th item that the scenario gives
///     outcome        visit v  block k  of the k-th outcome at the visit v; visit 4095: of the participant
class Draws {
 public:
  void start(std::uint64_t seed, std::uint64_t replicate) {
    if (!known_ || seed != seed_) {
      for (std::uint32_t purpose = 0; purpose < purposes; ++purpose)
        keys_[purpose] = random::derived_key({.seed = seed, .purpose = random::Purpose(purpose)});
      seed_ = seed, known_ = true;
    }
    replicate_ = replicate;
  }
  random::Batch of(random::Purpose purpose) const { return {keys_[std::size_t(purpose)], replicate_}; }
  random::PhiloxKey key(random::Purpose purpose) const { return keys_[std::size_t(purpose)]; }
  std::uint64_t replicate() const { return replicate_; }

 private:
  static constexpr std::uint32_t purposes = 32;
  std::array<random::PhiloxKey, purposes> keys_{};
  std::uint64_t seed_ = 0, replicate_ = 0;
  bool known_ = false;
};

/// Memory for one replicate after the other: the same requests in the same order get the same blocks again, so that after the
/// first replicates nothing is allocated.
class Arena {
 public:
  void rewind() { next_ = 0; }
  double* take(std::size_t size) {
    if (next_ == blocks_.size()) blocks_.emplace_back();
    std::vector<double>& block = blocks_[next_++];
    if (block.size() < size) block.resize(size + size / 8);
    return block.data();
  }

 private:
  std::vector<std::vector<double>> blocks_;
  std::size_t next_ = 0;
};

/// Participants or candidates whose values are to be made. Arrays have room for `stride` of them, a whole number of batch steps.
struct People {
  std::size_t n = 0, stride = 0;
  std::uint32_t const* who = nullptr;  ///< numbers of the candidates
  std::int32_t const* site = nullptr;
  std::int32_t const* arm = nullptr;  ///< none: candidates, of whom only visits up to randomisation are asked
  double const* day = nullptr;        ///< visits x stride: day of each visit since randomisation
};

/// Which cells of the layout are to be filled, and what a model needs for them; made once.
struct Selection {
  std::vector<std::uint8_t> cells;
  std::vector<std::uint8_t> parts{};  ///< the model's own
};

}  // namespace equipoise::simulate

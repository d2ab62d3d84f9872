#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "equipoise/allocation/setting.h"
#include "equipoise/core/section.h"
#include "equipoise/random/draw.h"

namespace equipoise::allocation {

/// What a method may know of the participant who comes next.
struct Candidate {
  std::span<const std::int32_t> levels;  ///< of each factor of the setting
  std::size_t stratum = 0;               ///< the combination of the levels, below Setting::strata
  std::uint64_t open_arms = 0;           ///< a bit for each arm that still takes participants; never 0
  std::uint64_t open_places = 0;         ///< their places
};

/// What a method remembers: whole numbers, as many as `cells()` says. Only the method understands them.
using Cells = std::span<std::int32_t>;

/// A method of randomisation. `parse` reports every problem of its keys and leaves `finish` to its caller; `next` gives an arm
/// and turns the state before the participant into the state after. It is a pure function of state, candidate and draw, and
/// allocates no memory, so that a simulator can fold millions of trials through one workspace.
template <class M>
concept Method = requires(M const& method, Setting const& setting, Section& text, Cells state, Candidate const& who,
                          random::Draw const& draw) {
  { M::keyword } -> std::convertible_to<std::string_view>;          // its name in the protocol file
  { M::parse(setting, text) } -> std::same_as<std::optional<M>>;    // its parameters, checked
  { method.cells() } -> std::same_as<std::size_t>;                  // of its state
  { method.start(state) } -> std::same_as<void>;                    // from cells of 0, before the first participant
  { method.next(state, who, draw) } -> std::same_as<std::int32_t>;  // the arm: a number below Setting::arms
  { method.sentence() } -> std::same_as<std::string>;               // for people: "permuted blocks of 3 or 6"
};

inline bool has(std::uint64_t set, std::size_t member) { return set >> member & 1; }

/// The k-th member of a set of places or arms, from 0.
inline std::size_t member(std::uint64_t set, std::uint64_t k) {
  for (; k > 0; --k) set &= set - 1;
  return std::size_t(std::countr_zero(set));
}

/// One member, each equally probable.
inline std::size_t any_of(std::uint64_t set, random::Draw const& draw, std::uint32_t position) {
  return member(set, draw.below(position, std::uint64_t(std::popcount(set))));
}

/// A preferred place with the probability, else one of the others. When several places are preferred equally, one of them drawn
/// with equal chances is the preferred one, and those that are not drawn are among the others. Positions 0 and 1.
///
/// preferred  of the open places, not empty
/// source     Efron (1971), Biometrika 58, 403-417; Pocock & Simon (1975), Biometrics 31, 103-115, where places of equal
///            imbalance are ranked at random
inline std::size_t biased_coin(std::uint64_t preferred, std::uint64_t open, double probability, random::Draw const& draw) {
  const std::uint64_t tied = std::uint64_t(std::popcount(preferred)), all = std::uint64_t(std::popcount(open));
  if (tied == all || probability == 1 || draw.unit(0) < probability) return any_of(preferred, draw, 1);
  const std::uint64_t pair = draw.below(1, tied * (all - 1));  // the preferred one, and another
  return member(open & ~(std::uint64_t(1) << member(preferred, pair / (all - 1))), pair % (all - 1));
}

/// `probability` of the preferred place: above that of chance alone and at most 1. Problems are reported.
double parse_probability(Setting const& setting, Section& text, std::optional<double> otherwise);

/// Reports that the method keeps nobody apart, when the setting has factors; and that there are too many strata, when it does.
void refuse_factors(Setting const& setting, Section& text, std::string_view keyword);
void check_strata(Setting const& setting, Section& text);

/// " within each combination of site and cd4_low", or "" without factors.
std::string within_strata(Setting const& setting);

}  // namespace equipoise::allocation

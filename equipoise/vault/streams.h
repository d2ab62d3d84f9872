#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "equipoise/allocation/rule.h"

/// The streams of a trial: where an allocation stands.
namespace equipoise::vault {

/// What a method that keeps strata apart gives stands in a stream for each stratum; everything else in the one stream "trial".
bool has_strata(allocation::Rule const& rule);

/// The name of the stream of these levels: "trial", or "site=s1,sex=F". The bytes `,` `=` `%` of a level are written %2C %3D %25,
/// so that two strata never share a name.
std::string stream_of(allocation::Rule const& rule, std::span<const std::int32_t> levels);

/// Its number: 0 of "trial", else the stratum's, the first factor counting fastest.
std::size_t stream_number(allocation::Rule const& rule, std::span<const std::int32_t> levels);
std::size_t streams(allocation::Rule const& rule);
/// The levels of the stratum of this number; none of "trial" without factors.
std::vector<std::int32_t> levels_of(allocation::Rule const& rule, std::size_t stream);

/// How many places of each stream are written down in the committed list, by the number of the stream: the planned participants,
/// or the smallest cap of the stratum's levels if that is less. Empty when the rule has no list: a minimisation, arms with caps,
/// a trial that does not state how many it plans, or more than `most_leaves` places.
std::vector<std::int64_t> listed_places(allocation::Rule const& rule);
inline constexpr std::int64_t most_leaves = 1 << 18;

}  // namespace equipoise::vault

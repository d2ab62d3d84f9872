#pragma once

#include <cstdint>

namespace equipoise::simulate {

/// Replicates are reduced in blocks of this many, by index: whoever computes a block gets the same bytes.
inline constexpr std::int64_t block_size = 100;
/// Of one world, at most: trials that tell its truth are numbered from 2^40 on.
inline constexpr std::int64_t most_replicates = std::int64_t(1) << 36;
/// Of so many first replicates single estimates are kept, for figures.
inline constexpr std::int64_t kept_replicates = 200;
/// The accrual of a kept trial is kept at so many equal steps of its participants.
inline constexpr int accrual_marks = 20;

inline std::int64_t blocks_of(std::int64_t replicates) { return (replicates + block_size - 1) / block_size; }

}  // namespace equipoise::simulate

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// The strata: the combinations of the categories' levels that occur, numbered from 0 in the order of the levels, first column
/// first. Without columns all rows are stratum 0.
struct Strata {
  std::vector<std::int32_t> code;  ///< of each row
  std::size_t count = 0;           ///< 0 when there are no rows
};

Strata combine(Frame const& frame, std::vector<std::string> const& columns);

}  // namespace equipoise::stats

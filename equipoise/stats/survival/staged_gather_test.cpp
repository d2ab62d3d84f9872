#include "equipoise/stats/survival/staged_gather.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace equipoise::stats {
namespace {

// Columns shorter and longer than what is staged, with rows that have no place, against the plain look-up.
TEST(StagedGather, ReadsColumnsInTheOrderOfTheRows) {
  for (const std::size_t n : {1u, 1000u, 300'000u, 2'200'000u}) {
    std::mt19937_64 bits(n);
    std::vector<std::uint32_t> rows(n);
    std::iota(rows.begin(), rows.end(), 0u);
    std::shuffle(rows.begin(), rows.end(), bits);
    rows.resize(n - n / 10);
    StagedGather gather(rows, n, 2);
    for (int c = 0; c < 2; ++c) {
      std::vector<double> column(n);
      for (double& value : column) value = double(bits() >> 11);
      double const* const values = gather.values(column);
      ASSERT_EQ(gather.order().size(), rows.size());
      for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(values[gather.order()[i]], column[rows[i]]) << n << " " << i;
    }
  }
}

}  // namespace
}  // namespace equipoise::stats

#include "equipoise/stats/repeated/centre.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace equipoise::stats {
namespace {

TEST(Centre, KnowsMeanAndDeviationFarFromZero) {
  for (std::size_t n = 2; n <= 13; ++n) {  // with and without a last lane that is not full
    std::vector<double> values;
    for (std::size_t i = 0; i < n; ++i) values.push_back(1e9 + double(i));
    const Centre centre = centre_of(values);
    EXPECT_NEAR(centre.mean, 1e9 + (double(n) - 1) / 2, 1e-6);                                      // one unit in the last place
    EXPECT_NEAR(centre.deviation, std::sqrt(double(n) * (double(n) + 1) / 12), 1e-12 * double(n));  // of 0, 1, ..., n - 1
  }
}

// 1e16 and 1 share no digit: a plain sum forgets some of the ones, and which ones depends on the order.
TEST(Centre, IsDeafToTheOrder) {
  std::vector<double> values{1e16, 1, -1e16, 3, 1e16, 1, 1, -1e16, 1, 1};
  std::ranges::sort(values);
  do EXPECT_EQ(sum_less(values, 0, Degree::one), 8.0);
  while (std::ranges::next_permutation(values).found && values[0] < 0);
}

}  // namespace
}  // namespace equipoise::stats

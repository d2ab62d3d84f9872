#include "equipoise/numerics/sum.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace equipoise::numerics {
namespace {

TEST(Sum, KeepsWhatAPlainSumLoses) {
  const std::vector<double> values{1, 1e100, 1, -1e100};  // Neumaier's example: a plain sum gives 0
  EXPECT_EQ(sum(values), 2);
  EXPECT_EQ(sum({}), 0);
}

TEST(Sum, StaysInfiniteOnceItIs) {
  const std::vector<double> values{1, std::numeric_limits<double>::infinity(), -1};
  EXPECT_EQ(sum(values), std::numeric_limits<double>::infinity());
}

TEST(Moments, DoNotCancelFarFromZero) {
  const double far = 1e9;  // exact in binary, and so are the deviations -1, 0, 1: mean far + 1, sd 1
  const std::vector<double> values{far, far + 1, far + 2};
  const Moments m = moments(values);
  EXPECT_EQ(m.mean, far + 1);
  EXPECT_EQ(m.sd, 1);
}

TEST(Moments, OfTooFewValuesAreNaN) {
  EXPECT_TRUE(std::isnan(moments({}).mean));
  const std::vector<double> one{4};
  EXPECT_EQ(moments(one).mean, 4);
  EXPECT_TRUE(std::isnan(moments(one).sd));
}

}  // namespace
}  // namespace equipoise::numerics

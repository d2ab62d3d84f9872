#include "equipoise/stats/multiplicity/adjust.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace equipoise::stats {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::NanSensitiveDoubleEq;

constexpr double ne = std::numeric_limits<double>::quiet_NaN();

// Fractions by hand, of p values with few binary digits so that products are exact.
const std::vector<double> p{0.0625, 0.03125, 0.25, 0.015625};  // sorted 1/64, 1/32, 1/16, 1/4

TEST(Adjust, MultipliesByTheNumberOfHypotheses) { EXPECT_THAT(bonferroni_adjusted(p), ElementsAre(0.25, 0.125, 1.0, 0.0625)); }

TEST(Adjust, StepsDownByHolm) {
  // 4/64 = 1/16; 3/32; 2/16; 1/4: rising already.
  EXPECT_THAT(holm_adjusted(p), ElementsAre(0.125, 0.09375, 0.25, 0.0625));
  // 4 * 0.25 = 1 holds for all behind it.
  EXPECT_THAT(holm_adjusted(std::vector<double>{0.25, 0.3, 0.5, 0.9}), ElementsAre(1.0, 1.0, 1.0, 1.0));
}

TEST(Adjust, StepsUpByHochberg) {
  EXPECT_THAT(hochberg_adjusted(p), ElementsAre(0.125, 0.09375, 0.25, 0.0625));
  // The largest p is at most 1/32, so all are: Holm would give 3/32.
  EXPECT_THAT(hochberg_adjusted(std::vector<double>{0.03125, 0.03125, 0.03125}), ElementsAre(0.03125, 0.03125, 0.03125));
}

TEST(Adjust, TestsAllIntersectionsByHommel) {
  // The closed test by hand, p = 1/64, 1/32, 1/16, 1/4. Of the smallest: alone 1/64; pairs min(2/64, larger) = 1/32 at most;
  // triples {1/64, 1/16, 1/4}: min(3/64, 3/32, 1/4) = 3/64; all: min(4/64, 4/64, 4/48, 1/4) = 1/16. So 1/16.
  // Of 1/32: pair with 1/4: 2/32; triple with 1/16 and 1/4: min(3/32, 3/32, 1/4) = 3/32; so 3/32.
  // Of 1/16: pair with 1/4: min(2/16, 1/4) = 1/8; so 1/8. Of 1/4: 1/4.
  EXPECT_THAT(hommel_adjusted(p), ElementsAre(0.125, 0.09375, 0.25, 0.0625));
  // Where it gains on Hochberg: p = 3/64, 3/64, 1/16 with m = 3. Hochberg: min(3 * 3/64, 2 * 3/64, 1/16) = 1/16 for all. Hommel
  // of a first: pair of the firsts min(6/64, 3/64); pair with 1/16 min(6/64, 1/16); all min(9/64, 3/2 * 3/64, 1/16) = 1/16.
  EXPECT_THAT(hommel_adjusted(std::vector<double>{0.046875, 0.046875, 0.0625}), ElementsAre(0.0625, 0.0625, 0.0625));
  // p = 1/64, 3/128, 3/128, 1: Hochberg of the first min(4/64, 9/128, 6/128, 1) = 3/64; Hommel: all min(4/64, 6/128, 4/128, 1) =
  // 1/32; the first with a second and 1 min(3/64, 9/256, 1) = 9/256; the first with 1: 2/64. So 9/256.
  EXPECT_THAT(hommel_adjusted(std::vector<double>{0.015625, 0.0234375, 0.0234375, 1}).front(), DoubleEq(9.0 / 256));
  EXPECT_THAT(hochberg_adjusted(std::vector<double>{0.015625, 0.0234375, 0.0234375, 1}).front(), DoubleEq(3.0 / 64));
}

TEST(Adjust, StepsUpTheRateOfFalseDiscoveries) {
  // 4/4 * 1/4; 4/3 * 1/16 = 1/12; 4/2 * 1/32 = 1/16; 4 * 1/64 = 1/16.
  EXPECT_THAT(benjamini_hochberg_adjusted(p), ElementsAre(DoubleEq(1.0 / 12), 0.0625, 0.25, 0.0625));
}

TEST(Adjust, CountsWhatIsNotEstimableAsOne) {
  const std::vector<double> with_ne{0.0625, ne, 0.03125};
  EXPECT_THAT(bonferroni_adjusted(with_ne), ElementsAre(0.1875, NanSensitiveDoubleEq(ne), 0.09375));
  EXPECT_THAT(holm_adjusted(with_ne), ElementsAre(0.125, NanSensitiveDoubleEq(ne), 0.09375));
  EXPECT_THAT(hochberg_adjusted(with_ne), ElementsAre(0.125, NanSensitiveDoubleEq(ne), 0.09375));
  EXPECT_THAT(hommel_adjusted(with_ne), ElementsAre(0.125, NanSensitiveDoubleEq(ne), 0.09375));
  EXPECT_THAT(benjamini_hochberg_adjusted(with_ne), ElementsAre(0.09375, NanSensitiveDoubleEq(ne), 0.09375));
}

TEST(Adjust, LeavesOneHypothesisAndNoneAlone) {
  for (auto const& adjust :
       {bonferroni_adjusted, holm_adjusted, hochberg_adjusted, hommel_adjusted, benjamini_hochberg_adjusted}) {
    EXPECT_THAT(adjust(std::vector<double>{0.3}), ElementsAre(0.3));
    EXPECT_THAT(adjust({}), ElementsAre());
    EXPECT_THAT(adjust(std::vector<double>{0, 1, 0}), ElementsAre(0.0, 1.0, 0.0));
    EXPECT_THAT(adjust(std::vector<double>{1, 1}), ElementsAre(1.0, 1.0));
  }
}

}  // namespace
}  // namespace equipoise::stats

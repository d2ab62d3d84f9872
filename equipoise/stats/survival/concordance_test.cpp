#include "equipoise/stats/survival/concordance.h"

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

Concordance pairs(std::vector<double> time, std::vector<double> event, std::vector<double> const& predictor) {
  testing::Table table;
  const std::vector<std::int32_t> one(time.size(), 0);
  table.numbers("t", std::move(time)).numbers("e", std::move(event));
  return concordance(*survival_rows(table.frame(), "t", "e"), predictor, one, 1);
}

TEST(Concordance, CountsComparablePairsOnly) {
  // 1 event with 3 others later: predictors 5 against 4, 5, 6. The two later events at 2 are tied in time: no pair; each beats or
  // loses to the one censored at 2, who lived longer.
  const Concordance got = pairs({1, 2, 2, 2}, {1, 1, 1, 0}, {5, 4, 5, 6});
  EXPECT_EQ(got.concordant, 1);
  EXPECT_EQ(got.tied, 1);
  EXPECT_EQ(got.discordant, 3);  // 5 < 6, 4 < 6, 5 < 6
  EXPECT_DOUBLE_EQ(got.c(), 0.3);
}

TEST(Concordance, IsOneWhenTheSickestGoFirstAndNaNWithoutPairs) {
  EXPECT_EQ(pairs({1, 2, 3}, {1, 1, 1}, {3, 2, 1}).c(), 1);
  EXPECT_EQ(pairs({1, 2, 3}, {1, 1, 1}, {1, 1, 1}).c(), 0.5);
  EXPECT_TRUE(std::isnan(pairs({1, 2, 3}, {0, 0, 1}, {3, 2, 1}).c()));
  EXPECT_TRUE(std::isnan(pairs({}, {}, {}).c()));
}

}  // namespace
}  // namespace equipoise::stats

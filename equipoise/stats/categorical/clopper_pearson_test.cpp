#include "equipoise/stats/categorical/clopper_pearson.h"

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::parse, testing::read, testing::Table;

// R 4.2.2, binom.test(4, 20), 15 digits; Clopper & Pearson (1934) read 0.06 and 0.44 off their chart.
TEST(ClopperPearson, ReproducesFourOfTwenty) {
  const auto [estimate, lower, upper] = clopper_pearson(4, 20, 0.95);
  EXPECT_EQ(estimate, 0.2);
  EXPECT_NEAR(lower, 0.0573339970500328, 1e-15);
  EXPECT_NEAR(upper, 0.4366140029966683, 1e-15);
}

TEST(ClopperPearson, HasClosedFormsAtTheEdges) {
  EXPECT_EQ(clopper_pearson(0, 10, 0.95).lower, 0);
  EXPECT_NEAR(clopper_pearson(0, 10, 0.95).upper, 1 - std::pow(0.025, 0.1), 1e-15);
  EXPECT_NEAR(clopper_pearson(10, 10, 0.95).lower, std::pow(0.025, 0.1), 1e-15);
  EXPECT_EQ(clopper_pearson(10, 10, 0.95).upper, 1);
  EXPECT_TRUE(std::isnan(clopper_pearson(0, 0, 0.95).upper));
  EXPECT_NEAR(clopper_pearson(0, 1e9, 0.95).upper, 3.688879447e-9, 1e-17);  // -log(0.025)/n, to 1/n relative
}

TEST(ClopperPearson, CountsRows) {
  Table table;
  table.numbers("ill", {1, 0, 0, 1, 0});
  const auto got = answer<ClopperPearson>(table.frame(), {{"response", {"ill"}}}, {{"level", testing::number(0.9)}});
  EXPECT_EQ(read(got, "estimate"), 0.4);
  EXPECT_EQ(read(got, "upper"), clopper_pearson(2, 5, 0.9).upper);
  EXPECT_EQ(read(got, "n_events"), 2);
}

TEST(ClopperPearson, RefusesOtherResponsesAndTakesNoRows) {
  Table table;
  table.numbers("ill", {1, 0.5});
  EXPECT_EQ(answer<ClopperPearson>(table.frame(), {{"response", {"ill"}}}).error().message,
            "column 'ill' holds 0.5: a response is 1 or 0");
  Table none;
  none.numbers("ill", {});
  const auto got = answer<ClopperPearson>(none.frame(), {{"response", {"ill"}}});
  EXPECT_TRUE(std::isnan(read(got, "estimate")));
  EXPECT_TRUE(has_note(got, "no rows"));
  EXPECT_EQ(parse<ClopperPearson>({}, {}).problems.size(), 1u);
}

}  // namespace
}  // namespace equipoise::stats

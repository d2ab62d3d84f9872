#include "equipoise/stats/continuous/signed_rank.h"

#include <limits>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::number, testing::parse, testing::read, testing::Table,
    testing::text;

const Roles roles{{"response", {"d"}}};
Node flag(bool value) { return Node(Node::Value(value)); }
Table values(std::vector<double> const& d) {
  Table table;
  table.numbers("d", d);
  return table;
}

// Hamilton depression scale factor, nine patients, second less first visit: Hollander & Wolfe (1973), table 3.1, as in the help
// of R's wilcox.test. Expected there: V = 5, two-sided exact p = 10/256 (partitions into distinct parts of 0 to 5).
TEST(WilcoxonSignedRank, ReproducesHollanderAndWolfesExample) {
  Table table = values(
      {0.878 - 1.83, 0.647 - 0.50, 0.598 - 1.62, 2.05 - 2.48, 1.06 - 1.68, 1.29 - 1.88, 1.06 - 1.55, 3.14 - 3.06, 1.29 - 1.30});
  const auto exact = answer<WilcoxonSignedRank>(table.frame(), roles, {{"exact", flag(true)}});
  EXPECT_EQ(read(exact, "statistic"), 5);
  EXPECT_NEAR(read(exact, "p"), 20.0 / 512, 1e-15);
  EXPECT_NEAR(read(answer<WilcoxonSignedRank>(table.frame(), roles, {}, Match::r), "p"), 20.0 / 512, 1e-15);
  EXPECT_NEAR(read(answer<WilcoxonSignedRank>(table.frame(), roles), "z"), -35 / std::sqrt(285.0),
              1e-15);  // (5 - 40)/sqrt(sum i^2)
}

TEST(WilcoxonSignedRank, DropsZerosOrRanksThemFirst) {
  Table table = values({0, 0, 1, -2, 3});
  const auto dropped = answer<WilcoxonSignedRank>(table.frame(), roles);
  EXPECT_EQ(read(dropped, "statistic"), 4);  // ranks 1, 2, 3: plus 1 and 3
  EXPECT_EQ(read(dropped, "n"), 3);
  EXPECT_TRUE(has_note(dropped, "2 values equal to 0 dropped before ranking."));
  const auto pratt = answer<WilcoxonSignedRank>(table.frame(), roles, {{"zeros", text("pratt")}});
  EXPECT_EQ(read(pratt, "statistic"), 8);  // ranks 3, 4, 5
  EXPECT_NEAR(read(pratt, "z"), 4 / std::sqrt(50.0), 1e-15);
  const auto against = answer<WilcoxonSignedRank>(values({0.3, 0.4}).frame(), roles, {{"mu", number(0.1 + 0.2)}});
  EXPECT_EQ(read(against, "n"), 1) << "0.3 is 0.1 + 0.2 but for rounding";
}

TEST(WilcoxonSignedRank, IsNotEstimableWithoutAnyDifference) {
  for (std::vector<double> const& d : {std::vector<double>{}, std::vector<double>{0, 0}}) {
    Table table = values(d);
    for (const bool exact : {false, true}) {
      const auto got = answer<WilcoxonSignedRank>(table.frame(), roles, {{"exact", flag(exact)}});
      for (const char* quantity : {"statistic", "z", "p"}) EXPECT_TRUE(std::isnan(read(got, quantity))) << quantity;
      EXPECT_TRUE(has_note(got, "No value differs from 0"));
    }
    EXPECT_TRUE(std::isnan(read(answer<SignTest>(table.frame(), roles), "p")));
    EXPECT_EQ(read(answer<SignTest>(table.frame(), roles), "n"), 0);
  }
}

TEST(WilcoxonSignedRank, RefusesWhatItCannotTake) {
  Table infinite = values({1, -std::numeric_limits<double>::infinity()});
  EXPECT_EQ(answer<WilcoxonSignedRank>(infinite.frame(), roles).error().code, Code::bad_cell);
  EXPECT_EQ(answer<SignTest>(infinite.frame(), roles).error().code, Code::bad_cell);
  Table many = values(std::vector<double>(1001, 1.0));
  EXPECT_EQ(answer<WilcoxonSignedRank>(many.frame(), roles, {{"exact", flag(true)}}).error().code, Code::out_of_range);
  EXPECT_EQ(parse<WilcoxonSignedRank>({}, {{"zeros", text("keep")}, {"mu", text("0")}}).problems.size(), 3u);
}

TEST(WilcoxonSignedRank, ExactAndApproximatePValuesMeetAtManyValues) {
  std::vector<double> d;
  for (int i = 1; i <= 400; ++i) d.push_back((i * 7919 % 1009 - 480) * 0.1);
  Table table = values(d);
  const double exact = read(answer<WilcoxonSignedRank>(table.frame(), roles, {{"exact", flag(true)}}), "p");
  const double normal = read(answer<WilcoxonSignedRank>(table.frame(), roles, {{"correction", flag(true)}}), "p");
  EXPECT_NEAR(exact, normal, 1e-3);  // the error of the normal approximation is of the order 1/n
}

TEST(SignTest, IsTheBinomialTest) {
  Table table = values({1, 2, 3, 4, 5, 6, 7, -1, 0, 0});
  const auto got = answer<SignTest>(table.frame(), roles);
  EXPECT_EQ(read(got, "statistic"), 7);
  EXPECT_EQ(read(got, "n"), 8);
  EXPECT_NEAR(read(got, "p"), 18.0 / 256, 1e-15);  // 2 (1 + 8)/2^8
  EXPECT_NEAR(read(answer<SignTest>(table.frame(), roles, {{"alternative", text("greater")}}), "p"), 9.0 / 256, 1e-15);
  EXPECT_NEAR(read(answer<SignTest>(table.frame(), roles, {{"alternative", text("less")}}), "p"), 255.0 / 256, 1e-15);
  EXPECT_TRUE(has_note(got, "2 values equal to 0 dropped."));
}

}  // namespace
}  // namespace equipoise::stats

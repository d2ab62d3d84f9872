#include "equipoise/stats/linear/logistic.h"

#include <cmath>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::parse, testing::read, testing::Table, testing::term,
    testing::text, testing::texts;

const Roles response{{"response", {"y"}}};

/// Counts of yes and no in two groups.
Table two_by_two(int yes_a, int no_a, int yes_b, int no_b) {
  std::vector<double> y;
  std::vector<std::int32_t> g;
  const auto add = [&](int count, double value, std::int32_t group) {
    for (int i = 0; i < count; ++i) y.push_back(value), g.push_back(group);
  };
  add(yes_a, 1, 0), add(no_a, 0, 0), add(yes_b, 1, 1), add(no_b, 0, 1);
  Table table;
  table.numbers("y", y).category("g", {"a", "b"}, g);
  return table;
}
Keys model(Keys more = {}) {
  Keys keys{{"formula", text("g")}, {"levels", testing::table({{"g", texts({"a", "b"})}})}};
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}
const At b = term("g", "b"), intercept{{"term", Term{}}};

// The saturated model of a 2x2 table: log odds ratio and Woolf's (1955) standard error, Ann. Hum. Genet. 19, 251-253. The fit
// stops when no predictor moves by 1e-10.
TEST(Logistic, IsWoolfsOddsRatioOnATwoByTwoTable) {
  Table table = two_by_two(7, 13, 12, 5);
  const auto got = answer<Logistic>(table.frame(), response, model());
  const double estimate = std::log(12.0 / 5 * 13 / 7), se = std::sqrt(1 / 7.0 + 1 / 13.0 + 1 / 12.0 + 1 / 5.0);
  EXPECT_NEAR(read(got, "estimate", b), estimate, 1e-10);
  EXPECT_NEAR(read(got, "se", b), se, 1e-10);
  EXPECT_NEAR(read(got, "odds_ratio_upper", b), std::exp(estimate + 1.959963984540054 * se), 1e-8);
  EXPECT_NEAR(read(got, "estimate", intercept), std::log(7.0 / 13), 1e-10);
  const double likelihood = 7 * std::log(7 / 20.0) + 13 * std::log(13 / 20.0) + 12 * std::log(12 / 17.0) + 5 * std::log(5 / 17.0);
  EXPECT_NEAR(read(got, "log_likelihood"), likelihood, 1e-12);
  EXPECT_NEAR(read(got, "deviance"), -2 * likelihood, 1e-12);
}

// Firth (1993): the penalised fit of a saturated model adds 1/2 to each cell.
TEST(Logistic, AddsHalfToEachCellWhenSeparated) {
  for (const auto& [table_of, yes_a, no_a, yes_b, no_b] :
       {std::tuple(0, 0.5, 7.5, 4.5, 1.5), std::tuple(1, 0.5, 5.5, 6.5, 0.5)}) {
    Table table = table_of == 0 ? two_by_two(0, 7, 4, 1) : two_by_two(0, 5, 6, 0);
    const auto got = answer<Logistic>(table.frame(), response, model());
    EXPECT_NEAR(read(got, "estimate", b), std::log(yes_b / no_b * no_a / yes_a), 1e-8);
    EXPECT_NEAR(read(got, "estimate", intercept), std::log(yes_a / no_a), 1e-8);
    EXPECT_TRUE(has_note(got, "Firth's penalised likelihood"));
    EXPECT_TRUE(got->penalised);
    const double lower = read(got, "lower", b), upper = read(got, "upper", b);
    EXPECT_LT(lower, read(got, "estimate", b));
    EXPECT_GT(upper, read(got, "estimate", b));
  }
  Table none = two_by_two(0, 5, 0, 6);
  const auto got = answer<Logistic>(none.frame(), response, model());
  EXPECT_NEAR(read(got, "estimate", b), std::log(5.5 / 6.5), 1e-8);
  EXPECT_TRUE(has_note(got, "Every response is no"));
}

// Half a person more in each cell again. The one person of 'a' has leverage 1, where full steps never settle.
TEST(Logistic, PenalisesAGroupOfOne) {
  for (const int others : {10, 1000}) {
    Table table = two_by_two(1, 0, others / 5, others - others / 5);
    const auto got = answer<Logistic>(table.frame(), response, model());
    EXPECT_NEAR(read(got, "estimate", b), std::log((others / 5 + 0.5) / (others - others / 5 + 0.5) / 3), 2e-10) << others;
    EXPECT_NEAR(read(got, "estimate", intercept), std::log(3.0), 2e-10);
  }
}

TEST(Logistic, SaysWhichCoefficientsAreInfinite) {
  Table table = two_by_two(3, 7, 5, 0);
  const auto got = answer<Logistic>(table.frame(), response, model({{"firth", text("never")}}));
  EXPECT_TRUE(std::isnan(read(got, "estimate", b)));
  EXPECT_NEAR(read(got, "estimate", intercept), std::log(3 / 7.0), 1e-8);  // the group that is not separated
  EXPECT_TRUE(has_note(got, "separates the responses"));
  EXPECT_FALSE(got->penalised);
}

// Profile limits of the difference of two groups: at the limit twice the fall of l, maximised over the intercept by golden
// section on its own likelihood, is the chi-square quantile 3.841458820694124.
TEST(Logistic, ProfileLimitsLieWhereTheLikelihoodHasFallen) {
  Table table = two_by_two(7, 13, 12, 5);
  const auto got = answer<Logistic>(table.frame(), response, model({{"interval", text("profile")}}));
  const auto l = [](double a, double d) {
    return 7 * a - 20 * std::log1p(std::exp(a)) + 12 * (a + d) - 17 * std::log1p(std::exp(a + d));
  };
  const auto profile = [&](double d) {
    double low = -20, high = 20;
    for (int i = 0; i < 200; ++i) {
      const double x = high - 0.6180339887498949 * (high - low), y = low + 0.6180339887498949 * (high - low);
      (l(x, d) > l(y, d) ? high : low) = l(x, d) > l(y, d) ? y : x;
    }
    return l(0.5 * (low + high), d);
  };
  const double top = profile(read(got, "estimate", b));
  EXPECT_NEAR(2 * (top - profile(read(got, "lower", b))), 3.841458820694124, 1e-8);
  EXPECT_NEAR(2 * (top - profile(read(got, "upper", b))), 3.841458820694124, 1e-8);
}

TEST(Logistic, RefusesOtherResponsesAndTakesNoRows) {
  Table other;
  other.numbers("y", {0, 1, 2}).category("g", {"a", "b"}, {0, 1, 1});
  EXPECT_EQ(answer<Logistic>(other.frame(), response, model()).error().code, Code::bad_cell);
  Table empty;
  empty.numbers("y", {}).category("g", {"a", "b"}, {});
  EXPECT_TRUE(std::isnan(read(answer<Logistic>(empty.frame(), response, model()), "estimate", intercept)));
  EXPECT_EQ(
      parse<Logistic>(response, {{"formula", text("g")}, {"firth", text("maybe")}, {"interval", text("exact")}}).problems.size(),
      2u);
}

}  // namespace
}  // namespace equipoise::stats

#include "equipoise/stats/imputation/rubin.h"

#include <cmath>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::number, testing::numbers, testing::parse, testing::read, testing::text;

Expected<Answer> pooled(std::vector<double> const& estimates, std::vector<double> const& variances, testing::Keys more = {}) {
  more.push_back({"estimates", numbers(estimates)});
  more.push_back({"variances", numbers(variances)});
  return answer<Rubin>(Frame{}, {}, more);
}

// By hand: q 1, 2, 3; u all 1/2. W = 1/2, B = 1, T = 1/2 + 4/3 = 11/6, lambda = 8/11, 2 / (64/121) = 121/32; nu = 9: observed
// 10/12 * 9 * 3/11 = 45/22, 1/df = 32/121 + 22/45.
TEST(Rubin, IsTheArithmeticOfThePapers) {
  const auto got = pooled({1, 2, 3}, {0.5, 0.5, 0.5}, {{"complete_data_df", number(9)}});
  const double rounding = 1e-14;
  EXPECT_EQ(read(got, "estimate"), 2);
  EXPECT_NEAR(read(got, "se"), std::sqrt(11 / 6.0), rounding);
  EXPECT_NEAR(read(got, "lambda"), 8 / 11.0, rounding);
  EXPECT_NEAR(read(got, "df_large_sample"), 121 / 32.0, 10 * rounding);
  EXPECT_NEAR(read(got, "df"), 1 / (32 / 121.0 + 22 / 45.0), rounding);
  const auto large = pooled({1, 2, 3}, {0.5, 0.5, 0.5});
  EXPECT_EQ(read(large, "df"), read(large, "df_large_sample"));
  EXPECT_TRUE(has_note(large, "Rubin (1987)"));
  const auto function = pool(std::vector<double>{1, 2, 3}, std::vector<double>{0.5, 0.5, 0.5}, 9);
  EXPECT_EQ(function->df, read(got, "df"));
  EXPECT_EQ(function->within, 0.5);
  EXPECT_EQ(function->between, 1);
}

// Nothing missing: the complete-data df times (nu + 1)/(nu + 3) is what Barnard and Rubin keep.
TEST(Rubin, OfEqualEstimatesHasNoVarianceBetween) {
  const auto got = pooled({2, 2, 2}, {1, 1, 1}, {{"complete_data_df", number(20)}});
  EXPECT_EQ(read(got, "lambda"), 0);
  EXPECT_EQ(read(got, "df_large_sample"), INFINITY);
  EXPECT_NEAR(read(got, "df"), 20 * 21 / 23.0, 1e-13);
  EXPECT_TRUE(has_note(got, "no variance is due to the missing values"));
  const auto normal = pooled({2, 2, 2}, {1, 1, 1});
  EXPECT_NEAR(read(normal, "upper"), 2 + 1.959963984540054, 1e-14);
}

TEST(Rubin, SaysWhatIsNotEstimable) {
  const auto zero = pooled({2, 2}, {0, 0}, {{"complete_data_df", number(20)}});
  EXPECT_EQ(read(zero, "estimate"), 2);
  EXPECT_TRUE(std::isnan(read(zero, "p")));
  EXPECT_TRUE(std::isnan(read(zero, "lower")));
  EXPECT_TRUE(has_note(zero, "no test and no limits"));
  const auto only_between = pooled({1, 2}, {0, 0}, {{"complete_data_df", number(20)}});
  EXPECT_NEAR(read(only_between, "se"), std::sqrt(0.75), 1e-15);
  EXPECT_TRUE(std::isnan(read(only_between, "df")));
  EXPECT_TRUE(std::isnan(read(only_between, "p")));
  EXPECT_TRUE(has_note(only_between, "no degrees of freedom are left"));
  const auto huge = pooled({1e300, -1e300}, {1, 1});
  EXPECT_TRUE(std::isnan(read(huge, "estimate")));
  EXPECT_TRUE(has_note(huge, "too large"));
  const auto missing = pool(std::vector<double>{1, NAN}, std::vector<double>{1, 1});
  ASSERT_TRUE(missing);
  EXPECT_TRUE(std::isnan(missing->estimate));
  EXPECT_TRUE(std::isnan(missing->df));
  EXPECT_TRUE(std::isnan(pool(std::vector<double>{1, 2}, std::vector<double>{1, NAN})->se));
}

TEST(Rubin, RefusesWhatAreNoImputations) {
  const auto code = [](std::vector<double> const& q, std::vector<double> const& u, double df) {
    return pool(q, u, df).error().code;
  };
  EXPECT_EQ(code({1}, {1}, 5), Code::out_of_range);
  EXPECT_EQ(code({}, {}, 5), Code::out_of_range);
  EXPECT_EQ(code({1, 2}, {1}, 5), Code::size_mismatch);
  EXPECT_EQ(code({1, 2}, {1, -1}, 5), Code::out_of_range);
  EXPECT_EQ(code({1, 2}, {1, 1}, 0), Code::out_of_range);
  EXPECT_EQ(code({1, 2}, {1, 1}, NAN), Code::out_of_range);
  EXPECT_EQ(parse<Rubin>({}, {}).problems.size(), 2u);  // both lists are missing
  EXPECT_EQ(parse<Rubin>({}, {{"estimates", numbers({1})}, {"variances", numbers({1})}}).problems.front().code,
            Code::out_of_range);
  EXPECT_EQ(parse<Rubin>({}, {{"estimates", numbers({1, 2})}, {"variances", numbers({1})}}).problems.front().code,
            Code::size_mismatch);
  EXPECT_EQ(parse<Rubin>({}, {{"estimates", numbers({1, 2})}, {"variances", numbers({1, -2})}}).problems.size(), 1u);
  EXPECT_EQ(parse<Rubin>({{"response", {"y"}}}, {{"estimates", numbers({1, 2})}, {"variances", numbers({1, 2})}}).problems.size(),
            1u);
}

}  // namespace
}  // namespace equipoise::stats

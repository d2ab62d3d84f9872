#include "equipoise/expression/interval.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "equipoise/expression/small_trial_test.h"

namespace equipoise::expression {
namespace {

const double infinity = std::numeric_limits<double>::infinity();
constexpr double step = 0.25;  // of the enumerated values; a power of two, so that their sums and products are exact
constexpr double reach = 4;    // far enough beyond the largest finite bound to stand for any number

bool contains(Interval const& a, double x) {
  return (a.low < x || (a.low == x && !a.low_open)) && (x < a.high || (x == a.high && !a.high_open));
}

/// Every interval with bounds among -inf, -2, ..., 2, +inf, open and closed, and the missing one.
std::vector<Interval> all_intervals() {
  std::vector<Interval> found{Interval{}};
  const std::vector<double> bounds{-infinity, -2, -1, 0, 1, 2, infinity};
  for (const double low : bounds)
    for (const double high : bounds)
      for (const bool low_open : {false, true})
        for (const bool high_open : {false, true}) {
          const Interval given{low, high, low_open, high_open};
          const bool bounded =
              (std::isfinite(low) || low_open) && (std::isfinite(high) || high_open) && low != infinity && high != -infinity;
          const bool empty = low > high || (low == high && (low_open || high_open));
          if (bounded && !empty) found.push_back(given);
        }
  return found;
}

/// Values that a quantity known to lie in `a` may have.
std::vector<double> possible(Interval const& a) {
  std::vector<double> found;
  for (double x = -reach; x <= reach; x += step)
    if (contains(a, x)) found.push_back(x);
  return found;
}

/// The brute-force answer: true or false when all pairs of possible values agree.
template <class F>
std::uint8_t enumerated(std::vector<double> const& a, std::vector<double> const& b, F&& holds) {
  bool some = false, all = true;
  for (const double x : a)
    for (const double y : b) holds(x, y) ? some = true : all = false;
  if (a.empty() || b.empty()) return is_unknown;  // missing
  return all ? is_true : some ? is_unknown : is_false;
}

TEST(Interval, ComparisonsAgreeWithTheEnumerationOfPossibleValues) {
  // Through the language, so that operators, columns and intervals are judged together: one participant for each pair of
  // intervals.
  const auto intervals = all_intervals();
  ASSERT_GT(intervals.size(), 60u);
  std::vector<Interval> left, right;
  for (Interval const& a : intervals)
    for (Interval const& b : intervals) left.push_back(a), right.push_back(b);
  small_trial::Data data(left.size());
  data.cells["cd4@w4"] = Column::of_intervals(left);
  data.cells["cd8@w4"] = Column::of_intervals(right);
  const auto judge = [&](std::string_view op, auto holds) {
    Problems problems;
    const auto expression = parse("cd4@w4 " + std::string(op) + " cd8@w4", data.names, {}, {}, problems);
    ASSERT_TRUE(expression);
    const auto found = evaluate(*expression, data).truth;
    for (std::size_t i = 0; i < left.size(); ++i)
      ASSERT_EQ(found[i], enumerated(possible(left[i]), possible(right[i]), holds))
          << left[i].low << (left[i].low_open ? " open" : "") << ", " << left[i].high << (left[i].high_open ? " open " : " ")
          << op << " " << right[i].low << (right[i].low_open ? " open" : "") << ", " << right[i].high
          << (right[i].high_open ? " open" : "");
  };
  judge("==", [](double x, double y) { return x == y; });
  judge("!=", [](double x, double y) { return x != y; });
  judge("<", [](double x, double y) { return x < y; });
  judge("<=", [](double x, double y) { return x <= y; });
  judge(">", [](double x, double y) { return x > y; });
  judge(">=", [](double x, double y) { return x >= y; });
}

TEST(Interval, ArithmeticHoldsEveryPossibleResult) {
  const auto intervals = all_intervals();
  for (Interval const& a : intervals)
    for (Interval const& b : intervals) {
      const Interval sum = add(a, b), product = multiply(a, b), quotient = divide(a, b), least = smaller(a, b);
      if (a.missing() || b.missing()) {
        EXPECT_TRUE(sum.missing() && product.missing() && quotient.missing());
        continue;
      }
      EXPECT_FALSE(sum.missing() || least.missing());
      if (b.exact()) {
        EXPECT_FALSE(product.missing());
        EXPECT_EQ(quotient.missing(), b.low == 0);
      }
      for (const double x : possible(a))
        for (const double y : possible(b)) {
          EXPECT_TRUE(contains(sum, x + y));
          EXPECT_TRUE(product.missing() || contains(product, x * y));
          EXPECT_TRUE(quotient.missing() || contains(quotient, x / y));
          EXPECT_TRUE(contains(least, std::fmin(x, y)));
        }
    }
}

TEST(Interval, BoundsAreAsTightAsThePossibleResults) {
  for (Interval const& a : all_intervals())
    for (Interval const& b : all_intervals()) {
      if (a.missing() || b.missing() || a.low_open || a.high_open || b.low_open || b.high_open)
        continue;  // closed bounds are reached
      double least_sum = infinity, most_sum = -infinity, least = infinity, most = -infinity, least_min = infinity,
             most_min = -infinity;
      for (const double x : possible(a))
        for (const double y : possible(b)) {
          least_sum = std::fmin(least_sum, x + y), most_sum = std::fmax(most_sum, x + y);
          least = std::fmin(least, x * y), most = std::fmax(most, x * y);
          least_min = std::fmin(least_min, std::fmin(x, y)), most_min = std::fmax(most_min, std::fmin(x, y));
        }
      EXPECT_EQ(add(a, b), (Interval{least_sum, most_sum}));
      EXPECT_EQ(smaller(a, b), (Interval{least_min, most_min}));
      if (a.exact() || b.exact()) {
        EXPECT_EQ(multiply(a, b), (Interval{least, most}));
      }
    }
}

TEST(Interval, OpenBoundsOfAMinimumAreReachedOnlyWhereAnOperandReachesThem) {
  // min of [0, 1) and [0, 1] can be 0, and comes near 1 without reaching it; of (0, 1] and [0, 1] it can be both.
  EXPECT_EQ(smaller({0, 1, false, true}, {0, 1}), (Interval{0, 1, false, true}));
  EXPECT_EQ(smaller({0, 1, true, false}, {0, 1}), (Interval{0, 1, false, false}));
  EXPECT_EQ(smaller({0, 1, true, false}, {0, 1, true, false}), (Interval{0, 1, true, false}));
  EXPECT_EQ(smaller({0, 1, true, false}, {-1, 2, true, true}), (Interval{-1, 1, true, false}));
}

TEST(Interval, LogarithmsAreOfThePositivePart) {
  for (Interval const& a : all_intervals()) {
    const Interval found = logarithm(a);
    bool positive = false;
    for (const double x : possible(a)) {
      if (!(x > 0)) continue;
      positive = true;
      EXPECT_TRUE(contains(found, std::log(x)));
    }
    EXPECT_EQ(found.missing(), !positive);
  }
  EXPECT_EQ(logarithm({-infinity, 1, true, true}), (Interval{-infinity, 0, true, true}));
}

TEST(Interval, OverflowIsMissingOrUnbounded) {
  const double huge = 1.5e308;
  EXPECT_TRUE(add(Interval::exactly(huge), Interval::exactly(huge)).missing());
  EXPECT_TRUE(add({huge, infinity, false, true}, Interval::exactly(huge)).missing());  // above every double
  EXPECT_EQ(add({-huge, 0}, Interval::exactly(-huge)), (Interval{-infinity, -huge, true, false}));
  EXPECT_EQ(multiply({1, huge}, Interval::exactly(10)), (Interval{10, infinity, false, true}));
  EXPECT_EQ(divide({-1, 1}, Interval::exactly(1e-309)), (Interval{-infinity, infinity, true, true}));
}

TEST(Interval, SettledRefusesWhatIsNoInterval) {
  EXPECT_TRUE(settled({2, 1}).missing());
  EXPECT_TRUE(settled({1, 1, true, false}).missing());
  EXPECT_TRUE(settled({1, missing_number}).missing());
  EXPECT_TRUE(settled({infinity, infinity}).missing());
  EXPECT_EQ(settled({-infinity, 3}), (Interval{-infinity, 3, true, false}));
  EXPECT_EQ(settled({1, 1}), Interval::exactly(1));
}

}  // namespace
}  // namespace equipoise::expression

#include "equipoise/core/check_digit.h"

#include <gtest/gtest.h>

#include <string>

namespace equipoise {
namespace {

TEST(CheckDigit, IsDamms) {
  EXPECT_EQ(check_digit("572"), '4');  // the example of the dissertation
  EXPECT_TRUE(has_check_digit("5724"));
  EXPECT_FALSE(has_check_digit("5727"));
  EXPECT_FALSE(has_check_digit(""));
  EXPECT_EQ(check_digit("57-2"), '?');
  EXPECT_FALSE(has_check_digit("57a4"));
}

TEST(CheckDigit, ShowsEveryWrongDigitAndEveryExchangeOfNeighbours) {
  for (int number = 0; number < 10000; ++number) {
    std::string right = std::to_string(10000 + number).substr(1);
    right += check_digit(right);
    ASSERT_TRUE(has_check_digit(right));
    for (std::size_t i = 0; i < right.size(); ++i) {
      std::string wrong = right;
      for (char digit = '0'; digit <= '9'; ++digit) {
        wrong[i] = digit;
        ASSERT_EQ(has_check_digit(wrong), digit == right[i]) << right << " " << wrong;
      }
      wrong = right;
      if (i + 1 < right.size() && right[i] != right[i + 1]) {
        std::swap(wrong[i], wrong[i + 1]);
        ASSERT_FALSE(has_check_digit(wrong)) << right << " " << wrong;
      }
    }
  }
}

}  // namespace
}  // namespace equipoise

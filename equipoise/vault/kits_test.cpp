#include "equipoise/vault/kits.h"

#include <map>
#include <set>

#include "equipoise/core/check_digit.h"
#include "equipoise/vault/testing.h"

namespace equipoise::vault {
namespace {

using allocation::Kit;
using testing::chi_square_limit, testing::said, testing::TestChance, testing::z_of_1e_6;

KitOrder order(std::string lot = "L1", std::string expires = "2027-06-30") {
  return {.lot = std::move(lot), .expires = std::move(expires), .counts = {}};
}

std::vector<std::int32_t> arms(std::vector<int> counts) {
  std::vector<std::int32_t> all;
  for (std::size_t arm = 0; arm < counts.size(); ++arm) all.insert(all.end(), std::size_t(counts[arm]), std::int32_t(arm));
  return all;
}

TEST(Kits, HaveDistinctNumbersWithCheckDigitsAndTheirContents) {
  TestChance chance;
  Kits kits;
  std::set<std::string> all;
  for (int lot = 0; lot < 5; ++lot) {
    const auto made = kits.label(order(std::to_string(lot)), arms({10, 20, 5}), chance).value();
    std::map<std::int32_t, int> counts;
    std::string before;
    for (Kits::Numbered const& kit : made) {
      EXPECT_EQ(kit.number.size(), 8u);
      EXPECT_TRUE(has_check_digit(kit.number));
      EXPECT_LT(before, kit.number);
      EXPECT_TRUE(all.insert(kit.number).second);
      before = kit.number;
      ++counts[kit.arm];
    }
    EXPECT_EQ(counts, (std::map<std::int32_t, int>{{0, 10}, {1, 20}, {2, 5}}));
    for (Kits::Numbered const& kit : made)
      kits.add(kit.number, {.lot = std::to_string(lot), .expires = "2027-06-30", .arm = kit.arm});
    EXPECT_EQ(kits.lot(std::to_string(lot)).size(), 35u);
  }
}

// 2,000 lots of 6 + 6 + 6 kits; alpha 1e-6 each, fixed bytes of chance. Content against: place in the list, leading digit, check
// digit, parity of the number, content of the next kit.
TEST(F06_Kits, NumbersPlacesAndNeighboursAreIndependentOfTheContent) {
  TestChance chance("lots");
  std::map<std::string, std::vector<std::vector<double>>> tables{{"place", std::vector(18, std::vector<double>(3))},
                                                                 {"first digit", std::vector(10, std::vector<double>(3))},
                                                                 {"check digit", std::vector(10, std::vector<double>(3))},
                                                                 {"parity", std::vector(2, std::vector<double>(3))}};
  std::vector<std::vector<double>> next(3, std::vector<double>(3));
  for (int lot = 0; lot < 2000; ++lot) {
    const auto made = Kits().label(order(), arms({6, 6, 6}), chance).value();
    for (std::size_t i = 0; i < made.size(); ++i) {
      const auto arm = std::size_t(made[i].arm);
      ++tables["place"][i][arm];
      ++tables["first digit"][std::size_t(made[i].number[0] - '0')][arm];
      ++tables["check digit"][std::size_t(made[i].number[7] - '0')][arm];
      ++tables["parity"][std::size_t(made[i].number[6] - '0') % 2][arm];
      if (i + 1 < made.size()) ++next[arm][std::size_t(made[i + 1].arm)];
    }
  }
  for (auto const& [name, table] : tables) {
    double chi_square = 0;
    for (std::vector<double> const& row : table) {
      const double expected = (row[0] + row[1] + row[2]) / 3;
      for (const double count : row) chi_square += (count - expected) * (count - expected) / expected;
    }
    const double degrees = 2.0 * double(table.size() - (name == "place" ? 1 : 0));
    EXPECT_LT(chi_square, chi_square_limit(degrees, z_of_1e_6)) << name;
  }
  // Of two neighbours among 6 + 6 + 6 the same content has probability 5/17, another one 6/17.
  double chi_square = 0;
  for (std::size_t a = 0; a < 3; ++a)
    for (std::size_t b = 0; b < 3; ++b) {
      const double expected = 2000 * 17 * (a == b ? 5.0 : 6.0) / 17 / 3;
      chi_square += (next[a][b] - expected) * (next[a][b] - expected) / expected;
    }
  EXPECT_LT(chi_square, chi_square_limit(8, z_of_1e_6));
}

TEST(Kits, RefuseWrongOrders) {
  TestChance chance;
  Kits kits;
  EXPECT_EQ(said(kits.label(order(""), arms({1}), chance)), "a lot has a name of 1 to 64 bytes");
  EXPECT_EQ(said(kits.label(order("L", "2027-06"), arms({1}), chance)),
            "a lot expires on a day such as 2027-06-30, and not on '2027-06'");
  EXPECT_EQ(said(kits.label(order("L", "2027-02-30"), arms({1}), chance)),
            "a lot expires on a day such as 2027-06-30, and not on '2027-02-30'");
  EXPECT_EQ(said(kits.label(order(), {}, chance)), "1 to 20000 kits are labelled at a time, and not 0");
  EXPECT_EQ(said(kits.label(order(), arms({20001}), chance)), "1 to 20000 kits are labelled at a time, and not 20001");
  kits.add("00000000", {.lot = "L1", .expires = "2027-06-30", .arm = 0});
  EXPECT_EQ(said(kits.label(order("L1"), arms({1}), chance)), "the lot 'L1' has been labelled");
}

TEST(Kits, AreChosenByExpiryThenNumber) {
  Kits kits;
  for (auto const& [number, arm] :
       {std::pair("1", 0), std::pair("2", 1), std::pair("3", 0), std::pair("4", 0), std::pair("5", 1)})
    kits.add(number, {.lot = "L", .expires = "2027-01-01", .arm = arm});
  const auto kit = [](std::string number, std::string expires) {
    return Kit{.number = std::move(number), .lot = "L", .expires = std::move(expires), .site = "s1"};
  };
  const std::vector<Kit> all{kit("4", "2027-01-01"), kit("3", "2027-01-01"), kit("1", "2027-02-01"), kit("2", "2026-12-01"),
                             kit("5", "2027-03-01")};
  EXPECT_EQ(*kits.choose(0, all), "3");
  EXPECT_EQ(*kits.choose(1, all), "2");
  EXPECT_EQ(*kits.smallest_stock(all), 2);
  EXPECT_EQ(*kits.smallest_stock(std::span(all).first(3)), 0);
  EXPECT_EQ(*kits.smallest_stock({}), 0);
  EXPECT_EQ(said(kits.choose(0, std::vector{kit("9", "2027-01-01")})), "no kit of this trial has the number '9'");
  EXPECT_FALSE(kits.smallest_stock(std::vector{kit("9", "2027-01-01")}));
}

TEST(F24_Kits, RunOutInTheSameWordsForEveryArm) {
  Kits kits;
  kits.add("1", {.lot = "L", .expires = "2027-01-01", .arm = 0}), kits.add("2", {.lot = "L", .expires = "2027-01-01", .arm = 1});
  const std::vector<Kit> first{{.number = "1", .lot = "L", .expires = "2027-01-01", .site = "s1"}},
      second{{.number = "2", .lot = "L", .expires = "2027-01-01", .site = "s1"}};
  const auto one = kits.choose(1, first), two = kits.choose(0, second);
  EXPECT_EQ(one.error().code, Code::refused);
  EXPECT_EQ(said(one), said(two));
  EXPECT_EQ(said(one), "none of the available kits can be given for this allocation");
}

TEST(Kits, NeverGiveANumberThatWasTaken) {
  Kits kits;
  TestChance chance("same"), same("same");
  const std::string number = kits.label(order(), arms({1}), chance)->front().number;
  kits.take(number);
  EXPECT_NE(kits.label(order(), arms({1}), same)->front().number, number);
  EXPECT_FALSE(kits.choose(-1, std::vector<Kit>{{.number = number, .lot = {}, .expires = {}, .site = {}}}));
}

}  // namespace
}  // namespace equipoise::vault

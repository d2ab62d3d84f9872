#include <gtest/gtest.h>

#include <array>

#include "equipoise/expression/small_trial_test.h"

namespace equipoise::expression {
namespace {

using small_trial::Data;

constexpr std::uint8_t F = is_false, T = is_true, U = is_unknown;
constexpr std::array<std::uint8_t, 3> truths{T, U, F};

// Kleene (1952), Introduction to Metamathematics, section 64, strong tables: rows and columns in the order true, unknown, false.
constexpr std::uint8_t conjunction[3][3] = {{T, U, F}, {U, U, F}, {F, F, F}};
constexpr std::uint8_t disjunction[3][3] = {{T, T, T}, {T, U, U}, {T, U, F}};
constexpr std::uint8_t equivalence[3][3] = {{T, U, F}, {U, U, U}, {F, U, T}};
constexpr std::uint8_t opposite[3] = {F, U, T};

/// Nine participants with every pair of truths: hiv is the row of a table, cdc_c the column.
Data every_pair() {
  Data data(9);
  std::vector<std::uint8_t> rows, columns;
  for (const auto row : truths)
    for (const auto column : truths) rows.push_back(row), columns.push_back(column);
  data.cells["hiv@screening"] = Column::of_truths(rows);
  data.cells["cdc_c@screening"] = Column::of_truths(columns);
  return data;
}

std::vector<std::uint8_t> value(Data const& data, std::string_view text) {
  Problems problems;
  const auto expression = parse(text, data.names, {}, {}, problems);
  EXPECT_TRUE(expression) << text;
  return evaluate(*expression, data).truth;
}

TEST(Kleene, AllTablesCellByCell) {
  const Data data = every_pair();
  const auto both_of = value(data, "hiv@screening and cdc_c@screening"),
             either_of = value(data, "hiv@screening or cdc_c@screening");
  const auto same_as = value(data, "hiv@screening == cdc_c@screening"),
             other_than = value(data, "hiv@screening != cdc_c@screening");
  const auto not_first = value(data, "not hiv@screening"), missing_first = value(data, "missing(hiv@screening)");
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      const std::size_t k = 3 * i + j;
      EXPECT_EQ(both_of[k], conjunction[i][j]);
      EXPECT_EQ(either_of[k], disjunction[i][j]);
      EXPECT_EQ(same_as[k], equivalence[i][j]);
      EXPECT_EQ(other_than[k], opposite[equivalence[i][j] == T ? 0 : equivalence[i][j] == U ? 1 : 2]);
      EXPECT_EQ(not_first[k], opposite[i]);
      EXPECT_EQ(missing_first[k], truths[i] == U ? T : F);
    }
}

TEST(Kleene, WhatIsKnownStaysWhenTheUnknownIsLearnt) {
  // A second way to the same truth: if the answer is known, every completion of the unknown operands gives that answer.
  Data data = every_pair();
  const std::array<std::string_view, 8> rules{
      "hiv@screening and not cdc_c@screening",
      "not (hiv@screening or cdc_c@screening)",
      "hiv@screening == (cdc_c@screening or hiv@screening)",
      "(hiv@screening and cdc_c@screening) or (not hiv@screening and not cdc_c@screening)",
      "hiv@screening or not hiv@screening",
      "hiv@screening != cdc_c@screening and cdc_c@screening",
      "not hiv@screening or cdc_c@screening or false",
      "hiv@screening and true and cdc_c@screening"};
  for (const auto rule : rules) {
    const auto found = value(data, rule);
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j)
        for (std::size_t a = 0; a < 3; a += 2)
          for (std::size_t b = 0; b < 3; b += 2) {
            const bool completes = (truths[i] == U || i == a) && (truths[j] == U || j == b);
            if (!completes || found[3 * i + j] == U) continue;
            EXPECT_EQ(found[3 * i + j], found[3 * a + b]) << rule;
          }
  }
}

}  // namespace
}  // namespace equipoise::expression

// Tests of tables derived again: every R x C table of given margins listed with whole-number weights; McNemar's pairs by the
// binomial distribution; the exact trend by listing the outcomes.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "brute_force.h"
#include "equipoise/stats/categorical/cochran_armitage.h"
#include "equipoise/stats/categorical/fisher_exact.h"
#include "equipoise/stats/categorical/fisher_table.h"
#include "equipoise/stats/categorical/mcnemar.h"
#include "equipoise/stats/categorical/pearson_chi_square.h"

namespace equipoise::independent {
namespace {

stats::Contingency table_of(std::size_t rows, std::size_t columns, std::vector<std::int64_t> count) {
  return {std::vector<std::string>(rows, "r"), std::vector<std::string>(columns, "c"), std::move(count)};
}

std::int64_t factorial(std::int64_t n) { return n < 2 ? 1 : n * factorial(n - 1); }

/// All tables with the margins of this one, cell by cell; the weight of a table is prod_j c_j! / prod_ij n_ij!, a whole number.
double listed_p(stats::Contingency const& observed) {
  const std::size_t rows = observed.rows.size(), columns = observed.columns.size();
  const auto weight = [&](std::vector<std::int64_t> const& count) {
    std::int64_t product = 1;
    for (std::size_t j = 0; j < columns; ++j) {
      std::int64_t sum = 0, below = 1;
      for (std::size_t i = 0; i < rows; ++i) sum += count[i * columns + j], below *= factorial(count[i * columns + j]);
      product *= factorial(sum) / below;
    }
    return product;
  };
  const std::int64_t here = weight(observed.count);
  std::int64_t all = 0, as_rare = 0;
  std::vector<std::int64_t> row = observed.row_sums(), column = observed.column_sums(), count(rows * columns, 0);
  const std::function<void(std::size_t)> fill = [&](std::size_t cell) {
    if (cell == count.size()) {
      for (const std::int64_t left : row)
        if (left != 0) return;
      for (const std::int64_t left : column)
        if (left != 0) return;
      const std::int64_t ways = weight(count);
      all += ways;
      if (ways <= here) as_rare += ways;
      return;
    }
    const std::size_t i = cell / columns, j = cell % columns;
    for (std::int64_t x = 0; x <= std::min(row[i], column[j]); ++x) {
      count[cell] = x, row[i] -= x, column[j] -= x;
      fill(cell + 1);
      row[i] += x, column[j] += x;
    }
    count[cell] = 0;
  };
  fill(0);
  return double(as_rare) / double(all);
}

TEST(FisherByListingTables, AgreesForRowsByColumns) {
  Bits bits(41);
  const std::vector<std::pair<std::size_t, std::size_t>> shapes{{2, 3}, {3, 2}, {3, 3}, {2, 5}, {4, 3}, {5, 2}};
  int compared = 0;
  for (int trial = 0; trial < 120; ++trial) {
    const auto [rows, columns] = shapes[std::size_t(trial) % shapes.size()];
    std::vector<std::int64_t> count(rows * columns, 0);
    for (int k = 0; k < 4 + trial % 9; ++k) ++count[std::size_t(bits.below(int(count.size())))];
    const stats::Contingency table = table_of(rows, columns, count);
    bool empty = false;
    for (const std::int64_t sum : table.row_sums()) empty = empty || sum == 0;
    for (const std::int64_t sum : table.column_sums()) empty = empty || sum == 0;
    if (empty) continue;
    ++compared;
    const auto got = stats::fisher_exact_table(table);
    ASSERT_TRUE(got);
    EXPECT_NEAR(*got, listed_p(table), 1e-12) << rows << " x " << columns << " trial " << trial;
  }
  EXPECT_GT(compared, 60);
}

TEST(FisherByListingTables, IsTheTestOfTwoByTwoTables) {
  Bits bits(42);
  for (int trial = 0; trial < 200; ++trial) {
    const stats::TwoByTwo t{1 + bits.below(30), 1 + bits.below(30), 1 + bits.below(30), 1 + bits.below(30)};
    const auto got = stats::fisher_exact_table(table_of(2, 2, {t.a, t.b, t.c, t.d}));
    ASSERT_TRUE(got);
    EXPECT_NEAR(*got, stats::fisher_exact(t, stats::Alternative::two_sided).p, 1e-11);
  }
}

TEST(FisherByListingTables, DoesNotDependOnTheOrderOfRowsAndColumns) {
  const std::vector<std::int64_t> count{8, 5, 3, 2, 7, 4, 4, 2, 9, 5, 2, 11};
  std::vector<std::int64_t> turned(12), reversed(12);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 4; ++j) turned[j * 3 + i] = count[i * 4 + j], reversed[(2 - i) * 4 + 3 - j] = count[i * 4 + j];
  const double p = *stats::fisher_exact_table(table_of(3, 4, count));
  EXPECT_NEAR(*stats::fisher_exact_table(table_of(4, 3, turned)), p, 1e-12);
  EXPECT_NEAR(*stats::fisher_exact_table(table_of(3, 4, reversed)), p, 1e-12);
}

TEST(McNemarByTheBinomial, AgreesForAllSmallCounts) {
  for (std::int64_t b = 0; b <= 20; ++b)
    for (std::int64_t c = 0; c <= 20; ++c) {
      // Tails of Pascal's triangle over 2^n: exact in doubles.
      std::vector<double> row{1};
      for (std::int64_t n = 0; n < b + c; ++n) {
        row.push_back(0);
        for (std::size_t k = row.size() - 1; k > 0; --k) row[k] += row[k - 1];
      }
      double tail = 0;
      for (std::int64_t k = 0; k <= std::min(b, c); ++k) tail += row[std::size_t(k)];
      EXPECT_NEAR(stats::mcnemar_exact_p(b, c), std::min(1.0, 2 * tail / std::pow(2.0, double(b + c))), 1e-13);
    }
}

TEST(TrendByListing, AgreesOnSmallTrials) {
  Bits bits(43);
  for (int trial = 0; trial < 60; ++trial) {
    const std::size_t groups = 2 + std::size_t(trial % 3);
    std::vector<double> sizes, events, scores;
    for (std::size_t g = 0; g < groups; ++g) {
      sizes.push_back(1 + bits.below(6));
      events.push_back(bits.below(int(sizes.back()) + 1));
      scores.push_back(bits.below(4) * 1.5);
    }
    double n = 0, x = 0, mean = 0, all = 0, extreme = 0, observed = 0;
    for (std::size_t g = 0; g < groups; ++g) n += sizes[g], x += events[g], mean += sizes[g] * scores[g];
    mean /= n;
    for (std::size_t g = 0; g < groups; ++g) observed += (scores[g] - mean) * events[g];
    const std::function<void(std::size_t, double, double, double)> deal = [&](std::size_t g, double left, double t, double ways) {
      if (g == groups) {
        if (left != 0) return;
        all += ways;
        if (std::abs(t) >= std::abs(observed) - 1e-9) extreme += ways;
        return;
      }
      for (double k = 0; k <= std::min(left, sizes[g]); ++k)
        deal(g + 1, left - k, t + (scores[g] - mean) * k,
             ways * double(factorial(std::int64_t(sizes[g])) /
                           (factorial(std::int64_t(k)) * factorial(std::int64_t(sizes[g] - k)))));
    };
    deal(0, x, 0, 1);
    bool one_score = true;
    for (const double s : scores) one_score = one_score && s == scores[0];
    const auto got = stats::cochran_armitage_exact(events, sizes, scores);
    ASSERT_TRUE(got);
    if (one_score || x == 0 || x == n) {
      EXPECT_TRUE(std::isnan(*got));
    } else {
      EXPECT_NEAR(*got, extreme / all, 1e-12) << trial;
    }
  }
}

}  // namespace
}  // namespace equipoise::independent

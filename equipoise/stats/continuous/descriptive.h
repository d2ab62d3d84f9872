#pragma once

#include <span>
#include <string>
#include <vector>

#include "equipoise/core/columns.h"
#include "equipoise/stats/method.h"

/// Descriptive statistics of one sample without missing values.
namespace equipoise::stats {

/// How a quantile falls between two order statistics: programs differ.
enum class QuantileRule {
  sas_5,  ///< empirical distribution function with averaging: SAS QNTLDEF=5, R type 2
  r_7     ///< linear interpolation between order statistics: R's default
};

/// Quantile p of a sample in ascending order.
///
///     sas_5:  x_(ceil(np)), and (x_(np) + x_(np + 1)) / 2 when np is whole
///     r_7:    x_(j) + (h - j)(x_(j + 1) - x_(j)),  h = (n - 1)p + 1,  j = floor(h)
///
/// sorted   x, ascending                 shape n
/// returns  NaN when n = 0
/// source   Hyndman & Fan (1996), Am. Stat. 50, 361-365, definitions 2 and 7
/// checked  descriptive_test.cpp
double quantile(std::span<const double> sorted, double p, QuantileRule rule);

struct Summary {
  std::int64_t n = 0;
  double mean = missing_number, sd = missing_number;  ///< sd with divisor n - 1; NaN when n < 2
  double min = missing_number, lower_quartile = missing_number, median = missing_number, upper_quartile = missing_number,
         max = missing_number;
};

/// n, mean, standard deviation, quartiles and range. Sums run in ascending order of the values, so that the order of rows does
/// not matter.
Summary summarise(std::vector<double> values, QuantileRule rule);

/// Descriptive statistics of a column, of each group and of all rows. Page: docs/methods/descriptive.md
struct Descriptive {
  std::string response, group;
  QuantileRule rule = QuantileRule::sas_5;
  std::vector<double> probs;
  bool geometric = false;  ///< the geometric mean too

  static MethodCard const& card();
  static std::optional<Descriptive> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<Descriptive>);

}  // namespace equipoise::stats

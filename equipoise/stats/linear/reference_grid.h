#pragma once

#include <map>
#include <string>
#include <vector>

#include "equipoise/stats/formula.h"

namespace equipoise::stats {

/// How an LS mean averages over the factors that it does not name.
enum class GridWeights {
  equal,        ///< every level that occurs counts the same
  proportional  ///< every combination of levels counts by its share of the rows
};

/// The functions of a model's coefficients that ask about its factors: LS means, their differences, type III hypotheses. Numeric
/// covariates stand at their mean over the rows; an interaction of covariates at the product of their means.
///
/// source   Searle, Speed & Milliken (1980), Am. Stat. 34, 216-221
/// checked  ancova_test.cpp, tests/independent/linear_test.cpp
class ReferenceGrid {
 public:
  ReferenceGrid(Frame const& frame, Formula const& formula, Design const& design, GridWeights weights);

  struct GridFactor {
    std::string column;
    std::vector<std::string> levels;  ///< those that occur in the rows, in their order
    std::vector<std::string> absent;  ///< those that do not
  };
  /// The categories of the formula, in the order of their first use.
  std::vector<GridFactor> const& factors() const { return factors_; }
  GridFactor const* factor(std::string_view column) const;
  /// The sets of two categories or more that are the categorical part of some term: {arm, site} of arm:site and of arm:site:age.
  std::vector<std::vector<std::string>> interactions() const;
  bool averages_over_others(std::string_view column) const;

  /// The LS mean at these levels, which must occur, as a function of the coefficients: shape of the design's columns.
  std::vector<double> mean(Term const& levels) const;
  /// The coefficients of the term under sum-to-zero coding, as functions of those of the design: one for each combination of
  /// its factors' levels but the last of each.
  std::vector<std::vector<double>> hypothesis(std::vector<std::string> const& term) const;

 private:
  double share(Term const& levels) const;

  Frame const& frame_;
  Formula const& formula_;
  Design const& design_;
  GridWeights weights_;
  std::vector<GridFactor> factors_;
  std::map<std::string, double, std::less<>> means_;  ///< of the numeric columns
  mutable std::map<Term, double> shares_;
};

}  // namespace equipoise::stats

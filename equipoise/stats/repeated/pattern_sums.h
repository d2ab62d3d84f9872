#pragma once

#include <Eigen/Dense>
#include <cstdint>
#include <vector>

#include "equipoise/numerics/lanes.h"
#include "equipoise/stats/repeated/covariance.h"
#include "equipoise/stats/repeated/visit_data.h"

/// What the parts of `VisitLikelihood` share. Only they include this.
namespace equipoise::stats::folded {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using numerics::Lanes;

constexpr Index width = Index(numerics::lanes);

/// Four patterns g, g + 1, ... of a column.
inline Lanes at(MatrixXd const& columns, Index column, Index g) {
  return numerics::load(columns.data() + column * columns.rows() + g);
}
inline void put(MatrixXd& columns, Index column, Index g, Lanes value) {
  numerics::store(columns.data() + column * columns.rows() + g, value);
}
inline Index packed_index(Index j, Index k) { return Index(packed(std::size_t(j), std::size_t(k))); }

/// Sums of products of the participants' covariates u and responses y, a row for each pattern of visits. The patterns of a block
/// stand together, padded with empty ones to whole groups of four.
struct PatternSums {
  VisitData const* data;
  Index m, q, p, pairs, elements, rows, blocks;  // packed pairs of covariates, packed elements, padded patterns
  std::vector<Index> start{};                    // first row of each block, and the end
  std::vector<Index> row_of_pattern{};
  /// A pair of covariates that stand in columns of single visits both needs W itself, one of which only the other does the row
  /// sums of W, and one that stands in columns of all visits only their total. Pairs stand in this order.
  Index by_element = 0, by_visit = 0;     // how many pairs of the first kind, and of the second
  std::vector<Index> pair_place{};        // of each packed pair
  std::vector<std::uint8_t> of_visits{};  // of each covariate: whether some column has it at a single visit
  MatrixXd seen, uu, uy, yy;              // 1 or 0 at each visit, u u', u y', y y'
  VectorXd n;
  double observations = 0, participants = 0;

  explicit PatternSums(VisitData const& data);

  /// Adds sign times participant i to every sum.
  void change(std::size_t i, double sign);
  /// Takes the sums anew, of the responses less X times b more than they are less now.
  void recentre(VectorXd const& b);
  VectorXd origin;  // what the responses in the sums are less, as coefficients of X

 private:
  void order_pairs();
  void sum_products();
  /// Responses of participant i less X times the origin.
  double const* response(std::size_t i) const;
  /// Adds sign times the products of participant i: u u', u y', y y'.
  void add(std::size_t i, double* to, double sign) const;

  std::vector<std::int32_t> times_;      // how often each participant is in the sums
  std::vector<double> origin_at_;        // the origin as coefficients of u at each visit; empty until it is moved
  mutable std::vector<double> shifted_;  // responses of one participant
};

}  // namespace equipoise::stats::folded

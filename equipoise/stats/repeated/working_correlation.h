#pragma once

#include <optional>
#include <span>
#include <vector>

#include "equipoise/stats/repeated/subjects.h"

namespace equipoise::stats {

/// How the rows of one participant are taken to depend on each other.
enum class Dependence { independence, exchangeable, ar1, unstructured };

/// The working correlation matrix R of each participant, estimated from Pearson residuals.
///
///     exchangeable   R_jk = a             a = sum of r_j r_k / phi over all pairs of rows of one participant, over their number
///     ar1            R_jk = a^|j - k|     a in [-1, 1] minimises the sum of (r_j r_k / phi - a^|j - k|)^2 over those pairs; j, k visit
///                                         numbers, so a gap counts
///     unstructured   R_jk = a_jk          a_jk = sum of r_j r_k / phi over the participants with both visits, over their number
///
/// source   Liang & Zeger (1986), Biometrika 73, 13-22; that no divisor is reduced by the coefficients, and ar1 from all pairs, are
///          the rules of R's geepack, Yan & Fine (2004), Stat. Med. 23, 859-874
/// checked  gee_test.cpp, tests/independent/gee_test.cpp
class WorkingCorrelation {
 public:
  /// ar1 and unstructured need visits. `subjects` must outlive it. Starts as independence.
  WorkingCorrelation(Dependence dependence, Subjects const& subjects);

  /// From residuals in the order of the subjects' rows, and phi > 0. When a matrix is not positive definite (an eigenvalue or pivot
  /// below 1e-8), it is drawn towards independence until all are, and `in_range` is false.
  void estimate(std::span<const double> residuals, double phi);
  bool in_range() const { return in_range_; }

  /// The estimates as they came, in range or not: a of exchangeable and ar1; NaN of the others, and without any pair.
  double parameter() const { return estimate_; }
  /// a_jk of unstructured; NaN when no participant has both visits.
  double parameter(std::size_t j, std::size_t k) const { return pairs_[j * subjects_->visits + k].estimate; }
  std::size_t pairs() const { return n_pairs_; }  ///< pairs of rows of one participant

  /// The correlation of rows i and j (from 0) of participant k that is in use.
  double correlation(std::size_t k, std::size_t i, std::size_t j) const;

  /// Multiplies a block of `width` columns, row by row, with a row for each row of participant k, by a matrix L^-1 with L L' = R.
  void whiten(std::size_t k, std::span<double> block, std::size_t width);

 private:
  struct Pair {
    double sum = 0, estimate = missing_number, used = 0;
    std::size_t count = 0;
  };
  std::size_t gap(std::size_t i, std::size_t j) const;
  void estimate_ar1();
  void factor();
  bool factor_patterns(double share);

  Dependence dependence_;
  Subjects const* subjects_;
  std::size_t n_pairs_ = 0, largest_ = 0;
  bool independent_ = true, in_range_ = true;
  double estimate_ = missing_number, used_ = 0;
  std::vector<Pair> pairs_;  ///< of visits j < k at [j][k]; of ar1 those of lag l at [l]
  std::vector<double> mean_;
  // Unstructured: participants with the same visits share a factor.
  std::vector<std::size_t> pattern_;  ///< of each participant
  struct Pattern {
    std::vector<std::int32_t> visits;
    std::vector<double> lower;  ///< L, row by row
  };
  std::vector<Pattern> patterns_;
};

}  // namespace equipoise::stats

#pragma once

#include <span>
#include <vector>

#include "equipoise/stats/imputation/completed_ancova.h"
#include "equipoise/stats/imputation/imputation_model.h"

namespace equipoise::stats {

/// Numbers that are added to imputed values.
struct ImputationDeltas {
  std::vector<double> added;            ///< n x m, 0 where nothing is added
  std::vector<std::uint8_t> shiftable;  ///< n x m: imputed values that a tipping point shifts
  std::size_t visit = 0;                ///< at which it does
};

/// The analysis of completed data as a function of the imputation parameters, for participants counted any number of times.
///
/// An imputed value is linear in b for given regressions, z_j = Z_j b + B_j (z_o - Z_o b), so that sum_i x_i z_ij needs only
/// sum_i x_i Z_i' and sum_i x_i z_io within a kind of participants: neither a step of a jackknife nor of a bootstrap looks at the
/// participants again.
///
/// Nothing is allocated after construction.
///
/// checked  completed_sums_test.cpp, against the same analysis of rows
class CompletedSums {
 public:
  /// `model`: null when nothing is missing.
  CompletedSums(CompletedAncova const& ancova, VisitGrid const& grid, ImputationModel const* model, ImputationDeltas const& deltas);

  void add(std::size_t participant, double times);

  /// Estimates of the questions at each visit, then, at the visit of the deltas, what one unit on the shiftable values of each group
  /// adds to each question: groups x questions. False when the participants counted do not determine the coefficients.
  bool solve(ImputationParameters const& parameters, std::span<const double> regressions, std::span<double> out);
  std::size_t size() const { return ancova_.size() + groups_ * ancova_.questions().size(); }

 private:
  struct Slot {  // of a kind: one design at which values of it are missing
    std::size_t model;
    std::vector<std::size_t> visits;  ///< the missing ones with that design
    std::vector<double> z;            ///< sum x z, m x width
    std::vector<double> rows;         ///< sum x Z', m x width x p
  };

  bool factor(std::size_t model);
  void back(std::size_t model, double* x) const;

  CompletedAncova const& ancova_;
  VisitGrid const& grid_;
  ImputationModel const* model_;
  ImputationDeltas const& deltas_;
  std::size_t groups_ = 0, p_ = 0;
  std::vector<std::vector<double>> cross_;      ///< of each design: X'X, width x width
  std::vector<std::vector<double>> numbers_;    ///< of each design: sums of its covariates
  std::vector<std::vector<double>> known_;      ///< of each visit: X'y of observed values and of what is added, in given units
  std::vector<std::vector<double>> shift_;      ///< of each group: X' of its shiftable values
  std::vector<std::vector<Slot>> slots_;        ///< of each kind
  std::vector<std::vector<double>> factors_;    ///< of each design
  std::vector<std::vector<double>> means_, functions_;
  std::vector<std::vector<double>> total_;      ///< of each visit: X'y
  std::vector<double> residuals_, right_;
  double participants_ = 0;
};

}  // namespace equipoise::stats

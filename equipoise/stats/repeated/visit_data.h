#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/expected.h"
#include "equipoise/stats/formula.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// Which columns of a long frame (a row a participant and visit) play which part in a model for repeated measures.
struct VisitRoles {
  std::string response, subject, visit;
  std::string weight{};         ///< "" = all 1
  std::string covariance_by{};  ///< "" = one covariance for all, else one for each level of this column
};

/// A repeated-measures data set folded by participant, and by which visits they have.
///
/// A design column is a covariate of the participant at one visit or at all of them: X_i[j, c] = sum of u_i[a] over the pieces
/// (a, visit) of column c with that visit j, or every visit. So all that a Gaussian likelihood needs of X are products of the u
/// within a pattern, and no step of an iteration depends on the number of participants. A covariate that changes between visits
/// is as many u as there are visits; with weights that change between visits every covariate is.
///
/// Numbers: covariates are centred and scaled (`to_given` goes back), the response is divided by `unit` and less its least
/// squares fit, so that neither units nor a far origin cost digits.
struct VisitData {
  static constexpr std::int32_t every_visit = -1;
  struct Piece {
    std::uint32_t covariate;
    std::int32_t visit;
  };
  struct Pattern {
    std::uint64_t seen = 0;  ///< bit j: visit j is there
    std::uint32_t block = 0;
    double participants = 0;
  };

  std::vector<std::string> visits;              ///< that some row has, in the order of the levels
  std::size_t covariates = 0;                   ///< q
  Design design;                                ///< names of every column, terms and notes
  std::vector<std::int32_t> place;              ///< of each column among those used; -1 of one that depends on those before it
  std::vector<std::vector<Piece>> columns;      ///< those used: p
  std::vector<std::uint8_t> constant;           ///< of each of them: 1 when it does not change within any participant
  std::vector<double> to_given;                 ///< b of the given columns = C b of ours; p x p, row by row
  std::vector<std::vector<double>> null_space;  ///< a vector over all columns (ours) for each one left out, with X v = 0
  std::vector<double> to_ours;                  ///< C' of all columns: l over ours = C' l over the given ones; row by row

  std::vector<std::string_view> participants;  ///< subject ids, in order of their first row; they stand in the frame
  std::vector<double> u;                       ///< participants x q, times the root of the weight
  std::vector<double> y;                  ///< participants x visits: response/unit less the first fit, weighted; 0 where missing
  std::vector<std::uint32_t> pattern_of;  ///< of each participant
  std::vector<Pattern> patterns;          ///< sorted by block
  std::vector<std::string> blocks;        ///< levels with a covariance of their own; one, "", for a common covariance
  std::vector<std::int32_t> row_of;       ///< participants x visits: row of the frame, -1 where missing
  std::vector<double> root_weight;        ///< participants x visits when weighted, else empty

  double unit = 1;                ///< the response is this times ours
  std::vector<double> first_fit;  ///< least squares coefficients of our columns, of response/unit: p
  double residual_deviation = 0;  ///< of that fit, in units of `unit`
  double log_weights = 0;         ///< sum of the logs of the weights
  std::size_t observations = 0;

  std::size_t p() const { return columns.size(); }
  std::size_t m() const { return visits.size(); }
  std::size_t n() const { return participants.size(); }

  /// l over ours (p) of l over the design's columns; empty when l'b is not estimable.
  std::vector<double> ours(std::span<const double> l) const;
};

/// Folds the rows.
/// errors  duplicate (two rows of a participant at one visit, naming both); bad_cell (an infinite value, a weight that is not
///         positive, a participant in two covariance groups); out_of_range (more than 64 visits); not_estimable (the model
///         describes the response exactly, or leaves no degrees of freedom); those of the design
/// checked visit_data_test.cpp, tests/independent/mmrm_test.cpp
Expected<VisitData> fold_visits(Frame const& frame, Formula const& formula, VisitRoles const& roles);

}  // namespace equipoise::stats

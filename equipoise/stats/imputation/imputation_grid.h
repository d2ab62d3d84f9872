#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "equipoise/core/expected.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// What the mean becomes from the first visit at or after an intercurrent event. mu: own group; mu_ref: reference; l: the visit
/// before.
enum class ImputationStrategy {
  mar,                          ///< mu
  jump_to_reference,            ///< mu_ref
  copy_reference,               ///< mu_ref at every visit, also before the event
  copy_increments_in_reference, ///< mu(l) + mu_ref(k) - mu_ref(l)
  last_mean_carried_forward     ///< mu(l)
};
inline constexpr std::pair<std::string_view, ImputationStrategy> imputation_strategies[] = {
    {"mar", ImputationStrategy::mar},
    {"jump_to_reference", ImputationStrategy::jump_to_reference},
    {"copy_reference", ImputationStrategy::copy_reference},
    {"copy_increments_in_reference", ImputationStrategy::copy_increments_in_reference},
    {"last_mean_carried_forward", ImputationStrategy::last_mean_carried_forward},
};
std::string_view keyword(ImputationStrategy strategy);

/// Which strategy follows an event: by its reason, else the one for all.
struct StrategyRule {
  std::optional<ImputationStrategy> otherwise{};
  std::map<std::string, ImputationStrategy> by_reason{};
};

struct GridRoles {
  std::string response, subject, visit;
  std::string group{};       ///< "" = none
  std::string ice{};         ///< "" = no events
  std::string ice_reason{};  ///< "" = events have no reasons
};

/// A long frame as a table: a line a participant, a cell a visit. Participants stand in the order of the levels of `subject`, so
/// the order of the rows means nothing.
struct VisitGrid {
  std::vector<std::string> visits;            ///< that some row has, in the order of the levels
  std::vector<std::int32_t> subject;          ///< level of each participant: n
  std::vector<std::int32_t> group;            ///< level of each participant; empty without the role
  std::vector<std::int32_t> row;              ///< n x m: row of the frame, -1 where there is none
  std::vector<std::int32_t> any_row;          ///< n: the first row of each participant in the order of visits
  std::vector<double> response;               ///< n x m, NaN where missing
  std::vector<std::uint32_t> event;           ///< n: first visit at or after the intercurrent event, m without one
  std::vector<std::int32_t> reason;           ///< n: level of `ice_reason` there, missing_level without
  std::vector<ImputationStrategy> strategy;   ///< n

  std::size_t n() const { return subject.size(); }
  std::size_t m() const { return visits.size(); }
  bool missing(std::size_t i, std::size_t j) const { return std::isnan(response[i * m() + j]); }
  bool complete(std::size_t i) const;
  bool complete() const;
  /// The row that tells covariates of the cell: its own, else that of another visit (`read_grid` checked that it can).
  std::size_t row_for(std::size_t i, std::size_t j) const {
    const std::int32_t own = row[i * m() + j];
    return std::size_t(own >= 0 ? own : any_row[i]);
  }
};

/// Reads the table. `covariates`: columns that models use; where a participant lacks the row of a visit, these must not change
/// between visits.
/// errors  no_data; duplicate (two rows of a participant at one visit); bad_cell (an infinite response, `ice` neither 0 nor 1, a
///         participant in two groups); inconsistent (`ice` 0 after 1; a row is absent and a covariate changes between visits);
///         unresolved (an event whose reason has no strategy); out_of_range (more than 64 visits)
/// checked reference_based_test.cpp
Expected<VisitGrid> read_grid(Frame const& frame, GridRoles const& roles, StrategyRule const& rule,
                              std::vector<std::string> const& covariates);

/// Chosen rows of a frame as a frame of its own.
class GatheredFrame {
 public:
  GatheredFrame(Frame const& from, std::vector<std::size_t> const& rows);
  GatheredFrame(GatheredFrame&&) = default;  // its views look into what moves with it
  /// The column `name` becomes a category with one level for each number below `participants`.
  void number(std::string const& name, std::vector<std::int32_t> codes, std::size_t participants);
  /// The column `name` holds these numbers.
  void replace(std::string const& name, std::vector<double> values);
  Frame const& frame() const { return frame_; }

 private:
  std::vector<std::vector<double>> numbers_;
  std::vector<std::vector<std::int32_t>> codes_;
  std::vector<std::string> numbered_;
  Frame frame_;
};

}  // namespace equipoise::stats

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/imputation/completed_ancova.h"
#include "equipoise/stats/imputation/completed_sums.h"
#include "equipoise/stats/imputation/imputation_model.h"

namespace equipoise::stats {

/// What is to be imputed how, and analysed how.
struct ImputationPlan {
  GridRoles roles;
  StrategyRule strategies;
  ImputationModelSpec model;
  Formula analysis;
  std::string at{};                                     ///< visit of the question; "" = the last
  std::map<std::string, std::vector<double>> delta{};   ///< added to imputed values of a group: one number, or one for each visit
  bool shift_all = false;                               ///< deltas touch every imputed value, not only those after the event
  std::vector<double> fixed{};                          ///< added to imputed values: n x m, or nothing
};

/// Missing values replaced by their conditional means, and the completed data analysed at each visit. It stays where it was made:
/// its parts look at one another.
class ImputedAnalysis {
 public:
  /// errors  those of its parts; unresolved (`at` or a group of `delta` that is not there); size_mismatch (a list in `delta` that is
  ///         not one number for each visit)
  static Expected<std::unique_ptr<ImputedAnalysis>> make(Frame const& frame, ImputationPlan const& plan);

  Frame const* frame = nullptr;
  ImputationPlan plan;
  VisitGrid grid;
  std::size_t question_visit = 0;
  std::optional<ImputationModel> model;  ///< nothing when nothing is missing
  ImputationParameters parameters;
  std::vector<double> regressions;
  ImputationDeltas deltas;
  std::optional<CompletedAncova> ancova;
  std::vector<double> completed;  ///< n x m, in given units, deltas added

  std::size_t size() const { return ancova->size() + groups() * ancova->questions().size(); }
  std::size_t groups() const;
  /// Adds to every imputed value what brings it to that of `other`, an analysis of the same rows, and keeps these numbers fixed
  /// however the participants are counted.
  ///
  /// source   Lu (2021), Stat. Biopharm. Res. 13, 483-491; Cro, Carpenter & Kenward (2019), J. R. Stat. Soc. A 182, 623-645
  void anchor(ImputedAnalysis const& other);
  /// In the layout of CompletedSums::solve.
  std::vector<double> answers() const;
  /// The rows of the participants counted, `times` of each, and the plan for them.
  GatheredFrame counted(std::span<const std::int32_t> times) const;
  ImputationPlan counted_plan(std::span<const std::int32_t> times) const;

 private:
  ImputedAnalysis() = default;
  Expected<void> set_deltas();
};

}  // namespace equipoise::stats

#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "equipoise/data/derive.h"
#include "equipoise/simulate/derivation.h"
#include "equipoise/simulate/virtual_trial.h"
#include "equipoise/study/study.h"

namespace equipoise::simulate {

/// The data sets of a plan's analyses, of one virtual trial after the other. A recipe that does not compile to flat columns takes
/// the path of a real trial's records. Not for several threads at once.
class PlanData {
 public:
  /// Both must outlive it.
  PlanData(study::Study const& study, Layout const& layout);

  /// What of a trial the data sets are made of; a recipe that takes the path of records may look at everything.
  Reads reads() const;

  /// The trial that `view` speaks of from now on; it must stay as it is until the next one.
  void take(VirtualTrial const& trial);
  /// The columns of one analysis of the plan, or nothing when there are no data; they hold until the next call.
  std::optional<DatasetView> view(std::size_t planned);

 private:
  struct Flat {
    CompiledDerivation derivation;
    CompiledDerivation::Scratch scratch{};
  };
  study::Study const& study_;
  Layout const& layout_;
  std::vector<std::optional<Flat>> flat_;  // of each analysis
  VirtualTrial const* trial_ = nullptr;
  std::optional<data::TrialRecords> records_;
  std::optional<data::TrialTables> tables_;
  std::optional<data::AnalysisData> made_;
  std::optional<data::DatasetColumns> columns_;
};

}  // namespace equipoise::simulate

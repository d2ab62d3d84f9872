#include "equipoise/simulate/plan_data.h"

#include <algorithm>

#include "equipoise/simulate/records.h"

namespace equipoise::simulate {

PlanData::PlanData(study::Study const& study, Layout const& layout) : study_(study), layout_(layout) {
  for (analysis::PlannedAnalysis const& planned : study.plan.analyses) {
    auto compiled = compile(study.protocol, layout, planned.recipe);
    flat_.emplace_back();
    if (compiled) flat_.back().emplace(Flat{std::move(*compiled)});
  }
}

Reads PlanData::reads() const {
  if (std::ranges::any_of(flat_, [](auto const& flat) { return !flat; })) return Reads::all(layout_);
  Reads reads{std::vector<std::uint8_t>(layout_.cells.size(), 0), std::vector<std::uint8_t>(layout_.forms.size(), 0)};
  for (auto const& flat : flat_) flat->derivation.mark(reads);
  return reads;
}

void PlanData::take(VirtualTrial const& trial) {
  trial_ = &trial;
  columns_.reset(), made_.reset(), tables_.reset(), records_.reset();
}

std::optional<DatasetView> PlanData::view(std::size_t planned) {
  if (auto& flat = flat_[planned]) return flat->derivation.run(*trial_, flat->scratch);
  if (!tables_) {
    records_.emplace(to_records(study_.protocol, layout_, *trial_));
    tables_.emplace(study_.protocol, *records_);
  }
  auto made = data::analysis_dataset(*tables_, study_.plan.analyses[planned].recipe);
  if (!made) return {};
  made_.emplace(std::move(*made));
  columns_.emplace(made_->dataset.view());
  return columns_->view();
}

}  // namespace equipoise::simulate

#include "equipoise/study/vocabulary.h"

#include "equipoise/allocation/rule.h"
#include "equipoise/analysis/ready_method.h"

namespace equipoise::study {

std::vector<std::string> published(Slot slot) {
  switch (slot) {
    case Slot::analysis:
      return analysis::published_methods();
    case Slot::design:
      return {"fixed",
              "group_sequential_boundary",
              "group_sequential_design",
              "group_sequential_sample_size_means",
              "group_sequential_sample_size_survival",
              "group_sequential_inference",
              "fisher_combination_boundary",
              "fisher_product_critical_value",
              "inverse_normal_combination",
              "sample_size_two_means",
              "sample_size_wilcoxon",
              "power_equivalence_crossover",
              "sample_size_crossover",
              "sample_size_repeated_measures_ancova",
              "sample_size_mmrm",
              "cluster_design_effect",
              "sample_size_two_proportions",
              "sample_size_negative_binomial",
              "events_log_rank",
              "sample_size_log_rank",
              "expected_events",
              "average_hazard_ratio",
              "max_combo_p_value",
              "restricted_mean_survival_exponential",
              "dunnett_critical_value",
              "dunnett_power",
              "multi_arm_multi_stage_boundary",
              "mcp_mod_design",
              "conditional_power",
              "sample_size_reestimation",
              "assurance_two_means",
              "assurance_two_proportions",
              "simon_two_stage",
              "boin_boundary",
              "crm_posterior"};
    case Slot::randomisation:
      return allocation::method_keywords();
    case Slot::multiplicity:
      return {"none", "graphical", "bonferroni", "holm", "hochberg", "hommel", "benjamini_hochberg"};
  }
  return {};
}

}  // namespace equipoise::study

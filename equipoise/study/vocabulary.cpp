#include "equipoise/study/vocabulary.h"

namespace equipoise::study {

std::vector<std::string> published(Slot slot) {
  switch (slot) {
    case Slot::analysis:
      return {"kaplan_meier", "reverse_kaplan_meier", "rmst", "rmst_difference", "log_rank", "fleming_harrington", "weighted_log_rank",
              "log_rank_trend", "max_combo", "cox", "proportional_hazards_test", "aalen_johansen", "gray_test", "fine_gray", "turnbull",
              "interval_log_rank", "t_test", "wilcoxon_rank_sum", "hodges_lehmann", "van_elteren", "wilcoxon_signed_rank", "sign_test",
              "kruskal_wallis", "jonckheere_terpstra", "one_way_anova", "descriptive", "clopper_pearson", "wilson", "newcombe",
              "miettinen_nurminen", "risk_difference", "risk_ratio", "odds_ratio", "fisher_exact", "pearson_chi_square", "mcnemar", "cmh",
              "mantel_haenszel_odds_ratio", "mantel_haenszel_risk_difference", "breslow_day", "cochran_armitage_trend", "ancova", "dunnett",
              "logistic", "gee", "mmrm", "gls", "reference_based_imputation", "rubin", "mcp_mod", "dose_response_fit", "ae_table", "lab_shift"};
    case Slot::design:
      return {"fixed", "group_sequential_boundary", "group_sequential_design", "group_sequential_sample_size_means",
              "group_sequential_sample_size_survival", "group_sequential_inference", "fisher_combination_boundary",
              "fisher_product_critical_value", "inverse_normal_combination", "sample_size_two_means", "sample_size_wilcoxon",
              "power_equivalence_crossover", "sample_size_crossover", "sample_size_repeated_measures_ancova", "sample_size_mmrm",
              "cluster_design_effect", "sample_size_two_proportions", "sample_size_negative_binomial", "events_log_rank",
              "sample_size_log_rank", "expected_events", "average_hazard_ratio", "max_combo_p_value", "restricted_mean_survival_exponential",
              "dunnett_critical_value", "dunnett_power", "multi_arm_multi_stage_boundary", "mcp_mod_design", "conditional_power",
              "sample_size_reestimation", "assurance_two_means", "assurance_two_proportions", "simon_two_stage", "boin_boundary",
              "crm_posterior"};
    case Slot::randomisation: return {"minimisation"};
    case Slot::multiplicity: return {"graphical", "bonferroni", "holm", "hochberg", "hommel", "benjamini_hochberg"};
    case Slot::scenario: return {"longitudinal", "cd4_homeostasis"};
  }
  return {};
}

}  // namespace equipoise::study

#include "equipoise/analysis/methods.h"

#include <algorithm>

namespace equipoise::analysis {

std::vector<std::string> published_methods() {
  return {"kaplan_meier",
          "reverse_kaplan_meier",
          "rmst",
          "rmst_difference",
          "log_rank",
          "fleming_harrington",
          "weighted_log_rank",
          "log_rank_trend",
          "max_combo",
          "cox",
          "proportional_hazards_test",
          "aalen_johansen",
          "gray_test",
          "fine_gray",
          "turnbull",
          "interval_log_rank",
          "grouped_hazard",
          "t_test",
          "wilcoxon_rank_sum",
          "hodges_lehmann",
          "van_elteren",
          "wilcoxon_signed_rank",
          "sign_test",
          "kruskal_wallis",
          "jonckheere_terpstra",
          "one_way_anova",
          "permutation_test",
          "rerandomisation",
          "descriptive",
          "clopper_pearson",
          "wilson",
          "newcombe",
          "miettinen_nurminen",
          "risk_difference",
          "risk_ratio",
          "odds_ratio",
          "fisher_exact",
          "pearson_chi_square",
          "mcnemar",
          "cmh",
          "mantel_haenszel_odds_ratio",
          "mantel_haenszel_risk_difference",
          "mantel_haenszel_risk_ratio",
          "breslow_day",
          "cochran_armitage_trend",
          "ancova",
          "dunnett",
          "logistic",
          "gee",
          "mmrm",
          "gls",
          "linear_mixed",
          "reference_based_imputation",
          "locf",
          "rubin",
          "mcp_mod",
          "dose_response_fit",
          "ae_table",
          "lab_shift",
          "bonferroni",
          "holm",
          "hochberg",
          "hommel",
          "benjamini_hochberg",
          "graphical"};
}

std::vector<stats::MethodCard> method_cards() { return Methods::cards(); }

stats::MethodCard const* method_card(std::string_view keyword) { return Methods::card(keyword); }

bool is_model(stats::MethodCard const& card) {
  return card.comparison == stats::Comparison::all_arms &&
         std::ranges::find(card.options, "formula", &stats::OptionCard::name) != card.options.end();
}

Checked<ReadyMethod> ready_method(Analysis const& analysis) {
  Problems problems;
  const Node none(Node::Table{}, analysis.place);
  Node const& table = analysis.options.is_null() ? none : analysis.options;
  if (!table.table()) {
    add_problem(problems, table.place(), Code::wrong_type, "the options of analysis '{}' must be a table, and are {}",
                analysis.id, table.type_name());
    return fail(std::move(problems));
  }
  Section options(table, fmt::format("analysis '{}'", analysis.id), problems);
  for (std::string const& key : analysis.other_keys) options.allow(key);
  std::optional<Methods::Any> method = Methods::parse(analysis.method, analysis.roles, options, analysis.match);
  if (Methods::card(analysis.method)) options.finish();  // which keys an unknown method has, nobody can say
  if (!problems.empty() || !method) {
    sort_in_file_order(problems);
    return fail(std::move(problems));
  }
  if (auto* replayed = std::get_if<stats::Rerandomisation>(&*method)) replayed->replay = analysis.replay;
  return Methods::ready(std::move(*method));
}

}  // namespace equipoise::analysis

#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace equipoise::reporting {

/// Every sentence and heading of the report, once, in both languages (words.cpp). Placeholders are {0}, {1}, ...
enum class Word {
  contents, simulated_banner, simulated_mark, version_text, phase_text, registry_text, planned_text, cutoff_text,
  randomised_card, arms_of_trial, section_synopsis, section_flow, section_baseline, section_curves, section_results,
  section_methods, section_provenance, objective, population, arms, endpoints, analysis_sets, blinding, planned, schedule,
  schedule_any_time, schedule_collected, schedule_what, schedule_window, schedule_note, role_investigational, role_placebo,
  role_active, role_none, blind_open, blind_single, blind_double, kind_continuous, kind_binary, kind_count, kind_time,
  higher_better, lower_better, sooner_better, later_better, endpoint_at, endpoint_event, endpoint_variable, set_as_randomised,
  set_as_treated, set_rule, estimand_head, treatment_attribute, against, summary_measure, analysis_set, endpoint, intercurrent,
  no_intercurrent, ice_policy, ice_hypothetical, ice_hypothetical_mar, ice_hypothetical_censored, ice_composite,
  ice_composite_value, ice_while, ice_stratum, flow_caption, flow_randomised, flow_allocated, flow_left, flow_nobody,
  flow_completed, flow_note, flow_aria, n_equals, baseline_caption, baseline_characteristic, baseline_all, baseline_n,
  baseline_mean, baseline_median, baseline_range, baseline_missing, baseline_no_p, baseline_denominator, baseline_percent, yes,
  no, km_caption, km_y_title, km_axis_days, km_axis_months, km_axis_years, km_at_risk, km_note, km_note_read, km_aria,
  km_aria_arm, km_hover_day, km_hover_at_risk, results_caption, results_none, column_what, column_estimate, column_value,
  column_interval, column_se, column_df, column_p, column_arm, column_median, column_survival_at, column_at_risk, test_line,
  compared_with, time_day, estimand_line, method_line, no_estimand, problem_line, secondary_quantities, ne_note, hr_se_note,
  hr_reading, median_ne_note, primary_heading, sentence_ratio, sentence_estimate, sentence_test, sentence_events,
  sentence_none, sentence_interval, sentence_simulated, methods_protocol, methods_alpha_two, methods_alpha_one,
  methods_confidence, methods_match, methods_month, methods_run, methods_options, methods_missing, match_equipoise, match_r,
  match_sas, provenance_protocol, provenance_protocol_digest, provenance_data_file, provenance_data_digest, provenance_version,
  provenance_seed, provenance_cutoff, provenance_match, provenance_source, provenance_kind, provenance_simulated,
  provenance_observed, provenance_note, role_primary, role_secondary, role_sensitivity, role_supportive, role_exploratory,
  role_safety, table_number, figure_number,
  count
};

/// The words of one language; "zh..." is Chinese, everything else English.
class Words {
 public:
  explicit Words(std::string language) : language_(std::move(language)), chinese_(language_.starts_with("zh")) {}
  std::string const& language() const { return language_; }
  bool chinese() const { return chinese_; }

  template <class... Args>
  std::string operator()(Word word, Args const&... args) const {
    return fmt::vformat(raw(word, chinese_), fmt::make_format_args(args...));
  }
  static std::string_view raw(Word word, bool chinese);

 private:
  std::string language_;
  bool chinese_;
};

}  // namespace equipoise::reporting

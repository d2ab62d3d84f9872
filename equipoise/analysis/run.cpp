#include "equipoise/analysis/run.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "equipoise/analysis/alternatives.h"
#include "equipoise/analysis/back_transform.h"
#include "equipoise/analysis/flow.h"
#include "equipoise/analysis/multiplicity.h"
#include "equipoise/analysis/ready_method.h"
#include "equipoise/analysis/subgroups.h"
#include "equipoise/analysis/visit_series.h"
#include "equipoise/data/derive.h"

namespace equipoise::analysis {
namespace {

/// Whether the run is about the arm: one of its own group, of its pair, or any when all arms are in it.
bool takes_part(PlannedRun const& planned, std::string const& arm) {
  const auto is = [&](std::string_view key) {
    const auto at = planned.at.find(key);
    return at != planned.at.end() && at->second == AtValue(arm);
  };
  return planned.at.empty() || is("group") || is("level") || is("minus");
}

/// Participants and events of each arm among the rows that a run used: what stands beside every time to event and every share,
/// whatever the method. A run that used the same people of an arm as one before adds nothing.
void add_counts(results::Results& results, protocol::Endpoint const& endpoint, PlannedRun const& planned,
                data::Dataset const& dataset, std::span<const std::size_t> rows, results::AnalysisRun const& run) {
  if (endpoint.kind != protocol::EndpointKind::time_to_event && endpoint.kind != protocol::EndpointKind::binary) return;
  std::vector<double> const& happened =
      dataset.find(endpoint.kind == protocol::EndpointKind::binary ? "response" : "event")->numbers;
  const data::TypedColumn* arm = dataset.find("arm");
  const data::TypedColumn* who = dataset.find("participant");
  struct Counts {
    std::vector<bool> met{};  // of each participant
    std::int64_t people = 0, events = 0;
  };
  std::map<std::int32_t, Counts> by_arm;
  for (const std::size_t row : rows) {
    if (std::isnan(happened[row])) continue;  // randomised again, and not analysed
    Counts& counts = by_arm[arm->codes[row]];
    if (counts.met.empty()) counts.met.resize(who->levels.size());
    auto met = counts.met[std::size_t(who->codes[row])];
    counts.people += !met;
    met = true;
    counts.events += happened[row] == 1.0;
  }
  std::vector<std::string> const& arms = arm->levels;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const auto found = by_arm.find(std::int32_t(a));
    if (found == by_arm.end() && !takes_part(planned, arms[a])) continue;
    At at{{"group", arms[a]}};
    const auto add = [&](std::string_view quantity, std::size_t n) {
      const auto same_place = [&](results::Record const& record) {
        return record.analysis == run.id && record.finding.quantity == quantity && record.finding.at == at;
      };
      if (const auto before = std::ranges::find_if(results.records, same_place); before != results.records.end()) {
        if (before->finding.value == double(n)) return;
        at.insert(planned.at.begin(), planned.at.end());  // another comparison lost other people of this arm
      }
      results.records.push_back({run.id,
                                 run.estimand,
                                 Finding{.quantity = std::string(quantity), .at = at, .value = double(n)},
                                 run.method,
                                 run.options,
                                 {}});
    };
    add("n_subjects", found == by_arm.end() ? 0 : std::size_t(found->second.people));  // an arm with nobody has 0 of 0
    add("n_events", found == by_arm.end() ? 0 : std::size_t(found->second.events));
  }
}

/// Whether a method's own count of an arm (`n`, `n_subjects`, `n_events` at a group) stands in the records already, with the same
/// value.
bool counted_already(results::Results const& results, std::string const& analysis, Finding const& finding) {
  const auto group = finding.at.find("group");
  const bool people = finding.quantity == "n" || finding.quantity == "n_subjects";
  if (group == finding.at.end() || !(people || finding.quantity == "n_events")) return false;
  const std::string_view quantity = people ? "n_subjects" : "n_events";
  return std::ranges::any_of(results.records, [&](results::Record const& record) {
    const auto at = record.finding.at.find("group");
    return record.analysis == analysis && record.finding.quantity == quantity && at != record.finding.at.end() &&
           at->second == group->second && record.finding.value == finding.value;
  });
}

/// What the footnote says of rows that the run could not use; "" when there are none.
std::string left_out(Outcome const& outcome) {
  if (outcome.rows_dropped_missing == 0) return {};
  return fmt::format("{} row{} with a missing value left out.", outcome.rows_dropped_missing,
                     outcome.rows_dropped_missing == 1 ? "" : "s");
}

void add_run(results::Results& results, protocol::Endpoint const& endpoint, PlannedRun const& planned, results::AnalysisRun& run,
             Outcome const& outcome, std::string const& left_out) {
  std::vector<std::string> notes = outcome.answer.notes;
  if (!left_out.empty()) notes.push_back(left_out);
  for (std::string const& note : notes)
    if (std::ranges::find(run.notes, note) == run.notes.end()) run.notes.push_back(note);
  for (Finding finding : outcome.answer.findings) {
    const auto group = finding.at.find("group");
    if (group != finding.at.end() && !takes_part(planned, std::get<std::string>(group->second)))
      continue;  // an arm left out of this comparison
    finding.at.insert(planned.at.begin(), planned.at.end());
    if (counted_already(results, planned.analysis.id, finding)) continue;
    const bool one_group = !planned.analysis.roles.contains("group");
    std::optional<Finding> of_response = back_transformed(finding, endpoint, run.method, one_group);
    results.records.push_back(
        {planned.analysis.id, run.estimand, std::move(finding), run.method, canonical(planned.analysis.options), notes});
    if (of_response)
      results.records.push_back(
          {planned.analysis.id, run.estimand, std::move(*of_response), run.method, canonical(planned.analysis.options), notes});
  }
  for (Series series : outcome.answer.series) {
    series.at.insert(planned.at.begin(), planned.at.end());
    results.curves.push_back({planned.analysis.id, std::move(series)});
  }
}

/// An arm of which nothing is known still has its row: what the other arms have, as NE, and counts of 0.
void add_unknown_arm(results::Results& results, PlannedRun const& planned, results::AnalysisRun& run) {
  std::vector<results::Record> unknown;
  for (results::Record const& other : results.records) {
    const auto arm = other.finding.at.find("group");
    const bool count = other.finding.quantity == "n" || other.finding.quantity.starts_with("n_");
    if (other.analysis != run.id || arm == other.finding.at.end()) continue;
    results::Record record = other;
    record.finding.at["group"] = planned.at.at("group");
    record.finding.value = count ? 0.0 : missing_number;
    for (std::optional<double>* number :
         {&record.finding.se, &record.finding.df, &record.finding.lower, &record.finding.upper, &record.finding.p})
      if (*number) *number = missing_number;
    if (record.finding.n) record.finding.n = 0;
    const bool known = std::ranges::any_of(unknown, [&](results::Record const& r) {
      return r.finding.quantity == record.finding.quantity && r.finding.at == record.finding.at;
    });
    if (!known) unknown.push_back(std::move(record));
  }
  run.notes.push_back(
      fmt::format("Nobody in arm '{}' has a value: not estimable.", std::get<std::string>(planned.at.at("group"))));
  for (results::Record& record : unknown) {
    record.footnotes = {run.notes.back()};
    results.records.push_back(std::move(record));
  }
}

results::AnalysisRun heading(protocol::Protocol const& protocol, PlannedAnalysis const& planned) {
  protocol::Analysis const& analysis = *std::ranges::find(protocol.analyses, planned.id, &protocol::Analysis::id);
  return {.id = planned.id,
          .estimand = analysis.estimand.empty() ? std::nullopt : std::optional(analysis.estimand),
          .endpoint = analysis.endpoint,
          .set = analysis.set,
          .role = analysis.role,
          .method = analysis.method,
          .title = std::string(method_card(analysis.method)->title) +
                   (planned.recipe.carry_forward ? ", last observation carried forward" : ""),
          .options = planned.runs.empty() ? "{}" : canonical(planned.runs.front().analysis.options),
          .n = 0,
          .notes = {},
          .problem = {}};
}

void run_one(results::Results& results, protocol::Protocol const& protocol, PlannedAnalysis const& planned,
             data::TrialTables const& tables, Workspace& workspace) {
  results::AnalysisRun run = heading(protocol, planned);
  const auto made = data::analysis_dataset(tables, planned.recipe);
  if (!made) {
    run.problem = made.error().message;
    results.runs.push_back(std::move(run));
    return;
  }
  run.n = made->participants;
  run.notes = made->notes;
  const data::DatasetColumns columns = made->dataset.view();
  protocol::Endpoint const& endpoint = *protocol.endpoint(planned.recipe.endpoint);
  std::vector<PlannedRun const*> without_data;
  std::vector<std::string> failed;
  for (PlannedRun const& one : planned.runs) {
    const auto outcome = one.compiled.run(columns.view(), workspace);
    if (outcome && planned.recipe.by_visit()) {
      add_run(results, endpoint, one, run, *outcome, responses_left_out(made->dataset, workspace.rows()));
    } else if (outcome) {
      add_counts(results, endpoint, one, made->dataset, workspace.rows(), run);
      add_run(results, endpoint, one, run, *outcome, left_out(*outcome));
    } else if (outcome.error().code == Code::no_data && one.at.contains("group")) {
      without_data.push_back(&one);
    } else {
      failed.push_back(outcome.error().message);
    }
    if (!outcome && !run.problem) run.problem = outcome.error().message;
  }
  if (without_data.size() + failed.size() < planned.runs.size()) {  // some runs answered: what the others lack is a note
    run.problem.reset();
    run.notes.insert(run.notes.end(), failed.begin(), failed.end());
    for (PlannedRun const* one : without_data) add_unknown_arm(results, *one, run);
    if (planned.recipe.by_visit())
      for (Series& series : visit_series(made->dataset, endpoint)) results.curves.push_back({planned.id, std::move(series)});
    if (!planned.alternatives.empty()) add_alternatives(protocol, planned, columns.view(), workspace, results);
    add_subgroups(protocol, planned, made->dataset, workspace, results);
  } else {
    std::erase_if(results.records, [&](results::Record const& record) { return record.analysis == planned.id; });
  }
  results.runs.push_back(std::move(run));
}

}  // namespace

results::Results run(protocol::Protocol const& protocol, Plan const& plan, data::TrialTables const& tables,
                     results::Provenance provenance) {
  results::Results results{.provenance = std::move(provenance),
                           .flow = participant_flow(tables),
                           .baseline = baseline_table(tables),
                           .quartile_rule = quartile_rule(protocol)};
  results.exposure = exposure_table(tables);
  Workspace workspace;
  for (PlannedAnalysis const& planned : plan.analyses) run_one(results, protocol, planned, tables, workspace);
  if (plan.multiplicity) carry_out(*plan.multiplicity, protocol, plan, tables, results);
  judge_alternatives(protocol, plan, results);
  return results;
}

}  // namespace equipoise::analysis

#include "equipoise/analysis/run.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "equipoise/analysis/flow.h"
#include "equipoise/analysis/methods.h"
#include "equipoise/data/derive.h"

namespace equipoise::analysis {
namespace {

/// Participants and events of each arm: what stands beside every time to event and every share, whatever the method.
void add_counts(results::Results& results, protocol::Endpoint const& endpoint, PlannedAnalysis const& planned, data::Dataset const& dataset, results::AnalysisRun const& run) {
  if (endpoint.kind != protocol::EndpointKind::time_to_event && endpoint.kind != protocol::EndpointKind::binary) return;
  const data::TypedColumn* event = dataset.find("event");
  const data::TypedColumn* response = dataset.find("response");
  const data::TypedColumn* arm = dataset.find("arm");
  const data::TypedColumn* who = dataset.find("participant");
  std::vector<double> const& happened = event ? event->numbers : response->numbers;
  std::map<std::int32_t, std::vector<std::int32_t>> people;
  std::map<std::int32_t, std::int64_t> events;
  for (std::size_t i = 0; i < dataset.rows(); ++i) {
    if (std::isnan(happened[i])) continue;
    people[arm->codes[i]].push_back(who->codes[i]);
    events[arm->codes[i]] += happened[i] == 1.0;
  }
  std::vector<std::string> const& arms = planned.schema[1].levels;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const auto code = std::int32_t(a);
    std::vector<std::int32_t>& ids = people[code];  // an arm with nobody has 0 of 0
    std::ranges::sort(ids);
    const auto distinct = std::unique(ids.begin(), ids.end()) - ids.begin();
    const At at{{"group", arms[a]}};
    const auto add = [&](std::string_view quantity, std::int64_t n) {
      results.records.push_back({planned.id, run.estimand, Finding{.quantity = std::string(quantity), .at = at, .value = double(n)}, run.method, run.options, {}});
    };
    add("n_subjects", distinct);
    add("n_events", events[code]);
  }
}

void add_run(results::Results& results, PlannedRun const& planned, results::AnalysisRun& run, Outcome const& outcome) {
  std::vector<std::string> notes = outcome.answer.notes;
  if (outcome.rows_dropped_missing > 0)
    notes.push_back(fmt::format("{} row{} with a missing value left out.", outcome.rows_dropped_missing, outcome.rows_dropped_missing == 1 ? "" : "s"));
  for (std::string const& note : notes)
    if (std::ranges::find(run.notes, note) == run.notes.end()) run.notes.push_back(note);
  for (Finding finding : outcome.answer.findings) {
    if (!planned.arm.empty()) finding.at.try_emplace(planned.analysis.roles.contains("group") ? "arm" : "group", planned.arm);
    const bool counted = (finding.quantity == "n_events" || finding.quantity == "n_subjects" || finding.quantity == "n") && finding.at.contains("group") && finding.at.size() == 1;
    if (counted && std::ranges::any_of(results.records, [&](results::Record const& record) {
          return record.analysis == planned.analysis.id && record.finding.quantity == finding.quantity && record.finding.at == finding.at;
        }))
      continue;  // the arm's count stands already
    results.records.push_back({planned.analysis.id, run.estimand, std::move(finding), run.method, canonical(planned.analysis.options), notes});
  }
  for (Series series : outcome.answer.series) {
    if (!planned.arm.empty()) series.at.try_emplace("group", planned.arm);
    results.curves.push_back({planned.analysis.id, std::move(series)});
  }
}

/// An arm of which nothing is known still has its row: what the other arms have, as NE.
void add_unknown_arm(results::Results& results, PlannedRun const& planned, results::AnalysisRun& run) {
  std::vector<results::Record> unknown;
  for (results::Record const& other : results.records) {
    const auto arm = other.finding.at.find("group");
    const bool count = other.finding.quantity == "n" || other.finding.quantity.starts_with("n_");
    if (other.analysis != run.id || count || arm == other.finding.at.end()) continue;
    results::Record record = other;
    record.finding.at["group"] = planned.arm;
    record.finding.value = missing_number;
    for (std::optional<double>* number : {&record.finding.se, &record.finding.df, &record.finding.lower, &record.finding.upper, &record.finding.p})
      if (*number) *number = missing_number;
    record.finding.n = 0;
    const bool known = std::ranges::any_of(unknown, [&](results::Record const& r) { return r.finding.quantity == record.finding.quantity && r.finding.at == record.finding.at; });
    if (!known) unknown.push_back(std::move(record));
  }
  run.notes.push_back(fmt::format("Nobody in arm '{}' has a value: not estimable.", planned.arm));
  for (results::Record& record : unknown) {
    record.footnotes = {run.notes.back()};
    results.records.push_back(std::move(record));
  }
}

results::AnalysisRun heading(protocol::Protocol const& protocol, PlannedAnalysis const& planned) {
  protocol::Analysis const& analysis = *std::ranges::find(protocol.analyses, planned.id, &protocol::Analysis::id);
  return {.id = planned.id, .estimand = analysis.estimand.empty() ? std::nullopt : std::optional(analysis.estimand), .endpoint = analysis.endpoint, .set = analysis.set,
          .role = analysis.role, .method = analysis.method, .title = std::string(Methods::card(analysis.method)->title),
          .options = planned.runs.empty() ? "{}" : canonical(planned.runs.front().analysis.options), .n = 0, .notes = {}, .problem = {}};
}

void run_one(results::Results& results, protocol::Protocol const& protocol, PlannedAnalysis const& planned, data::TrialTables const& tables, Workspace& workspace) {
  results::AnalysisRun run = heading(protocol, planned);
  const auto made = data::analysis_dataset(tables, planned.recipe);
  if (!made) {
    run.problem = made.error().message;
    results.runs.push_back(std::move(run));
    return;
  }
  run.n = made->participants;
  run.notes = made->notes;
  add_counts(results, *protocol.endpoint(planned.recipe.endpoint), planned, made->dataset, run);
  const data::DatasetColumns columns = made->dataset.view();
  std::vector<PlannedRun const*> without_data;
  std::vector<std::string> failed;
  for (PlannedRun const& one : planned.runs) {
    const auto outcome = one.compiled.run(columns.view(), workspace);
    const bool one_arm = !one.arm.empty() && !one.analysis.roles.contains("group");
    if (outcome) add_run(results, one, run, *outcome);
    else if (one_arm && outcome.error().code == Code::no_data) without_data.push_back(&one);
    else failed.push_back(outcome.error().message);
    if (!outcome && !run.problem) run.problem = outcome.error().message;
  }
  if (without_data.size() + failed.size() < planned.runs.size()) {  // some runs answered: what the others lack is a note
    run.problem.reset();
    run.notes.insert(run.notes.end(), failed.begin(), failed.end());
    for (PlannedRun const* one : without_data) add_unknown_arm(results, *one, run);
  } else {
    std::erase_if(results.records, [&](results::Record const& record) { return record.analysis == planned.id; });
  }
  results.runs.push_back(std::move(run));
}

}  // namespace

results::Results run(protocol::Protocol const& protocol, Plan const& plan, data::TrialTables const& tables, results::Provenance provenance) {
  results::Results results{.provenance = std::move(provenance), .flow = participant_flow(tables), .baseline = baseline_table(tables), .quartile_rule = quartile_rule(protocol)};
  Workspace workspace;
  for (PlannedAnalysis const& planned : plan.analyses) run_one(results, protocol, planned, tables, workspace);
  return results;
}

}  // namespace equipoise::analysis

#include "equipoise/simulate/try_out.h"

#include <algorithm>

#include "equipoise/data/derive.h"
#include "equipoise/simulate/records.h"

namespace equipoise::simulate {
namespace {

constexpr std::uint64_t most_trials = 20;

/// Why an analysis cannot be run on a trial, by the path of a real one; nothing when it can.
std::optional<Error> refusal(analysis::PlannedAnalysis const& planned, data::TrialTables const& tables) {
  auto made = data::analysis_dataset(tables, planned.recipe);
  if (!made) return made.error();
  const data::DatasetColumns columns(made->dataset.view());
  analysis::Workspace workspace;
  std::optional<Error> why;
  for (analysis::PlannedRun const& run : planned.runs) {
    const auto outcome = run.compiled.run(columns.view(), workspace);
    if (outcome) return {};
    if (!why) why = outcome.error();
  }
  return why;
}

}  // namespace

void try_out(study::Study const& study, World const& world, std::vector<Statement> const& statements, std::uint64_t seed,
             Place const& place, Problems& problems) {
  Analyst analyst(study, world.layout(), statements);
  Workspace workspace;
  VirtualTrial trial;
  std::vector<Said> said(statements.size());
  std::vector<std::uint8_t> answered(study.plan.analyses.size(), 1);  // those without statements are not asked
  for (Statement const& statement : statements) answered[statement.planned] = 0;
  for (std::uint64_t r = 0; r < most_trials && std::ranges::count(answered, 0) > 0; ++r) {
    world.replicate(seed, r, workspace, trial);
    analyst.analyse(trial, said, answered);
    for (std::size_t s = 0; s < said.size(); ++s) answered[statements[s].planned] |= said[s].answered();
  }
  if (std::ranges::count(answered, 0) == 0) return;
  const data::TrialRecords records = to_records(study.protocol, world.layout(), trial);
  const data::TrialTables tables(study.protocol, records);
  for (std::size_t a = 0; a < answered.size(); ++a) {
    if (answered[a]) continue;
    const std::optional<Error> why = refusal(study.plan.analyses[a], tables);
    if (!why) continue;
    add_problem(problems, place, Code::no_data, "analysis '{}' cannot be run on any of {} trials of scenario '{}': {}",
                study.plan.analyses[a].id, most_trials, world.scenario().id, why->message)
        .hint = "let the scenario make what the analysis reads, or name the analyses to run with --analysis";
  }
}

}  // namespace equipoise::simulate

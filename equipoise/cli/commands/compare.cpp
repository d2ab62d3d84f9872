#include "equipoise/simulate/compare.h"

#include <algorithm>
#include <memory>

#include "equipoise/cli/commands.h"
#include "equipoise/cli/files.h"
#include "equipoise/cli/progress.h"
#include "equipoise/cli/rehearsal.h"
#include "equipoise/cli/rehearsal_text.h"
#include "equipoise/cli/version.h"
#include "equipoise/simulate/scenario.h"

namespace equipoise::cli {
namespace {

struct Arguments : RehearsalArguments {
  std::string first, second, output;
  std::int64_t replicates = 1000;
};

/// What is in one list and not in the other, as "scenario 'x'".
std::vector<std::string> missing_from(std::string_view what, std::vector<std::string> const& there,
                                      std::vector<std::string> const& here) {
  std::vector<std::string> missing;
  for (std::string const& id : here)
    if (std::ranges::find(there, id) == there.end() &&
        std::ranges::find(missing, fmt::format("{} '{}'", what, id)) == missing.end())
      missing.push_back(fmt::format("{} '{}'", what, id));
  return missing;
}

struct Names {
  std::vector<std::string> scenarios, analyses, claims;

  explicit Names(study::Study const& study) : scenarios(simulate::scenario_ids(study.protocol)) {
    for (simulate::Statement const& statement : simulate::statements(study)) analyses.push_back(statement.analysis);
    for (protocol::Claim const& claim : study.protocol.claims) claims.push_back(claim.id);
  }

  std::vector<std::string> beyond(Names const& other) const {
    std::vector<std::string> all = missing_from("scenario", other.scenarios, scenarios);
    for (std::string& one : missing_from("analysis", other.analyses, analyses)) all.push_back(std::move(one));
    for (std::string& one : missing_from("claim", other.claims, claims)) all.push_back(std::move(one));
    return all;
  }
};

void run(Arguments arguments, Console& console) {
  auto first = rehearsed_study(arguments.first, arguments.analyses),
       second = rehearsed_study(arguments.second, arguments.analyses);
  Problems problems;
  for (auto const* study : {&first, &second})
    if (!*study) problems.insert(problems.end(), study->error().begin(), study->error().end());
  if (!problems.empty()) return console.fail(problems);
  const Names ours(*first), theirs(*second);
  if (arguments.asked.scenarios.empty())
    std::ranges::copy_if(ours.scenarios, std::back_inserter(arguments.asked.scenarios), [&](std::string const& id) {
      return std::ranges::find(theirs.scenarios, id) != theirs.scenarios.end();
    });
  if (arguments.asked.scenarios.empty())
    return console.fail(Error{Code::no_data,
                              "the protocols have no [[scenario]] in common that this build can simulate",
                              {},
                              "scenarios are common when they have the same id"});
  const auto here = simulate::Campaign::plan(*first, arguments.asked), there = simulate::Campaign::plan(*second, arguments.asked);
  for (auto const* campaign : {&here, &there})
    if (!*campaign) problems.insert(problems.end(), campaign->error().begin(), campaign->error().end());
  if (!problems.empty()) return console.fail(problems);

  results::Comparison comparison{.version = std::string(version),
                                 .seed = arguments.asked.seed,
                                 .first = {arguments.first, first->protocol.trial.id, first->protocol.digest},
                                 .second = {arguments.second, second->protocol.trial.id, second->protocol.digest},
                                 .scenarios = {},
                                 .only_first = ours.beyond(theirs),
                                 .only_second = theirs.beyond(ours)};
  const std::size_t threads = arguments.workers();
  const Interruptible interruptible;
  for (std::size_t m = 0; m < (*here)->members().size(); ++m) {
    simulate::Campaign::Member const& member = (*here)->members()[m];
    ProgressLine line(!console.quiet && !console.json, member.id, "");
    comparison.scenarios.push_back(
        simulate::compare(*first, **here, member, *second, **there, (*there)->members()[m], threads, Interruptible::asked,
                          [&](std::int64_t done, std::int64_t all) { line.draw(done, all, done * simulate::block_size, {}); }));
    if (Interruptible::asked) {
      std::fputs("interrupted; a comparison is not kept\n", stderr);
      console.set_status(130);
      return;
    }
  }
  const std::string json = results::to_json(comparison);
  if (!arguments.output.empty())
    if (const auto written = write_whole({{std::filesystem::path(arguments.output) / "comparison.json", json}}); !written)
      return console.fail(written.error());
  console.answer(json);
  console.say(comparison_text(first->protocol, comparison));
}

}  // namespace

void add_compare(CLI::App& app, Console& console) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "compare", "Rehearse two plans on the same random numbers: what one rejects or claims more often than the other");
  command->add_option("first", arguments->first, "Protocol file (TOML)")->required();
  command->add_option("second", arguments->second, "Another one, with scenarios of the same ids")->required();
  add_rehearsal_options(*command, *arguments);
  command->add_option("--replicates", arguments->replicates, "Virtual trials of each plan in each scenario")
      ->check(CLI::Range(std::int64_t(1), std::int64_t(100000000)))
      ->capture_default_str();
  command->add_option("--output", arguments->output, "Folder for comparison.json");
  command->callback([arguments, &console] {
    arguments->asked.replicates = arguments->replicates;
    run(*arguments, console);
  });
}

}  // namespace equipoise::cli

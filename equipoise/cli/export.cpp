#include "equipoise/cli/export.h"

#include <filesystem>

#include "equipoise/cli/conducted_trial.h"
#include "equipoise/cli/files.h"
#include "equipoise/cli/version.h"
#include "equipoise/core/text.h"
#include "equipoise/protocol/load.h"
#include "equipoise/protocol/toml.h"
#include "equipoise/simulate/export.h"
#include "equipoise/simulate/scenario.h"
#include "equipoise/simulate/world.h"
#include "equipoise/study/study.h"

namespace equipoise::cli {
namespace {

constexpr const char data_name[] = "trial.csv";
constexpr const char protocol_name[] = "protocol.toml";

Error usage(std::string message, std::string hint = {}) { return {Code::usage, std::move(message), {}, std::move(hint)}; }

Problems misuse(ExportAsked const& asked) {
  Problems problems;
  if (asked.output.empty()) problems.push_back(usage("--export needs --output, the folder for the data and their protocol"));
  if (asked.scenarios.size() > 1) problems.push_back(usage("--export writes a trial of one scenario, and several are named"));
  if (asked.number < 0)
    problems.push_back(
        usage(fmt::format("--export counts virtual trials from 0, and there is none with the number {}", asked.number)));
  if (!asked.beside.empty())
    problems.push_back(
        usage(fmt::format("--export writes one virtual trial: {} cannot be given with it", one_of(asked.beside, "and"))));
  return problems;
}

Expected<std::string> only_scenario(protocol::Protocol const& protocol) {
  const std::vector<std::string> known = simulate::scenario_ids(protocol);
  if (known.empty()) return fail(Code::no_data, "the protocol has no [[scenario]] that this build can simulate");
  if (known.size() > 1)
    return tl::unexpected(
        usage("--export needs --scenario, as the protocol has several", fmt::format("it has {}", join(known, ", "))));
  return known.front();
}

/// A protocol or data that somebody else put there must stay.
Expected<void> free_to_write(std::filesystem::path const& folder) {
  std::error_code nothing;
  const auto there = [&](const char* name) { return std::filesystem::exists(folder / name, nothing); };
  if (!there(data_name) && !there(protocol_name)) return {};
  const auto bytes = there(protocol_name) ? read_file(folder / protocol_name, protocol::longest_protocol + 1) : std::string();
  if (bytes && bytes->starts_with(simulate::exported_mark)) return {};
  return tl::unexpected(usage(fmt::format("the folder '{}' holds a {} that --export did not write", folder.string(),
                                          there(protocol_name) ? protocol_name : data_name),
                              "name a folder of its own for the virtual trial"));
}

}  // namespace

void export_trial(ExportAsked const& asked, Console& console) {
  if (const Problems problems = misuse(asked); !problems.empty()) return console.fail(problems);
  const auto bytes = read_file(asked.protocol, protocol::longest_protocol + 1);
  if (!bytes) return console.fail(bytes.error());
  const auto study = study::load(*bytes, asked.protocol);
  if (!study) return console.fail(study.error());
  const auto document = protocol::read_toml(*bytes, asked.protocol);
  if (!document) return console.fail(document.error());
  const auto scenario = asked.scenarios.empty() ? only_scenario(study->protocol) : Expected<std::string>(asked.scenarios.front());
  if (!scenario) return console.fail(scenario.error());
  const auto world = simulate::World::build(study->protocol, *scenario);
  if (!world) return console.fail(world.error());

  if (asked.through_conduct) return conduct_trial(asked, *bytes, study->protocol, *scenario, *world, console);
  simulate::Workspace workspace;
  simulate::VirtualTrial trial;
  world->replicate(asked.seed, std::uint64_t(asked.number), workspace, trial);
  const auto csv = simulate::trial_csv(study->protocol, world->layout(), trial);
  if (!csv) return console.fail(csv.error());
  const std::string protocol = simulate::exported_protocol(
      *document, study->protocol, world->layout(),
      {.version = std::string(version), .scenario = *scenario, .seed = asked.seed, .number = std::uint64_t(asked.number)},
      data_name);
  const std::filesystem::path folder(asked.output);
  if (const auto is_free = free_to_write(folder); !is_free) return console.fail(is_free.error());
  if (const auto written = write_whole({{folder / data_name, *csv}, {folder / protocol_name, protocol}}); !written)
    return console.fail(written.error());
  console.answer(fmt::format(R"({{"scenario": {}, "number": {}, "seed": {}, "participants": {}, "protocol": {}, "data": {}}})"
                             "\n",
                             json_string(*scenario), asked.number, asked.seed, trial.n,
                             json_string((folder / protocol_name).string()), json_string((folder / data_name).string())));
  console.say(
      fmt::format("SIMULATED: virtual trial {} of scenario '{}' (seed {}), {} participants.\n"
                  "{}\n{}\n"
                  "'equipoise report {} --output DIR' reports it as if it were real.\n",
                  asked.number, *scenario, asked.seed, trial.n, (folder / data_name).string(), (folder / protocol_name).string(),
                  (folder / protocol_name).string()));
}

}  // namespace equipoise::cli

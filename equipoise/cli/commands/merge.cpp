#include <memory>

#include "equipoise/cli/commands.h"
#include "equipoise/cli/files.h"
#include "equipoise/cli/rehearsal.h"
#include "equipoise/cli/version.h"
#include "equipoise/protocol/load.h"

namespace equipoise::cli {
namespace {

struct Arguments {
  std::string protocol, output;
  std::vector<std::string> parts;
};

void run(Arguments const& arguments, Console& console) {
  const auto files = part_files(arguments.parts);
  if (!files) return console.fail(files.error());
  if (files->empty()) return console.fail(Error{Code::no_data, "there is no part (part-*.json) in what was named", {}, {}});
  // The first part that can be read says what was rehearsed; the others must agree with it.
  Problems problems;
  std::optional<simulate::Part> first;
  for (std::filesystem::path const& file : *files) {
    const auto bytes = read_file(file);
    auto part = bytes ? simulate::read_part(*bytes, file.string()) : tl::unexpected(bytes.error());
    if (!part) problems.push_back(std::move(part.error()));
    else if (!first) first = std::move(*part);
  }
  if (!problems.empty()) return console.fail(problems);
  const auto text = read_file(arguments.protocol, protocol::longest_protocol + 1);
  if (!text) return console.fail(text.error());
  const auto written = protocol::load(*text, arguments.protocol);
  if (!written) return console.fail(written.error());
  if (written->digest != first->key.protocol_digest)
    return console.fail(Error{Code::inconsistent,
                              "the parts are of another protocol than this one",
                              {.file = files->front().string()},
                              "merge them with the very file that was simulated"});
  std::vector<std::string> analyses;
  for (auto const& [id, limit] : first->key.analyses) analyses.push_back(id);
  const auto study = rehearsed_study(arguments.protocol, analyses);
  if (!study) return console.fail(study.error());
  const auto campaign = simulate::Campaign::of(*study, *first);
  if (!campaign) return console.fail(campaign.error());
  simulate::Part whole = (*campaign)->begin(std::string(version));
  problems = gather(**campaign, *files, simulate::Overlap::refused, whole);
  if (problems.empty()) simulate::report_gaps(whole, problems);
  if (!problems.empty()) return console.fail(problems);
  conclude(*study, **campaign, whole, arguments.output, console);
}

}  // namespace

void add_merge(CLI::App& app, Console& console) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("merge", "Put the parts of a rehearsal together that 'simulate --shard' has written");
  command->add_option("protocol", arguments->protocol, "The protocol file that was simulated")->required();
  command->add_option("parts", arguments->parts, "Parts, or folders with parts")->required();
  command->add_option("--output", arguments->output, "Folder for rehearsal.json and the page");
  command->callback([arguments, &console] { run(*arguments, console); });
}

}  // namespace equipoise::cli

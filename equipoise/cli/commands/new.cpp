#include <algorithm>
#include <filesystem>
#include <memory>

#include "equipoise/cli/commands.h"
#include "equipoise/cli/files.h"
#include "equipoise/cli/starter.h"
#include "equipoise/core/text.h"
#include "equipoise/data/formats.h"

namespace equipoise::cli {
namespace {

/// The template of that name; an unknown one is refused with the nearest.
Expected<std::string> template_text(std::string const& name) {
  std::vector<std::string> known;
  for (Template const& one : templates()) {
    if (one.name == name) return std::string(one.text);
    known.emplace_back(one.name);
  }
  const auto near = nearest(name, known);
  Error error{Code::usage, fmt::format("no template is called '{}': there are {}", name, one_of(known, "and")), {}, {}};
  if (near) error.hint = fmt::format("did you mean '{}'?", *near);
  return tl::make_unexpected(std::move(error));
}

std::string template_help() {
  std::string help = "A whole commented protocol instead:";
  for (Template const& one : templates()) help += fmt::format(" {} ({});", one.name, one.about);
  help.back() = '.';
  return help;
}

}  // namespace

void add_new(CLI::App& app, Console& console) {
  struct Arguments {
    std::string protocol, data, kind;
    bool force = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("new", "Write a short commented protocol to start from, fitted to your data file if you have one");
  command->add_option("protocol", arguments->protocol, "File to write")->required();
  command->add_option("--data", arguments->data,
                      "Data file (.csv, .xpt, .json, .ndjson, .dsjc), one row a participant: its columns are proposed as arms, "
                      "items and endpoint");
  command->add_option("--template", arguments->kind, template_help())->excludes("--data");
  command->add_flag("--force", arguments->force, "Replace the file if it exists");
  command->callback([arguments, &console] {
    if (!arguments->force && std::filesystem::exists(arguments->protocol))
      return console.fail(Error{
          Code::io, fmt::format("'{}' exists already", arguments->protocol), {}, "give another name, or --force to replace it"});
    std::string text = starter_protocol();
    if (!arguments->kind.empty()) {
      auto whole = template_text(arguments->kind);
      if (!whole) return console.fail(whole.error());
      text = std::move(*whole);
    }
    if (!arguments->data.empty()) {
      auto bytes = read_file(arguments->data);
      if (!bytes) return console.fail(bytes.error());
      const auto table = data::Formats::read(std::move(*bytes), arguments->data);
      if (!table) return console.fail(table.error());
      const std::string beside =
          std::filesystem::proximate(arguments->data, std::filesystem::path(arguments->protocol).parent_path()).string();
      text = starter_protocol(*table, beside);
    }
    if (const auto written = write_whole({{arguments->protocol, text}}); !written) return console.fail(written.error());
    console.answer(fmt::format("{{\"written\":{}}}", json_string(arguments->protocol)));
    console.say(
        fmt::format("{}\nNext: read it, change it, then `equipoise check {}`\n", arguments->protocol, arguments->protocol));
  });
}

}  // namespace equipoise::cli

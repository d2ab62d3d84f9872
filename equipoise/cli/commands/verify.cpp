#include "equipoise/analysis/verify.h"

#include <filesystem>
#include <memory>

#include "equipoise/analysis/known_answers.h"
#include "equipoise/cli/commands.h"
#include "equipoise/cli/files.h"

namespace equipoise::cli {
namespace {

Checked<analysis::Verification> verify_file(std::string const& reference, std::string const& data) {
  const auto cases = read_file(reference);
  if (!cases) return fail(Problems{cases.error()});
  const std::filesystem::path folder =
      data.empty() ? std::filesystem::path(reference).parent_path() : std::filesystem::path(data);
  return analysis::verify(reference, *cases, [&](std::string_view name) { return read_file(folder / name); });
}

Checked<analysis::Verification> verify_installation() {
  return analysis::verify("known answers", analysis::known_answer_cases(),
                          [](std::string_view name) { return analysis::known_answer_data(name); });
}

}  // namespace

void add_verify(CLI::App& app, Console& console) {
  struct Arguments {
    std::string reference, data;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("verify", "Check this installation against known answers, or run a file of reference cases");
  CLI::Option* reference = command->add_option("--reference", arguments->reference, "Reference cases (JSON Lines)");
  command->add_option("--data", arguments->data, "Folder of the cases' data files; without it that of the reference file")
      ->needs(reference);
  command->callback([arguments, &console] {
    const auto verification =
        arguments->reference.empty() ? verify_installation() : verify_file(arguments->reference, arguments->data);
    if (!verification) return console.fail(verification.error());
    console.answer(analysis::to_json(*verification));
    console.say(analysis::to_text(*verification));
    if (!verification->reproduced()) console.set_status(card(Code::verification).exit_status);
  });
}

}  // namespace equipoise::cli

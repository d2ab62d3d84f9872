#include <filesystem>
#include <memory>

#include "equipoise/cli/commands.h"
#include "equipoise/cli/files.h"
#include "equipoise/cli/pipeline.h"
#include "equipoise/report/page.h"

namespace equipoise::cli {

void add_report(CLI::App& app, Console& console) {
  struct Arguments {
    Question question;
    std::string output = "report", language = "en";
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("report", "Run the protocol's analyses on a data file: one self-contained HTML page and results.json");
  add_question(*command, arguments->question);
  command->add_option("--output", arguments->output, "Folder for report.html and results.json")->capture_default_str();
  command->add_option("--language", arguments->language, "en or zh")->check(CLI::IsMember({"en", "zh"}))->capture_default_str();
  command->callback([arguments, &console] {
    const auto answered = answer(arguments->question);
    if (!answered) return console.fail(answered.error());
    const std::filesystem::path folder = arguments->output;
    const std::filesystem::path page = folder / "report.html";
    const std::string json = results::to_json(answered->results);
    const auto written =
        write_whole({{page, report::html(answered->study.protocol, answered->results, {.language = arguments->language})},
                     {folder / "results.json", json}});
    if (!written) return console.fail(written.error());
    if (const Problems problems = unanswered(*answered); !problems.empty()) console.warn(problems);
    console.caution(dependences(*answered));
    console.answer(json);
    console.say(headline(*answered) + page.string() + "\n");
  });
}

}  // namespace equipoise::cli

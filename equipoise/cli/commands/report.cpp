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
    std::vector<std::string> formats{"html"};
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("report", "Run the protocol's analyses on a data file: one self-contained HTML page, tables, and results.json");
  add_question(*command, arguments->question);
  command->add_option("--output", arguments->output, "Folder for report.html, results.json and tables")->capture_default_str();
  command
      ->add_option("--formats", arguments->formats,
                   "html: report.html; rtf: tables.rtf and tables/*.rtf; csv: tables/*.csv; several with commas")
      ->delimiter(',')
      ->check(CLI::IsMember({"html", "rtf", "csv"}))
      ->capture_default_str();
  command->add_option("--language", arguments->language, "en or zh")->check(CLI::IsMember({"en", "zh"}))->capture_default_str();
  command->callback([arguments, &console] {
    const auto answered = answer(arguments->question);
    if (!answered) return console.fail(answered.error());
    const std::filesystem::path folder = arguments->output;
    const report::Document document =
        report::document(answered->study.protocol, answered->results, {.language = arguments->language});
    const std::string json = report::with_tables(results::to_json(answered->results), document.tables);
    std::vector<std::pair<std::filesystem::path, std::string>> files;
    for (auto& [name, bytes] : report::files_of(document, arguments->formats)) files.emplace_back(folder / name, std::move(bytes));
    files.emplace_back(folder / "results.json", json);
    const std::string first = files.front().first.string();
    if (const auto written = write_whole(files); !written) return console.fail(written.error());
    if (const Problems problems = unanswered(*answered); !problems.empty()) console.warn(problems);
    console.caution(dependences(*answered));
    console.answer(json);
    console.say(headline(*answered) + first + "\n");
  });
}

}  // namespace equipoise::cli

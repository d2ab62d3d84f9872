#include <filesystem>
#include <memory>

#include "equipoise/cli/commands.h"
#include "equipoise/cli/files.h"
#include "equipoise/cli/pipeline.h"
#include "equipoise/report/blinded.h"
#include "equipoise/report/page.h"

namespace equipoise::cli {

void add_report(CLI::App& app, Console& console) {
  struct Arguments {
    Question question;
    std::string output = "report", language = "en";
    std::vector<std::string> formats{"html"};
    std::string blinding_key;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "report", "Run the protocol's analyses on a data file: one self-contained HTML page, tables, and results.json");
  add_question(*command, arguments->question);
  command->add_option("--output", arguments->output, "Folder for report.html, results.json and tables")->capture_default_str();
  command
      ->add_option(
          "--formats", arguments->formats,
          "html: report.html; rtf: tables.rtf and tables/*.rtf; csv: tables/*.csv, figures/*.csv and *.R; svg: figures/*.svg; "
          "several with commas")
      ->delimiter(',')
      ->check(CLI::IsMember({"html", "rtf", "csv", "svg"}))
      ->capture_default_str();
  command->add_option("--language", arguments->language, "en or zh")->check(CLI::IsMember({"en", "zh"}))->capture_default_str();
  command->add_option("--blinded", arguments->blinding_key,
                      "Arms as letters, no outcomes: for people who must not know the arms. Takes a file of at least 32 random "
                      "bytes, which gives the letters and which those people do not have");
  command->callback([arguments, &console] {
    const auto answered = answer(arguments->question);
    if (!answered) return console.fail(answered.error());
    const std::filesystem::path folder = arguments->output;
    const bool is_blinded = !arguments->blinding_key.empty();
    protocol::Protocol const* protocol = &answered->study.protocol;
    results::Results const* results = &answered->results;
    report::Blinded by_letter;
    if (is_blinded) {
      const auto key = read_file(arguments->blinding_key, 1 << 20);
      if (!key) return console.fail(key.error());
      auto made = report::blinded(*protocol, *results, {reinterpret_cast<std::uint8_t const*>(key->data()), key->size()});
      if (!made) return console.fail(made.error());
      by_letter = std::move(*made);
      protocol = &by_letter.protocol, results = &by_letter.results;
    }
    const report::Document document =
        report::document(*protocol, *results, {.language = arguments->language, .blinded = is_blinded});
    const std::string json = report::with_tables(results::to_json(*results), document.tables);
    std::vector<std::pair<std::filesystem::path, std::string>> files;
    for (auto& [name, bytes] : report::files_of(document, arguments->formats))
      files.emplace_back(folder / name, std::move(bytes));
    files.emplace_back(folder / "results.json", json);
    const std::string first = files.front().first.string();
    if (const auto written = write_whole(files); !written) return console.fail(written.error());
    console.answer(json);
    if (is_blinded) return console.say(first + "\n");  // what is said of the answer is not blinded
    if (const Problems problems = unanswered(*answered); !problems.empty()) console.warn(problems);
    console.caution(dependences(*answered));
    console.say(headline(*answered) + first + "\n");
  });
}

}  // namespace equipoise::cli

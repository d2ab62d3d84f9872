#include <memory>

#include "equipoise/cli/commands.h"
#include "equipoise/cli/files.h"
#include "equipoise/cli/pipeline.h"

namespace equipoise::cli {

void add_question(CLI::App& command, Question& question) {
  command.add_option("protocol", question.protocol, "Protocol file (TOML)")->required();
  command.add_option("--data", question.data,
                     "Data file (.csv, .xpt, .json, .ndjson, .dsjc); without it the protocol's [source] file");
  command.add_option("--cutoff", question.cutoff, "Data cut-off date YYYY-MM-DD: nothing later is known");
  command.add_option("--analysis", question.analyses, "Run only this analysis; may be given again");
}

void add_analyse(CLI::App& app, Console& console) {
  struct Arguments {
    Question question;
    std::string output;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("analyse", "Run the protocol's analyses on a data file: results as JSON");
  add_question(*command, arguments->question);
  command->add_option("--output", arguments->output, "Write results.json to this file instead of standard output");
  command->callback([arguments, &console] {
    const auto answered = answer(arguments->question);
    if (!answered) return console.fail(answered.error());
    const std::string json = results::to_json(answered->results);
    const bool to_file = !arguments->output.empty();
    if (to_file)
      if (const auto written = write_whole({{arguments->output, json}}); !written) return console.fail(written.error());
    if (const Problems problems = unanswered(*answered); !problems.empty()) console.warn(problems);
    console.caution(dependences(*answered));
    console.answer(json);
    console.say(to_file ? headline(*answered) + arguments->output + "\n" : json);
  });
}

}  // namespace equipoise::cli

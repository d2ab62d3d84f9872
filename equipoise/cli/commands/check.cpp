#include <memory>
#include <nlohmann/json.hpp>

#include "equipoise/cli/commands.h"
#include "equipoise/cli/files.h"
#include "equipoise/core/text.h"
#include "equipoise/protocol/describe.h"
#include "equipoise/protocol/load.h"
#include "equipoise/study/study.h"

namespace equipoise::cli {
namespace {

std::string as_json(study::Study const& study) {
  nlohmann::ordered_json unavailable = nlohmann::json::array();
  for (study::Unavailable const& one : study.unavailable)
    unavailable.push_back({{"method", one.method}, {"user", one.user}, {"line", one.place.line}});
  nlohmann::ordered_json whole{{"trial", study.protocol.trial.id},
                               {"version", study.protocol.trial.version},
                               {"digest", study.protocol.digest},
                               {"problems", nlohmann::json::array()},
                               {"warnings", nlohmann::ordered_json::parse(json_list(study.warnings))},
                               {"not_available", std::move(unavailable)},
                               {"not_used", study.not_used}};
  return whole.dump(2);
}

}  // namespace

void add_check(CLI::App& app, Console& console) {
  struct Arguments {
    std::string protocol, language = "en";
    bool canonical = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("check", "Check a protocol file: every problem at once, or the trial in plain sentences");
  command->add_option("protocol", arguments->protocol, "Protocol file (TOML), '-' for standard input")->required();
  command->add_option("--language", arguments->language, "Language of labels, where the protocol has it")->capture_default_str();
  command->add_flag("--canonical", arguments->canonical, "Print the canonical form whose SHA-256 is the digest");
  command->callback([arguments, &console] {
    const auto bytes = read_file(arguments->protocol, protocol::longest_protocol + 1);
    if (!bytes) return console.fail(bytes.error());
    const auto study = study::load(*bytes, arguments->protocol);
    if (!study) return console.fail(study.error());
    protocol::Protocol const& protocol = study->protocol;
    if (arguments->canonical) {
      console.answer(
          fmt::format("{{\"digest\": {}, \"canonical\": {}}}", json_string(protocol.digest), json_string(protocol.canonical)));
      return console.say(protocol.canonical + "\n");
    }
    console.answer(as_json(*study));
    console.say(protocol::describe(protocol, arguments->language));
    const std::string schedule = protocol::schedule_of_activities(protocol, arguments->language);
    if (!schedule.empty()) console.say("\nSchedule of activities\n" + schedule);
    if (!study->unavailable.empty()) console.say("\n" + study::to_text(study->unavailable));
    if (!study->not_used.empty())
      console.say(fmt::format("\nRead and kept, not used by this build: {}\n", join(study->not_used, ", ")));
    console.caution(study->warnings);
    console.say(fmt::format("\nNo problems. Digest {}\n", protocol.digest));
  });
}

}  // namespace equipoise::cli

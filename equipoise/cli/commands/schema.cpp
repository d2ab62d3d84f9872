#include "equipoise/cli/schema.h"

#include <memory>

#include "equipoise/cli/commands.h"

namespace equipoise::cli {

void add_schema(CLI::App& app, Console& console) {
  auto derive = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("schema", "Print the JSON Schema of protocol files, for editors");
  command->add_flag("--derive", *derive, "Make it anew from the readers (seconds); for who changes the format");
  command->callback([derive, &console] {
    const std::string text = *derive ? derived_schema_json() : schema_json();
    console.answer(text);
    console.say(text);
  });
}

}  // namespace equipoise::cli

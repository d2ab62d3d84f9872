#pragma once

#include <CLI/App.hpp>

#include "equipoise/cli/console.h"
#include "equipoise/cli/pipeline.h"

/// The list of subcommands: a new one is a file in commands/ and a line here.
namespace equipoise::cli {

/// The arguments that say which protocol, data and analyses.
void add_question(CLI::App& command, Question& question);

void add_new(CLI::App& app, Console& console);
void add_check(CLI::App& app, Console& console);
void add_convert(CLI::App& app, Console& console);
void add_schema(CLI::App& app, Console& console);
void add_analyse(CLI::App& app, Console& console);
void add_report(CLI::App& app, Console& console);
void add_simulate(CLI::App& app, Console& console);
void add_merge(CLI::App& app, Console& console);
void add_compare(CLI::App& app, Console& console);
void add_trial(CLI::App& app, Console& console);
void add_verify(CLI::App& app, Console& console);

inline void add_commands(CLI::App& app, Console& console) {
  add_new(app, console);
  add_check(app, console);
  add_convert(app, console);
  add_schema(app, console);
  add_analyse(app, console);
  add_report(app, console);
  add_simulate(app, console);
  add_merge(app, console);
  add_compare(app, console);
  add_trial(app, console);
  add_verify(app, console);
}

}  // namespace equipoise::cli

#include <malloc.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <csignal>
#include <exception>

#include "equipoise/cli/commands.h"
#include "equipoise/cli/console.h"
#include "equipoise/cli/version.h"

namespace {

/// The release build uses AVX2, FMA and BMI2 throughout; on an older processor it would die of an illegal instruction.
bool processor_suffices() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
}

/// A fit takes and frees the same megabytes many times. By default glibc has the kernel map and clear them each time, which costs
/// more than the arithmetic; kept, they are cleared once.
void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

int run(int argc, char** argv) {
  using namespace equipoise;
  cli::Console console;
  CLI::App app("Equipoise: run a randomised clinical trial from one protocol file.", "equipoise");
  app.set_version_flag("--version", std::string(cli::version));
  app.require_subcommand(1);
  app.add_flag("--json", console.json, "Print the answer as one JSON object");
  app.add_flag("--quiet", console.quiet, "Print nothing but problems");
  app.fallthrough();
  app.footer(
      "Exit status: 0 done, 1 failure, 2 usage, 3 protocol or data invalid, 4 verification failed, 5 a required target not met,\n"
      "6 refused, 130 interrupted.");
  cli::add_commands(app, console);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    const int status = app.exit(error);
    return status == 0 ? 0 : card(Code::usage).exit_status;
  }
  return console.status();
}

}  // namespace

int main(int argc, char** argv) {
  if (!processor_suffices()) {
    std::fputs("equipoise: this build needs a processor with AVX2, FMA and BMI2 (x86-64-v3), and this one lacks them\n", stderr);
    return 1;
  }
  std::signal(SIGPIPE, SIG_IGN);
  keep_memory();
  try {
    return run(argc, argv);
  } catch (std::exception const& broken) {
    std::fprintf(stderr, "equipoise: internal error: %s\nPlease report this with the command and its input.\n", broken.what());
    return 1;
  }
}

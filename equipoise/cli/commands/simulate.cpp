#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <thread>

#include "equipoise/cli/commands.h"
#include "equipoise/cli/files.h"
#include "equipoise/cli/pipeline.h"
#include "equipoise/cli/rehearsal_text.h"
#include "equipoise/cli/version.h"
#include "equipoise/core/text.h"
#include "equipoise/protocol/load.h"
#include "equipoise/simulate/rehearse.h"
#include "equipoise/simulate/scenario.h"

namespace equipoise::cli {
namespace {

struct Arguments {
  std::string protocol, output;
  std::vector<std::string> scenarios, analyses;
  std::int64_t replicates = 1000;
  std::uint64_t seed = 1;
  std::size_t threads = 0;
};

std::atomic<bool> interrupted{false};

/// Ctrl-C while it lives: the blocks at work are finished, nothing more is begun.
class Interruptible {
 public:
  Interruptible() : before_(std::signal(SIGINT, [](int) { interrupted = true; })) {}
  ~Interruptible() { std::signal(SIGINT, before_); }

 private:
  void (*before_)(int);
};

/// One line on a terminal, drawn again at most ten times a second.
class ProgressLine {
 public:
  ProgressLine(bool wanted, std::string scenario, std::string what)
      : wanted_(wanted && isatty(STDERR_FILENO) == 1), scenario_(std::move(scenario)), what_(std::move(what)) {}
  ~ProgressLine() {
    if (drawn_) std::fputs("\r\033[K", stderr);
  }

  void draw(std::int64_t done, std::int64_t all, std::int64_t replicates, results::Share const& main) {
    const auto now = std::chrono::steady_clock::now();
    if (!wanted_ || (done < all && now - last_ < std::chrono::milliseconds(100))) return;
    last_ = now;
    const double seconds = std::chrono::duration<double>(now - started_).count();
    const double rate = double(replicates) / seconds, left = seconds * double(all - done) / double(done);
    constexpr int width = 24;
    const int filled = int(width * done / all);
    std::string line = fmt::format("\r\033[K{} [{:=<{}}{: <{}}] {:3.0f} %  {:.0f}/s  {:.0f} s left", scenario_, "", filled, "",
                                   width - filled, 100 * double(done) / double(all), rate, left);
    if (!what_.empty()) line += fmt::format("  {} {:.1f} % (SE {:.2f})", what_, 100 * main.value(), 100 * main.mc_se());
    std::fputs(line.c_str(), stderr);
    drawn_ = true;
  }

 private:
  bool wanted_, drawn_ = false;
  std::string scenario_, what_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now(), last_{};
};

/// Leaves out the claims that read an analysis which is not run, and those that read such claims.
void drop_claims(study::Study& study) {
  std::vector<protocol::Claim>& claims = study.protocol.claims;
  std::vector<protocol::Claim> kept;
  for (protocol::Claim& claim : claims) {
    const bool whole = std::ranges::all_of(claim.all, [&](protocol::ClaimPart const& part) {
      return part.claim.empty() ? std::ranges::find(study.plan.analyses, part.analysis, &analysis::PlannedAnalysis::id) !=
                                      study.plan.analyses.end()
                                : std::ranges::find(kept, part.claim, &protocol::Claim::id) != kept.end();
    });
    if (whole) kept.push_back(std::move(claim));
  }
  claims = std::move(kept);
}

void run(Arguments const& arguments, Console& console) {
  const auto bytes = read_file(arguments.protocol, protocol::longest_protocol + 1);
  if (!bytes) return console.fail(bytes.error());
  auto study = study::load(*bytes, arguments.protocol);
  if (!study) return console.fail(study.error());
  if (Problems problems = choose(*study, arguments.analyses); !problems.empty()) return console.fail(problems);
  if (!arguments.analyses.empty()) drop_claims(*study);

  std::vector<std::string> wanted = arguments.scenarios;
  if (wanted.empty()) wanted = simulate::scenario_ids(study->protocol);
  if (wanted.empty())
    return console.fail(Error{Code::no_data, "the protocol has no [[scenario]] that this build can simulate", {}, {}});
  Problems problems;
  std::vector<simulate::World> worlds;
  for (std::string const& id : wanted) {
    auto world = simulate::World::build(study->protocol, id);
    if (world) worlds.push_back(std::move(*world));
    else problems.insert(problems.end(), world.error().begin(), world.error().end());
  }
  const std::vector<simulate::Statement> statements = simulate::statements(*study);
  const simulate::Claims claims(study->protocol, statements, problems);
  if (!problems.empty()) return console.fail(problems);

  results::Rehearsal rehearsal{.version = std::string(version),
                               .protocol_digest = study->protocol.digest,
                               .seed = arguments.seed,
                               .alpha = study->protocol.conventions.alpha,
                               .level = study->protocol.conventions.confidence};
  const std::size_t threads = arguments.threads > 0 ? arguments.threads : std::max(1u, std::thread::hardware_concurrency());
  const std::int64_t blocks = (arguments.replicates + simulate::block_size - 1) / simulate::block_size;
  const Interruptible interruptible;
  for (simulate::World const& world : worlds) {
    const simulate::Rehearsed rehearsed(*study, world, statements, claims, arguments.seed);
    std::vector<std::optional<simulate::Tally>> tallies(std::size_t(blocks), std::nullopt);
    const std::string what = statements.empty() ? "" : statements.front().analysis + " " + statements.front().arm;
    ProgressLine line(!console.quiet && !console.json, world.scenario().id, what);
    std::int64_t replicates = 0;
    results::Share main;
    simulate::rehearse(rehearsed, *study, statements, arguments.replicates, tallies, 0, threads, interrupted,
                       [&](std::int64_t done, std::int64_t all, simulate::Tally const& block) {
                         replicates += block.replicates;
                         if (!statements.empty()) main.n += block.statements.front().rejected, main.of += block.replicates;
                         line.draw(done, all, replicates, main);
                       });
    if (interrupted) {
      console.set_status(130);
      return;
    }
    simulate::Tally whole;
    for (auto& tally : tallies) whole.merge(std::move(*tally));
    rehearsal.scenarios.push_back(rehearsed.characteristics(whole));
  }
  const std::string json = results::to_json(rehearsal);
  if (!arguments.output.empty())
    if (const auto written = write_whole({{std::filesystem::path(arguments.output) / "rehearsal.json", json}}); !written)
      return console.fail(written.error());
  console.answer(json);
  console.say(rehearsal_text(study->protocol, rehearsal));
}

}  // namespace

void add_simulate(CLI::App& app, Console& console) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "simulate", "Rehearse the trial: what the plan is worth in each [[scenario]], by thousands of virtual trials");
  command->add_option("protocol", arguments->protocol, "Protocol file (TOML)")->required();
  command->add_option("--scenario", arguments->scenarios, "Only this scenario; may be given again");
  command->add_option("--analysis", arguments->analyses, "Only this analysis; may be given again");
  command->add_option("--replicates", arguments->replicates, "Virtual trials in each scenario")
      ->check(CLI::Range(std::int64_t(1), std::int64_t(1) << 36))
      ->capture_default_str();
  command->add_option("--seed", arguments->seed, "Seed of all random numbers")->capture_default_str();
  command->add_option("--threads", arguments->threads, "Threads (default: all processors); the answer does not depend on it");
  command->add_option("--output", arguments->output, "Folder for rehearsal.json");
  command->callback([arguments, &console] { run(*arguments, console); });
}

}  // namespace equipoise::cli

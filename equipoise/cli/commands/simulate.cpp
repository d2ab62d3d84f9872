#include <cmath>
#include <cstdlib>
#include <memory>

#include "equipoise/cli/commands.h"
#include "equipoise/cli/export.h"
#include "equipoise/cli/files.h"
#include "equipoise/cli/progress.h"
#include "equipoise/cli/rehearsal.h"
#include "equipoise/cli/shard.h"
#include "equipoise/cli/version.h"

namespace equipoise::cli {
namespace {

/// A rehearsal to a target precision ends here if nothing else is said.
constexpr std::int64_t most_for_a_target = 10000000;

struct Arguments : RehearsalArguments {
  std::string protocol, output, shard;
  std::int64_t replicates = 0;
  double precision = 0;
  bool resume = false;
  std::int64_t exported = 0;
  bool through_conduct = false;
  std::string vault_key;
};

std::filesystem::path own_part(Arguments const& arguments, Shard const& shard) {
  return std::filesystem::path(arguments.output) / fmt::format("part-{}-of-{}.json", shard.index, shard.count);
}

/// What lies in the part's own place is gone on from when it is of this very rehearsal; else it is another one's, and is
/// replaced.
void take_over(std::filesystem::path const& file, simulate::Campaign const& campaign, simulate::Part& part) {
  std::error_code nothing;
  if (!std::filesystem::exists(file, nothing)) return;
  simulate::Part there = part;
  if (gather(campaign, {file}, simulate::Overlap::passed_over, there).empty()) part = std::move(there);
}

/// Computes what is missing, and keeps what is done safe on the disk.
class Run {
 public:
  Run(study::Study const& study, simulate::Campaign const& campaign, simulate::Part& part, Arguments const& arguments,
      Shard const& shard, Console& console)
      : study_(study), campaign_(campaign), part_(part), arguments_(arguments), shard_(shard), console_(console) {
    if (!arguments.output.empty()) file_ = own_part(arguments, shard);
  }

  /// Worlds that did not come to the target precision.
  std::vector<std::string> const& missed() const { return missed_; }

  /// Whether all is done; else it was interrupted, or could not be kept.
  bool go() {
    const Interruptible interruptible;
    for (std::size_t m = 0; m < campaign_.members().size() && !stop_; ++m) compute(m);
    if (!file_.empty() && !broken_) keep();
    if (broken_) console_.fail(*broken_);
    else if (Interruptible::asked) interrupted();
    return !stop_;
  }

 private:
  void compute(std::size_t m) {
    simulate::Campaign::Member const& member = campaign_.members()[m];
    simulate::Ledger& ledger = part_.worlds[m].ledger;
    const std::int64_t blocks = simulate::blocks_of(member.replicates);
    const std::int64_t begin = shard_.begin(blocks), end = shard_.end(blocks);
    if (begin == end) return;
    const simulate::Rehearsed rehearsed = campaign_.rehearsed(member);
    ProgressLine line(!console_.quiet && !console_.json, name(m), what());
    std::vector<simulate::StatementTally> so_far(campaign_.statements().size());
    std::int64_t replicates = 0;
    const auto progress = [&](std::int64_t done, std::int64_t all, simulate::Tally const& block) {
      replicates += block.replicates;
      for (const std::size_t s : campaign_.main()) so_far[s].merge(block.statements[s]);
      line.draw(done, all, replicates, simulate::least_known(so_far, campaign_.main()));
      if (Interruptible::asked) stop_ = true;
      if (!file_.empty() && std::chrono::steady_clock::now() - kept_ > std::chrono::seconds(10)) keep();
    };
    const std::size_t threads = arguments_.workers();
    if (!(arguments_.precision > 0)) {
      simulate::rehearse(rehearsed, study_, campaign_.statements(), member.replicates, ledger, begin, end, threads, stop_,
                         progress);
      return;
    }
    // What is there goes up to a stop, or is on the way to the next one.
    std::int64_t to = std::min(blocks, simulate::next_stop(std::max<std::int64_t>(0, ledger.extent() - 1)));
    for (;;) {
      simulate::rehearse(rehearsed, study_, campaign_.statements(), member.replicates, ledger, 0, to, threads, stop_, progress);
      if (stop_) return;
      const double reached = simulate::least_known(ledger.whole(to).statements, campaign_.main()).mc_se;
      if (reached <= arguments_.precision) return;
      if (to == blocks) {
        missed_.push_back(fmt::format("'{}' has a Monte Carlo standard error of {:.2g} after {} trials, and {:g} was asked for",
                                      member.id, reached, member.replicates, arguments_.precision));
        return;
      }
      to = std::min(blocks, simulate::next_stop(to));
    }
  }

  std::string name(std::size_t m) const {
    std::string const& id = campaign_.members()[m].id;
    return campaign_.members().size() == 1 ? id : fmt::format("{}/{} {}", m + 1, campaign_.members().size(), id);
  }

  std::string what() const { return campaign_.main().empty() ? "" : campaign_.statements()[campaign_.main().front()].analysis; }

  void keep() {
    const auto written = write_whole({{file_, simulate::to_json(part_)}});
    kept_ = std::chrono::steady_clock::now();
    if (!written) broken_ = written.error(), stop_ = true;
  }

  void interrupted() {
    console_.set_status(130);
    std::int64_t done = 0, all = 0;
    for (std::size_t m = 0; m < part_.worlds.size(); ++m) {
      const std::int64_t blocks = simulate::blocks_of(part_.worlds[m].replicates);
      done += part_.worlds[m].ledger.done(shard_.begin(blocks), shard_.end(blocks));
      all += shard_.end(blocks) - shard_.begin(blocks);
    }
    std::fputs(fmt::format("interrupted after {} of {} blocks of {} trials{}\n", done, all, simulate::block_size,
                           file_.empty() ? "; with --output they would have been kept"
                                         : fmt::format(", which are kept in {}; --resume goes on from there", file_.string()))
                   .c_str(),
               stderr);
  }

  study::Study const& study_;
  simulate::Campaign const& campaign_;
  simulate::Part& part_;
  Arguments const& arguments_;
  Shard const& shard_;
  Console& console_;
  std::filesystem::path file_;
  std::atomic<bool> stop_{false};
  std::optional<Error> broken_;
  std::vector<std::string> missed_;
  std::chrono::steady_clock::time_point kept_ = std::chrono::steady_clock::now();
};

Expected<Shard> shard_of(Arguments const& arguments) {
  Expected<Shard> shard = arguments.shard.empty() ? launched_shard([](char const* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    return value ? std::optional<std::string>(value) : std::nullopt;
  })
                                                  : parse_shard(arguments.shard);
  if (!shard || shard->whole()) return shard;
  const std::string said = shard->source.empty() ? "" : fmt::format(" (from {}; --shard 1/1 computes the whole)", shard->source);
  if (arguments.output.empty())
    return tl::unexpected(
        Error{Code::usage,
              fmt::format("shard {} of {} needs --output, the folder for its part{}", shard->index, shard->count, said),
              {},
              {}});
  if (arguments.precision > 0)
    return tl::unexpected(Error{Code::usage,
                                fmt::format("a shard does not see how precise the others are: give --replicates "
                                            "instead of --precision{}",
                                            said),
                                {},
                                {}});
  return shard;
}

void run(Arguments const& arguments, Console& console) {
  const auto shard = shard_of(arguments);
  if (!shard) return console.fail(shard.error());
  if (arguments.resume && arguments.output.empty())
    return console.fail(Error{Code::usage, "--resume needs --output, the folder where the parts are", {}, {}});
  const auto study = rehearsed_study(arguments.protocol, arguments.analyses);
  if (!study) return console.fail(study.error());
  simulate::Asked asked = arguments.asked;
  if (arguments.precision > 0 && !asked.replicates) asked.replicates = most_for_a_target;
  const auto campaign = simulate::Campaign::plan(*study, asked);
  if (!campaign) return console.fail(campaign.error());
  simulate::Part part = (*campaign)->begin(std::string(version));
  if (!arguments.resume && !arguments.output.empty()) take_over(own_part(arguments, *shard), **campaign, part);
  if (arguments.resume) {
    // All parts of the folder; a shard leaves those of the others to them.
    const std::string from = shard->whole() ? arguments.output : own_part(arguments, *shard).string();
    std::error_code nothing;
    if (std::filesystem::exists(from, nothing)) {
      const auto files = part_files({from});
      if (!files) return console.fail(files.error());
      if (Problems problems = gather(**campaign, *files, simulate::Overlap::passed_over, part); !problems.empty())
        return console.fail(problems);
    }
  }
  Run work(*study, **campaign, part, arguments, *shard, console);
  if (!work.go()) return;
  if (shard->whole()) {
    conclude(*study, **campaign, part, arguments.output, console);
    Problems missed;
    for (std::string const& world : work.missed())
      add_problem(missed, {}, Code::target_missed, "the target precision was not reached: {}", world).hint =
          "give more --replicates";
    if (!missed.empty()) console.warn(missed);
    return;
  }
  console.answer(fmt::format(R"({{"shard": {}, "of": {}, "output": {}}})"
                             "\n",
                             shard->index, shard->count, json_string(arguments.output)));
  console.say(fmt::format("Shard {} of {} is done{}. 'equipoise merge' puts the parts together.\n", shard->index, shard->count,
                          shard->source.empty() ? "" : fmt::format(" (from {})", shard->source)));
}

}  // namespace

void add_simulate(CLI::App& app, Console& console) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "simulate", "Rehearse the trial: what the plan is worth in each [[scenario]], by thousands of virtual trials");
  command->add_option("protocol", arguments->protocol, "Protocol file (TOML)")->required();
  add_rehearsal_options(*command, *arguments);
  command->add_option("--grid", arguments->asked.grids, "Only this grid of [rehearsal]; may be given again")
      ->allow_extra_args(false);
  const CLI::Option* replicates =
      command
          ->add_option("--replicates", arguments->replicates, "Virtual trials in each scenario (default: [rehearsal], or 1000)")
          ->check(CLI::Range(std::int64_t(1), simulate::most_replicates));
  command
      ->add_option("--precision", arguments->precision,
                   "Stop when the rejection rates of the main analysis have this Monte Carlo standard error (0.003); "
                   "--replicates is then the most")
      ->check(CLI::Range(1e-6, 0.5))
      ->check([](std::string const& text) { return std::isfinite(std::atof(text.c_str())) ? "" : "a target is a number"; });
  command->add_option("--shard", arguments->shard,
                      "Only the i-th of n equal shares, 'i/n' (default: as a Slurm array or an MPI launcher says)");
  command->add_option("--output", arguments->output, "Folder for rehearsal.json and the page, and for what is done so far");
  command->add_flag("--resume", arguments->resume, "Compute only what the parts in the folder of --output miss");
  const CLI::Option* exported = command->add_option(
      "--export", arguments->exported, "Write virtual trial number N of a scenario, from 0, as data and protocol to --output");
  CLI::Option* through = command->add_flag(
      "--through-conduct", arguments->through_conduct,
      "With --export: every act of the virtual trial through the vault and the conduct service, in the folder `trial` of --output");
  command->add_option("--vault-key", arguments->vault_key, "Key file of that trial's vault; without it the passphrase in EQUIPOISE_VAULT_PASSPHRASE")
      ->envname("EQUIPOISE_VAULT_KEY")
      ->needs(through);
  command->callback([arguments, replicates, exported, command, &console] {
    if (arguments->through_conduct && exported->count() == 0)
      return console.fail(Error{Code::usage, "--through-conduct conducts one virtual trial: say which with --export N", {}, {}});
    if (exported->count() > 0) {
      ExportAsked asked{.protocol = arguments->protocol,
                        .scenarios = arguments->asked.scenarios,
                        .number = arguments->exported,
                        .seed = arguments->asked.seed,
                        .output = arguments->output,
                        .through_conduct = arguments->through_conduct,
                        .vault_key = arguments->vault_key,
                        .beside = {}};
      for (const char* other : {"--grid", "--analysis", "--replicates", "--precision", "--shard", "--resume"})
        if (command->count(other) > 0) asked.beside.emplace_back(other);
      return export_trial(asked, console);
    }
    if (replicates->count() > 0) arguments->asked.replicates = arguments->replicates;
    run(*arguments, console);
  });
}

}  // namespace equipoise::cli

#include "equipoise/cli/rehearsal.h"

#include <algorithm>
#include <charconv>
#include <thread>

#include "equipoise/cli/files.h"
#include "equipoise/cli/pipeline.h"
#include "equipoise/cli/rehearsal_text.h"
#include "equipoise/protocol/load.h"
#include "equipoise/report/rehearsal_page.h"

namespace equipoise::cli {
namespace {

/// Leaves out the claims that read an analysis which is not run, and those that read such claims.
void drop_claims(study::Study& study) {
  std::vector<protocol::Claim> kept;
  for (protocol::Claim& claim : study.protocol.claims) {
    const bool whole = std::ranges::all_of(claim.all, [&](protocol::ClaimPart const& part) {
      return part.claim.empty() ? std::ranges::find(study.plan.analyses, part.analysis, &analysis::PlannedAnalysis::id) !=
                                      study.plan.analyses.end()
                                : std::ranges::find(kept, part.claim, &protocol::Claim::id) != kept.end();
    });
    if (whole) kept.push_back(std::move(claim));
  }
  study.protocol.claims = std::move(kept);
}

/// What is wrong with the text of a seed; "" when nothing is.
std::string is_seed(std::string const& text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  return error == std::errc{} && end == text.data() + text.size() ? ""
                                                                  : "a seed is a whole number from 0 to 18446744073709551615";
}

}  // namespace

Checked<study::Study> rehearsed_study(std::string const& protocol, std::vector<std::string> const& analyses) {
  const auto bytes = read_file(protocol, protocol::longest_protocol + 1);
  if (!bytes) return fail(Problems{bytes.error()});
  auto study = study::load(*bytes, protocol);
  if (!study) return study;
  if (Problems problems = choose(*study, analyses); !problems.empty()) return fail(std::move(problems));
  if (!analyses.empty()) drop_claims(*study);
  return study;
}

std::size_t RehearsalArguments::workers() const {
  return threads > 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
}

void add_rehearsal_options(CLI::App& command, RehearsalArguments& arguments) {
  command.add_option("--scenario", arguments.asked.scenarios, "Only this scenario; may be given again")->allow_extra_args(false);
  command.add_option("--analysis", arguments.analyses, "Only this analysis; may be given again")->allow_extra_args(false);
  command.add_option("--seed", arguments.asked.seed, "Seed of all random numbers")->check(is_seed)->capture_default_str();
  command.add_option("--threads", arguments.threads, "Threads (default: all processors); the answer does not depend on it")
      ->check(CLI::Range(1, 4096));
}

Checked<std::vector<std::filesystem::path>> part_files(std::vector<std::string> const& named) {
  std::vector<std::filesystem::path> files;
  Problems problems;
  for (std::string const& name : named) {
    std::error_code error;
    if (!std::filesystem::is_directory(name, error)) {
      files.emplace_back(name);
      continue;
    }
    for (auto const& entry : std::filesystem::directory_iterator(name, error)) {
      const std::string file = entry.path().filename().string();
      if (file.starts_with("part-") && file.ends_with(".json")) files.push_back(entry.path());
    }
    if (error) add_problem(problems, {}, Code::io, "cannot read the folder '{}': {}", name, error.message());
  }
  if (!problems.empty()) return fail(std::move(problems));
  std::ranges::sort(files);
  return files;
}

Problems gather(simulate::Campaign const& campaign, std::vector<std::filesystem::path> const& files, simulate::Overlap overlap,
                simulate::Part& whole) {
  Problems problems;
  for (std::filesystem::path const& file : files) {
    const auto bytes = read_file(file);
    if (!bytes) {
      problems.push_back(bytes.error());
      continue;
    }
    auto part = simulate::read_part(*bytes, file.string());
    if (part) campaign.absorb(whole, std::move(*part), file.string(), overlap, problems);
    else problems.push_back(std::move(part.error()));
  }
  return problems;
}

void conclude(study::Study const& study, simulate::Campaign const& campaign, simulate::Part const& part,
              std::string const& folder, Console& console) {
  const results::Rehearsal rehearsal = campaign.characteristics(part);
  const std::string json = results::to_json(rehearsal);
  if (!folder.empty())
    if (const auto written =
            write_whole({{std::filesystem::path(folder) / "rehearsal.json", json},
                         {std::filesystem::path(folder) / "rehearsal.html", report::rehearsal_page(study.protocol, rehearsal)}});
        !written)
      return console.fail(written.error());
  Problems silent;
  for (results::ScenarioCharacteristics const& one : rehearsal.scenarios)
    for (results::AnalysisFailures const& analysis : one.failures)
      if (analysis.no_answer.n > 0 && analysis.no_answer.n == analysis.no_answer.of)
        add_problem(silent, {}, Code::not_estimable, "analysis '{}' has no answer in any trial of scenario '{}'",
                    analysis.analysis, one.id);
  console.caution(silent);
  console.answer(json);
  if (folder.empty()) return console.say(rehearsal_text(study.protocol, rehearsal));
  console.say(rehearsal_summary(study.protocol, rehearsal));
  console.say(fmt::format("\nThe whole is in {}/rehearsal.html.\n", folder));
}

}  // namespace equipoise::cli

#include "equipoise/cli/conducted_trial.h"

#include <chrono>
#include <filesystem>

#include "equipoise/cli/child.h"
#include "equipoise/cli/files.h"
#include "equipoise/cli/through_conduct.h"
#include "equipoise/cli/trial.h"
#include "equipoise/cli/version.h"
#include "equipoise/core/digest.h"
#include "equipoise/core/lines.h"
#include "equipoise/vault/replay.h"

namespace equipoise::cli {

void conduct_trial(ExportAsked const& asked, std::string const& bytes, protocol::Protocol const& protocol,
                   std::string const& scenario, simulate::World const& world, Console& console) {
  Problems problems;
  const auto plan = conduct::Plan::make(bytes, asked.protocol, problems);
  const auto lock = vault_lock(asked.vault_key);
  if (!lock) problems.push_back(lock.error());
  if (!problems.empty()) return console.fail(problems);
  const std::filesystem::path output(asked.output);
  const server::Folder folder{output / "trial"};
  SystemChance chance;
  server::Making making;
  making.opening = {.protocol = bytes, .file = asked.protocol, .environment = "simulated", .users = virtual_staff(protocol)};
  making.seed = key_from_hex(
      sha256(fmt::format("virtual trial {} of '{}' under {}, seed {}", asked.number, scenario, protocol.digest, asked.seed)));
  const auto commitment = server::make_trial(folder, making, *lock, SystemClock(), chance, fmt::format("equipoise {}", version));
  if (!commitment) return console.fail(commitment.error());

  // Nature knows the arms, as it would: values follow from them. The service does not.
  const auto rule = vault::rule_of(protocol);
  if (!rule) return console.fail(rule.error());
  vault::Replay replay(*rule, std::make_shared<vault::Mac const>(*making.seed), nullptr);
  const std::function<std::optional<std::int32_t>(std::size_t, std::span<const std::int32_t>)> allocate =
      [&](std::size_t n, std::span<const std::int32_t> levels) -> std::optional<std::int32_t> {
    const auto made = replay.next({std::int64_t(n) + 1, fmt::format("{}", n), {levels.begin(), levels.end()}});
    if (!made) return {};
    return made->arm;
  };
  simulate::Workspace workspace;
  simulate::VirtualTrial trial;
  world.replicate(asked.seed, std::uint64_t(asked.number), workspace, trial, {.allocate = &allocate});

  std::vector<std::string> words{"--quiet", "trial", "open", folder.root.string()};
  if (!asked.vault_key.empty()) words.insert(words.end(), {"--vault-key", asked.vault_key});
  auto service = Child::start(std::move(words), "the service of the virtual trial");
  if (!service) return console.fail(service.error());
  LineClient client(folder.socket());
  const AskService ask = [&](std::string const& line) { return client.ask(line, std::chrono::minutes(5)); };
  const auto begin = std::chrono::steady_clock::now();
  const auto script = simulate::conduct_script(*plan, world.layout(), trial);
  const auto carried = carry(script, ask);
  if (!carried) return console.fail(carried.error());
  const auto finished = finish(script.back().at, ask);
  if (!finished) return console.fail(finished.error());
  if (const auto written = write_whole({{output / "data.csv", finished->csv}, {output / "protocol.toml", finished->protocol}});
      !written)
    return console.fail(written.error());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  console.answer(nlohmann::ordered_json{{"trial", folder.root.string()},
                                        {"participants", trial.n},
                                        {"acts", carried->acts},
                                        {"protocol", (output / "protocol.toml").string()},
                                        {"data", (output / "data.csv").string()}}
                     .dump());
  console.say(fmt::format(
      "SIMULATED: virtual trial {} of scenario '{}' (seed {}), conducted: commitment {},\n"
      "{} participants enrolled and randomised at {} sites, {} acts in {:.1f} s, each on the disk before it was answered;\n"
      "locked, unblinded, and written to {}.\n",
      asked.number, scenario, asked.seed, commitment->seed, trial.n, protocol.sites.size(), carried->acts, seconds,
      (output / "data.csv").string()));
}

}  // namespace equipoise::cli

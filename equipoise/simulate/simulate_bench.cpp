// Whole virtual trials, without any analysis of them: microseconds a replicate, one thread.
//
//     simulate_bench [PROTOCOL] [SCENARIO]

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <iterator>

#include "equipoise/protocol/load.h"
#include "equipoise/simulate/world.h"

int main(int count, char** words) {
  using namespace equipoise;
  const std::string path = count > 1 ? words[1] : "examples/msc-inr/protocol.toml",
                    scenario = count > 2 ? words[2] : "as-published";
  std::ifstream stream(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  const auto protocol = protocol::load(bytes, path);
  if (!protocol) return fmt::print("{}\n", to_string(protocol.error().front())), 1;
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  const auto world = simulate::World::build(*protocol, scenario);
  if (!world) return fmt::print("{}\n", to_string(world.error().front())), 1;
  fmt::print("world of '{}': {:.1f} ms, acceptance {:.4f}\n", scenario, seconds() * 1e3, world->acceptance());
  for (std::string const& note : world->notes()) fmt::print("  {}\n", note);
  simulate::Workspace workspace;
  simulate::VirtualTrial trial;
  double participants = 0, screened = 0;
  double best = 1e9;
  for (std::uint64_t batch = 0; batch < 20; ++batch) {
    constexpr std::uint64_t replicates = 2000;
    const double before = seconds();
    for (std::uint64_t r = 0; r < replicates; ++r) {
      world->replicate(1, batch * replicates + r, workspace, trial);
      participants += double(trial.n), screened += double(trial.screened);
    }
    best = std::min(best, (seconds() - before) / double(replicates));
  }
  fmt::print("{:.2f} us a replicate (best of 20 batches), {:.1f} randomised of {:.1f} screened, {} cells\n", best * 1e6,
             participants / 40000, screened / 40000, world->layout().cells.size());
}

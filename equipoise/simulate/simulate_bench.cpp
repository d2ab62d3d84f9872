// Whole virtual trials, without any analysis of them: microseconds of the processor a replicate, one thread.
//
//     simulate_bench [PROTOCOL] [SCENARIO]

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
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
  const auto seconds = [] { return double(std::clock()) / CLOCKS_PER_SEC; };  // of the processor, not of the wall
  const auto world = simulate::World::build(*protocol, scenario);
  if (!world) return fmt::print("{}\n", to_string(world.error().front())), 1;
  fmt::print("world of '{}': {:.1f} ms, acceptance {:.4f}\n", scenario, seconds() * 1e3, world->acceptance());
  for (std::string const& note : world->notes()) fmt::print("  {}\n", note);
  simulate::Workspace workspace;
  simulate::VirtualTrial trial;
  double participants = 0, screened = 0;
  double best = 1e9;
  constexpr std::uint64_t batches = 20, replicates = 2000;
  for (std::uint64_t batch = 0; batch < batches; ++batch) {
    const double before = seconds();
    for (std::uint64_t r = 0; r < replicates; ++r) {
      world->replicate(1, batch * replicates + r, workspace, trial);
      participants += double(trial.n), screened += double(trial.screened);
    }
    best = std::min(best, (seconds() - before) / double(replicates));
  }
  fmt::print("{:.2f} us a replicate (best of 20 batches), {:.1f} randomised of {:.1f} screened, {} cells\n", best * 1e6,
             participants / double(batches * replicates), screened / double(batches * replicates), world->layout().cells.size());
}

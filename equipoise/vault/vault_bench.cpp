// What the vault takes for an allocation, and for its list. Figures: docs/methods/live_allocation.md
//
//     vault_bench

#include <algorithm>
#include <cstdio>
#include <thread>

#include "equipoise/protocol/load.h"
#include "equipoise/vault/process.h"

namespace {

using namespace equipoise;
using Steady = std::chrono::steady_clock;

protocol::Protocol trial(std::string_view randomisation, int planned) {
  std::string text =
      fmt::format("format = 1\n[trial]\nid = \"t\"\ntitle = \"t\"\nversion = \"1\"\nplanned_participants = {}\n", planned);
  for (const char arm : {'a', 'b', 'c'}) text += fmt::format("[[arm]]\nid = \"{}\"\nrole = \"investigational\"\n", arm);
  text += R"toml([sites]
site = [{ id = "s1" }, { id = "s2" }, { id = "s3" }, { id = "s4" }, { id = "s5" }, { id = "s6" }]
[schedule]
visit = [{ id = "screening", day = -7, forms = ["person"] }]
[form.person]
sex = { kind = "code", codes = [["F", "Female"], ["M", "Male"]] }
[randomisation]
factors = [{ id = "site" }, { id = "sex", rule = "sex@screening" }]
)toml";
  return protocol::load_all(text + std::string(randomisation), "bench").protocol;
}

/// Median and 99th percentile of what each call takes, in microseconds.
template <class Call>
void time(char const* what, int calls, Call const& call) {
  std::vector<double> took;
  for (int i = 0; i < calls; ++i) {
    const auto begin = Steady::now();
    call(i);
    took.push_back(std::chrono::duration<double, std::micro>(Steady::now() - begin).count());
  }
  std::ranges::sort(took);
  std::printf("%-46s %9.1f us median %9.1f us 99th percentile\n", what, took[took.size() / 2], took[took.size() * 99 / 100]);
}

}  // namespace

int main() {
  SystemChance chance;
  const SystemClock clock;
  for (auto const& [name, text, planned] :
       {std::tuple("minimisation", "method = \"minimisation\"\nprobability = 0.8\n", 20000),
        std::tuple("blocks by stratum, list of 240,000", "method = \"permuted_block\"\nblock_sizes = [3, 6]\n", 20000)}) {
    const auto protocol = trial(text, planned);
    std::optional<vault::Vault> vault;
    time(fmt::format("opening: {}", name).c_str(), 1, [&](int) {
      vault.emplace(vault::Vault::open(protocol, vault::draw_secrets(protocol, "test", "", chance).value(),
                                       vault::Ledger::in_memory(), {.clock = &clock, .chance = &chance})
                        .value());
    });
    const auto allocate = [&](auto& to) {
      return [&](int) {
        const std::int64_t number = vault->confirmed() + 1;
        if (!to.allocate(
                {.number = number, .participant = std::to_string(number), .levels = {int(number % 6), int(number % 2)}}) ||
            !to.confirm(number))
          std::abort();
      };
    };
    time(fmt::format("allocation: {}", name).c_str(), 20000, allocate(*vault));
    std::atomic<bool> stop = false;
    const std::string path = fmt::format("/tmp/vault_bench.{}", ::getpid());
    std::thread thread([&] { (void)vault::serve(path, *vault, stop); });
    while (::access(path.c_str(), F_OK) != 0) std::this_thread::yield();
    vault::Client client(path);
    time(fmt::format("over the socket: {}", name).c_str(), 5000, allocate(client));
    std::vector<allocation::Request> history;
    for (int i = 1; i <= 100'000; ++i)
      history.push_back({.number = i, .participant = std::to_string(i), .levels = {i % 6, i % 2}});
    time(fmt::format("100,000 replayed: {}", name).c_str(), 1, [&](int) {
      if (!vault->resume(history)) std::abort();
    });
    stop = true;
    thread.join();
  }
}

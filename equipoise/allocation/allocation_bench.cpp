// Nanoseconds an allocation takes, draw and all: trials of 72 in three arms at six sites with a second factor.

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <vector>

#include "equipoise/allocation/rule.h"
#include "equipoise/protocol/load.h"

namespace {

using namespace equipoise;

constexpr std::string_view trial = R"toml(format = 1
[trial]
id = "t"
title = "A trial"
version = "1"
planned_participants = 72
[[arm]]
id = "a"
role = "investigational"
[[arm]]
id = "b"
role = "investigational"
[[arm]]
id = "c"
role = "investigational"
[sites]
site = [{ id = "s1" }, { id = "s2" }, { id = "s3" }, { id = "s4" }, { id = "s5" }, { id = "s6" }]
[schedule]
visit = [{ id = "screening", day = -7, forms = ["person"] }]
[form.person]
age = { kind = "integer" }
[randomisation]
)toml";

void measure(std::string const& section) {
  const protocol::Loaded loaded = protocol::load_all(std::string(trial) + section, "bench.toml");
  Problems problems;
  const auto rule = allocation::Rule::parse(loaded.protocol, problems);
  expects(rule.has_value(), "the section is right");
  const random::PhiloxKey key = random::derived_key({1, random::Purpose::allocation});
  const std::size_t factors = rule->setting().factors.size();
  std::vector<std::int32_t> levels;
  for (std::uint32_t who = 0; who < 72; ++who)
    levels.push_back(std::int32_t(who * 7 % 6)), levels.push_back(std::int32_t(who * 5 % 3 == 0));
  allocation::State state;
  double best = 1e9;
  std::int64_t sum = 0;
  for (int repeat = 0; repeat < 5; ++repeat) {
    constexpr std::uint64_t replicates = 20000;
    const auto start = std::chrono::steady_clock::now();
    for (std::uint64_t replicate = 0; replicate < replicates; ++replicate) {
      rule->start(state);
      for (std::uint32_t who = 0; who < 72; ++who)
        sum += *rule->next(state, {&levels[2 * who], factors},
                           random::PhiloxDraw(key, {.replicate = replicate, .participant = who}));
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count() / double(72 * replicates));
  }
  fmt::print("{:6.1f} ns  {} ({})\n", best, rule->sentence(), sum);
}

}  // namespace

int main() {
  const std::string by_site = "factors = [{ id = \"site\" }]\n",
                    both = "factors = [{ id = \"site\" }, { id = \"old\", rule = \"age@screening >= 65\" }]\n";
  measure("method = \"simple\"\n");
  measure("method = \"permuted_block\"\nblock_sizes = [6]\n" + by_site);
  measure("method = \"permuted_block\"\nblock_sizes = [3, 6]\n" + both);
  measure("method = \"minimisation\"\nprobability = 0.8\n" + both);
  measure("method = \"minimisation\"\nimbalance = \"variance\"\nprobability = 0.8\n" + both);
  measure("method = \"taves\"\n" + both);
  measure("method = \"biased_coin\"\n");
  measure("method = \"big_stick\"\nmaximum_imbalance = 3\n");
  measure("method = \"urn\"\nalpha = 1\nbeta = 1\n");
  measure("method = \"maximal_procedure\"\nmaximum_imbalance = 3\n");
}

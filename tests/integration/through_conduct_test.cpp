// A virtual trial that is conducted act by act gives the same data as the simulator hands to the analysis directly.

#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/analysis/run.h"
#include "equipoise/cli/through_conduct.h"
#include "equipoise/core/digest.h"
#include "equipoise/data/source.h"
#include "equipoise/simulate/records.h"
#include "equipoise/store/memory.h"
#include "equipoise/study/study.h"
#include "equipoise/vault/replay.h"
#include "equipoise/vault/vault.h"
#include "tests/integration/files.h"

namespace equipoise {
namespace {

vault::Secrets secrets_of(protocol::Protocol const& protocol, std::string const& name) {
  SystemChance chance;
  vault::Secrets secrets = vault::draw_secrets(protocol, "simulated", "", chance).value();
  const Key32 seed = key_from_hex(sha256(name)).value();
  std::ranges::copy(seed, secrets.seed.bytes().begin());
  return secrets;
}

void expect_equal(expression::Column const& a, expression::Column const& b, std::string const& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a.missing(i), b.missing(i)) << what << " row " << i;
    if (a.missing(i)) continue;
    switch (a.type) {
      case expression::Type::code:
        ASSERT_EQ(a.levels[std::size_t(a.code[i])], b.levels[std::size_t(b.code[i])]) << what << " row " << i;
        break;
      case expression::Type::truth:
        ASSERT_EQ(a.truth[i], b.truth[i]) << what << " row " << i;
        break;
      case expression::Type::text:
        break;
      default:
        ASSERT_EQ(a.low[i], b.low[i]) << what << " row " << i;
    }
  }
}

TEST(ThroughConduct, TheDataAreThoseOfTheFastPath) {
  const std::string bytes = contents("examples/msc-inr/protocol.toml");
  Problems problems;
  const auto plan = conduct::Plan::make(bytes, "msc-inr", problems);
  ASSERT_TRUE(plan);
  protocol::Protocol const& protocol = plan->protocol();
  for (std::string const scenario : {"no-effect", "as-published"}) {
    const auto world = simulate::World::build(protocol, scenario);
    ASSERT_TRUE(world);
    for (std::uint64_t number = 0; number < 2; ++number) {
      const std::string name = fmt::format("{} {}", scenario, number);
      // Allocations by the vault's draws, which the simulator replays.
      vault::Secrets secrets = secrets_of(protocol, name);
      vault::Replay replay(vault::rule_of(protocol).value(), std::make_shared<vault::Mac const>(secrets.seed.bytes()), nullptr);
      const std::function<std::optional<std::int32_t>(std::size_t, std::span<const std::int32_t>)> allocate =
          [&](std::size_t n, std::span<const std::int32_t> levels) -> std::optional<std::int32_t> {
        const auto made = replay.next({std::int64_t(n) + 1, fmt::format("p{}", n), {levels.begin(), levels.end()}});
        if (!made) return {};
        return made->arm;
      };
      simulate::Workspace workspace;
      simulate::VirtualTrial trial;
      world->replicate(7, number, workspace, trial, {.allocate = &allocate});
      ASSERT_EQ(trial.n, 72u);

      SystemClock clock;
      SystemChance chance;
      store::MemoryStore store;
      auto vault = vault::Vault::open(protocol, std::move(secrets), vault::Ledger::in_memory(), {&clock, &chance});
      ASSERT_TRUE(vault) << vault.error().message;
      server::LinkTo<vault::Vault> link(*vault, {"placebo", "low", "high"});
      const server::Surroundings around{store, link, nullptr, clock, chance, "test", {}, {}};
      ASSERT_TRUE(server::Service::open_trial({bytes, "msc-inr", "simulated", cli::virtual_staff(protocol)}, around));
      auto service = server::Service::start(around);
      ASSERT_TRUE(service);
      const cli::AskService ask = [&](std::string const& line) -> Expected<std::string> { return (*service)->answer(line); };
      const auto script = simulate::conduct_script(*plan, world->layout(), trial);
      const auto carried = cli::carry(script, ask);
      ASSERT_TRUE(carried) << carried.error().message << " (" << carried.error().hint << ")";
      EXPECT_GT(carried->acts, 2000);
      const auto finished = cli::finish(script.back().at, ask);
      ASSERT_TRUE(finished) << finished.error().message;

      // Read back as any data file.
      const auto own = protocol::load(finished->protocol, "extract");
      ASSERT_TRUE(own) << to_string(own.error().front());
      const auto table = data::read_csv(finished->csv, "data.csv");
      ASSERT_TRUE(table);
      const auto conducted = data::read_source(*own, *table);
      ASSERT_TRUE(conducted) << to_string(conducted.error().front());
      const data::TrialRecords direct = simulate::to_records(protocol, world->layout(), trial);
      const std::vector<std::string> ids = simulate::conducted_ids(*plan, trial);
      ASSERT_EQ(conducted->participants, ids);
      expect_equal(direct.arm, conducted->arm, "arm");
      expect_equal(direct.site, conducted->site, "site");
      expect_equal(direct.randomisation, conducted->randomisation, "randomisation");
      for (std::size_t i = 0; i < trial.n; ++i) {
        EXPECT_EQ(direct.randomisation_order[i], conducted->randomisation_order[i]);
        EXPECT_EQ(direct.follow_up_end[i], conducted->follow_up_end[i]) << ids[i];
      }
      for (auto const& [key, column] : direct.items) {
        ASSERT_TRUE(conducted->items.contains(key)) << key.first << "@" << key.second;
        expect_equal(column, conducted->items.at(key), key.first + "@" + key.second);
      }
      for (auto const& [visit, days] : direct.visit_days)
        for (std::size_t i = 0; i < days.size(); ++i)
          if (!std::isnan(days[i])) EXPECT_EQ(days[i], conducted->visit_days.at(visit)[i]) << visit << " " << ids[i];
      for (auto const& [form, entries] : direct.entries) {
        expression::Entries const& there = conducted->entries.at(form);
        ASSERT_EQ(entries.participant, there.participant) << form;
        expect_equal(entries.date, there.date, form);
        for (auto const& [item, column] : entries.items) expect_equal(column, there.items.at(item), form + "." + item);
      }
      // And every allocation is proved.
      const auto& reveal = (*service)->state().unblinded->reveal;
      ASSERT_EQ(reveal.allocations.size(), trial.n);
      for (std::size_t i = 0; i < trial.n; ++i) EXPECT_EQ(reveal.allocations[i].arm, protocol.arms[std::size_t(trial.arm[i])].id);
    }
  }
}

}  // namespace
}  // namespace equipoise

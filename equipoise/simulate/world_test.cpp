#include "equipoise/simulate/world.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <fstream>
#include <iterator>

#include "equipoise/numerics/distributions.h"
#include "equipoise/simulate/allocations_test.h"
#include "equipoise/simulate/testing.h"

namespace equipoise::simulate {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using testing::SmallTrial;
using testing::Tally;
using testing::world_of;

// Seeds are fixed, so that a test passes always or never; each tolerance is 4 standard errors of what is looked at.
constexpr std::uint64_t seed = 20240611;

const std::string steady = R"(model = "longitudinal"
x = { level = 100, noise_log_sd = 0, scale = "log" })";

std::string file(std::string const& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The bytes of a trial.
std::vector<std::uint64_t> bits(VirtualTrial const& trial) {
  std::vector<std::uint64_t> all{trial.n, trial.screened};
  const auto add = [&](auto const& values) {
    for (auto value : values) {
      if constexpr (std::is_same_v<decltype(value), double>)
        all.push_back(std::isnan(value) ? ~0ull : std::bit_cast<std::uint64_t>(value));
      else all.push_back(std::uint64_t(value));
    }
  };
  add(trial.entry), add(trial.site), add(trial.arm), add(trial.arm_received), add(trial.factor), add(trial.visit_day),
      add(trial.value);
  add(trial.follow_up_end), add(trial.failed);
  for (VirtualTrial::Entries const& entries : trial.entries) {
    add(entries.participant), add(entries.date);
    for (auto const& item : entries.items) add(item);
  }
  return all;
}

/// The flagship; `items`: with what its scenario says of items that no model makes.
protocol::Protocol flagship(bool items = true) {
  std::string text = file("examples/msc-inr/protocol.toml");
  if (const auto at = text.find("\nitems = "); !items) text.erase(at, text.find('\n', at + 1) - at);
  auto protocol = protocol::load(text, "msc-inr.toml");
  EXPECT_TRUE(protocol) << to_string(protocol.error().front());
  return std::move(*protocol);
}

TEST(World, AReplicateIsAFunctionOfSeedAndNumber) {
  const auto protocol = flagship();
  const World world = world_of(protocol, "dose-response");
  Workspace used, fresh;
  VirtualTrial among, alone;
  std::vector<std::vector<std::uint64_t>> all;
  for (std::uint64_t number = 0; number < 20; ++number) {
    world.replicate(seed, number, used, among);
    all.push_back(bits(among));
  }
  for (std::uint64_t number : {17, 3, 0}) {
    Workspace workspace;
    world.replicate(seed, number, workspace, alone);
    EXPECT_EQ(bits(alone), all[number]) << number;
  }
  EXPECT_NE(all[0], all[1]);
  world.replicate(seed + 1, 0, fresh, alone);
  EXPECT_NE(bits(alone), all[0]);
  // A world that is built again is the same world.
  const World again = world_of(protocol, "dose-response");
  again.replicate(seed, 5, fresh, alone);
  EXPECT_EQ(bits(alone), all[5]);
}

TEST(World, AllocatesNothingAfterTheFirstReplicates) {
  const auto protocol = flagship();
  const World world = world_of(protocol, "dose-response");
  Workspace workspace;
  VirtualTrial trial;
  for (std::uint64_t number = 0; number < 2000; ++number) world.replicate(seed, number, workspace, trial);
  const std::size_t before = allocations();
  for (std::uint64_t number = 0; number < 2000; ++number) world.replicate(seed, number, workspace, trial);
  EXPECT_EQ(allocations(), before);
}

TEST(World, ScenariosShareTheirRandomNumbers) {
  const auto protocol = flagship();
  const World none = world_of(protocol, "no-effect"), published = world_of(protocol, "as-published");
  Workspace workspace;
  VirtualTrial a, b;
  std::size_t higher = 0, compared = 0;
  for (std::uint64_t number = 0; number < 20; ++number) {
    none.replicate(seed, number, workspace, a);
    published.replicate(seed, number, workspace, b);
    ASSERT_EQ(a.entry, b.entry);
    ASSERT_EQ(a.arm, b.arm);
    ASSERT_EQ(a.site, b.site);
    ASSERT_EQ(a.factor, b.factor);
    const std::size_t early = *none.layout().cell("cd4", 0), late = *none.layout().cell("cd4", 7);
    for (std::size_t i = 0; i < a.n; ++i) {
      EXPECT_EQ(a.value[early * a.n + i], b.value[early * a.n + i]);
      const double x = a.value[late * a.n + i], y = b.value[late * a.n + i];
      if (std::isnan(x) || std::isnan(y)) continue;
      if (a.arm[i] != 0) ++compared, higher += y > x;
      else ASSERT_EQ(x, y);
    }
  }
  EXPECT_GT(compared, 500u);
  EXPECT_EQ(higher, compared);  // +50 cells, the same noise
}

TEST(World, GivesWhatWouldHaveHappenedOnAnotherArm) {
  SmallTrial small;
  small.scenario = R"(model = "longitudinal"
x = { level = { median = 100, cv = 0.3 }, noise_cv = 0.2, scale = "log" }
effect = { x = { active = 30 } }
missed_visit = 0.2
study_stop = { mechanism = "mcar", by_week_40 = 0.3 })";
  const auto protocol = small.protocol();
  const World world = world_of(protocol);
  Workspace workspace;
  VirtualTrial own, control, active;
  world.replicate(seed, 0, workspace, own);
  world.replicate(seed, 0, workspace, control, {.arm = 0, .complete = true});
  world.replicate(seed, 0, workspace, active, {.arm = 1, .complete = true});
  EXPECT_THAT(control.arm, Each(0));
  EXPECT_THAT(active.arm, Each(1));
  ASSERT_EQ(own.n, 200u);
  EXPECT_EQ(own.entry, control.entry);
  const std::size_t cell = *world.layout().cell("x", 3);
  std::size_t seen = 0;
  for (std::size_t i = 0; i < own.n; ++i) {
    ASSERT_FALSE(std::isnan(control.value[cell * own.n + i]));
    EXPECT_GT(active.value[cell * own.n + i], control.value[cell * own.n + i]);
    const double value = own.value[cell * own.n + i];
    if (std::isnan(value)) continue;
    ++seen;
    EXPECT_EQ(value, (own.arm[i] ? active : control).value[cell * own.n + i]);
  }
  EXPECT_GT(seen, 80u);
  EXPECT_LT(seen, 160u);
}

// Candidates arrive by a Poisson process; everybody is eligible, so the 200th participant comes after 200 exponential gaps with a
// mean of 30.4375 / 4 days: a gamma variable. Whole days take half a day off.
TEST(Accrual, IsAPoissonProcessSharedByTheSites) {
  SmallTrial small{.scenario = steady};
  const auto protocol = small.protocol();
  const World world = world_of(protocol);
  EXPECT_EQ(world.acceptance(), 1.0);
  Workspace workspace;
  VirtualTrial trial;
  Tally last, first_site;
  const std::size_t replicates = 2000;
  for (std::uint64_t number = 0; number < replicates; ++number) {
    world.replicate(seed, number, workspace, trial);
    ASSERT_EQ(trial.n, 200u);
    EXPECT_EQ(trial.screened, 200u);
    EXPECT_TRUE(std::ranges::is_sorted(trial.entry));
    last.add(trial.entry.back() + 0.5);
    for (std::int32_t site : trial.site) first_site.add(site == 0);
  }
  const double gap = 30.4375 / 4, sd = gap * std::sqrt(200);
  EXPECT_NEAR(last.mean(), 200 * gap, 4 * sd / std::sqrt(double(replicates)));
  EXPECT_NEAR(last.variance(), sd * sd,
              4 * sd * sd * std::sqrt(2.0 / double(replicates)) * 1.1);  // a gamma of shape 200 is nearly normal
  EXPECT_NEAR(first_site.mean(), 0.75, 4 * first_site.error());
}

TEST(Accrual, KeepsCapsStartsAndRamps) {
  SmallTrial small{.participants = "60", .scenario = steady + R"(
accrual = { ramp_weeks = 20, start_weeks = { s2 = 10 } })"};
  small.sites = R"(
  { id = "s1", name = "One", time_zone = "Europe/Berlin", planned_per_month = 3, cap = 20 },
  { id = "s2", name = "Two", time_zone = "Europe/Berlin", planned_per_month = 1, cap = 40 },)";
  const auto protocol = small.protocol();
  const World world = world_of(protocol);
  Workspace workspace;
  VirtualTrial trial;
  Tally early;  // of site 1 in the first 10 weeks
  const std::size_t replicates = 1000;
  for (std::uint64_t number = 0; number < replicates; ++number) {
    world.replicate(seed, number, workspace, trial);
    ASSERT_EQ(trial.n, 60u);
    std::size_t first = 0, soon = 0;
    for (std::size_t i = 0; i < trial.n; ++i) {
      first += trial.site[i] == 0;
      soon += trial.site[i] == 0 && trial.entry[i] < 70;
      EXPECT_TRUE(trial.site[i] == 0 || trial.entry[i] >= 70);
    }
    EXPECT_EQ(first, 20u);
    early.add(double(soon));
  }
  // The rate rises from 0 to half of 3 a month over 70 days: a mean of 3 * 70 / 30.4375 / 4 (the cap of 20 is far away).
  const double expected = 3 * 70 / 30.4375 / 4;
  EXPECT_NEAR(early.mean(), expected, 4 * std::sqrt(expected / double(replicates)));
}

// X = L + e1 at screening, Y = L + e2 at baseline, L normal with SD 30, noise 20. Of those with X <= 80 (a = -20 / 36.06)
//     E[X] = 100 - s phi(a) / Phi(a),  E[Y] = 100 - s rho phi(a) / Phi(a),  rho = 30^2 / (30^2 + 20^2)
// so the baseline value taken after screening is higher: regression to the mean.
TEST(Eligibility, SelectsOnWhatWasMeasuredNotOnWhatIsTrue) {
  SmallTrial small{.scenario = R"(model = "longitudinal"
x = { level = { mean = 100, sd = 30 }, noise_sd = 20, scale = "linear" })"};
  small.criteria = R"({ id = "i1", kind = "inclusion", rule = "x@screening <= 80", text = "Low" })";
  const auto protocol = small.protocol();
  const World world = world_of(protocol);
  const double s = std::sqrt(1300.0), a = -20 / s, accepted = numerics::normal_cdf(a);
  EXPECT_NEAR(world.acceptance(), accepted, 4 * std::sqrt(accepted * (1 - accepted) / 28000));  // of 8000 accepted candidates
  Workspace workspace;
  VirtualTrial trial;
  Tally screening, baseline, met;
  const std::size_t x0 = *world.layout().cell("x", 0), x1 = *world.layout().cell("x", 1);
  for (std::uint64_t number = 0; number < 200; ++number) {
    world.replicate(seed, number, workspace, trial);
    EXPECT_EQ(trial.screened, trial.n + trial.failed[0]);
    met.n += double(trial.screened), met.sum += double(trial.n);
    for (std::size_t i = 0; i < trial.n; ++i) {
      ASSERT_LE(trial.value[x0 * trial.n + i], 80);
      screening.add(trial.value[x0 * trial.n + i]), baseline.add(trial.value[x1 * trial.n + i]);
    }
  }
  const double ratio = std::exp(-a * a / 2) / std::sqrt(2 * 3.14159265358979323846) / accepted, rho = 900.0 / 1300;
  EXPECT_NEAR(screening.mean(), 100 - s * ratio, 4 * screening.error());
  EXPECT_NEAR(baseline.mean(), 100 - s * rho * ratio, 4 * baseline.error());
  EXPECT_NEAR(met.mean(), accepted, 4 * std::sqrt(accepted * (1 - accepted) / met.n));
}

TEST(Eligibility, StopsWhenNextToNobodyIsEligible) {
  SmallTrial small{.scenario = R"(model = "longitudinal"
x = { level = { median = 100, cv = 0.2 }, noise_cv = 0.1, scale = "log" })"};
  small.criteria = R"({ id = "fine", kind = "exclusion", rule = "x@screening > 150", text = "High" },
  { id = "low", kind = "inclusion", rule = "x@screening <= 20", text = "Low" })";
  const auto protocol = small.protocol();
  const auto world = World::build(protocol, "one");
  ASSERT_FALSE(world);
  ASSERT_EQ(world.error().size(), 1u);
  EXPECT_THAT(world.error()[0].message, HasSubstr("leaves next to nobody to randomise: of 204800 simulated candidates 0 met the "
                                                  "criteria, an acceptance of 0; most failed 'low'"));
  EXPECT_GT(world.error()[0].place.line, 0);
}

TEST(Eligibility, TakesAsMetWhatTheScenarioDoesNotSimulate) {
  SmallTrial small{.scenario = steady};
  small.criteria = R"({ id = "age", kind = "inclusion", rule = "age@screening >= 65", text = "Old" })";
  const auto without = small.protocol();
  EXPECT_THAT(world_of(without).notes(),
              ::testing::Contains("the criterion 'age' is taken as met: it reads age@screening, which is not "
                                  "simulated before randomisation"));
  small.scenario += R"(
items = { age = { mean = 60, sd = 10 }, sex = { F = 0.3, M = 0.7 }, fit = { probability = 0.9 } })";
  const auto with = small.protocol();
  const World world = world_of(with);
  EXPECT_THAT(world.notes(), Each(::testing::Not(HasSubstr("criterion"))));
  // Whole years: 64.5 rounds to 64 (ties to even), so that those above 64.5 are 65.
  const double p = numerics::normal_upper(0.45);
  EXPECT_NEAR(world.acceptance(), p, 4 * std::sqrt(p * (1 - p) / 24000));
  Workspace workspace;
  VirtualTrial trial;
  Tally sex, fit;
  for (std::uint64_t number = 0; number < 100; ++number) {
    world.replicate(seed, number, workspace, trial);
    for (std::size_t i = 0; i < trial.n; ++i) {
      ASSERT_GE(trial.value[*world.layout().cell("age", 0) * trial.n + i], 65);
      sex.add(trial.value[*world.layout().cell("sex", 0) * trial.n + i]),
          fit.add(trial.value[*world.layout().cell("fit", 0) * trial.n + i]);
    }
  }
  EXPECT_NEAR(sex.mean(), 0.7, 4 * sex.error());
  EXPECT_NEAR(fit.mean(), 0.9, 4 * fit.error());
}

TEST(Allocation, IsThatOfTheProtocol) {
  SmallTrial small{.participants = "40", .scenario = steady + R"(
items = { sex = { F = 0.3, M = 0.7 } })"};
  small.randomisation = R"(method = "permuted_block"
ratio = { control = 1, active = 1 }
factors = [{ id = "sex", rule = "sex@screening" }, { id = "site" }]
block_sizes = [4])";
  const auto protocol = small.protocol();
  const World world = world_of(protocol);
  ASSERT_EQ(world.layout().factors, 2u);
  Workspace workspace;
  VirtualTrial trial;
  for (std::uint64_t number = 0; number < 50; ++number) {
    world.replicate(seed, number, workspace, trial);
    int surplus[2][2] = {};
    for (std::size_t i = 0; i < trial.n; ++i) {
      EXPECT_EQ(trial.factor[i], std::int32_t(trial.value[*world.layout().cell("sex", 0) * trial.n + i]));
      EXPECT_EQ(trial.factor[trial.n + i], trial.site[i]);
      int& arms = surplus[trial.factor[i]][trial.site[i]];
      arms += trial.arm[i] ? 1 : -1;
      EXPECT_LE(std::abs(arms), 2);  // of blocks of 4 within each stratum
    }
  }
}

TEST(Visits, FallAroundTheirTargetsInsideTheWindow) {
  SmallTrial small{.scenario = steady + R"(
visit_day_sd = 6
missed_visit = { v2 = 0.25, others = 0.05 })"};
  const auto protocol = small.protocol();
  const World world = world_of(protocol);
  Workspace workspace;
  VirtualTrial trial;
  Tally off, square, missed2, missed3;
  for (std::uint64_t number = 0; number < 200; ++number) {
    world.replicate(seed, number, workspace, trial);
    for (std::size_t i = 0; i < trial.n; ++i) {
      EXPECT_EQ(trial.visit_day[i], -14.0);
      EXPECT_EQ(trial.visit_day[trial.n + i], 0.0);
      missed2.add(std::isnan(trial.visit_day[3 * trial.n + i])), missed3.add(std::isnan(trial.visit_day[4 * trial.n + i]));
      EXPECT_EQ(std::isnan(trial.visit_day[4 * trial.n + i]),
                std::isnan(trial.value[*world.layout().cell("x", 4) * trial.n + i]));
      const double day = trial.visit_day[5 * trial.n + i];
      if (std::isnan(day)) continue;
      ASSERT_EQ(day, std::rint(day));
      ASSERT_LE(std::abs(day - 280), 14);
      off.add(day - 280), square.add((day - 280) * (day - 280));
    }
  }
  // A normal of SD 6 rounded to whole days (which adds 1/12) and cut at 14 days.
  double variance = 0;
  for (int d = -60; d <= 60; ++d)
    variance += std::pow(std::clamp(d, -14, 14), 2) * (numerics::normal_cdf((d + 0.5) / 6) - numerics::normal_cdf((d - 0.5) / 6));
  EXPECT_NEAR(off.mean(), 0, 4 * off.error());
  EXPECT_NEAR(square.mean(), variance, 4 * square.error());
  EXPECT_NEAR(missed2.mean(), 0.25, 4 * missed2.error());
  EXPECT_NEAR(missed3.mean(), 0.05, 4 * missed3.error());
}

/// Who left by the last visit; and, among those still there before v3, the last value seen and the unseen one of v3 by whether
/// they left before v3.
struct Leavers {
  Tally all, seen_stay, seen_leave, unseen_stay, unseen_leave;
};

Leavers leavers(std::string const& stop) {
  SmallTrial small{.scenario = R"(model = "longitudinal"
x = { level = { mean = 100, sd = 20 }, noise_sd = 20, scale = "linear" }
study_stop = )" + stop};
  const auto protocol = small.protocol();
  const World world = world_of(protocol);
  Workspace workspace;
  VirtualTrial trial, whole;
  Leavers found;
  const std::size_t v2 = *world.layout().cell("x", 3), v3 = *world.layout().cell("x", 4);
  for (std::uint64_t number = 0; number < 300; ++number) {
    world.replicate(seed, number, workspace, trial);
    world.replicate(seed, number, workspace, whole, {.arm = {}, .complete = true});
    std::vector<std::uint8_t> entry(trial.n, 0);
    for (std::size_t e = 0; e < trial.entries[0].participant.size(); ++e) {
      entry[trial.entries[0].participant[e]] = 1;
      EXPECT_EQ(trial.entries[0].date[e], trial.follow_up_end[trial.entries[0].participant[e]]);
      EXPECT_EQ(trial.entries[0].items[0][e], 0);
    }
    for (std::size_t i = 0; i < trial.n; ++i) {
      const bool left = std::isnan(trial.visit_day[5 * trial.n + i]);
      found.all.add(left);
      EXPECT_EQ(left, entry[i] == 1);
      const double seen = trial.value[v2 * trial.n + i], unseen = whole.value[v3 * trial.n + i];
      if (std::isnan(seen)) continue;
      const bool leaves = std::isnan(trial.value[v3 * trial.n + i]);
      (leaves ? found.seen_leave : found.seen_stay).add(seen);
      (leaves ? found.unseen_leave : found.unseen_stay).add(unseen);
    }
  }
  return found;
}

double z(Tally const& a, Tally const& b) { return (a.mean() - b.mean()) / std::hypot(a.error(), b.error()); }

TEST(StudyStop, HasItsProbabilityUnderEachMechanism) {
  const Leavers random = leavers(R"({ mechanism = "mcar", by_week_40 = 0.3 })");
  EXPECT_NEAR(random.all.mean(), 0.3, 4 * random.all.error());
  EXPECT_LT(std::abs(z(random.seen_leave, random.seen_stay)), 4);
  EXPECT_LT(std::abs(z(random.unseen_leave, random.unseen_stay)), 4);

  // The intercept is found on 4000 others, which adds their error.
  const Leavers mar = leavers(R"({ mechanism = "mar", by_week_40 = 0.3, log_odds_per_unit = -0.05 })");
  EXPECT_NEAR(mar.all.mean(), 0.3, 4 * std::hypot(mar.all.error(), 0.25 / std::sqrt(4000.0)));
  EXPECT_LT(z(mar.seen_leave, mar.seen_stay), -10);

  const Leavers mnar = leavers(R"({ mechanism = "mnar", by_week_40 = 0.3, log_odds_per_unit = -0.05 })");
  EXPECT_NEAR(mnar.all.mean(), 0.3, 4 * std::hypot(mnar.all.error(), 0.25 / std::sqrt(4000.0)));
  EXPECT_LT(z(mnar.unseen_leave, mnar.unseen_stay), -10);
  // Given the level both values are independent, so under mar the unseen value is related by the level alone: half as far.
  EXPECT_GT(z(mar.unseen_leave, mar.unseen_stay), 0.8 * z(mar.seen_leave, mar.seen_stay));
}

TEST(StudyStop, ComesAtAConstantHazardUnderChanceAlone) {
  // Equal intervals have equal odds: probability 1 - (1 - p)^4 over the four visits.
  SmallTrial small{.scenario = steady + R"(
study_stop = { mechanism = "mcar", by_week_40 = 0.4 })"};
  const auto protocol = small.protocol();
  const World world = world_of(protocol);
  Workspace workspace;
  VirtualTrial trial;
  Tally by_first;
  for (std::uint64_t number = 0; number < 300; ++number) {
    world.replicate(seed, number, workspace, trial);
    for (std::size_t i = 0; i < trial.n; ++i) by_first.add(std::isnan(trial.visit_day[2 * trial.n + i]));
  }
  EXPECT_NEAR(by_first.mean(), 1 - std::pow(0.6, 0.25), 4 * by_first.error());
}

TEST(Events, HappenAtTheirRateAndDeathEndsEverything) {
  SmallTrial small{.scenario = steady + R"(
events_per_year = { rescue = { active = 0.8, control = 0.2 }, death = 0.4 })"};
  const auto protocol = small.protocol();
  const World world = world_of(protocol);
  Workspace workspace;
  VirtualTrial trial;
  Tally death, rescue[2];
  for (std::uint64_t number = 0; number < 300; ++number) {
    world.replicate(seed, number, workspace, trial);
    std::vector<double> died(trial.n, 1e9), rescued(trial.n, 1e9);
    VirtualTrial::Entries const& entries = trial.entries[0];
    for (std::size_t e = 0; e < entries.participant.size(); ++e)
      (entries.items[0][e] == 2 ? died : rescued)[entries.participant[e]] = entries.date[e];
    for (std::size_t i = 0; i < trial.n; ++i) {
      death.add(died[i] <= 280);
      rescue[trial.arm[i]].add(rescued[i] <= 280);
      EXPECT_TRUE(rescued[i] == 1e9 || rescued[i] <= died[i]);
      if (died[i] > 1e8) continue;
      EXPECT_EQ(trial.follow_up_end[i], died[i]);
      for (std::size_t v = 2; v < 6; ++v)
        EXPECT_EQ(std::isnan(trial.visit_day[v * trial.n + i]), world.layout().visits == 6 && 70.0 * double(v - 1) >= died[i]);
    }
  }
  // Days are rounded, so up to day 280 means up to 280.5.
  const double t = 280.5 / 365.25;
  EXPECT_NEAR(death.mean(), 1 - std::exp(-0.4 * t), 4 * death.error());
  // Rescue before death: competing exponentials.
  for (std::size_t arm : {0, 1}) {
    const double rate = arm ? 0.8 : 0.2, both = rate + 0.4;
    EXPECT_NEAR(rescue[arm].mean(), rate / both * (1 - std::exp(-both * t)), 4 * rescue[arm].error()) << arm;
  }
}

TEST(AdverseEvents, HaveTheirProbabilitiesByArm) {
  SmallTrial small{.scenario = steady + R"(
adverse_event = { any = { control = 0.5, active = 0.8 }, serious = 0.06, grade = [0.5, 0.5, 0, 0, 0], related = { no = 0.6, yes = 0.4 } })"};
  const auto protocol = small.protocol();
  const World world = world_of(protocol);
  ASSERT_EQ(world.layout().forms.size(), 1u);
  ASSERT_EQ(world.layout().forms[0].items.size(), 5u);
  std::vector<std::string> items;
  for (protocol::Item const* item : world.layout().forms[0].items) items.push_back(item->id);
  const auto of = [&](std::string_view id) { return std::size_t(std::ranges::find(items, id) - items.begin()); };
  Workspace workspace;
  VirtualTrial trial;
  Tally any[2], serious, related, grade;
  for (std::uint64_t number = 0; number < 300; ++number) {
    world.replicate(seed, number, workspace, trial);
    VirtualTrial::Entries const& entries = trial.entries[0];
    std::vector<std::uint8_t> has(trial.n, 0), grave(trial.n, 0);
    for (std::size_t e = 0; e < entries.participant.size(); ++e) {
      has[entries.participant[e]] = 1;
      EXPECT_EQ(entries.items[of("onset")][e], entries.date[e]);
      EXPECT_GE(entries.date[e], 1);
      EXPECT_LE(entries.date[e], 280);
      EXPECT_FALSE(entries.items[of("resolved")][e] < entries.date[e]);
      related.add(entries.items[of("related")][e]);
      if (entries.items[of("serious")][e] == 1) grave[entries.participant[e]] = 1;
      else grade.add(entries.items[of("grade")][e]);
      if (e == 0) continue;
      EXPECT_LE(std::pair(entries.participant[e - 1], entries.date[e - 1]), std::pair(entries.participant[e], entries.date[e]));
    }
    for (std::size_t i = 0; i < trial.n; ++i) any[trial.arm[i]].add(has[i]), serious.add(grave[i]);
  }
  EXPECT_NEAR(any[0].mean(), 0.5, 4 * any[0].error());
  EXPECT_NEAR(any[1].mean(), 0.8, 4 * any[1].error());
  EXPECT_NEAR(serious.mean(), 0.06, 4 * serious.error());
  EXPECT_NEAR(related.mean(), 0.4, 4 * related.error());
  EXPECT_NEAR(grade.mean(), 1.5, 4 * grade.error());
}

TEST(World, SaysWhatIsMissingAndWhatTheBuildLacks) {
  const auto protocol = flagship(), bare = flagship(false);
  EXPECT_THAT(world_of(protocol, "no-effect").notes(), ::testing::IsEmpty());
  EXPECT_THAT(
      world_of(bare, "no-effect").notes(),
      ::testing::Contains(
          "'given' is always missing, and analysis set 'safety' reads it; the scenario can give it: items = { given = ... }"));
  SmallTrial small{.scenario = steady};
  small.more = R"([[endpoint]]
id = "harm"
level = "safety"
kind = "binary"
variable = "any(adverse_event, serious) or count(events, what == 'rescue') >= 1")";
  const auto silent = small.protocol();
  EXPECT_THAT(world_of(silent).notes(),
              ::testing::ElementsAre("no entry of 'adverse_event' has 'serious', and endpoint 'harm' reads it",
                                     "no entry of 'events' has 'what', and endpoint 'harm' reads it"));
  const auto unknown = World::build(protocol, "no-efect");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(to_string(unknown.error()[0]),
            "msc-inr.toml: the protocol has no scenario 'no-efect'\n  hint: did you mean 'no-effect'?");
  const auto mechanistic = World::build(protocol, "mechanistic");
  ASSERT_FALSE(mechanistic);
  EXPECT_EQ(mechanistic.error()[0].code, Code::not_available);
  EXPECT_THAT(mechanistic.error()[0].message,
              HasSubstr("scenario 'mechanistic' has the model 'cd4_homeostasis', which this build does not carry"));
}

}  // namespace
}  // namespace equipoise::simulate

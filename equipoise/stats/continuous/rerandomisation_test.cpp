#include "equipoise/stats/continuous/rerandomisation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "equipoise/random/stream.h"
#include "equipoise/stats/continuous/arm_statistic.h"
#include "equipoise/stats/continuous/rank_sum.h"
#include "equipoise/stats/continuous/t_tests.h"
#include "equipoise/stats/linear/ancova.h"
#include "equipoise/stats/survival/log_rank.h"
#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::has_note, testing::Keys, testing::number, testing::parse, testing::read, testing::Table, testing::text;

/// A randomisation that a test writes down: what each replicate gives.
class Written final : public Replay {
 public:
  using Groups =
      std::function<void(std::uint64_t replicate, std::span<const std::int32_t> levels, std::span<std::int32_t> groups)>;
  explicit Written(Groups groups) : groups_(std::move(groups)) {}
  std::string sentence() const override { return "as the test says"; }
  Expected<void> replay(std::uint64_t seed, std::uint64_t replicate, std::span<const std::int32_t> levels,
                        std::span<std::int32_t> groups) const override {
    groups_(seed * 1000003 + replicate, levels, groups);
    return {};
  }

 private:
  Groups groups_;
};

std::shared_ptr<const Replay> coins(std::uint32_t sides) {
  return std::make_shared<Written>([sides](std::uint64_t replicate, auto, std::span<std::int32_t> groups) {
    random::Stream stream({5, random::Purpose::rerandomisation}, replicate);
    for (std::int32_t& group : groups) group = std::int32_t(stream.below(sides));
  });
}

const Roles roles{{"response", {"y"}}, {"group", {"g"}}, {"order", {"k"}}};
Keys a_minus_b(Keys more = {}) {
  more.emplace_back("difference", testing::difference("a", "b"));
  return more;
}

Table trial(std::vector<double> const& values, std::vector<std::int32_t> const& codes) {
  Table table;
  std::vector<double> order;
  for (std::size_t i = 0; i < values.size(); ++i) order.push_back(double(i + 1));
  table.numbers("y", values).category("g", {"a", "b", "c"}, codes).numbers("k", order);
  return table;
}

Expected<Answer> answer(Frame const& frame, Keys const& keys, std::shared_ptr<const Replay> replay, Roles const& of = roles) {
  auto parsed = parse<Rerandomisation>(of, keys);
  if (!parsed.method || !parsed.problems.empty())
    return tl::unexpected(parsed.problems.empty() ? Error{} : parsed.problems.front());
  parsed.method->replay = std::move(replay);
  return parsed.method->run(frame);
}

/// P over all allocations of two arms to n people, twice the smaller tail; 0 where only one arm has anybody.
double enumerated(std::vector<double> const& y, double observed) {
  double above = 0, below = 0;
  const std::size_t n = y.size();
  for (std::uint32_t bits = 0; bits < (1u << n); ++bits) {
    double sum[2]{}, count[2]{};
    for (std::size_t i = 0; i < n; ++i) sum[bits >> i & 1] += y[i], count[bits >> i & 1] += 1;
    const double t = count[0] > 0 && count[1] > 0 ? sum[0] / count[0] - sum[1] / count[1] : 0;
    above += t >= observed - 1e-9, below += t <= observed + 1e-9;
  }
  return std::min(1.0, 2 * std::min(above, below) / std::pow(2.0, double(n)));
}

TEST(Rerandomisation, AgreesWithAllAllocationsOfTossedCoins) {
  std::mt19937 numbers(3);
  for (int repeat = 0; repeat < 6; ++repeat) {
    std::vector<double> y;
    std::vector<std::int32_t> codes;
    for (int i = 0; i < 10; ++i) y.push_back(double(numbers() % 20)), codes.push_back(i < 2 ? i : std::int32_t(numbers() % 2));
    Table table = trial(y, codes);
    const auto got = answer(table.frame(), a_minus_b({{"replicates", number(20000)}}), coins(2));
    const double p = enumerated(y, read(got, "estimate"));
    EXPECT_NEAR(read(got, "p"), p,
                4 * 2 * std::sqrt(p / 2 * (1 - p / 2) / 20000) + 2.0 / 20000);  // four standard errors, and the + 1
    EXPECT_NEAR(read(got, "p") / 2 * 20001, std::round(read(got, "p") / 2 * 20001), read(got, "p") == 1 ? 1.0 : 1e-6);
    EXPECT_TRUE(read(got, "p") == 1 || read(got, "monte_carlo_se") > 0);
  }
}

TEST(Rerandomisation, CountsOneTailWhereOneIsAsked) {
  Table table = trial({9, 8, 7, 1, 2, 3}, {0, 0, 0, 1, 1, 1});
  const auto p = [&](char const* tail) {
    return read(answer(table.frame(), a_minus_b({{"alternative", text(tail)}, {"replicates", number(20000)}}), coins(2)), "p");
  };
  // The first three at a and the others at b is the largest difference of all: one of 64 allocations.
  EXPECT_NEAR(p("greater"), 1.0 / 64, 4 * std::sqrt(1.0 / 64 / 20000));
  EXPECT_EQ(p("less"), 1);
  EXPECT_NEAR(p("two_sided"), 2 * p("greater"), 1e-12);
  const auto got = answer(table.frame(), a_minus_b({{"seed", number(8)}}), coins(2));
  EXPECT_TRUE(has_note(
      got,
      "Two-sided P value 2 (k + 1)/(10000 + 1), k replays at least as extreme, from 10000 replays of the randomisation (as "
      "the test says), seed 8."));
  EXPECT_EQ(read(got, "estimate"), 6);
}

TEST(Rerandomisation, SaysWhenTheMethodLeavesNothingToChance) {
  Table table = trial({9, 8, 7, 1, 2, 3}, {0, 1, 0, 1, 0, 1});
  const auto fixed = [](std::int32_t first) {
    return std::make_shared<Written>([first](auto, auto, std::span<std::int32_t> groups) {
      for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = std::int32_t(i % 2) ^ first;
    });
  };
  const auto own = answer(table.frame(), a_minus_b(), fixed(0));
  EXPECT_EQ(read(own, "p"), 1);
  EXPECT_EQ(read(own, "monte_carlo_se"), 0);
  EXPECT_TRUE(has_note(
      own, "The method left nothing to chance: every replay gives the allocation of the trial, and the test can say nothing."));
  EXPECT_TRUE(has_note(answer(table.frame(), a_minus_b(), fixed(1)), "it was not randomised so"));
  const auto two = std::make_shared<Written>([](std::uint64_t replicate, auto, std::span<std::int32_t> groups) {
    for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = std::int32_t((i + replicate) % 2);
  });
  EXPECT_TRUE(
      has_note(answer(table.frame(), a_minus_b(), two), "The replays came to only 2 different allocations: P cannot be small."));
}

TEST(Rerandomisation, ReplaysInTheOrderOfRandomisationWithTheFactorsOfEach) {
  Table table;
  table.numbers("y", {1, 2, 3, 4})
      .category("g", {"a", "b"}, {0, 1, 0, 1})
      .numbers("k", {3, 1, 4, 2})
      .category("f", {"x", "y", "z"}, {0, 1, 2, 1});
  Roles with = roles;
  with["factors"] = {"f"};
  std::vector<std::int32_t> seen;
  // The group of each is that of their factor: x and z a, y b. So every replay is the trial's own.
  const auto by_factor =
      std::make_shared<Written>([&](auto, std::span<const std::int32_t> levels, std::span<std::int32_t> groups) {
        seen.assign(levels.begin(), levels.end());
        for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = levels[i] == 1;
      });
  const auto got = answer(table.frame(), a_minus_b(), by_factor, with);
  EXPECT_EQ(seen, (std::vector<std::int32_t>{1, 1, 0, 2}));
  EXPECT_TRUE(has_note(got, "every replay gives the allocation of the trial"));
}

TEST(Rerandomisation, ReplaysThoseWithoutAnOutcomeToo) {
  Table table = trial({9, 8, missing_number, 1, 2, 3}, {0, 0, 2, 1, 1, 2});
  std::size_t replayed = 0;
  const auto count = std::make_shared<Written>([&](std::uint64_t replicate, auto, std::span<std::int32_t> groups) {
    replayed = groups.size();
    random::Stream stream({5, random::Purpose::rerandomisation}, replicate);
    for (std::int32_t& group : groups) group = std::int32_t(stream.below(3));
  });
  const auto got = answer(table.frame(), a_minus_b(), count);
  EXPECT_EQ(replayed, 6u);
  EXPECT_EQ(read(got, "estimate"), 7);
  EXPECT_TRUE(has_note(
      got, "1 of 6 randomised participants have no outcome in this analysis: they are replayed, and are not in the statistic."));
  EXPECT_TRUE(has_note(got, "not determine the statistic, which counts as 0 there."));
  Table nobody = trial({9, 8}, {0, 0});
  EXPECT_TRUE(std::isnan(read(answer(nobody.frame(), a_minus_b(), coins(2)), "p")));
}

TEST(Rerandomisation, NeedsAMethodToReplay) {
  Table table = trial({9, 8}, {0, 1});
  const auto refused = answer(table.frame(), a_minus_b(), nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::not_available);
  EXPECT_EQ(parse<Rerandomisation>(roles, a_minus_b({{"statistic", text("log_rank")}})).problems.size(), 3u);
  EXPECT_EQ(parse<Rerandomisation>(roles, a_minus_b({{"formula", text("g")}, {"statistic", text("t")}})).problems.size(), 1u);
  EXPECT_EQ(parse<Rerandomisation>(roles, a_minus_b({{"formula", text("x + z")}})).problems.size(), 1u);
  EXPECT_EQ(parse<Rerandomisation>(roles, {{"seed", number(-1)}, {"replicates", number(5)}}).problems.size(), 3u);
  Table third = trial({0, 1, 0.5}, {0, 1, 1});
  EXPECT_EQ(answer(third.frame(), a_minus_b({{"statistic", text("risk_difference")}}), coins(2)).error().code, Code::bad_cell);
}

TEST(Rerandomisation, IsNotMovedByTheUnitTheOriginOrTheNamesOfTheArms) {
  const std::vector<double> y{9, 8, 2, 1, 5, 3, 7, 4};
  const std::vector<std::int32_t> codes{0, 1, 0, 1, 1, 0, 0, 1};
  for (char const* statistic : {"mean_difference", "t", "rank_sum"}) {
    const auto p = [&](double unit, double origin, bool turned) {
      std::vector<double> moved;
      for (const double value : y) moved.push_back(value * unit + origin);
      Table table = trial(moved, codes);
      const Keys keys{{"statistic", text(statistic)},
                      {"difference", turned ? testing::difference("b", "a") : testing::difference("a", "b")}};
      return read(answer(table.frame(), keys, coins(2)), "p");
    };
    EXPECT_EQ(p(1, 0, false), p(1, 100, false)) << statistic;
    EXPECT_EQ(p(1, 0, false), p(1e200, 0, false)) << statistic;
    EXPECT_EQ(p(1, 0, false), p(1e-200, 0, false)) << statistic;
    EXPECT_EQ(p(1, 0, false), p(1, 0, true)) << statistic;
  }
}

/// The statistics, against the methods that have them.
TEST(StatisticOfArms, IsThatOfTheMethods) {
  std::mt19937 numbers(11);
  for (int repeat = 0; repeat < 20; ++repeat) {
    const std::size_t n = 24;
    std::vector<double> y, x, time, event, order;
    std::vector<std::int32_t> codes;
    for (std::size_t i = 0; i < n; ++i) {
      y.push_back(double(numbers() % 12) + 1e3), x.push_back(double(numbers() % 50));
      time.push_back(double(1 + numbers() % 9)), event.push_back(double(numbers() % 3 > 0)), order.push_back(double(i));
      codes.push_back(i < 6 ? std::int32_t(i % 3) : std::int32_t(numbers() % 3));
    }
    Table table;
    table.numbers("y", y)
        .numbers("x", x)
        .numbers("time", time)
        .numbers("event", event)
        .numbers("k", order)
        .category("g", {"a", "b", "c"}, codes);
    // The pair alone, for the methods that take two groups.
    const Roles response{{"response", {"y"}}, {"group", {"g"}}};
    const auto mine = [&](char const* statistic, char const* quantity, Roles const& of = roles, Keys more = {}) {
      more.emplace_back("statistic", text(statistic));
      more.emplace_back("replicates", number(100));
      return read(answer(table.frame(), a_minus_b(std::move(more)), coins(3), of), quantity);
    };
    const auto t_test = testing::answer<TTest>(table.frame(), response, a_minus_b({{"variance", text("pooled")}}));
    EXPECT_NEAR(mine("t", "statistic"), read(t_test, "t"), 1e-9);
    EXPECT_NEAR(mine("mean_difference", "estimate"), read(t_test, "estimate"), 1e-9);
    double pairs = 0, m = 0, k = 0;
    for (std::size_t i = 0; i < n; ++i) {
      m += codes[i] == 0, k += codes[i] == 1;
      for (std::size_t j = 0; j < n; ++j)
        if (codes[i] == 0 && codes[j] == 1) pairs += y[i] > y[j] ? 1 : y[i] == y[j] ? 0.5 : 0;
    }
    EXPECT_NEAR(mine("rank_sum", "statistic"), pairs / (m * k) - 0.5, 1e-12);

    Table pair;
    std::vector<double> pair_time, pair_event;
    std::vector<std::int32_t> pair_codes;
    for (std::size_t i = 0; i < n; ++i)
      if (codes[i] < 2) pair_time.push_back(time[i]), pair_event.push_back(event[i]), pair_codes.push_back(codes[i]);
    pair.numbers("time", pair_time).numbers("event", pair_event).category("g", {"a", "b"}, pair_codes);
    const Roles times{{"time", {"time"}}, {"event", {"event"}}, {"group", {"g"}}};
    Roles replayed = times;
    replayed["order"] = {"k"};
    const double z = mine("log_rank", "statistic", replayed);
    EXPECT_NEAR(z * z, read(testing::answer<LogRank>(pair.frame(), times), "chi_square"), 1e-9);

    const Keys model{{"formula", text("g + x")}, {"levels", testing::table({{"g", testing::texts({"a", "b", "c"})}})}};
    const auto ancova = testing::answer<Ancova>(table.frame(), {{"response", {"y"}}}, model);
    EXPECT_NEAR(-mine("ancova", "estimate", roles, model),
                read(ancova, "estimate", At{{"difference", LevelDifference{"g", "b", "a"}}}), 1e-8);
  }
}

}  // namespace
}  // namespace equipoise::stats

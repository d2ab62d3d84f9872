#include "equipoise/stats/continuous/permutation.h"

#include <limits>
#include <set>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::number, testing::parse, testing::read, testing::Table,
    testing::text;

const Roles roles{{"response", {"y"}}, {"group", {"g"}}};
Node flag(bool value) { return Node(Node::Value(value)); }
Keys a_minus_b(Keys more = {}) {
  more.emplace_back("difference", testing::difference("a", "b"));
  return more;
}
Table two(std::vector<double> const& values, std::vector<std::int32_t> const& codes) {
  Table table;
  table.numbers("y", values).category("g", {"a", "b", "c"}, codes);
  return table;
}

// Fisher (1935), The Design of Experiments, chapter III, lists all allocations of Darwin's pairs; here six values by hand.
TEST(PermutationTest, ListsEveryAllocationOfASmallTrial) {
  Table table = two({6, 5, 4, 1, 2, 3}, {0, 0, 0, 1, 1, 1});
  const auto got = answer<PermutationTest>(table.frame(), roles, a_minus_b());
  EXPECT_EQ(read(got, "estimate"), 3);
  EXPECT_NEAR(read(got, "p"), 2.0 / 20, 1e-16);
  EXPECT_EQ(read(got, "n_reallocations"), 20);
  EXPECT_TRUE(has_note(got, "Exact two-sided P value from all 20 permutations of the groups."));
  EXPECT_NEAR(read(answer<PermutationTest>(table.frame(), roles, a_minus_b({{"alternative", text("greater")}})), "p"), 1.0 / 20,
              1e-16);
  EXPECT_EQ(read(answer<PermutationTest>(table.frame(), roles, a_minus_b({{"alternative", text("less")}})), "p"), 1);
}

TEST(PermutationTest, DrawsTheSameAllocationsForTheSameSeed) {
  std::vector<double> values;
  std::vector<std::int32_t> codes;
  for (int i = 0; i < 60; ++i) values.push_back(i * 31 % 47), codes.push_back(i % 2);
  Table table = two(values, codes);
  const auto p = [&](double seed) {
    return read(
        answer<PermutationTest>(table.frame(), roles, a_minus_b({{"seed", number(seed)}, {"reallocations", number(500)}})), "p");
  };
  EXPECT_EQ(p(3), p(3));
  EXPECT_NE(p(3), p(4));
  const auto got = answer<PermutationTest>(table.frame(), roles, a_minus_b({{"reallocations", number(500)}}));
  EXPECT_NEAR(read(got, "p") * 501, std::round(read(got, "p") * 501), 1e-9) << "(count + 1)/(B + 1)";
  EXPECT_GT(read(got, "monte_carlo_se"), 0);
  EXPECT_TRUE(has_note(got, "from 500 random permutations of the groups, seed 1"));
}

TEST(PermutationTest, IsNotMovedByTheUnitOrByShiftsOfAStratum) {
  const Roles stratified{{"response", {"y"}}, {"group", {"g"}}, {"strata", {"h"}}};
  const std::vector<double> y{1, 4, 2, 7, 5, 9, 3, 8};
  const auto p = [&](double unit, double shift) {
    std::vector<double> moved;
    for (std::size_t i = 0; i < y.size(); ++i) moved.push_back(y[i] * unit + (i < 4 ? 0 : shift));
    Table table;
    table.numbers("y", moved)
        .category("g", {"a", "b"}, {0, 1, 0, 1, 0, 1, 0, 1})
        .category("h", {"s", "t"}, {0, 0, 0, 0, 1, 1, 1, 1});
    return read(answer<PermutationTest>(table.frame(), stratified, a_minus_b()), "p");
  };
  EXPECT_EQ(p(1, 0), p(1, 100));
  EXPECT_EQ(p(1, 0), p(1e300, 0));
}

TEST(PermutationTest, SaysWhatItCannotDo) {
  Table one = two({1, 2}, {0, 0}), equal = two({2, 2, 2}, {0, 1, 1}), none = two({}, {});
  EXPECT_TRUE(has_note(answer<PermutationTest>(one.frame(), roles, a_minus_b()), "The column never has both 'a' and 'b'"));
  for (Table* table : {&one, &none})
    for (const char* quantity : {"estimate", "statistic", "p", "n_reallocations"})
      EXPECT_TRUE(std::isnan(read(answer<PermutationTest>(table->frame(), roles, a_minus_b()), quantity))) << quantity;
  EXPECT_EQ(read(answer<PermutationTest>(equal.frame(), roles, a_minus_b()), "p"), 1);
  EXPECT_TRUE(has_note(answer<PermutationTest>(equal.frame(), roles, a_minus_b()), "All values are equal"));
  Table infinite = two({1, std::numeric_limits<double>::infinity()}, {0, 1});
  EXPECT_EQ(answer<PermutationTest>(infinite.frame(), roles, a_minus_b()).error().code, Code::bad_cell);
  std::vector<double> values(200, 1.0);
  std::vector<std::int32_t> codes(100, 0);
  codes.resize(200, 1);
  Table large = two(values, codes);
  const auto refused = answer<PermutationTest>(large.frame(), roles, a_minus_b({{"exact", flag(true)}}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::out_of_range);
  EXPECT_EQ(parse<PermutationTest>(roles, a_minus_b({{"statistic", text("log_rank")}})).problems.size(), 3u);
  EXPECT_EQ(parse<PermutationTest>(roles, {{"seed", number(-1)}, {"reallocations", number(5)}}).problems.size(), 3u);
}

TEST(PermutationWithinStrata, ListsEachAllocationOnceAndKeepsTheNumbersOfEachStratum) {
  const std::vector<std::int32_t> observed{0, 1, 2, 0, 1, 1}, stratum{0, 0, 0, 1, 1, 1};
  const PermutationWithinStrata set(observed, stratum, 2, 9);
  EXPECT_EQ(set.count(), 18);  // 3! and 3!/(1! 2!)
  std::set<std::vector<std::int32_t>> seen;
  std::size_t visits = 0;
  set.for_each([&](std::span<const std::int32_t> codes) { ++visits, seen.insert({codes.begin(), codes.end()}); });
  EXPECT_EQ(visits, 18u);
  EXPECT_EQ(seen.size(), 18u);
  std::vector<std::int32_t> codes(6), again(6);
  for (std::uint64_t replicate = 0; replicate < 50; ++replicate) {
    set.reallocate(replicate, codes);
    EXPECT_TRUE(seen.contains(codes));
    set.reallocate(replicate, again);
    EXPECT_EQ(codes, again);
  }
  EXPECT_EQ(set.sentence(), "permutations of the groups within 2 strata");
}

/// Another reference set: each participant allocated by the toss of a coin, as a method of randomisation would be replayed.
struct Coins {
  std::size_t people;
  std::size_t participants() const { return people; }
  void reallocate(std::uint64_t replicate, std::span<std::int32_t> codes) const {
    random::Stream stream({11, random::Purpose::permutation}, replicate);
    for (std::int32_t& code : codes) code = std::int32_t(stream.below(2));
  }
  std::string sentence() const { return "tosses of a coin"; }
};
static_assert(ReferenceSet<Coins> && !ListedReferenceSet<Coins>);

TEST(ReferenceSet, MayBeAnyMethodThatIsReplayed) {
  // Ten values 1, all allocated to the group: P(at least as many) = 2^-10 under coins.
  const auto statistic = [](std::span<const std::int32_t> codes) {
    double sum = 0;
    for (const std::int32_t code : codes) sum += code - 0.5;
    return sum;
  };
  const RandomisationP got = monte_carlo_randomisation_test(Coins{10}, statistic, ExtremeCount(5, Tail::greater, 1e-12), 20000);
  EXPECT_NEAR(got.p, std::pow(2, -10), 4 * std::sqrt(std::pow(2, -10) / 20000) + 1.0 / 20000);  // four Monte Carlo errors
}

}  // namespace
}  // namespace equipoise::stats

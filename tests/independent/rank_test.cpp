// Rank and permutation tests derived again on small random samples with ties: every way to deal the values out, every sign, every
// pair, every difference sorted. Statistics are counts of pairs, so that whole numbers are compared.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "brute_force.h"
#include "equipoise/stats/continuous/hodges_lehmann.h"
#include "equipoise/stats/continuous/jonckheere_terpstra.h"
#include "equipoise/stats/continuous/k_groups.h"
#include "equipoise/stats/continuous/ordered_null.h"
#include "equipoise/stats/continuous/permutation.h"
#include "equipoise/stats/continuous/rank_sum.h"
#include "equipoise/stats/continuous/signed_rank.h"
#include "equipoise/stats/testing.h"

namespace equipoise::independent {
namespace {

using stats::testing::answer, stats::testing::difference, stats::testing::Keys, stats::testing::number, stats::testing::read;
using stats::testing::Table, stats::testing::text, stats::testing::texts;

Node flag(bool value) { return Node(Node::Value(value)); }

/// n values below `distinct` halves in `groups` groups, each group with at least one value.
struct Sample {
  std::vector<double> value;
  std::vector<std::int32_t> group, stratum;

  Sample(std::uint64_t seed, int n, int groups, int distinct, int strata = 1) {
    Bits bits(seed);
    for (int i = 0; i < n; ++i) {
      value.push_back(bits.below(distinct) * 0.5 - 1);
      group.push_back(i < groups ? i : bits.below(groups));
      stratum.push_back(bits.below(strata));
    }
  }
  Table table() const {
    Table table;
    table.numbers("y", value).category("g", {"0", "1", "2"}, group).category("h", {"0", "1", "2"}, stratum);
    return table;
  }
};

/// Twice the pairs of an earlier and a later group in which the later is larger, ties one half.
int twice_pairs(std::vector<double> const& value, std::vector<std::int32_t> const& group) {
  int twice = 0;
  for (std::size_t a = 0; a < value.size(); ++a)
    for (std::size_t b = 0; b < value.size(); ++b)
      if (group[a] < group[b]) twice += 2 * (value[b] > value[a]) + (value[b] == value[a]);
  return twice;
}

/// Every way to deal the codes out, each once.
void each_deal(std::vector<std::int32_t> codes, std::function<void(std::vector<std::int32_t> const&)> const& visit) {
  std::sort(codes.begin(), codes.end());
  do visit(codes);
  while (std::next_permutation(codes.begin(), codes.end()));
}

struct Tails {
  double lower = 0, upper = 0, mean = 0, variance = 0;  // of twice the pairs
  double two_sided() const { return std::min(1.0, 2 * std::min(lower, upper)); }
};
Tails deals(Sample const& sample) {
  const int observed = twice_pairs(sample.value, sample.group);
  double all = 0, below = 0, above = 0, sum = 0, squares = 0;
  each_deal(sample.group, [&](std::vector<std::int32_t> const& group) {
    const int twice = twice_pairs(sample.value, group);
    all += 1, below += twice <= observed, above += twice >= observed, sum += twice, squares += double(twice) * twice;
  });
  return {below / all, above / all, sum / all, squares / all - sum / all * (sum / all)};
}

const stats::Roles roles{{"response", {"y"}}, {"group", {"g"}}};
const double rounding = 1e-12;  // sums of up to some thousand probabilities, or moments of whole numbers

TEST(RankSumByListing, AgreesOnRandomSamplesWithTies) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Sample sample(seed, 2 + int(seed % 9), 2, seed % 3 == 0 ? 3 : 30);
    const Tails tails = deals(sample);
    Table table = sample.table();
    const Keys keys{{"difference", difference("1", "0")}};
    Keys exactly = keys;
    exactly.emplace_back("exact", flag(true));
    const auto exact = answer<stats::WilcoxonRankSum>(table.frame(), roles, exactly);
    EXPECT_EQ(2 * read(exact, "statistic"), twice_pairs(sample.value, sample.group)) << "seed " << seed;
    EXPECT_NEAR(read(exact, "p"), tails.two_sided(), rounding) << "seed " << seed;
    for (const auto& [word, p] : {std::pair("less", tails.lower), std::pair("greater", tails.upper)}) {
      Keys one_sided = exactly;
      one_sided.emplace_back("alternative", text(word));
      EXPECT_NEAR(read(answer<stats::WilcoxonRankSum>(table.frame(), roles, one_sided), "p"), p, rounding) << word;
    }
    const double z = read(answer<stats::WilcoxonRankSum>(table.frame(), roles, keys), "z");
    if (tails.variance == 0) {
      EXPECT_TRUE(std::isnan(z));
    } else {
      EXPECT_NEAR(z, (twice_pairs(sample.value, sample.group) - tails.mean) / std::sqrt(tails.variance), 1e-10)
          << "seed " << seed;
    }
  }
}

TEST(OrderedGroupsByListing, AgreeOnRandomSamplesWithTies) {
  for (std::uint64_t seed = 100; seed < 140; ++seed) {
    const Sample sample(seed, 3 + int(seed % 7), 3, seed % 2 == 0 ? 3 : 40);
    const Tails tails = deals(sample);
    Table table = sample.table();
    const Keys keys{{"order", texts({"0", "1", "2"})}};
    Keys exactly = keys;
    exactly.emplace_back("exact", flag(true));
    const auto got = answer<stats::JonckheereTerpstra>(table.frame(), roles, exactly);
    EXPECT_EQ(2 * read(got, "statistic"), twice_pairs(sample.value, sample.group));
    EXPECT_NEAR(read(got, "p"), tails.two_sided(), rounding) << "seed " << seed;
    if (tails.variance == 0) continue;
    EXPECT_NEAR(read(got, "z"), (twice_pairs(sample.value, sample.group) - tails.mean) / std::sqrt(tails.variance), 1e-10)
        << "seed " << seed;
  }
}

TEST(OrderedGroups, OfTwoAreTheRankSumTest) {
  for (std::uint64_t seed = 150; seed < 170; ++seed) {
    const Sample sample(seed, 20, 2, 8);
    Table table = sample.table();
    const auto trend = answer<stats::JonckheereTerpstra>(table.frame(), roles, {{"order", texts({"0", "1"})}});
    const auto rank_sum = answer<stats::WilcoxonRankSum>(table.frame(), roles, {{"difference", difference("1", "0")}});
    EXPECT_EQ(read(trend, "statistic"), read(rank_sum, "statistic"));
    EXPECT_NEAR(read(trend, "z"), read(rank_sum, "z"), rounding);
    const auto kruskal = answer<stats::KruskalWallis>(table.frame(), roles);
    EXPECT_NEAR(read(kruskal, "chi_square"), read(rank_sum, "z") * read(rank_sum, "z"), rounding) << "seed " << seed;
    EXPECT_NEAR(read(kruskal, "p"), read(rank_sum, "p"), rounding);
    const auto one_stratum = answer<stats::VanElteren>(table.frame(), {{"response", {"y"}}, {"group", {"g"}}, {"strata", {"h"}}},
                                                       {{"difference", difference("1", "0")}});
    EXPECT_NEAR(read(one_stratum, "z"), read(rank_sum, "z"), rounding);
  }
}

TEST(KruskalWallisByListing, HasTheMeanOfItsDistribution) {
  // Over all deals the mean of H is k - 1, whatever the ties: Kruskal & Wallis (1952).
  for (std::uint64_t seed = 170; seed < 180; ++seed) {
    Sample sample(seed, 8, 3, 4);
    if (*std::max_element(sample.value.begin(), sample.value.end()) ==
        *std::min_element(sample.value.begin(), sample.value.end()))
      continue;
    double all = 0, sum = 0;
    each_deal(sample.group, [&](std::vector<std::int32_t> const& group) {
      Sample dealt = sample;
      dealt.group = group;
      Table table = dealt.table();
      all += 1, sum += read(answer<stats::KruskalWallis>(table.frame(), roles), "chi_square");
    });
    EXPECT_NEAR(sum / all, 2, 1e-10) << "seed " << seed;
  }
}

TEST(SignedRankByListing, AgreesOnRandomSamplesWithTiesAndZeros) {
  for (std::uint64_t seed = 200; seed < 260; ++seed) {
    const Sample sample(seed, 1 + int(seed % 11), 1, seed % 2 == 0 ? 6 : 40);
    Table table = sample.table();
    for (const bool pratt : {false, true}) {
      // Twice the midrank of |d|: values below, and the mean of the places of its equals.
      std::vector<double> ranked;
      for (const double d : sample.value)
        if (pratt || d != 0) ranked.push_back(std::abs(d));
      std::vector<int> twice_rank;
      int observed = 0;
      for (const double d : sample.value) {
        if (d == 0) continue;
        int below = 0, equal = 0;
        for (const double other : ranked) below += other < std::abs(d), equal += other == std::abs(d);
        twice_rank.push_back(2 * below + equal + 1);
        if (d > 0) observed += twice_rank.back();
      }
      const auto got = answer<stats::WilcoxonSignedRank>(table.frame(), {{"response", {"y"}}},
                                                         {{"zeros", text(pratt ? "pratt" : "drop")}, {"exact", flag(true)}});
      if (twice_rank.empty()) {
        EXPECT_TRUE(std::isnan(read(got, "p")));
        continue;
      }
      double lower = 0, upper = 0, squares = 0;
      const std::uint32_t signs = 1u << twice_rank.size();
      for (std::uint32_t sign = 0; sign < signs; ++sign) {
        int plus = 0, signed_sum = 0;
        for (std::size_t i = 0; i < twice_rank.size(); ++i)
          plus += sign >> i & 1 ? twice_rank[i] : 0, signed_sum += sign >> i & 1 ? twice_rank[i] : -twice_rank[i];
        lower += plus <= observed, upper += plus >= observed, squares += double(signed_sum) * signed_sum;
      }
      int total = 0;
      for (const int rank : twice_rank) total += rank;
      EXPECT_EQ(2 * read(got, "statistic"), observed);
      EXPECT_NEAR(read(got, "p"), std::min(1.0, 2 * std::min(lower, upper) / signs), rounding) << "seed " << seed;
      EXPECT_NEAR(read(got, "z"), (2 * observed - total) / std::sqrt(squares / signs), 1e-11) << "seed " << seed;
    }
    // The signs alone.
    int above = 0, n = 0;
    for (const double d : sample.value) above += d > 0, n += d != 0;
    const auto sign = answer<stats::SignTest>(table.frame(), {{"response", {"y"}}});
    if (n == 0) continue;
    double lower = 0, upper = 0;
    for (std::uint32_t signs = 0; signs < 1u << n; ++signs) {
      const int heads = __builtin_popcount(signs);
      lower += heads <= above, upper += heads >= above;
    }
    EXPECT_NEAR(read(sign, "p"), std::min(1.0, 2 * std::min(lower, upper) / std::pow(2, n)), rounding) << "seed " << seed;
  }
}

TEST(HodgesLehmannBySorting, AgreesAndItsLimitsInvertTheTest) {
  int limited = 0;
  for (std::uint64_t seed = 300; seed < 340; ++seed) {
    Bits bits(seed);
    Sample sample(seed, 4 + int(seed % 14), 2, 20);
    for (double& value : sample.value) value += bits.below(1000) * 1e-3 + bits.below(1000) * 1e-6;  // mostly no ties
    std::vector<double> all;
    for (std::size_t a = 0; a < sample.value.size(); ++a)
      for (std::size_t b = 0; b < sample.value.size(); ++b)
        if (sample.group[a] == 1 && sample.group[b] == 0) all.push_back(sample.value[a] - sample.value[b]);
    std::sort(all.begin(), all.end());
    const double median = all.size() % 2 ? all[all.size() / 2] : (all[all.size() / 2 - 1] + all[all.size() / 2]) / 2;
    Table table = sample.table();
    const auto got =
        answer<stats::HodgesLehmann>(table.frame(), roles, {{"difference", difference("1", "0")}, {"level", number(0.8)}});
    EXPECT_EQ(read(got, "estimate"), median) << "seed " << seed;
    const double lower = read(got, "lower"), upper = read(got, "upper");
    if (std::isnan(lower)) continue;
    ++limited;
    // Between two neighbouring differences the exact test of that shift is the same: inside the limits it must not reject at
    // 0.2, outside it must.
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
      if (all[i + 1] - all[i] < 1e-9) continue;
      const double shift = (all[i] + all[i + 1]) / 2;
      Sample moved = sample;
      for (std::size_t a = 0; a < moved.value.size(); ++a)
        if (moved.group[a] == 1) moved.value[a] -= shift;
      Table of_moved = moved.table();
      const double p = read(
          answer<stats::WilcoxonRankSum>(of_moved.frame(), roles, {{"difference", difference("1", "0")}, {"exact", flag(true)}}),
          "p");
      EXPECT_EQ(p > 0.2 + 1e-12, shift > lower && shift < upper) << "seed " << seed << ", shift " << shift << ", p " << p;
    }
  }
  EXPECT_GT(limited, 25);
}

TEST(VanElterenByListing, HasThePermutationVarianceOfItsStrata) {
  const stats::Roles stratified{{"response", {"y"}}, {"group", {"g"}}, {"strata", {"h"}}};
  for (std::uint64_t seed = 400; seed < 420; ++seed) {
    const Sample sample(seed, 12, 2, 5, 2);
    double excess = 0, variance = 0;
    for (const std::int32_t h : {0, 1}) {
      Sample one = sample;
      one.value.clear(), one.group.clear();
      for (std::size_t i = 0; i < sample.value.size(); ++i)
        if (sample.stratum[i] == h) one.value.push_back(sample.value[i]), one.group.push_back(sample.group[i]);
      if (one.value.empty()) continue;
      const Tails tails = deals(one);
      const double weight = 1 / (double(one.value.size()) + 1) / 2;
      excess += weight * (twice_pairs(one.value, one.group) - tails.mean);
      variance += weight * weight * tails.variance;
    }
    Table table = sample.table();
    const double z = read(answer<stats::VanElteren>(table.frame(), stratified, {{"difference", difference("1", "0")}}), "z");
    if (variance < 1e-12) {
      EXPECT_TRUE(std::isnan(z));
    } else {
      EXPECT_NEAR(z, excess / std::sqrt(variance), 1e-10) << "seed " << seed;
    }
  }
}

/// Difference of means, weighted over strata by m n/(m + n), of one allocation; the observed less the expected events of group 1.
double weighted_difference(Sample const& sample, std::vector<std::int32_t> const& group) {
  double top = 0, bottom = 0;
  for (const std::int32_t h : {0, 1, 2}) {
    double n[2] = {0, 0}, sum[2] = {0, 0};
    for (std::size_t i = 0; i < group.size(); ++i)
      if (sample.stratum[i] == h) n[group[i]] += 1, sum[group[i]] += sample.value[i];
    if (n[0] == 0 || n[1] == 0) continue;
    const double weight = n[0] * n[1] / (n[0] + n[1]);
    top += weight * (sum[1] / n[1] - sum[0] / n[0]), bottom += weight;
  }
  return top / bottom;
}
double observed_less_expected(std::vector<double> const& time, std::vector<double> const& event,
                              std::vector<std::int32_t> const& group) {
  double out = 0;
  for (std::size_t i = 0; i < time.size(); ++i) {
    if (event[i] == 0) continue;
    double n[2] = {0, 0};
    for (std::size_t k = 0; k < time.size(); ++k)
      if (time[k] >= time[i]) n[group[k]] += 1;
    out += group[i] - n[1] / (n[0] + n[1]);
  }
  return out;
}

TEST(PermutationByListing, AgreesForMeansWithinStrata) {
  const stats::Roles stratified{{"response", {"y"}}, {"group", {"g"}}, {"strata", {"h"}}};
  int estimable = 0;
  for (std::uint64_t seed = 500; seed < 530; ++seed) {
    const Sample sample(seed, 6 + int(seed % 4), 2, 9, 2);
    Table table = sample.table();
    const auto got = answer<stats::PermutationTest>(table.frame(), stratified, {{"difference", difference("1", "0")}});
    if (std::isnan(read(got, "p"))) continue;
    ++estimable;
    const double observed = weighted_difference(sample, sample.group);
    double all = 0, extreme = 0;
    each_deal(sample.group, [&](std::vector<std::int32_t> const& group) {
      int moved[3] = {0, 0, 0};  // only deals that keep each stratum's numbers
      for (std::size_t i = 0; i < group.size(); ++i) moved[sample.stratum[i]] += group[i] - sample.group[i];
      if (moved[0] != 0 || moved[1] != 0 || moved[2] != 0) return;
      all += 1, extreme += std::abs(weighted_difference(sample, group)) >= std::abs(observed) - 1e-10;
    });
    EXPECT_EQ(read(got, "n_reallocations"), all) << "seed " << seed;
    EXPECT_NEAR(read(got, "p"), extreme / all, 1e-15) << "seed " << seed;
    EXPECT_NEAR(read(got, "estimate"), observed, 1e-13);
    EXPECT_EQ(read(got, "monte_carlo_se"), 0);
  }
  EXPECT_GT(estimable, 25);
}

TEST(PermutationByListing, AgreesForTimesToEvents) {
  const stats::Roles times{{"time", {"t"}}, {"event", {"e"}}, {"group", {"g"}}};
  for (std::uint64_t seed = 600; seed < 620; ++seed) {
    const SmallTrial trial(seed, 10, 2, 1, false);
    if (std::count(trial.arm.begin(), trial.arm.end(), 1) % 10 == 0) continue;
    Table table;
    table.numbers("t", trial.time).numbers("e", trial.event).category("g", {"0", "1"}, trial.arm);
    const auto got = answer<stats::PermutationTest>(table.frame(), times, {{"difference", difference("1", "0")}});
    const double observed = observed_less_expected(trial.time, trial.event, trial.arm);
    EXPECT_NEAR(read(got, "statistic"), observed, 1e-12);
    double all = 0, extreme = 0;
    each_deal(trial.arm, [&](std::vector<std::int32_t> const& group) {
      all += 1, extreme += std::abs(observed_less_expected(trial.time, trial.event, group)) >= std::abs(observed) - 1e-10;
    });
    EXPECT_NEAR(read(got, "p"), extreme / all, 1e-15) << "seed " << seed;
  }
}

TEST(PermutationByDrawing, IsWithinItsMonteCarloErrorOfTheExactPValue) {
  int far = 0;
  for (std::uint64_t seed = 700; seed < 720; ++seed) {
    const Sample sample(seed, 14, 2, 12, 2);
    Table table = sample.table();
    const stats::Roles stratified{{"response", {"y"}}, {"group", {"g"}}, {"strata", {"h"}}};
    const Keys keys{{"difference", difference("1", "0")}, {"statistic", text("rank_sum")}};
    Keys drawn = keys;
    drawn.emplace_back("exact", flag(false)), drawn.emplace_back("seed", number(double(seed)));
    const auto exact = answer<stats::PermutationTest>(table.frame(), stratified, keys);
    const auto monte_carlo = answer<stats::PermutationTest>(table.frame(), stratified, drawn);
    if (std::isnan(read(exact, "p"))) continue;
    far += std::abs(read(exact, "p") - read(monte_carlo, "p")) > 3 * read(monte_carlo, "monte_carlo_se") + 1e-4;
  }
  EXPECT_LE(far, 1);  // beyond three standard errors once in 370: twice in 20 would be a chance of 0.001
}

}  // namespace
}  // namespace equipoise::independent

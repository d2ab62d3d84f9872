#include "equipoise/allocation/methods.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "equipoise/allocation/testing.h"

// The laws of the methods, exhaustively: every word that decides anything, at every draw.
namespace equipoise::allocation {
namespace {

using testing::Law, testing::law, testing::marginal, testing::rule;

constexpr double rounding = 1e-12;  // sums of at most a million probabilities

double total(Law const& law) {
  double sum = 0;
  for (auto const& [arms, probability] : law) sum += probability;
  return sum;
}

TEST(Simple, GivesEverySequenceTheProductOfTheRatio) {
  const Law equal = law(rule(3, "method = \"simple\"\n"), 4, 6);
  EXPECT_EQ(equal.size(), 81u);
  for (auto const& [arms, probability] : equal) EXPECT_NEAR(probability, 1.0 / 81, rounding);
  for (auto const& [arms, probability] : law(rule(2, "method = \"simple\"\nratio = { a = 1, b = 2 }\n"), 3, 6))
    EXPECT_NEAR(probability, std::pow(2.0, std::accumulate(arms.begin(), arms.end(), 0)) / 27, rounding);
}

TEST(PermutedBlock, GivesEveryOrderOfABlockTheSameProbability) {
  const Law six = law(rule(3, "method = \"permuted_block\"\nblock_sizes = [6]\n"), 6, 60);  // 6!/(2! 2! 2!)
  EXPECT_EQ(six.size(), 90u);
  for (auto const& [arms, probability] : six) EXPECT_NEAR(probability, 1.0 / 90, rounding);
  const Law unequal = law(rule(2, "method = \"permuted_block\"\nratio = { a = 4, b = 2 }\nblock_sizes = [6]\n"), 6, 60);
  EXPECT_EQ(unequal.size(), 15u);  // 6!/(4! 2!)
  for (auto const& [arms, probability] : unequal) EXPECT_NEAR(probability, 1.0 / 15, rounding);
}

TEST(PermutedBlock, DrawsTheSizeOfEachBlock) {
  // Two arms, blocks of 2 or 4: the first two are equal only inside a block of 4, where 2 of 6 orders begin so.
  const Law both = law(rule(2, "method = \"permuted_block\"\nblock_sizes = [2, 4]\n"), 4, 12);
  EXPECT_NEAR(both.at({0, 0, 1, 1}), 1.0 / 2 / 6, rounding);
  double expected = 0.5 / 6;                            // one block of 4
  expected += 0.5 / 2 * (0.5 / 2);                      // 2, then 2
  expected += 0.5 / 2 * (0.5 * (2.0 / 4) * (2.0 / 3));  // 2, then the beginning "ab" of a block of 4
  EXPECT_NEAR(both.at({0, 1, 0, 1}), expected, rounding);
  EXPECT_NEAR(total(both), 1, rounding);
}

TEST(PermutedBlock, KeepsTheStrataApart) {
  const Rule by_site = rule(2, "method = \"permuted_block\"\nblock_sizes = [2]\nfactors = [{ id = \"site\" }]\n");
  const Law mixed = law(by_site, {{0}, {1}, {0}, {1}}, 2);
  EXPECT_EQ(mixed.size(), 4u);
  for (auto const& [arms, probability] : mixed) {
    EXPECT_NE(arms[0], arms[2]);
    EXPECT_NE(arms[1], arms[3]);
    EXPECT_NEAR(probability, 0.25, rounding);
  }
}

// Efron (1971), Biometrika 58, 403-417: probability 1/2 in balance, else p for the arm that has fewer.
TEST(BiasedCoin, IsEfronsWithTwoArms) {
  for (auto const& [arms, probability] : law(rule(2, "method = \"biased_coin\"\n"), 6, 6)) {
    double expected = 1;
    int ahead = 0;  // of the second arm
    for (const std::int32_t arm : arms) {
      expected *= ahead == 0 ? 1.0 / 2 : (ahead > 0) == (arm == 0) ? 2.0 / 3 : 1.0 / 3;
      ahead += arm == 1 ? 1 : -1;
    }
    EXPECT_NEAR(probability, expected, rounding);
  }
}

TEST(BiasedCoin, RanksEqualArmsAtRandom) {
  // Three arms, p = 0.8. After one a: b and c are equal, each 0.8/2 + 0.2/4 = 0.45, and a has 0.1.
  const Law three = law(rule(3, "method = \"biased_coin\"\nprobability = 0.8\n"), 2, 60);
  EXPECT_NEAR(three.at({0, 0}), 0.1 / 3, rounding);
  EXPECT_NEAR(three.at({0, 1}), 0.45 / 3, rounding);
  EXPECT_NEAR(three.at({2, 1}), 0.45 / 3, rounding);
}

// Soares & Wu (1983): a fair coin inside the bound, no choice at it.
TEST(BigStick, TossesAFairCoinInsideTheBoundAndNoneAtIt) {
  std::size_t sequences = 0;
  for (auto const& [arms, probability] : law(rule(2, "method = \"big_stick\"\nmaximum_imbalance = 2\n"), 8, 2)) {
    double expected = 1;
    int ahead = 0;
    for (const std::int32_t arm : arms) {
      expected *= std::abs(ahead) < 2 ? 0.5 : 1;
      ahead += arm == 1 ? 1 : -1;
      EXPECT_LE(std::abs(ahead), 2);
    }
    EXPECT_NEAR(probability, expected, rounding);
    ++sequences;
  }
  EXPECT_EQ(sequences, 108u);  // walks between -2 and 2 from 0: 2, 4, 6, 12, 18, 36, 54, 108
}

// Wei (1977), J. Am. Stat. Assoc. 72, 382-386: with n_a and n_b so far, P(a) = (alpha + beta n_b)/(2 alpha + beta (n_a + n_b)).
TEST(Urn, HasWeisProbabilities) {
  for (const auto& [alpha, beta] : {std::pair(0, 1), std::pair(1, 2), std::pair(3, 1)}) {
    std::uint64_t cells = 1;
    for (int n = 0; n < 5; ++n) cells = std::lcm(cells, std::uint64_t(std::max(2 * alpha + beta * n, 2)));
    const Law urn = law(rule(2, fmt::format("method = \"urn\"\nalpha = {}\nbeta = {}\n", alpha, beta)), 5, cells);
    EXPECT_NEAR(total(urn), 1, rounding);
    for (auto const& [arms, probability] : urn) {
      double expected = 1;
      int count[2]{};
      for (const std::int32_t arm : arms) {
        const double balls = 2 * alpha + beta * (count[0] + count[1]);
        expected *= balls == 0 ? 0.5 : (alpha + beta * count[1 - arm]) / balls;
        ++count[arm];
      }
      EXPECT_NEAR(probability, expected, rounding);
    }
  }
  // Three arms: alpha of each, beta of the two others. UD(1, 1) after a: balls 1, 2, 2.
  const Law three = law(rule(3, "method = \"urn\"\nalpha = 1\nbeta = 1\n"), 2, 15);
  EXPECT_NEAR(three.at({0, 0}), 1.0 / 15, rounding);
  EXPECT_NEAR(three.at({0, 2}), 2.0 / 15, rounding);
}

/// Sequences of places within the bound, by trying all.
void admissible(std::vector<std::int32_t>& so_far, int places, int length, int bound, bool free_end, std::vector<int>& count,
                std::set<std::vector<std::int32_t>>& found) {
  const auto [least, most] = std::ranges::minmax(count);
  if (most - least > bound) return;
  if (int(so_far.size()) == length) {
    if (free_end || most == least) found.insert(so_far);
    return;
  }
  for (int place = 0; place < places; ++place) {
    ++count[std::size_t(place)], so_far.push_back(place);
    admissible(so_far, places, length, bound, free_end, count, found);
    --count[std::size_t(place)], so_far.pop_back();
  }
}

// Berger, Ivanova & Knoll (2003), Stat. Med. 22, 3017-3028: every admissible sequence has the same probability.
TEST(MaximalProcedure, GivesEveryAdmissibleSequenceTheSameProbability) {
  struct Case {
    int arms, length, bound;
    bool free_end;
  };
  for (const Case& one : {Case{2, 6, 2, false}, Case{2, 8, 3, false}, Case{2, 5, 2, true}, Case{3, 6, 1, false},
                          Case{3, 6, 2, false}, Case{3, 4, 2, true}}) {
    std::set<std::vector<std::int32_t>> all;
    std::vector<std::int32_t> so_far;
    std::vector<int> count(std::size_t(one.arms), 0);
    admissible(so_far, one.arms, one.length, one.bound, one.free_end, count, all);
    const Rule maximal =
        rule(one.arms, fmt::format("method = \"maximal_procedure\"\nmaximum_imbalance = {}\nparticipants = {}\nends = \"{}\"\n",
                                   one.bound, one.length, one.free_end ? "free" : "balanced"));
    // How many ways there are to go on from each beginning: a grid of their common multiple holds every probability.
    std::map<std::vector<std::int32_t>, std::uint64_t> ways;
    for (std::vector<std::int32_t> const& sequence : all)
      for (int n = 0; n < one.length; ++n) ++ways[{sequence.begin(), sequence.begin() + n}];
    std::uint64_t cells = 1;
    for (auto const& [beginning, number] : ways) cells = std::lcm(cells, number);
    ASSERT_LT(cells, 200000u);
    const Law maximal_law = law(maximal, std::size_t(one.length), cells);
    EXPECT_EQ(maximal_law.size(), all.size());
    for (auto const& [arms, probability] : maximal_law) {
      EXPECT_TRUE(all.contains(arms));
      EXPECT_NEAR(probability, 1.0 / double(all.size()), rounding);
    }
  }
}

TEST(MaximalProcedure, BeginsAgainAfterItsLastParticipant) {
  const Law twice = law(rule(2, "method = \"maximal_procedure\"\nmaximum_imbalance = 1\nparticipants = 2\n"), 4, 2);
  EXPECT_EQ(twice.size(), 4u);  // ab or ba, twice
  for (auto const& [arms, probability] : twice) EXPECT_NEAR(probability, 0.25, rounding);
}

TEST(Taves, LeavesNothingToChanceButTies) {
  const Rule taves = rule(2, "method = \"taves\"\nfactors = [{ id = \"site\" }, { id = \"sex\", rule = \"sex@screening\" }]\n");
  EXPECT_EQ(taves.sentence(), "Taves's minimisation of 'site' and 'sex'");
  // The second shares the site with the first, so gets the other arm; the third shares sex with the first and site with nobody.
  for (auto const& [arms, probability] : law(taves, {{0, 0}, {0, 1}, {1, 0}, {0, 0}}, 2)) {
    EXPECT_EQ(arms[1], 1 - arms[0]);
    EXPECT_EQ(arms[2], 1 - arms[0]);
    EXPECT_NEAR(probability, 0.25, rounding);
  }
  // Counts for the fourth (s1, F): of a site 1 and 1; of sex 1 (first) and 1 (third). A tie: two sequences for each beginning.
  EXPECT_EQ(law(taves, {{0, 0}, {0, 1}, {1, 0}, {0, 0}}, 2).size(), 4u);
}

// Pocock (1983), Clinical Trials: A Practical Approach, section 5.4: 80 patients with advanced breast cancer, and the next one is
// ambulatory, below 50, disease-free for two years or more, with a visceral lesion. The totals are 30 + 18 + 9 + 19 = 76 of A and
// 31 + 17 + 8 + 21 = 77 of B, so A is preferred.
struct BreastCancer : ::testing::Test {
  // performance status (ambulatory, not), age (below 50, above), disease-free interval (below 2 years, above), lesion (visceral,
  // osseous, soft tissue), each A and B
  std::vector<std::int32_t> counts{30, 31, 10, 9, 18, 17, 22, 23, 31, 32, 9, 8, 19, 21, 8, 7, 13, 12, 40, 40};
  std::vector<std::int32_t> next{0, 0, 1, 0};
  Minimisation method{.place_arm = {0, 1}, .weights = {1, 1, 1, 1}, .offsets = {0, 4, 8, 12, 18}, .size = 20, .words = {}};

  std::uint64_t preferred(Imbalance imbalance) {
    method.imbalance = imbalance;
    return method.preferred(counts, {.levels = next, .stratum = 0, .open_arms = 3, .open_places = 3});
  }
};

TEST_F(BreastCancer, HasThePublishedPreference) { EXPECT_EQ(preferred(Imbalance::marginal_total), 1u); }

TEST_F(BreastCancer, HasTheImbalancesWorkedByHand) {
  // With A: 31-31, 19-17, 10-8, 20-21; with B: 30-32, 18-18, 9-9, 19-22.
  EXPECT_EQ(preferred(Imbalance::range), 3u);               // 0 + 2 + 2 + 1 = 2 + 0 + 0 + 3
  EXPECT_EQ(preferred(Imbalance::variance), 1u);            // (0 + 4 + 4 + 1)/2 < (4 + 0 + 0 + 9)/2
  EXPECT_EQ(preferred(Imbalance::standard_deviation), 3u);  // (0 + 2 + 2 + 1)/sqrt 2, and the same
  method.weights = {1, 1, 1, 2};
  EXPECT_EQ(preferred(Imbalance::range), 1u);  // 6 < 8
  method.weights = {2, 1, 1, 0};
  EXPECT_EQ(preferred(Imbalance::range), 3u);  // 4 = 4
  method.overall = 1;
  EXPECT_EQ(preferred(Imbalance::range), 3u);  // 1 more for both
}

TEST(Minimisation, HasTheBiasOfItsProbability) {
  const Rule minimise =
      rule(3, "method = \"minimisation\"\nfactors = [{ id = \"site\" }]\nimbalance = \"range\"\nprobability = 0.8\n");
  const Law one_site = law(minimise, {{0}, {0}, {0}}, 60);
  EXPECT_NEAR(one_site.at({0, 1, 2}), 1.0 / 3 * 0.45 * 0.8, rounding);
  EXPECT_NEAR(one_site.at({0, 1, 1}), 1.0 / 3 * 0.45 * 0.1, rounding);
  EXPECT_NEAR(one_site.at({0, 0, 0}), 1.0 / 3 * 0.1 * 0.1, rounding);
  const Law other_site = law(minimise, {{0}, {1}}, 60);
  for (auto const& [arms, probability] : other_site) EXPECT_NEAR(probability, 1.0 / 9, rounding);
}

// Kuznetsova & Tymofyeyev (2012): with places of equal standing the ratio holds at every allocation, whatever the factors.
TEST(EveryMethod, KeepsTheRatioAtEveryAllocation) {
  const std::string ratio = "ratio = { a = 1, b = 2 }\n",
                    factors = "factors = [{ id = \"site\" }, { id = \"sex\", rule = \"sex@screening\" }]\n";
  const std::vector<std::vector<std::int32_t>> people{{0, 0}, {1, 0}, {0, 1}, {0, 0}, {1, 1}, {0, 0}};
  const std::vector<std::string> with_factors{
      "method = \"minimisation\"\nprobability = 0.8\n" + factors,
      "method = \"minimisation\"\nimbalance = \"variance\"\noverall_weight = 1\nprobability = 1\n" + factors,
      "method = \"taves\"\n" + factors,
      "method = \"permuted_block\"\nblock_sizes = [3, 6]\n" + factors,
      "method = \"biased_coin\"\nprobability = 0.6\n" + factors,
      "method = \"big_stick\"\nmaximum_imbalance = 1\n" + factors};
  for (std::string const& method : with_factors) {
    const Law got = law(rule(2, method + ratio), people, 60);
    EXPECT_NEAR(total(got), 1, rounding);
    for (std::size_t who = 0; who < people.size(); ++who) EXPECT_NEAR(marginal(got, who, 1), 2.0 / 3, rounding) << method << who;
  }
  const Law urn = law(rule(2, "method = \"urn\"\nalpha = 1\nbeta = 1\n" + ratio), 4, 3 * 5 * 7 * 9);
  const Law maximal = law(rule(2, "method = \"maximal_procedure\"\nmaximum_imbalance = 1\nparticipants = 6\n" + ratio), 6, 36);
  for (std::size_t who = 0; who < 4; ++who) {
    EXPECT_NEAR(marginal(urn, who, 1), 2.0 / 3, rounding);
    EXPECT_NEAR(marginal(maximal, who, 1), 2.0 / 3, rounding);
  }
}

TEST(EveryMethod, TreatsTheArmsAlike) {
  // Exchanging two arms of one ratio in every sequence leaves its probability.
  const std::string factors = "factors = [{ id = \"site\" }]\n";
  for (std::string const& method :
       {std::string("method = \"simple\"\n"), "method = \"permuted_block\"\nblock_sizes = [3, 6]\n" + factors,
        "method = \"minimisation\"\nprobability = 0.8\n" + factors, "method = \"taves\"\n" + factors,
        "method = \"biased_coin\"\nprobability = 0.8\n" + factors, "method = \"big_stick\"\nmaximum_imbalance = 2\n" + factors,
        std::string("method = \"maximal_procedure\"\nmaximum_imbalance = 2\n")}) {
    const Rule made = rule(3, method);
    const bool stratified = !made.setting().factors.empty();
    const std::vector<std::vector<std::int32_t>> people =
        stratified ? std::vector<std::vector<std::int32_t>>{{0}, {1}, {0}, {0}} : std::vector<std::vector<std::int32_t>>(4);
    const Law got = law(made, people, 60);
    for (auto const& [arms, probability] : got) {
      std::vector<std::int32_t> other = arms;
      for (std::int32_t& arm : other) arm = arm == 0 ? 2 : arm == 2 ? 0 : arm;
      ASSERT_TRUE(got.contains(other)) << method;
      EXPECT_NEAR(got.at(other), probability, made.keyword() == "maximal_procedure" ? 0.02 : rounding)
          << method;  // a grid of 60 is rough there
    }
  }
}

TEST(Minimisation, DoesNotDependOnTheUnitOfWeightsOrTheOrderOfFactors) {
  const std::string site = "{ id = \"site\" }", old = "{ id = \"old\", rule = \"age@screening >= 65\" }";
  const auto made = [&](std::string const& first, std::string const& second, std::string const& weights) {
    return rule(3,
                fmt::format("method = \"minimisation\"\nimbalance = \"standard_deviation\"\nprobability = 0.8\nweights = {{ {} "
                            "}}\nfactors = [{}, {}]\n",
                            weights, first, second));
  };
  const std::vector<std::vector<std::int32_t>> people{{0, 0}, {1, 0}, {0, 1}, {0, 0}, {1, 0}};
  std::vector<std::vector<std::int32_t>> turned = people;
  for (auto& levels : turned) std::ranges::reverse(levels);
  const Law one = law(made(site, old, "site = 0.1, old = 0.3"), people, 60);
  const Law other = law(made(old, site, "site = 7, old = 21"), turned, 60);
  ASSERT_EQ(one.size(), other.size());
  for (auto const& [arms, probability] : one) EXPECT_NEAR(other.at(arms), probability, rounding);
}

TEST(Caps, CloseAnArmAndThenTheTrial) {
  const Rule capped = rule(2, "method = \"permuted_block\"\nblock_sizes = [4]\ncaps = { a = 1 }\n");
  for (auto const& [arms, probability] : law(capped, 5, 12)) EXPECT_LE(std::ranges::count(arms, 0), 1);
  const Rule closed = rule(2, "method = \"biased_coin\"\ncaps = { a = 1, b = 1 }\n");
  const Law both = law(closed, 2, 6);
  EXPECT_EQ(both.size(), 2u);
  State state = closed.start();
  const random::PhiloxDraw draw({1, 2}, {});
  ASSERT_TRUE(closed.next(state, {}, draw));
  ASSERT_TRUE(closed.next(state, {}, draw));
  const State before = state;
  const auto refused = closed.next(state, {}, draw);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::refused);
  EXPECT_EQ(refused.error().message, "every arm is full: the caps of [randomisation] leave nobody a place");
  EXPECT_EQ(state, before);
}

TEST(Caps, CloseALevelOfAFactor) {
  const Rule capped =
      rule(2,
           "method = \"minimisation\"\nprobability = 0.9\n"
           "factors = [{ id = \"site\" }, { id = \"old\", rule = \"age@screening >= 65\", caps = { true = 1 } }]\n");
  State state = capped.start();
  const random::PhiloxDraw draw({1, 2}, {});
  const auto next = [&](std::int32_t site, std::int32_t old) { return capped.next(state, std::vector{site, old}, draw); };
  EXPECT_TRUE(next(2, 1));
  EXPECT_EQ(next(0, 1).error().message, "'true' of the factor 'old' is full: its cap is 1 participant");
  EXPECT_TRUE(next(2, 0));
  EXPECT_EQ(next(2, 0).error().message, "'s3' of the factor 'site' is full: its cap is 2 participants");
  EXPECT_TRUE(next(1, 0));
  EXPECT_EQ(next(3, 0).error().message, "the factor 'site' has no level 3");
  EXPECT_EQ(capped.next(state, std::vector<std::int32_t>{0}, draw).error().message,
            "1 levels for the 2 factors of the randomisation");
  EXPECT_EQ(std::accumulate(capped.allocated(state).begin(), capped.allocated(state).end(), 0), 3);
}

}  // namespace
}  // namespace equipoise::allocation

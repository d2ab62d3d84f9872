#include "equipoise/allocation/rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/allocation/testing.h"

namespace equipoise::allocation {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::problems_of, testing::rule;

constexpr std::string_view two_factors = "factors = [{ id = \"site\" }, { id = \"old\", rule = \"age@screening >= 65\" }]\n";

TEST(Rule, KnowsItsArmsFactorsAndLevels) {
  const Rule made = rule(
      3,
      "method = \"minimisation\"\nratio = { a = 2, b = 2, c = 4 }\nprobability = 0.8\nweights = { site = 1, old = 1, sex = 2 }\n"
      "factors = [{ id = \"site\" }, { id = \"old\", rule = \"age@screening >= 65\" }, { id = \"sex\", rule = \"sex@screening\" "
      "}]\n");
  EXPECT_THAT(made.setting().arms, ElementsAre("a", "b", "c"));
  EXPECT_THAT(made.setting().ratio, ElementsAre(1, 1, 2));
  EXPECT_THAT(made.setting().factors[0].levels, ElementsAre("s1", "s2", "s3"));
  EXPECT_THAT(made.setting().factors[0].caps, ElementsAre(no_cap, no_cap, 2));
  EXPECT_THAT(made.setting().factors[1].levels, ElementsAre("false", "true"));
  EXPECT_THAT(made.setting().factors[2].levels, ElementsAre("F", "M"));
  EXPECT_EQ(made.setting().strata, 12u);
  EXPECT_EQ(made.keyword(), "minimisation");
  EXPECT_EQ(made.sentence(),
            "minimisation of 'site' (weight 1), 'old' (weight 1) and 'sex' (weight 2) by the range, probability 0.8");
  EXPECT_EQ(rule(2, "method = \"permuted_block\"\nblock_sizes = [2, 4]\n" + std::string(two_factors)).sentence(),
            "permuted blocks of 2 or 4 within each combination of 'site' and 'old'");
}

TEST(Rule, IsAFoldThatLeavesTheStateBeforeAlone) {
  const Rule made = rule(2, "method = \"minimisation\"\nprobability = 0.8\n" + std::string(two_factors));
  const random::PhiloxDraw draw(random::derived_key({4, random::Purpose::allocation}), {.participant = 7});
  State state = made.start();
  const State before = state;
  const std::vector<std::int32_t> levels{1, 1};
  const auto step = made.step(state, levels, draw);
  ASSERT_TRUE(step);
  EXPECT_EQ(state, before);
  const auto arm = made.next(state, levels, draw);
  EXPECT_EQ(*arm, step->arm);
  EXPECT_EQ(state, step->state);
  made.start(state);
  EXPECT_EQ(state, before);
}

TEST(Rule, WarnsOfWhatIsEasyToGuess) {
  const auto caution = [](int arms, std::string const& section) {
    const auto got = rule(arms, section).caution();
    return got ? got->sentence + " / " + got->hint : "";
  };
  const std::string factors(two_factors);
  EXPECT_EQ(
      caution(2, "method = \"permuted_block\"\nblock_sizes = [3]\nratio = { a = 1, b = 2 }\n"),
      "with blocks of 3 the last participant of every block is known to whoever knows the others / longer blocks, or several "
      "sizes: block_sizes = [3, 6]");
  EXPECT_EQ(caution(2, "method = \"permuted_block\"\nblock_sizes = [2, 4]\n"), "");
  EXPECT_EQ(caution(2, "method = \"permuted_block\"\nblock_sizes = [4]\n"), "");
  EXPECT_EQ(caution(2, "method = \"minimisation\"\nprobability = 0.8\n" + factors), "");
  for (std::string const& method : {std::string("taves\""), std::string("minimisation\"\nprobability = 1")})
    EXPECT_TRUE(caution(2, "method = \"" + method + "\n" + factors)
                    .starts_with("chance decides only between arms that are equally good"));
  EXPECT_EQ(caution(2, "method = \"simple\"\n"), "");
}

TEST(Rule, ReportsEveryProblemOfASection) {
  EXPECT_THAT(
      problems_of(3,
                  "method = \"minimisation\"\n"
                  "ratio = { a = 1, b = 1.5 }\n"
                  "imbalance = \"rnge\"\n"
                  "weights = { site = -1, sexx = 2 }\n"
                  "probability = 1.2\n"
                  "block_size = 3\n"
                  "caps = { d = 3, a = -1 }\n" +
                      std::string(two_factors)),
      ElementsAre("t.toml:25:9: the ratio of [randomisation] needs the key 'c'",
                  "t.toml:25:22: the ratio of arm 'b' is 1.5, and must be a whole number up to 1000000\n"
                  "  hint: write 1.5 : 1 as 3 : 2",
                  "t.toml:26:13: 'imbalance' in [randomisation] must be range, variance, standard_deviation or "
                  "marginal_total, and is 'rnge'\n  hint: did you mean 'range'?",
                  "t.toml:27:11: the weights of [randomisation] needs the key 'old'",
                  "t.toml:27:20: 'site' in the weights of [randomisation] must be at least 0 and at most 1000000, and is -1",
                  "t.toml:27:24: the weights of [randomisation] has no key 'sexx'\n  hint: its keys are old and site",
                  "t.toml:28:15: 'probability' in [randomisation] must be at least 0 and at most 1, and is 1.2",
                  "t.toml:29:1: [randomisation] has no key 'block_size'\n  hint: its keys are caps, factors, imbalance, method, "
                  "overall_weight, probability, ratio and weights",
                  "t.toml:30:10: the caps of [randomisation] has no key 'd'\n  hint: did you mean 'a'?",
                  "t.toml:30:21: 'a' in the caps of [randomisation] must be at least 0 and at most 1000000000, and is -1"));
}

TEST(Rule, ReportsWhatWouldNotPrefer) {
  EXPECT_THAT(problems_of(3, "method = \"biased_coin\"\nprobability = 0.3\n"),
              ElementsAre("t.toml:25:15: with 'probability' = 0.3 the preferred arm is not preferred: chance alone gives it 1/3\n"
                          "  hint: a probability above that, and at most 1"));
  EXPECT_THAT(
      problems_of(2, "method = \"biased_coin\"\nratio = { a = 1, b = 2 }\nprobability = 0.33\n"),
      ElementsAre("t.toml:23:15: with 'probability' = 0.33 the preferred arm is not preferred: chance alone gives it 1/3 for "
                  "each unit of the ratio\n  hint: a probability above that, and at most 1"));
  EXPECT_THAT(problems_of(2, "method = \"minimisation\"\n"),
              ElementsAre("t.toml:20:1: [randomisation] needs 'factors' to balance\n"
                          "  hint: without factors biased_coin balances the arms of the whole trial",
                          "t.toml:20:1: [randomisation] needs the key 'probability'"));
  EXPECT_THAT(problems_of(2, "method = \"minimisation\"\nprobability = 0.8\nweights = { site = 0, old = 0 }\n" +
                                 std::string(two_factors)),
              ElementsAre("t.toml:23:11: all weights are 0: nothing would be balanced"));
}

TEST(Rule, ReportsBlocksThatHoldNoRatio) {
  EXPECT_THAT(problems_of(3, "method = \"permuted_block\"\nblock_sizes = [3, 4, 4.5, 3, 6]\nratio = { a = 2, b = 2, c = 2 }\n"),
              ElementsAre("t.toml:25:19: a block of 4 cannot hold the arms in their ratio: its size must be a multiple of 3, the "
                          "sum of the ratio",
                          "t.toml:25:22: a block size is a whole number, and 4.5 is not",
                          "t.toml:25:27: the block size 3 is given twice"));
  EXPECT_THAT(problems_of(2, "method = \"permuted_block\"\n"),
              ElementsAre("t.toml:20:1: [randomisation] needs the key 'block_sizes'"));
  EXPECT_THAT(problems_of(2, "method = \"permuted_block\"\nblock_sizes = []\n"),
              ElementsAre("t.toml:22:15: 'block_sizes' must name at least one size"));
  EXPECT_THAT(problems_of(2, "method = \"permuted_block\"\nblock_sizes = 4\n"),
              ElementsAre("t.toml:22:15: 'block_sizes' in [randomisation] must be a list of numbers, and is a whole number"));
}

TEST(Rule, ReportsFactorsThatAMethodDoesNotTakeOrNobodyKnowsInTime) {
  EXPECT_THAT(problems_of(2, "method = \"simple\"\n" + std::string(two_factors)),
              ElementsAre("t.toml:22:11: simple allocates without regard to factors, and 'factors' names some\n"
                          "  hint: permuted_block is stratified by its factors, and minimisation balances them"));
  EXPECT_THAT(problems_of(2, "method = \"taves\"\nfactors = [{ id = \"late\", rule = \"age@w4 > 3\" }]\n"),
              ElementsAre("t.toml:22:34: the factor 'late' reads 'age@w4', and visit 'w4' is after randomisation"));
  EXPECT_THAT(
      problems_of(2, "method = \"taves\"\nfactors = [{ id = \"old\", rule = \"age@screening > 3\", caps = { yes = 3 } }]\n"),
      ElementsAre("t.toml:22:63: the caps of factor 'old' has no key 'yes'\n  hint: its keys are false and true"));
}

TEST(Rule, ReportsSequencesThatCannotBe) {
  EXPECT_THAT(
      problems_of(3, "method = \"maximal_procedure\"\nmaximum_imbalance = 2\nparticipants = 10\n"),
      ElementsAre(
          "t.toml:26:16: a sequence of 10 cannot end in balance: its length must be a multiple of 3, the sum of the ratio\n"
          "  hint: with ends = \"free\" it may end at any imbalance that is allowed"));
  EXPECT_THAT(
      problems_of(2, "method = \"maximal_procedure\"\nmaximum_imbalance = 2\nfactors = [{ id = \"site\" }]\ncaps = { a = 3 }\n"),
      ElementsAre(
          "t.toml:20:1: the maximal procedure needs 'participants', the length of a sequence in each stratum",
          "t.toml:24:8: the maximal procedure draws whole sequences, and an arm that closes on the way is in none of them"));
  EXPECT_THAT(problems_of(8, "method = \"maximal_procedure\"\nmaximum_imbalance = 9\nparticipants = 80\n"),
              ElementsAre("t.toml:40:21: sequences of 80 with a maximum imbalance of 9 over 8 places are too many to count"));
  EXPECT_THAT(problems_of(2, "method = \"urn\"\n"), ElementsAre("t.toml:20:1: [randomisation] needs the key 'alpha'",
                                                                "t.toml:20:1: [randomisation] needs the key 'beta'"));
  EXPECT_THAT(problems_of(2, "method = \"urn\"\nalpha = 1\nbeta = 0\n"),
              ElementsAre("t.toml:23:8: with beta = 0 the urn never changes, and the method is 'simple'"));
  EXPECT_THAT(problems_of(2, "method = \"big_stick\"\nmaximum_imbalance = 0\n"),
              ElementsAre("t.toml:22:21: 'maximum_imbalance' in [randomisation] must be at least 1 and at most 1000, and is 0"));
}

TEST(Rule, ReportsARatioThatIsTooFine) {
  EXPECT_THAT(problems_of(2, "method = \"simple\"\nratio = { a = 1, b = 60 }\n"),
              ElementsAre("t.toml:22:9: the sum of the ratio in its smallest terms must be at most 60, and is 61"));
  EXPECT_THAT(problems_of(2, "method = \"simple\"\nratio = { a = 60, b = 60 }\n"), IsEmpty());
}

const std::string site_and_sex = "factors = [{ id = \"site\" }, { id = \"sex\", rule = \"sex@screening\" }]\n";

TEST(Rule, SaysWhetherItKeepsStrataApart) {
  EXPECT_FALSE(rule(2, "method = \"permuted_block\"\nblock_sizes = [2]\n" + site_and_sex).balances_margins());
  EXPECT_FALSE(rule(2, "method = \"simple\"\n").balances_margins());
  EXPECT_TRUE(rule(2, "method = \"minimisation\"\nprobability = 0.8\n" + site_and_sex).balances_margins());
  EXPECT_TRUE(rule(2, "method = \"taves\"\n" + site_and_sex).balances_margins());
}

TEST(Rule, NumbersStrataByTheirLevelsTheFirstFactorFastest) {
  const Rule one = rule(2, "method = \"permuted_block\"\nblock_sizes = [2]\n" + site_and_sex);
  for (std::int32_t sex = 0; sex < 2; ++sex)
    for (std::int32_t site = 0; site < 3; ++site) EXPECT_EQ(one.stratum(std::vector{site, sex}), std::size_t(3 * sex + site));
}

TEST(Rule, WithoutLevelCapsGivesWhatItGaveAndGoesOn) {
  const Rule capped = rule(2, "method = \"permuted_block\"\nblock_sizes = [2]\n" + site_and_sex);  // s3 takes two
  const Rule open = capped.without_level_caps();
  State one = capped.start(), two = open.start();
  for (int i = 0; i < 6; ++i) {
    const random::ScriptedDraw draw({random::middle_of_cell(std::uint64_t(i % 3), 4), 0});
    const auto from_capped = capped.next(one, std::vector<std::int32_t>{2, i % 2}, draw);
    const auto from_open = open.next(two, std::vector<std::int32_t>{2, i % 2}, draw);
    ASSERT_TRUE(from_open);
    EXPECT_EQ(from_capped.has_value(), i < 2);
    if (from_capped) {
      EXPECT_EQ(*from_capped, *from_open);
    }
  }
  EXPECT_EQ(open.allocated(two)[0] + open.allocated(two)[1], 6);
}

}  // namespace
}  // namespace equipoise::allocation

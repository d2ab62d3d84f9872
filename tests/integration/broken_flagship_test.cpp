#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "equipoise/study/study.h"

// The flagship's protocol, broken in one place (or in several), and exactly what `check` says of it: every problem, in file
// order.
namespace equipoise {
namespace {

struct Change {
  std::string from, to;
};

struct Broken {
  std::string name;
  std::vector<Change> changes;
  std::vector<std::string> messages;
};

std::string flagship() {
  std::ifstream file("examples/msc-inr/protocol.toml");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> messages_of(std::string const& text) {
  std::vector<std::string> messages;
  if (const auto study = study::load(text, "p.toml"); !study)
    for (Error const& problem : study.error()) messages.push_back(to_string(problem));
  return messages;
}

class BrokenFlagship : public testing::TestWithParam<Broken> {};

TEST_P(BrokenFlagship, IsRefusedWithExactlyTheseMessages) {
  std::string text = flagship();
  for (auto const& [from, to] : GetParam().changes) {
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << "the flagship no longer says: " << from;
    text.replace(at, from.size(), to);
  }
  EXPECT_EQ(messages_of(text), GetParam().messages);
}

TEST(Flagship, HasNoProblems) { EXPECT_EQ(messages_of(flagship()), std::vector<std::string>{}); }

TEST(Flagship, IsRefusedWhenCutInsideAText) {
  const std::string text = flagship();
  const auto end = text.find("CD4 count");
  const std::vector<std::string> messages = messages_of(text.substr(0, end));
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_NE(messages.front().find("not TOML: "), std::string::npos) << messages.front();
}

INSTANTIATE_TEST_SUITE_P(
    Variants, BrokenFlagship,
    testing::Values(
        Broken{"AnUnknownKey",
               {{"phase = \"II\"", "phaze = \"II\""}},
               {"p.toml:27:1: [trial] has no key 'phaze'\n  hint: did you mean 'phase'?"}},
        Broken{"DosesOfDifferentUnits",
               {{"dose = { amount = 0.5e6, unit = \"cells/kg\" }", "dose = { amount = 0.5e6, unit = \"mg/kg\" }"}},
               {"p.toml:50:8: the dose of arm 'low' is in mg/kg, and that of arm 'placebo' in cells/kg: doses of different units "
                "do not compare"}},
        Broken{"AUnitThatIsNone",
               {{"weight = { kind = \"number\", unit = \"kg\"", "weight = { kind = \"number\", unit = \"kgs\""}},
               {"p.toml:116:36: 'kgs' is not a UCUM unit\n  hint: did you mean 'kg'?"}},
        Broken{"AVisitThatIsNone",
               {{"visits = [\"baseline\", \"w4\", \"w8\"]", "visits = [\"baseline\", \"w4\", \"w9\"]"}},
               {"p.toml:61:29: there is no visit 'w9'\n  hint: did you mean 'w4'?"}},
        Broken{"WindowsThatOverlap",
               {{"day = 57, window = [7, 7]", "day = 57, window = [7, 30]"}},
               {"p.toml:91:3: the windows of visits 'w8' (to day 87) and 'w12' (from day 71) overlap"}},
        Broken{"ATypeErrorInARule",
               {{"cd4@screening > 50 and", "cd4@screening > 'high' and"}},
               {"p.toml:147:58: a number and a text do not compare"}},
        Broken{
            "TwoPrimaryHypothesesWithoutMultiplicity",
            {{"[multiplicity]", "[multiplicty]"}},
            {"p.toml:274:1: the plan tests 2 primary hypotheses, and no [multiplicity] section says how their error rate is kept",
             "p.toml:373:2: the protocol has no key 'multiplicty'\n  hint: did you mean 'multiplicity'?"}},
        Broken{"AnArmGivenTwice",
               {{"id = \"high\"\nrole", "id = \"low\"\nrole"}},
               {"p.toml:53:6: the id 'low' is given to two arms",
                "p.toml:157:33: the ratio of [randomisation] has no key 'high'\n  hint: its keys are low and placebo",
                "p.toml:247:33: there is no arm 'high'\n  hint: known: placebo, low, low",
                "p.toml:262:33: there is no arm 'high'\n  hint: known: placebo, low, low",
                "p.toml:375:14: no hypothesis of [multiplicity] covers the primary analysis 'a01_cd4' of arm 'high'",
                "p.toml:375:127: there is no arm 'high'\n  hint: known: placebo, low, low",
                "p.toml:429:49: there is no arm 'high'\n  hint: known: placebo, low, low",
                "p.toml:437:50: there is no arm 'high'\n  hint: known: placebo, low, low",
                "p.toml:454:57: there is no arm 'high'\n  hint: known: placebo, low, low",
                "p.toml:459:62: there is no arm 'high'\n  hint: known: placebo, low, low",
                "p.toml:464:58: there is no arm 'high'\n  hint: known: placebo, low, low",
                "p.toml:469:47: there is no arm 'high'\n  hint: known: placebo, low, low"}},
        Broken{"DayZero",
               {{"id = \"baseline\", epoch = \"treatment\", day = 1", "id = \"baseline\", epoch = \"treatment\", day = 0"}},
               {"p.toml:88:49: there is no study day 0: day 1 is the day of randomisation, and day -1 the day before"}},
        Broken{"AnItemThatIsNone",
               {{"rule = \"cd4 / cd8\"", "rule = \"cd4 / cd9\""}},
               {"p.toml:170:25: there is no variable 'cd9'\n  hint: did you mean 'cd4'?"}},
        Broken{"DerivationsThatGoInACircle",
               {{"rule = \"cd4 / cd8\"", "rule = \"cd4_change / cd8\""},
                {"rule = \"cd4 - cd4@baseline\"", "rule = \"ratio - cd4@baseline\""}},
               {"p.toml:170:18: the derivation 'ratio' depends on itself, directly or through another",
                "p.toml:171:23: the derivation 'cd4_change' depends on itself, directly or through another"}},
        Broken{"ACodeThatIsNone",
               {{"given != 'none'", "given != 'nonne'"}},
               {"p.toml:177:58: 'nonne' is not a code of 'given'\n  hint: did you mean 'none'?"}},
        Broken{"WeightsBeyondOne",
               {{"arm = \"low\", weight = 0.5", "arm = \"low\", weight = 0.7"}},
               {"p.toml:375:14: the weights of the hypotheses add up to 1.2, and must not exceed 1"}},
        Broken{"AFormThatIsNone",
               {{"forms = [\"vitals\", \"dosing\"] }", "forms = [\"vitals\", \"dosng\"] }"}},
               {"p.toml:90:83: there is no form 'dosng'\n  hint: did you mean 'dosing'?"}},
        Broken{"ARatioThatForgetsAnArm",
               {{"ratio = { placebo = 1, low = 1, high = 1 }", "ratio = { placebo = 1, low = 1 }"}},
               {"p.toml:157:9: the ratio of [randomisation] needs the key 'high'"}},
        Broken{"ARandomisationOfNoMethod",
               {{"method = \"minimisation\"", "method = \"minimization\""}},
               {"p.toml:156:10: [randomisation] names the method 'minimization', which is not known\n  hint: did you mean "
                "'minimisation'?"}},
        Broken{
            "ARandomisationWithKeysOfAnotherMethod",
            {{"method = \"minimisation\"", "method = \"permuted_block\"\nblock_sizes = [3, 4]"}},
            {"p.toml:157:19: a block of 4 cannot hold the arms in their ratio: its size must be a multiple of 3, the sum of the "
             "ratio",
             "p.toml:160:1: [randomisation] has no key 'imbalance'\n  hint: its keys are block_sizes, caps, factors, method and "
             "ratio",
             "p.toml:161:1: [randomisation] has no key 'weights'\n  hint: its keys are block_sizes, caps, factors, method and "
             "ratio",
             "p.toml:162:1: [randomisation] has no key 'probability'\n  hint: its keys are block_sizes, caps, factors, method "
             "and "
             "ratio"}},
        Broken{
            "AMinimisationThatIsNone",
            {{"weights = { site = 1, cd4_low = 1 }", "weights = { site = 1, cd4 = 1 }"},
             {"probability = 0.8", "probability = 0.33"},
             {"rule = \"cd4@screening <= 150\"", "rule = \"cd4@w4 <= 150\""}},
            {"p.toml:158:54: the factor 'cd4_low' reads 'cd4@w4', and visit 'w4' is after randomisation",
             "p.toml:160:11: the weights of [randomisation] needs the key 'cd4_low'",
             "p.toml:160:23: the weights of [randomisation] has no key 'cd4'\n  hint: its keys are cd4_low and site",
             "p.toml:161:15: with 'probability' = 0.33 the preferred arm is not preferred: chance alone gives it 1/3\n  hint: a "
             "probability above that, and at most 1"}},
        Broken{"AnEstimandWithoutAStrategyForDeath",
               {{"  { event = \"death\",          strategy = \"composite\", value = 0 },            # no recovery: change 0 from "
                 "then on\n",
                 ""}},
               {"p.toml:242:1: estimand 'e1' names no strategy for death\n  hint: add to 'intercurrent': { event = \"death\", "
                "strategy = \"...\" }"}},
        Broken{"ALanguageThatIsNotTheTrials",
               {{"label = { en = \"Placebo\", zh = \"安慰剂\" }", "label = { en = \"Placebo\", fr = \"Placebo\" }"}},
               {"p.toml:43:27: 'label' in arm 'placebo' is in the language 'fr', which is not one of the trial's languages"}},
        Broken{"ARuleThatBreaksOff",
               {{"rule = \"karnofsky@screening >= 70\"", "rule = \"karnofsky@screening >= \""}},
               {"p.toml:150:67: expected a value, found the end"}},
        Broken{"ANumberOutOfRange",
               {{"alpha = 0.05", "alpha = 1.5"}},
               {"p.toml:33:9: 'alpha' in [conventions] must be above 0 and below 1, and is 1.5"}},
        Broken{"AScenarioThatExtendsNothing",
               {{"extends = \"drift-only\"", "extends = \"drift\""}},
               {"p.toml:413:11: there is no earlier scenario 'drift'\n  hint: known: as-published, drift-only, no-effect"}},
        Broken{
            "AnArmComparedWithItself",
            {{"compare = [\"low\", \"high\"], against = \"placebo\"", "compare = [\"low\", \"placebo\"], against = \"placebo\""}},
            {"p.toml:247:55: arm 'placebo' is compared against itself in estimand 'e1'",
             "p.toml:375:14: no hypothesis of [multiplicity] covers the primary analysis 'a01_cd4' of arm 'placebo'",
             "p.toml:375:127: analysis 'a01_cd4' does not compare arm 'high'"}},
        Broken{"AMethodThatIsUnknown",
               {{"method = \"kaplan_meier\"", "method = \"kaplan_mayer\""}},
               {"p.toml:306:10: analysis 'a04_response_curve' names the method 'kaplan_mayer', which is not known\n  hint: did "
                "you mean 'kaplan_meier'?"}},
        Broken{"AMethodParameterOutOfRange",
               {{"interval = \"log-log\"", "interval = \"log-log\"\nlevel = 1.5"}},
               {"p.toml:308:9: 'level' in analysis 'a04_response_curve' must be above 0 and below 1, and is 1.5"}},
        Broken{"AMethodParameterThatIsNoWord",
               {{"interval = \"log-log\"", "interval = \"loglog\""}},
               {"p.toml:307:12: 'interval' in analysis 'a04_response_curve' must be plain, log, log-log, logit or arcsin, and is "
                "'loglog'\n  hint: did you mean 'log-log'?"}},
        Broken{"AMethodParameterThatIsUnknown",
               {{"ties = \"efron\"", "tie = \"efron\""}},
               {"p.toml:320:1: analysis 'a06_response_hazard_ratio' has no key 'tie'\n  hint: did you mean 'ties'?"}},
        Broken{"AStrategyThatTheAnalysisDoesNotImplement",
               {{"strategy = \"composite\", value = \"never\" },      # counts",
                 "strategy = \"composite\", value = 1 },      # counts"}},
               {"p.toml:268:3: analysis 'a04_response_curve' (kaplan_meier) does not implement the strategy of estimand 'e2' for "
                "'rescue'\n  hint: a composite value of a time to event is 'event' or 'never', not a number",
                "p.toml:268:3: analysis 'a05_response_test' (log_rank) does not implement the strategy of estimand 'e2' for "
                "'rescue'\n  hint: a composite value of a time to event is 'event' or 'never', not a number",
                "p.toml:268:3: analysis 'a06_response_hazard_ratio' (cox) does not implement the strategy of estimand 'e2' for "
                "'rescue'\n  hint: a composite value of a time to event is 'event' or 'never', not a number",
                "p.toml:268:3: analysis 'a07_response_interval' (interval_log_rank) does not implement the strategy of estimand "
                "'e2' for 'rescue'\n  hint: a composite value of a time to event is 'event' or 'never', not a number"}},
        Broken{"ACovariateThatIsNone",
               {{"ties = \"efron\"", "ties = \"efron\"\nformula = \"arm + agee@screening\""}},
               {"p.toml:321:11: there is no item or derivation 'agee'\n  hint: did you mean 'age'?"}},
        Broken{"AStratumThatIsNotCollectedThen",
               {{"ties = \"efron\"", "ties = \"efron\"\nstrata = [\"cd4@w8\"]"}},
               {"p.toml:321:10: 'cd4' is not collected at visit 'w8'"}},
        Broken{
            "AnEndpointOfTheWrongKind",
            {{"id = \"a08_response_confirmed\"\nendpoint = \"response_confirmed\"",
              "id = \"a08_response_confirmed\"\nendpoint = \"cd8_w48\""}},
            {"p.toml:334:10: log_rank needs a time to event, and endpoint 'cd8_w48' is continuous",
             "p.toml:459:99: endpoint 'cd8_w48' does not say what its benefit is\n  hint: add benefit to the endpoint, or say up "
             "or down"}},
        Broken{"SeveralAtOnceInFileOrder",
               {{"phase = \"II\"", "phaze = \"II\""},
                {"visits = [\"baseline\", \"w4\", \"w8\"]", "visits = [\"baseline\", \"w4\", \"w9\"]"},
                {"rule = \"cd4 / cd8\"", "rule = \"cd4 / cd9\""},
                {"alpha = 0.05", "alpha = 5"},
                {"interval = \"log-log\"", "interval = \"loglog\""},
                {"extends = \"drift-only\"", "extends = \"drift\""}},
               {"p.toml:27:1: [trial] has no key 'phaze'\n  hint: did you mean 'phase'?",
                "p.toml:33:9: 'alpha' in [conventions] must be above 0 and below 1, and is 5",
                "p.toml:61:29: there is no visit 'w9'\n  hint: did you mean 'w4'?",
                "p.toml:170:25: there is no variable 'cd9'\n  hint: did you mean 'cd4'?",
                "p.toml:307:12: 'interval' in analysis 'a04_response_curve' must be plain, log, log-log, logit or arcsin, and is "
                "'loglog'\n  hint: did you mean 'log-log'?",
                "p.toml:413:11: there is no earlier scenario 'drift'\n  hint: known: as-published, drift-only, no-effect"}}),
    [](testing::TestParamInfo<Broken> const& one) { return one.param.name; });

}  // namespace
}  // namespace equipoise

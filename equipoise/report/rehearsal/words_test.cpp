#include "equipoise/report/rehearsal/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/report/rehearsal/fixture.h"

namespace equipoise::report::rehearsal {
namespace {

using results::Share;
using ::testing::HasSubstr;
using ::testing::Not;

std::string said(std::vector<Paragraph> const& paragraphs, bool chinese = false) {
  std::string out;
  for (auto const& one : paragraphs) out += one.head + " " + one.text(chinese) + "\n";
  return out;
}

struct Made {
  protocol::Protocol plan = fixture::protocol();
  results::Rehearsal rehearsal = fixture::rehearsal();
  std::string language = "en";
  Names names() const { return Names(plan, rehearsal, language); }
};

TEST(RehearsalWords, KeepAsManyDigitsAsTheErrorLets) {
  const auto text = [](double value, double error) {
    const Printed p = printed(results::Measured{value, error});
    return p.value + " (" + p.se + ")";
  };
  EXPECT_EQ(text(9.1234, 0.288), "9.1 (0.3)");
  EXPECT_EQ(text(9.1234, 0.147), "9.12 (0.15)");
  EXPECT_EQ(text(35.1, 4.77), "35 (5)");
  EXPECT_EQ(text(35.1, 0.97), "35.1 (1.0)");
  EXPECT_EQ(text(1759.4, 31), "1759 (31)");
  EXPECT_EQ(text(50, 0), "50 (0)");
  EXPECT_EQ(printed(results::Measured{}).value, "NE");
  EXPECT_EQ(printed(results::Measured{1.2345, missing_number}).se, "");
  EXPECT_EQ(printed(results::Measured{2e200, 1e190}).se.empty(), false);
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(-1234), "-1,234");
  EXPECT_EQ(grouped(999), "999");
}

TEST(RehearsalWords, NeverSayMoreOfASharethanItsTrialsAllow) {
  const Made made;
  const Names names = made.names();
  EXPECT_EQ(names.share({91, 1000}), "9.1% (SE 0.9)");
  EXPECT_EQ(names.share({0, 1000}), "0% (none of 1,000 trials; at most 0.3%)");  // 3 / n
  EXPECT_EQ(names.share({1000, 1000}), "100% (all 1,000 trials; at least 99.7%)");
  EXPECT_EQ(names.share({0, 5}), "0% (none of 5 trials; at most 45%)");
  EXPECT_EQ(names.share({1, 1}), "1 of 1 trial");
  EXPECT_EQ(names.share({0, 0}), "not counted");
}

TEST(RehearsalWords, CallASharePlacedToItsLevelWithinThreeErrors) {
  // Three standard errors of 5 % in 10,000 trials are 0.0065.
  EXPECT_EQ(verdict({560, 10'000}, 0.05), Verdict::near);
  EXPECT_EQ(verdict({570, 10'000}, 0.05), Verdict::above);
  EXPECT_EQ(verdict({440, 10'000}, 0.05), Verdict::near);
  EXPECT_EQ(verdict({430, 10'000}, 0.05), Verdict::below);
  EXPECT_EQ(verdict({9, 99}, 0.05), Verdict::unsaid);
  EXPECT_EQ(verdict({0, 0}, 0.05), Verdict::unsaid);
  EXPECT_EQ(verdict({5, 100}, 0), Verdict::unsaid);
  EXPECT_EQ(verdict({94, 100}, 0.95), Verdict::near);
  EXPECT_EQ(trials_for_verdict(0.05), 100);
  EXPECT_EQ(trials_for_verdict(0.95), 100);
}

TEST(RehearsalWords, SayWhatThePrimaryAnalysisDoes) {
  Made made;
  std::string text = said(primary_analyses(made.names()));
  EXPECT_THAT(
      text,
      HasSubstr("CD4 change at week 48 (Mixed model for repeated measures), Low dose against Placebo: where arms do not differ "
                "it finds a difference in 5.0% (SE 0.2) in no-effect and 4.9% (SE 0.2) in drift-only, near the nominal 5%; where "
                "arms differ it finds one in 94.5% (SE 0.2) in as-published."));
  EXPECT_THAT(text, HasSubstr("No bias shows beyond the Monte Carlo error."));
  EXPECT_THAT(
      text,
      HasSubstr(
          "Its 95% interval holds the true value in 95.0% (SE 0.2) in no-effect, 95.0% (SE 0.2) in drift-only and 95.0% (SE 0.2) "
          "in as-published, near the nominal 95%."));
  EXPECT_THAT(
      text,
      HasSubstr("a true one is rejected in 5.0% (SE 0.2) in no-effect and 4.9% (SE 0.2) in drift-only, near the nominal 5%. At "
                "least one hypothesis is rejected in 94.5% (SE 0.2) in as-published."));
  EXPECT_THAT(text, Not(HasSubstr("Against the direction")));

  auto& drift = made.rehearsal.scenarios[1].statements[0];
  drift.rejected = {900, 10'000}, drift.bias = results::Measured{-2, 0.5}, drift.coverage = Share{9000, 10'000};
  auto& effect = made.rehearsal.scenarios[2].statements[0];
  effect.rejected_better = Share{effect.rejected.n - 40, 10'000};
  text = said(primary_analyses(made.names()));
  EXPECT_THAT(text,
              HasSubstr("5.0% (SE 0.2) in no-effect, near the nominal 5%; 9.0% (SE 0.3) in drift-only, above the nominal 5%;"));
  EXPECT_THAT(text, HasSubstr("90.0% (SE 0.3) in drift-only, below the nominal 95%."));
  EXPECT_THAT(text, HasSubstr("off the true value by \u22122.0 (SE 0.5) in drift-only."));
  EXPECT_THAT(
      text,
      HasSubstr(
          "Against the direction of benefit the protocol states it finds a difference in 0.40% (SE 0.06) in as-published."));
}

TEST(RehearsalWords, SayOfWithinArmAnalysesOnlyHowOftenTheyReject) {
  Made made;
  for (auto& scenario : made.rehearsal.scenarios)
    scenario.statements.erase(scenario.statements.begin(), scenario.statements.begin() + 2);
  EXPECT_THAT(said(primary_analyses(made.names())),
              HasSubstr("Low dose by itself: P is at most 0.05 in 20.0% (SE 0.4) in no-effect"));
}

TEST(RehearsalWords, WeighAClaimByHowOftenItArisesWithAndWithoutAnEffect) {
  const Made made;
  const std::string text = said(claims(made.names()));
  EXPECT_THAT(text,
              HasSubstr("Where arms do not differ it arises in 4.7% (SE 0.2) in no-effect and 32.0% (SE 0.5) in drift-only."));
  EXPECT_THAT(text, HasSubstr("Without a difference, how often it arises depends on the scenario (no-effect, drift-only), beyond "
                              "the Monte Carlo error."));
  // 0.95 / 0.32 = 2.97 and 0.95 / 0.047 = 20.2
  EXPECT_THAT(
      text,
      HasSubstr(
          "It arises from 3.0 times (2.9 to 3.1) as often (in as-published against drift-only) to 20 times (19 to 22) as often "
          "(in as-published against no-effect)."));
  // 0.5 against 0.004, and against none
  EXPECT_THAT(text, HasSubstr("It arises from 125 times"));
  EXPECT_THAT(text, HasSubstr("to at least 1"));
}

TEST(RehearsalWords, AdmitWhenTrialsCannotTellWorldsApart) {
  Made made;
  auto& scenarios = made.rehearsal.scenarios;
  scenarios[2].claims[0].holds = scenarios[1].claims[0].holds;
  std::string text = said(claims(made.names()));
  EXPECT_THAT(
      text, HasSubstr("as often in as-published as in no-effect. These trials cannot tell by it as-published from drift-only."));
  scenarios[0].claims[0].holds = scenarios[1].claims[0].holds;
  text = said(claims(made.names()));
  EXPECT_THAT(text,
              HasSubstr("By how often it arises, these trials cannot tell the worlds with a difference from those without."));
  EXPECT_THAT(text, Not(HasSubstr("depends on the scenario (no-effect, drift-only), beyond the Monte Carlo error. By how")));
  // Rarer with an effect: the ratio is below 1, and said.
  scenarios[2].claims[0].holds = {160, 10'000}, scenarios[0].claims.clear();
  EXPECT_THAT(said(claims(made.names())),
              HasSubstr("It arises 0.050 times (0.043 to 0.058) as often in as-published as in drift-only."));
  // Never in either.
  for (auto& scenario : scenarios)
    for (auto& claim : scenario.claims) claim.holds.n = 0;
  EXPECT_THAT(said(claims(made.names())), HasSubstr("cannot tell the worlds"));
}

TEST(RehearsalWords, TakeTheWorldOfAClaimFromWhatItReads) {
  Made made;
  // Another endpoint differs in "no-effect": that is nothing to claims about CD4.
  results::StatementCharacteristics other{.analysis = "a09", .endpoint = "cd8", .arm = "low", .against = "placebo"};
  made.rehearsal.scenarios[0].statements.push_back(other);
  const Names names = made.names();
  EXPECT_EQ(names.world(made.rehearsal.scenarios[0]), World::differs);
  EXPECT_EQ(names.world(made.rehearsal.scenarios[0], "within"), World::same);
  EXPECT_EQ(names.world(made.rehearsal.scenarios[0], "joint"), World::same);
  EXPECT_EQ(names.world(made.rehearsal.scenarios[2], "joint"), World::differs);
  results::ScenarioCharacteristics nothing;
  EXPECT_EQ(names.world(nothing), World::unknown);
  EXPECT_EQ(names.world(nothing, "no such claim"), World::unknown);
  // Without comparisons nothing is said of worlds.
  for (auto& scenario : made.rehearsal.scenarios) scenario.statements.clear();
  EXPECT_THAT(
      said(claims(made.names())),
      HasSubstr("It arises in 4.7% (SE 0.2) in no-effect, 32.0% (SE 0.5) in drift-only and 95.0% (SE 0.2) in as-published."));
}

TEST(RehearsalWords, OpenWithWhatWasDoneAndCloseWithWhatWasNot) {
  Made made;
  EXPECT_THAT(said(opening(made.names())), HasSubstr("In each scenario 10,000 virtual trials"));
  EXPECT_THAT(said(opening(made.names())), HasSubstr("with fewer than 100 trials nothing is said"));
  std::string text = said(closing(made.names()));
  EXPECT_THAT(text, HasSubstr("a03 had no answer in up to 1.00% (SE 0.10) of no-effect."));
  EXPECT_THAT(text, HasSubstr("a01 needed a later model of its list in up to 2.00% (SE 0.14) of no-effect."));
  EXPECT_THAT(text, HasSubstr("Which of these worlds is the real one, no rehearsal can say."));
  fixture::add_monitoring(made.rehearsal);
  EXPECT_THAT(
      said(closing(made.names())),
      HasSubstr("no-effect, Low dose: the looks reject in 40.0% (SE 0.5); the trial has on average 61.2 (SE 0.2) participants"));
  EXPECT_THAT(said(closing(made.names())),
              HasSubstr("At least one monitored comparison rejects in 41.0% (SE 0.5) in no-effect,"));
  made.rehearsal.scenarios[0].replicates = 500;
  EXPECT_THAT(said(opening(made.names())), HasSubstr("In each scenario 500 to 10,000 virtual trials"));
  for (auto& scenario : made.rehearsal.scenarios) scenario.replicates = 1;
  EXPECT_THAT(said(opening(made.names())), HasSubstr("One trial cannot say"));
  made.rehearsal.scenarios.clear();
  EXPECT_EQ(said(opening(made.names())), " No scenario was rehearsed.\n");
  EXPECT_EQ(said(closing(made.names())), "");
}

TEST(RehearsalWords, SpeakChinese) {
  Made made;
  made.language = "zh";
  fixture::add_monitoring(made.rehearsal);
  const Names names = made.names();
  std::string text =
      said(opening(names), true) + said(primary_analyses(names), true) + said(claims(names), true) + said(closing(names), true);
  EXPECT_THAT(text, HasSubstr("各组无差异时，发现差异的比例"));
  EXPECT_THAT(text, HasSubstr("标准误"));
  EXPECT_THAT(text, HasSubstr("低剂量 对比 安慰剂"));
  for (const char* english : {" in ", "trial", "often", "nominal"}) EXPECT_THAT(text, Not(HasSubstr(english)));
}

TEST(RehearsalWords, StandInBothLanguagesWithTheSamePlaceholders) {
  const auto placeholders = [](std::string_view text) {
    std::string seen;
    for (char c = '0'; c <= '9'; ++c)
      if (text.find(std::string("{") + c + "}") != std::string_view::npos) seen += c;
    return seen;
  };
  for (int i = 0; i < int(Term::count); ++i) {
    const auto term = static_cast<Term>(i);
    EXPECT_FALSE(raw(term, false).empty());
    EXPECT_FALSE(raw(term, true).empty());
    EXPECT_EQ(placeholders(raw(term, false)), placeholders(raw(term, true))) << raw(term, false);
  }
}

}  // namespace
}  // namespace equipoise::report::rehearsal

// From enrolment to randomisation.

#include "equipoise/core/digest.h"
#include "tests/conduct/trial.h"

namespace equipoise::conducted {
namespace {

TEST(Participants, GoFromEnrolmentToRandomisation) {
  Trial trial;
  const std::string who = trial.enrol("s2");
  EXPECT_EQ(who, "s2-001");
  trial.screen(who);
  const Json read_back = trial.view("investigator_s2", "read_back", {{"participant", who}});
  EXPECT_TRUE(read_back["ready"].get<bool>()) << read_back.dump(1);
  EXPECT_EQ(read_back["factors"]["site"], "s2");
  EXPECT_EQ(read_back["factors"]["cd4_low"], "false");
  const Json answer = trial.randomise(who);
  ASSERT_TRUE(answer["ok"].get<bool>()) << messages(answer);
  const Json receipt = answer["events"][0]["data"]["receipt"];
  EXPECT_EQ(receipt["number"], 1);
  EXPECT_EQ(receipt["participant"], who);
  EXPECT_EQ(trial.service->state().participant(who)->randomised->date, "2024-01-08");
}

// The table of what a randomisation rests on, each spoilt alone: refused, with the item or criterion named, and the refusal recorded.
TEST(C27_Randomisation, IsRefusedWithEveryReasonAndRecorded) {
  struct Case {
    std::string form;
    std::vector<std::pair<std::string, std::string>> pairs;
    std::string word;
  };
  const Case cases[] = {
      {"lymphocytes", {{"cd4", "251"}}, "i3"},  {"lymphocytes", {{"cd4", "50"}}, "i3"},     {"virology", {{"hiv_rna", "51"}}, "i5"},
      {"history", {{"hiv", "false"}}, "i1"},    {"history", {{"cdc_c", "true"}}, "e1"},      {"history", {{"karnofsky", "60"}}, "i6"},
      {"history", {{"art_start", "2023-01"}}, "i2"}, {"history", {{"cd4_highest", "260"}}, "i4"},
  };
  for (Case const& one : cases) {
    Trial trial;
    const std::string who = trial.enrol();
    trial.screen(who);
    ASSERT_TRUE(trial.save("coordinator_s1", who, "screening", one.form, values(one.pairs), 1, "spoilt")["ok"].get<bool>());
    const Json answer = trial.randomise(who);
    EXPECT_EQ(answer["status"], 6);
    EXPECT_NE(messages(answer).find("'" + one.word + "'"), std::string::npos) << one.word << " in " << messages(answer);
    EXPECT_EQ(trial.count("randomisation_refused"), 1u);
    EXPECT_EQ(trial.count("randomised"), 0u);
  }
}

TEST(C27_Randomisation, NamesWhatIsMissingAndEveryOtherReasonAtOnce) {
  Trial trial;
  const std::string who = trial.enrol();
  const std::string told = messages(trial.randomise(who));
  for (std::string_view word : {"no consent", "hiv@screening", "cd4@screening", "hiv_rna@screening", "karnofsky@screening", "cdc_c@screening"})
    EXPECT_NE(told.find(word), std::string::npos) << word << " in\n" << told;
}

TEST(C26_Randomisation, HappensOnceHoweverOftenItIsAsked) {
  Trial trial;
  const std::string who = trial.enrol();
  trial.screen(who);
  const Json confirm = trial.view("investigator_s1", "read_back", {{"participant", who}})["confirm"];
  const std::string question =
      Trial::question("investigator_s1", "randomise", {{"participant", who}, {"confirm", confirm}}, "", "one key").dump();
  const std::string first = trial.line(question);
  EXPECT_TRUE(Json::parse(first)["ok"].get<bool>());
  EXPECT_EQ(trial.line(question), first);  // the same bytes
  const Json second = trial.ask("investigator_s1", "randomise", {{"participant", who}, {"confirm", confirm}});
  EXPECT_EQ(codes(second), std::set<std::string>{"refused"});
  EXPECT_EQ(trial.count("randomised"), 1u);
  // The same key for another command.
  EXPECT_EQ(codes(trial.ask("investigator_s1", "randomise", {{"participant", "s1-002"}, {"confirm", confirm}}, "", "one key")),
            std::set<std::string>{"conflict"});
}

TEST(Randomisation, NeedsTheReadBackOfWhatIsThereNow) {
  Trial trial;
  const std::string who = trial.enrol();
  trial.screen(who);
  const Json confirm = trial.view("investigator_s1", "read_back", {{"participant", who}})["confirm"];
  ASSERT_TRUE(trial.save("coordinator_s1", who, "screening", "vitals", values({{"weight", "63"}}), 1, "misread")["ok"].get<bool>());
  EXPECT_EQ(codes(trial.ask("investigator_s1", "randomise", {{"participant", who}, {"confirm", confirm}})), std::set<std::string>{"conflict"});
  EXPECT_EQ(trial.count("randomised"), 0u);
  EXPECT_TRUE(trial.randomise(who)["ok"].get<bool>());
}

TEST(Randomisation, StopsAtTheCapOfASite) {
  Trial trial;
  for (int i = 0; i < 12; ++i) {
    const std::string who = trial.enrol("s5");
    trial.screen(who, 120 + 5 * i);
    ASSERT_TRUE(trial.randomise(who)["ok"].get<bool>());
  }
  const std::string who = trial.enrol("s5");
  trial.screen(who);
  EXPECT_NE(messages(trial.randomise(who)).find("cap"), std::string::npos);
}

TEST(C28_Randomisation, KeepsTheLevelsThatWereUsed) {
  Trial trial;
  const std::string who = trial.randomised("s1", 140);  // cd4_low
  ASSERT_EQ(trial.service->state().participant(who)->randomised->factors, (std::vector<std::string>{"s1", "true"}));
  ASSERT_TRUE(trial.save("coordinator_s1", who, "screening", "lymphocytes", values({{"cd4", "190"}}), 1, "laboratory corrected")["ok"].get<bool>());
  const Json deviations = trial.view("monitor", "deviations");
  ASSERT_EQ(deviations.size(), 1u);
  EXPECT_EQ(deviations[0]["category"], "stratum");
  EXPECT_EQ(trial.service->state().participant(who)->randomised->factors, (std::vector<std::string>{"s1", "true"}));
  EXPECT_EQ(trial.count("randomised"), 1u);
}

TEST(Screening, FailsAndBeginsAgainUnderTheSameIdentity) {
  Trial trial;
  const std::string who = trial.enrol();
  trial.screen(who, 300);
  trial.done("coordinator_s1", "fail_screening", {{"participant", who}});
  EXPECT_EQ(trial.service->state().participant(who)->failed_criteria, std::vector<std::string>{"i3"});
  EXPECT_EQ(codes(trial.randomise(who)), std::set<std::string>{"refused"});
  trial.clock.advance(std::chrono::hours(24 * 60));
  trial.done("coordinator_s1", "screen_again", {{"participant", who}});
  EXPECT_NE(messages(trial.randomise(who)).find("cd4@screening"), std::string::npos);  // what was recorded before counts no more
  trial.visit(who, "screening", trial.today());
  for (auto const& [form, pairs] : std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>>{
           {"history", {{"hiv", "true"}, {"art_start", "2015-03-01"}, {"cd4_highest", "220"}, {"cdc_c", "false"}, {"karnofsky", "90"}}},
           {"lymphocytes", {{"cd4", "200"}, {"cd8", "700"}}},
           {"virology", {{"hiv_rna", "<20"}}}})
    ASSERT_TRUE(trial.save("coordinator_s1", who, "screening", form, values(pairs))["ok"].get<bool>());
  EXPECT_TRUE(trial.randomise(who)["ok"].get<bool>());
}

TEST(Consent, ComesFirstAndIsGivenAgainAfterAnAmendment) {
  Trial trial;
  const std::string before = trial.randomised(), who = trial.enrol();
  EXPECT_EQ(codes(trial.ask("coordinator_s1", "visit", {{"participant", who}, {"visit", "screening"}, {"date", trial.today()}})),
            std::set<std::string>{"refused"});
  trial.screen(who);
  // An amendment that needs a new consent.
  std::string amended = trial.protocol;
  amended.replace(amended.find("version = \"1.0\""), 15, "version = \"2.0\"");
  ASSERT_TRUE(trial.store->put({sha256(amended), amended}));
  trial.both("administrator", "administrator_2", "amend", {{"document", sha256(amended)}, {"new_consent", true}});
  EXPECT_NE(messages(trial.randomise(who)).find("version 2.0"), std::string::npos);
  EXPECT_NE(trial.service->state().participant(before)->version, trial.service->state().version().protocol);  // stays on its version
  trial.done("coordinator_s1", "consent", {{"participant", who}, {"date", trial.today()}});
  EXPECT_TRUE(trial.randomise(who)["ok"].get<bool>());
}

TEST(Amendment, LeavesArmsAndRandomisationAlone) {
  Trial trial;
  std::string amended = trial.protocol;
  amended.replace(amended.find("version = \"1.0\""), 15, "version = \"2.0\"");
  amended.replace(amended.find("probability = 0.8"), 17, "probability = 0.9");
  ASSERT_TRUE(trial.store->put({sha256(amended), amended}));
  EXPECT_EQ(codes(trial.ask("administrator", "amend", {{"document", sha256(amended)}})), std::set<std::string>{"refused"});
  EXPECT_EQ(codes(trial.ask("administrator", "amend", {{"document", sha256("nothing")}})), std::set<std::string>{"unresolved"});
}

TEST(Stop, IsADatedEventOfTheEstimands) {
  Trial trial;
  const std::string who = trial.randomised();
  trial.clock.advance(std::chrono::hours(24 * 40));
  trial.done("investigator_s1", "stop", {{"participant", who}, {"what", "treatment_stop"}, {"date", "2024-02-20"}});
  conduct::Participant const& one = *trial.service->state().participant(who);
  EXPECT_EQ(one.end("treatment_stop")->date, "2024-02-20");
  ASSERT_NE(one.find("", "event_log", 1), nullptr);
  EXPECT_EQ(one.find("", "event_log", 1)->find("what")->value, "treatment_stop");
  EXPECT_EQ(codes(trial.ask("investigator_s1", "stop", {{"participant", who}, {"what", "treatment_stop"}, {"date", "2024-02-21"}})),
            std::set<std::string>{"duplicate"});
  EXPECT_EQ(codes(trial.ask("investigator_s1", "stop", {{"participant", who}, {"what", "lost_to_folow_up"}, {"date", "2024-02-21"}})),
            std::set<std::string>{"unresolved"});
  // Entered as data, it is the same.
  ASSERT_TRUE(trial.save("coordinator_s1", who, "", "event_log", values({{"what", "death"}, {"when", "2024-02-22"}}))["ok"].get<bool>());
  EXPECT_EQ(trial.service->state().participant(who)->end("death")->date, "2024-02-22");
  // And an entry made in error has not happened.
  trial.done("coordinator_s1", "strike", {{"record", {{"participant", who}, {"form", "event_log"}, {"entry", 2}}}, {"revision", 1}}, "wrong person");
  EXPECT_EQ(trial.service->state().participant(who)->end("death"), nullptr);
}

TEST(C39_NoFurtherUse, KeepsValuesOutOfEveryExtract) {
  Trial trial;
  const std::string who = trial.randomised();
  trial.done("investigator_s1", "stop", {{"participant", who}, {"what", "no_further_use"}, {"date", trial.today()}});
  const std::string csv = trial.done("data_manager", "extract")["files"]["data.csv"].get<std::string>();
  EXPECT_NE(csv.find(who), std::string::npos);
  EXPECT_EQ(csv.find("62.5"), std::string::npos);
  EXPECT_EQ(codes(trial.ask("coordinator_s1", "visit", {{"participant", who}, {"visit", "w4"}, {"date", trial.today()}})),
            std::set<std::string>{"refused"});
}

}  // namespace
}  // namespace equipoise::conducted

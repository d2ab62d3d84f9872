// Safety clocks, doses with two faces, kits, emergency unblinding.

#include "equipoise/conduct/safety_clocks.h"
#include "tests/conduct/trial.h"

namespace equipoise::conducted {
namespace {

std::string report_event(Trial& trial, std::string const& who, std::string const& aware, bool grave = false) {
  const Json saved = trial.save("investigator_" + site_of(who), who, "", "adverse_event",
                                values({{"term", "pneumonia"}, {"onset", trial.today()}, {"grade", "3"}, {"serious", "true"}, {"related", "possible"}}));
  EXPECT_TRUE(saved["ok"].get<bool>()) << messages(saved);
  const Json record = saved["events"][0]["data"]["record"];
  const Json answer =
      trial.done("investigator_" + site_of(who), "report_serious", {{"record", record}, {"aware", aware}, {"fatal_or_life_threatening", grave}});
  return answer["events"][0]["data"]["case"];
}

std::map<std::string, std::pair<std::string, std::string>> clocks(Trial& trial) {
  std::map<std::string, std::pair<std::string, std::string>> found;
  for (Json const& clock : trial.view("medical_monitor", "safety")) found[clock["report"]] = {clock["due"], clock["state"]};
  return found;
}

// Over a week-end and the change to summer time (10 March 2024 in New York): hours are hours.
TEST(C31_SafetyClocks, CountHoursFromAwareness) {
  Trial trial;
  const std::string who = trial.randomised();
  trial.clock.set("2024-03-09T20:00:00.000Z");  // a Saturday
  const std::string id = report_event(trial, who, "2024-03-09T18:30:00.000Z");
  EXPECT_EQ(clocks(trial)["sponsor"], (std::pair<std::string, std::string>("2024-03-10T18:30:00.000Z", "running")));
  trial.clock.set("2024-03-10T18:30:00.001Z");
  EXPECT_EQ(clocks(trial)["sponsor"].second, "overdue");
  trial.done("investigator_s1", "send_safety_report", {{"case", id}, {"report", "sponsor"}, {"sent", "2024-03-10T18:30:00.000Z"}});
  EXPECT_EQ(clocks(trial)["sponsor"].second, "met");
  EXPECT_EQ(clocks(trial).count("authority"), 0u);
  // Related and unexpected: 15 days. Then it becomes life-threatening: 7 days from when that was learned, and 8 more.
  trial.clock.set("2024-03-12T09:00:00.000Z");
  trial.done("medical_monitor", "assess_serious", {{"case", id}, {"aware", "2024-03-12T08:00:00.000Z"}, {"related", true}, {"expected", false}});
  EXPECT_EQ(clocks(trial)["authority"], (std::pair<std::string, std::string>("2024-03-27T08:00:00.000Z", "running")));
  trial.clock.set("2024-03-14T09:00:00.000Z");
  EXPECT_EQ(codes(trial.ask("medical_monitor", "assess_serious",
                            {{"case", id}, {"aware", "2024-03-14T08:00:00.000Z"}, {"related", true}, {"fatal_or_life_threatening", true}})),
            std::set<std::string>{"missing_key"});
  trial.done("medical_monitor", "assess_serious",
             {{"case", id}, {"aware", "2024-03-14T08:00:00.000Z"}, {"related", true}, {"fatal_or_life_threatening", true}}, "got worse");
  EXPECT_EQ(clocks(trial)["authority"].first, "2024-03-21T08:00:00.000Z");
  EXPECT_EQ(clocks(trial)["follow_up"].first, "2024-03-29T08:00:00.000Z");
  EXPECT_EQ(codes(trial.ask("investigator_s1", "send_safety_report", {{"case", id}, {"report", "authority"}, {"sent", "2024-03-14T08:30:00.000Z"}})),
            std::set<std::string>{"refused"});
  trial.clock.set("2024-03-22T00:00:00.000Z");
  trial.done("medical_monitor", "send_safety_report", {{"case", id}, {"report", "authority"}, {"sent", "2024-03-21T08:00:00.001Z"}});
  EXPECT_EQ(clocks(trial)["authority"].second, "late");
}

TEST(SafetyClocks, NoneForWhatIsExpectedOrUnrelated) {
  for (bool related : {true, false}) {
    Trial trial;
    const std::string who = trial.randomised();
    const std::string id = report_event(trial, who, to_string(trial.clock.now()), true);
    trial.done("medical_monitor", "assess_serious",
               {{"case", id}, {"aware", to_string(trial.clock.now())}, {"related", related}, {"expected", related}, {"fatal_or_life_threatening", true}});
    EXPECT_EQ(clocks(trial).size(), 1u);
  }
}

TEST(C30_Dose, HasTwoFaces) {
  Trial trial;
  const std::string who = trial.randomised();
  trial.visit(who, "baseline", trial.today());
  ASSERT_TRUE(trial.save("coordinator_s1", who, "baseline", "vitals", values({{"weight", "60"}}))["ok"].get<bool>());
  const Json prepared =
      trial.done("preparer_s1", "prepare_dose", {{"participant", who}, {"visit", "baseline"}, {"intervention", "infusion"}, {"expires", "2024-01-19"}});
  const Json order = prepared["shown"]["order"];
  EXPECT_EQ(order["formula"], "dose * weight");
  EXPECT_EQ(order["weight_kg"], 60);
  EXPECT_EQ(order["amount"].get<double>(), order["dose"].get<double>() * 60);
  EXPECT_EQ(prepared["events"].dump().find("amount"), std::string::npos);  // the log has no cells
  EXPECT_EQ(codes(trial.ask("preparer_s1", "confirm_dose", {{"dose", "dose-1"}})), std::set<std::string>{"refused"});  // a second person
  EXPECT_EQ(codes(trial.ask("preparer_s1", "move_dose", {{"dose", "dose-1"}, {"step", "released"}})), std::set<std::string>{"refused"});
  trial.done("preparer_s1_2", "confirm_dose", {{"dose", "dose-1"}});
  trial.done("preparer_s1", "move_dose", {{"dose", "dose-1"}, {"step", "released"}});
  // The bedside sees a bag, one volume, an expiry date.
  const Json bedside = trial.view("coordinator_s1", "doses");
  ASSERT_EQ(bedside.size(), 1u);
  EXPECT_EQ(bedside[0]["volume"]["amount"], 100);
  EXPECT_EQ(bedside[0]["expires"], "2024-01-19");
  EXPECT_FALSE(bedside[0].contains("amount"));
  EXPECT_EQ(codes(trial.ask("coordinator_s1", "dose_order", {{"dose", "dose-1"}})), std::set<std::string>{"refused"});
  EXPECT_EQ(trial.done("preparer_s1_2", "dose_order", {{"dose", "dose-1"}})["shown"]["order"], order);
  trial.done("coordinator_s1", "move_dose", {{"dose", "dose-1"}, {"step", "received"}});
  trial.done("coordinator_s1", "move_dose", {{"dose", "dose-1"}, {"step", "given"}});
  EXPECT_EQ(codes(trial.ask("coordinator_s1", "move_dose", {{"dose", "dose-1"}, {"step", "returned"}}, "so")), std::set<std::string>{"refused"});
}

TEST(F28_Weight, ThatChangedMuchIsLookedAtAgain) {
  Trial trial;
  const std::string who = trial.randomised();
  trial.visit(who, "baseline", trial.today());
  ASSERT_TRUE(trial.save("coordinator_s1", who, "baseline", "vitals", values({{"weight", "60"}}))["ok"].get<bool>());
  Json dose{{"participant", who}, {"visit", "baseline"}, {"intervention", "infusion"}, {"expires", "2024-01-19"}};
  trial.done("preparer_s1", "prepare_dose", dose);
  trial.done("preparer_s1_2", "confirm_dose", {{"dose", "dose-1"}});
  trial.done("preparer_s1", "move_dose", {{"dose", "dose-1"}, {"step", "released"}});
  for (std::string const step : {"received", "given"}) trial.done("coordinator_s1", "move_dose", {{"dose", "dose-1"}, {"step", step}});
  trial.clock.advance(std::chrono::hours(24 * 28));
  trial.visit(who, "w4", trial.today());
  ASSERT_TRUE(trial.save("coordinator_s1", who, "w4", "vitals", values({{"weight", "66.1"}}))["ok"].get<bool>());  // 10.2 % more
  dose["visit"] = "w4", dose["expires"] = "2024-02-20";
  EXPECT_EQ(codes(trial.ask("preparer_s1", "prepare_dose", dose)), std::set<std::string>{"inconsistent"});
  dose["weight_looked_at_again"] = true;
  trial.done("preparer_s1", "prepare_dose", dose);
}

TEST(Kits, AreLabelledShippedAndDispensedByNumberAlone) {
  Trial trial;
  const std::string who = trial.randomised();
  const Json labelled = trial.done("preparer_s1", "label_kits", {{"lot", "lot-1"}, {"expires", "2026-01-01"}, {"kits_per_arm", 4}});
  const Json kits = labelled["events"][0]["data"]["kits"];
  ASSERT_EQ(kits.size(), 12u);
  EXPECT_EQ(labelled["shown"]["labels"].size(), 12u);
  EXPECT_EQ(codes(trial.ask("coordinator_s1", "dispense_kit", {{"participant", who}, {"visit", "baseline"}})), std::set<std::string>{"refused"});
  trial.done("preparer_s1", "move_kits", {{"step", "shipped"}, {"to", "s1"}, {"kits", kits}});
  trial.done("coordinator_s1", "move_kits", {{"step", "received"}, {"kits", kits}});
  const Json answer = trial.done("coordinator_s1", "dispense_kit", {{"participant", who}, {"visit", "baseline"}});
  const std::string kit = answer["events"][0]["data"]["kit"];
  EXPECT_EQ(codes(trial.ask("coordinator_s1", "dispense_kit", {{"participant", who}, {"visit", "baseline"}})), std::set<std::string>{"duplicate"});
  // It holds the participant's arm.
  trial.done("investigator_s1", "request_unblinding", {{"participant", who}}, "overdose");
  const Json told = trial.done("investigator_s1", "confirm_unblinding", {{"request", "u-1"}}, "overdose");
  for (Json const& label : labelled["shown"]["labels"])
    if (label["kit"] == kit) { EXPECT_EQ(label["arm"], told["shown"]["unblinded"]["arm"]); }
  // All that is in quarantine: nothing is left, and the sentence says no arm.
  Json rest = kits;
  rest.erase(std::find(rest.begin(), rest.end(), Json(kit)));
  trial.done("coordinator_s1", "move_kits", {{"step", "quarantined"}, {"kits", rest}}, "freezer");
  const Json none = trial.ask("coordinator_s1", "dispense_kit", {{"participant", who}, {"visit", "w4"}});
  EXPECT_EQ(codes(none), std::set<std::string>{"refused"});
  for (std::string_view arm : {"placebo", "low", "high"}) EXPECT_EQ(messages(none).find(arm), std::string::npos);
}

TEST(C23_Unblinding, WorksAtNightWithoutTheSponsor) {
  Trial trial;
  const std::string who = trial.randomised();
  for (std::string const user : {"monitor", "data_manager", "medical_monitor"}) trial.done("administrator", "end_access", {{"user", user}}, "off duty");
  trial.clock.set("2024-02-04T03:00:00.000Z");
  EXPECT_EQ(codes(trial.ask("investigator_s1", "request_unblinding", {{"participant", who}})), std::set<std::string>{"missing_key"});
  EXPECT_EQ(codes(trial.ask("coordinator_s1", "request_unblinding", {{"participant", who}}, "reaction")), std::set<std::string>{"refused"});
  EXPECT_EQ(codes(trial.ask("investigator_s2", "request_unblinding", {{"participant", who}}, "reaction")), std::set<std::string>{"unresolved"});
  trial.done("investigator_s1", "request_unblinding", {{"participant", who}}, "severe reaction");
  const Json told = trial.done("investigator_s1", "confirm_unblinding", {{"request", "u-1"}}, "severe reaction");
  EXPECT_EQ(told["shown"]["unblinded"]["participant"], who);
  EXPECT_FALSE(told["shown"]["unblinded"]["arm"].get<std::string>().empty());
  EXPECT_EQ(told["events"].dump().find(told["shown"]["unblinded"]["arm"].get<std::string>()), std::string::npos);
  // C22: who, whom, when, why.
  bool found = false;
  for (Json const& row : trial.view("administrator", "audit"))
    found |= row.value("what", "") == "participant unblinded" && row.value("reason", "") == "severe reaction" && row.value("participant", "") == who;
  EXPECT_TRUE(found);
  EXPECT_EQ(trial.view("administrator", "notices").back()["what"], "a participant was unblinded");
}

TEST(Unblinding, DrillTellsNothing) {
  Trial trial;
  const std::string who = trial.randomised();
  trial.done("investigator_s1", "request_unblinding", {{"participant", who}, {"drill", true}}, "quarterly drill");
  const Json told = trial.done("investigator_s1", "confirm_unblinding", {{"request", "u-1"}}, "quarterly drill");
  EXPECT_FALSE(told["shown"].contains("unblinded"));
  EXPECT_FALSE(trial.service->state().participant(who)->unblinded);
}

TEST(Masks, HideWhatHintsAtTheArm) {
  Trial trial;
  const std::string who = trial.randomised();
  trial.clock.advance(std::chrono::hours(24 * 28));
  trial.visit(who, "w4", trial.today());
  EXPECT_EQ(codes(trial.save("coordinator_s1", who, "w4", "lymphocytes", values({{"cd4", "333"}}))), std::set<std::string>{"refused"});
  ASSERT_TRUE(trial.save("laboratory_s1", who, "w4", "lymphocytes", values({{"cd4", "333"}, {"cd8", "777"}}))["ok"].get<bool>());
  for (std::string const user : {"coordinator_s1", "investigator_s1"}) {
    const std::string seen = trial.view(user, "participant", {{"participant", who}}).dump() + trial.view(user, "audit").dump() +
                             trial.done(user, "extract")["files"].dump() + trial.view(user, "worklist").dump();
    EXPECT_EQ(seen.find("333"), std::string::npos) << user;
    EXPECT_EQ(seen.find("777"), std::string::npos) << user;
  }
  EXPECT_NE(trial.view("monitor", "participant", {{"participant", who}}).dump().find("333"), std::string::npos);
}

}  // namespace
}  // namespace equipoise::conducted

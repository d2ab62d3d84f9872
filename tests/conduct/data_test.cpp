// Data entry, its checks, corrections, review, signatures, holds.

#include "tests/conduct/trial.h"

namespace equipoise::conducted {
namespace {

// Every hard check, sent straight to the service: boundary and one unit beyond.
TEST(C12_Values, AreCheckedByTheService) {
  Trial trial;
  const std::string who = trial.enrol();
  trial.done("coordinator_s1", "consent", {{"participant", who}, {"date", trial.today()}});
  trial.visit(who, "screening", trial.today());
  const auto refused = [&](std::string const& form, std::string const& item, std::string const& value) {
    const Json answer = trial.save("coordinator_s1", who, "screening", form, values({{item, value}}));
    EXPECT_FALSE(answer["ok"].get<bool>()) << item << " = " << value;
    return codes(answer);
  };
  EXPECT_EQ(refused("lymphocytes", "cd4", "3001"), std::set<std::string>{"bad_cell"});
  EXPECT_EQ(refused("lymphocytes", "cd4", "-1"), std::set<std::string>{"bad_cell"});
  EXPECT_EQ(refused("lymphocytes", "cd4", "12,5"), std::set<std::string>{"bad_cell"});
  EXPECT_EQ(refused("lymphocytes", "cd44", "12"), std::set<std::string>{"unresolved"});
  EXPECT_EQ(refused("demography", "age", "17"), std::set<std::string>{"bad_cell"});
  EXPECT_EQ(refused("demography", "age", "38.5"), std::set<std::string>{"bad_cell"});
  EXPECT_EQ(refused("demography", "sex", "X"), std::set<std::string>{"bad_cell"});
  EXPECT_EQ(refused("history", "art_start", "2023-02-30"), std::set<std::string>{"bad_cell"});
  EXPECT_EQ(refused("history", "karnofsky", "95"), std::set<std::string>{"bad_cell"});
  EXPECT_EQ(refused("history", "hiv", "perhaps"), std::set<std::string>{"bad_cell"});
  // All problems at once.
  const Json all = trial.save("coordinator_s1", who, "screening", "demography", values({{"age", "200"}, {"sex", "X"}, {"height", "1"}}));
  EXPECT_EQ(all["problems"].size(), 3u);
  // On the boundary.
  EXPECT_TRUE(trial.save("coordinator_s1", who, "screening", "demography", values({{"age", "18"}, {"sex", "F"}}))["ok"].get<bool>());
}

TEST(C11_EditChecks, SoftOnesNeedAReasonAndBothValuesStayInTheTrail) {
  Trial trial;
  const std::string who = trial.enrol();
  trial.done("coordinator_s1", "consent", {{"participant", who}, {"date", trial.today()}});
  trial.visit(who, "screening", trial.today());
  const Json record{{"participant", who}, {"form", "lymphocytes"}, {"visit", "screening"}};
  const auto save = [&](std::string const& cd4, std::int64_t revision, Json accept, std::string const& reason = "") {
    return trial.ask("coordinator_s1", "record",
                     {{"record", record}, {"revision", revision}, {"values", values({{"cd4", cd4}})}, {"accept", std::move(accept)}}, reason);
  };
  const Json fired = save("1201", 0, Json::array());
  EXPECT_NE(messages(fired).find("soft:cd4"), std::string::npos) << messages(fired);
  EXPECT_EQ(codes(save("1200", 0, {{{"check", "soft:cd4"}, {"reason", "so it is"}}})), std::set<std::string>{"unresolved"});  // did not fire
  EXPECT_TRUE(save("1201", 0, {{{"check", "soft:cd4"}, {"reason", "measured twice"}}})["ok"].get<bool>());
  EXPECT_EQ(codes(save("201", 1, Json::array())), std::set<std::string>{"missing_key"});  // a change needs a reason (C08)
  EXPECT_TRUE(save("201", 1, Json::array(), "decimal error")["ok"].get<bool>());
  const Json trail = trial.view("monitor", "audit", {{"participant", who}});
  bool found = false;
  for (Json const& row : trail)
    found |= row.value("item", "") == "CD4+ T cells" && row.value("before", "") == "1201 /mm3" && row.value("after", "") == "201 /mm3" &&
             row.value("reason", "") == "decimal error" && row.value("user", "") == "coordinator_s1";
  EXPECT_TRUE(found) << trail.dump(1);
}

TEST(EditChecks, OfAFormLookAtTheWholeEntry) {
  Trial trial;
  const std::string who = trial.randomised();
  EXPECT_NE(messages(trial.save("investigator_s1", who, "", "adverse_event",
                                values({{"term", "fever"}, {"onset", "2024-01-12"}, {"resolved", "2024-01-11"}, {"grade", "1"}, {"serious", "false"}})))
                .find("The end is before the start."),
            std::string::npos);
  EXPECT_TRUE(trial.save("investigator_s1", who, "", "adverse_event",
                         values({{"term", "fever"}, {"onset", "2024-01-12"}, {"resolved", "2024-01-12"}, {"grade", "1"}, {"serious", "false"}}))["ok"]
                  .get<bool>());
  // Later an earlier one: the check finds its own row.
  EXPECT_FALSE(trial.save("investigator_s1", who, "", "adverse_event", values({{"term", "rash"}, {"onset", "2024-01-10"}, {"resolved", "2024-01-09"}}))["ok"]
                   .get<bool>());
}

TEST(C08_Change, NeedsAReasonAfterTheFirstSave) {
  Trial trial;
  const std::string who = trial.enrol();
  trial.screen(who);
  EXPECT_EQ(codes(trial.save("coordinator_s1", who, "screening", "vitals", values({{"weight", "60"}}), 1)), std::set<std::string>{"missing_key"});
  EXPECT_TRUE(trial.save("coordinator_s1", who, "screening", "vitals", values({{"weight", "60"}}), 1, "scale")["ok"].get<bool>());
  EXPECT_EQ(codes(trial.ask("coordinator_s1", "visit", {{"participant", who}, {"visit", "screening"}, {"date", "2024-01-07"}})),
            (std::set<std::string>{"inconsistent", "missing_key"}));  // and it would be before the consent
}

TEST(Values, KeepWhatWasTypedInAnotherUnit) {
  Trial trial;
  const std::string who = trial.enrol();
  trial.done("coordinator_s1", "consent", {{"participant", who}, {"date", trial.today()}});
  trial.visit(who, "screening", trial.today());
  const Json record{{"participant", who}, {"form", "lymphocytes"}, {"visit", "screening"}};
  trial.done("coordinator_s1", "record",
             {{"record", record}, {"revision", 0}, {"values", {{{"item", "cd4"}, {"value", "180"}, {"unit", "/uL"}}}}});
  EXPECT_EQ(codes(trial.ask("coordinator_s1", "record",
                            {{"record", record}, {"revision", 1}, {"values", {{{"item", "cd8"}, {"value", "180"}, {"unit", "g"}}}}})),
            std::set<std::string>{"unit_mismatch"});
  const auto events = trial.events();
  EXPECT_EQ(std::get<conduct::FormSaved>(events.back().event).values[0].value, "180");
}

TEST(F10_TwoTabs, TheSecondSeesThatSomebodyWasFaster) {
  Trial trial;
  const std::string who = trial.enrol();
  trial.screen(who);
  EXPECT_TRUE(trial.save("coordinator_s1", who, "screening", "vitals", values({{"weight", "60"}}), 1, "scale")["ok"].get<bool>());
  EXPECT_EQ(codes(trial.save("investigator_s1", who, "screening", "vitals", values({{"weight", "61"}}), 1, "scale")), std::set<std::string>{"conflict"});
}

// The sponsor's people never enter or change what a site has entered.
TEST(C09_Sponsor, AsksAndNeverEnters) {
  Trial trial;
  const std::string who = trial.enrol();
  trial.screen(who);
  for (std::string const user : {"monitor", "data_manager", "medical_monitor", "blinded_statistician", "unblinded_statistician", "committee", "administrator"}) {
    EXPECT_EQ(codes(trial.save(user, who, "screening", "vitals", values({{"weight", "60"}}), 1, "scale")), std::set<std::string>{"refused"}) << user;
    EXPECT_EQ(codes(trial.ask(user, "visit", {{"participant", who}, {"visit", "screening"}, {"date", trial.today()}}, "so")), std::set<std::string>{"refused"});
    EXPECT_EQ(codes(trial.ask(user, "enrol")), std::set<std::string>{"refused"});
  }
  EXPECT_EQ(trial.service->state().participant(who)->find("screening", "vitals", 0)->find("weight")->value, "62.5");
}

TEST(Queries, AreAskedAnsweredAndClosed) {
  Trial trial;
  const std::string who = trial.enrol();
  trial.screen(who);
  const Json record{{"participant", who}, {"form", "lymphocytes"}, {"visit", "screening"}};
  trial.done("data_manager", "open_query", {{"record", record}, {"item", "cd4"}, {"text", "Is 180 right?"}});
  EXPECT_NE(messages(trial.randomise(who)).find("query"), std::string::npos);  // the randomisation rests on it
  EXPECT_EQ(trial.view("coordinator_s2", "queries").size(), 0u);
  ASSERT_EQ(trial.view("coordinator_s1", "queries").size(), 1u);
  EXPECT_EQ(codes(trial.ask("coordinator_s2", "answer_query", {{"query", "q-1"}, {"text", "yes"}})), std::set<std::string>{"unresolved"});
  trial.done("coordinator_s1", "answer_query", {{"query", "q-1"}, {"text", "It is."}});
  trial.done("data_manager", "close_query", {{"query", "q-1"}});
  EXPECT_EQ(codes(trial.ask("coordinator_s1", "answer_query", {{"query", "q-1"}, {"text", "again"}})), std::set<std::string>{"refused"});
  EXPECT_TRUE(trial.randomise(who)["ok"].get<bool>());
}

TEST(C14_Signature, IsBoundToARevision) {
  Trial trial;
  const std::string who = trial.enrol();
  trial.screen(who);
  const Json what{{"participant", who}, {"form", "vitals"}, {"visit", "screening"}, {"revision", 1}, {"meaning", "responsibility"}};
  Json wrong = what;
  wrong["secret"] = "guess";
  EXPECT_EQ(codes(trial.ask("investigator_s1", "sign", wrong)), std::set<std::string>{"refused"});
  trial.done("investigator_s1", "sign", what);
  const auto signature = [&] {
    const Json seen = trial.view("monitor", "participant", {{"participant", who}});
    for (Json const& record : seen["records"])
      if (record["form"] == "vitals") return record["signatures"][0];
    return Json();
  };
  EXPECT_EQ(signature()["name"], "Dr investigator_s1");
  EXPECT_TRUE(signature()["invalidated_by"].is_null());
  ASSERT_TRUE(trial.save("coordinator_s1", who, "screening", "vitals", values({{"weight", "60"}}), 1, "scale")["ok"].get<bool>());
  EXPECT_EQ(signature()["invalidated_by"], trial.service->state().last);
  EXPECT_EQ(codes(trial.ask("investigator_s1", "sign", what)), std::set<std::string>{"conflict"});
}

TEST(SourceVerification, IsOfARevision) {
  Trial trial;
  const std::string who = trial.enrol();
  trial.screen(who);
  const Json record{{"participant", who}, {"form", "vitals"}, {"visit", "screening"}};
  trial.done("monitor", "verify_source", {{"record", record}, {"revision", 1}});
  EXPECT_EQ(trial.service->state().participant(who)->find("screening", "vitals", 0)->verified, 1);
  ASSERT_TRUE(trial.save("coordinator_s1", who, "screening", "vitals", values({{"weight", "60"}}), 1, "scale")["ok"].get<bool>());
  const conduct::Record& now = *trial.service->state().participant(who)->find("screening", "vitals", 0);
  EXPECT_NE(now.verified, now.revision);
}

// Every level that can be held, and a write that it stops; beside it one that it does not.
TEST(C33_Holds, StopWritesAtEveryLevel) {
  struct Case {
    Json scope;
    bool stops_item, stops_record, stops_participant, stops_site;
  };
  for (int level = 0; level < 5; ++level) {
    Trial trial;
    const std::string who = trial.enrol(), other = trial.enrol(), away = trial.enrol("s2");
    for (std::string const& one : {who, other, away}) trial.screen(one);
    const Json scopes[] = {{{"participant", who}, {"form", "vitals"}, {"visit", "screening"}, {"item", "weight"}},
                           {{"participant", who}, {"form", "lymphocytes"}, {"visit", "screening"}},
                           {{"participant", who}},
                           {{"site", "s1"}},
                           Json::object()};
    trial.done("data_manager", "hold", {{"level", "locked"}, {"scope", scopes[level]}});
    const auto stopped = [&](std::string const& one, std::string const& form, std::string const& item) {
      return codes(trial.save("coordinator_" + site_of(one), one, "screening", form, values({{item, "150"}}), 1, "so")) == std::set<std::string>{"refused"};
    };
    EXPECT_EQ(stopped(who, "vitals", "weight"), level != 1) << level;
    EXPECT_EQ(stopped(who, "lymphocytes", "cd4"), level != 0) << level;
    EXPECT_EQ(stopped(other, "lymphocytes", "cd4"), level >= 3) << level;
    EXPECT_EQ(stopped(away, "lymphocytes", "cd4"), level == 4) << level;
    // Opening again takes a reason and two people.
    EXPECT_EQ(codes(trial.ask("data_manager", "release", {{"level", "locked"}, {"scope", scopes[level]}})), std::set<std::string>{"missing_key"});
    const Json proposed = trial.done("data_manager", "release", {{"level", "locked"}, {"scope", scopes[level]}}, "error found");
    EXPECT_EQ(proposed["events"][0]["event"], "proposed");
    const Json proposal = proposed["events"][0]["data"]["proposal"];
    EXPECT_EQ(codes(trial.ask("data_manager", "approve", {{"proposal", proposal}})), std::set<std::string>{"refused"});
    EXPECT_EQ(codes(trial.ask("monitor", "approve", {{"proposal", proposal}})), std::set<std::string>{"refused"});
    trial.done("data_manager_2", "approve", {{"proposal", proposal}});
    EXPECT_FALSE(stopped(who, "vitals", "weight")) << level;
  }
}

// A random sequence of edits; the audit trail, replayed from nothing, gives exactly the current values.
TEST(C01_AuditTrail, ReplayedGivesTheCurrentState) {
  Trial trial;
  std::vector<std::string> who;
  for (std::string const site : {"s1", "s2", "s3"}) who.push_back(trial.randomised(site));
  std::uint64_t random = 20241128;
  const auto draw = [&](std::uint64_t below) { 
    random = random * 6364136223846793005u + 1442695040888963407u;
    return (random >> 33) % below;
  };
  const std::vector<std::pair<std::string, std::string>> items{{"vitals", "weight"}, {"lymphocytes", "cd4"}, {"lymphocytes", "cd8"}};
  for (int k = 0; k < 200; ++k) {
    std::string const& one = who[draw(who.size())];
    auto const& [form, item] = items[draw(items.size())];
    const auto revision = trial.service->state().participant(one)->find("screening", form, 0)->revision;
    (void)trial.save("coordinator_" + site_of(one), one, "screening", form, values({{item, std::to_string(100 + draw(20))}}), revision, "check");
  }
  std::map<std::tuple<std::string, std::string, std::string>, std::string> replayed;
  for (conduct::TrialEvent const& event : trial.events())
    if (auto const* saved = std::get_if<conduct::FormSaved>(&event.event))
      for (conduct::ItemValue const& value : saved->values) {
        auto& now = replayed[{saved->record.participant, saved->record.form, value.item}];
        EXPECT_EQ(value.was, now) << "event " << event.envelope.sequence;
        EXPECT_FALSE(event.envelope.actor.empty());
        now = value.text.empty() ? value.value : value.text;
      }
  for (conduct::Participant const& participant : trial.service->state().participants)
    for (conduct::Record const& record : participant.records)
      for (conduct::Value const& value : record.values)
        EXPECT_EQ((replayed[{participant.id, record.form, value.item}]), value.text.empty() ? value.value : value.text);
}

TEST(C06_Visits, GoByTheDateAtTheSite) {
  Trial trial;
  const std::string who = trial.enrol();  // Asia/Shanghai
  trial.clock.set("2024-03-01T17:00:00.000Z");  // 2 March there
  EXPECT_TRUE(trial.ask("coordinator_s1", "consent", {{"participant", who}, {"date", "2024-03-02"}})["ok"].get<bool>());
  EXPECT_EQ(codes(trial.ask("coordinator_s1", "visit", {{"participant", who}, {"visit", "screening"}, {"date", "2024-03-03"}})),
            std::set<std::string>{"out_of_range"});
  EXPECT_EQ(trial.events().back().envelope.local, "2024-03-02 +08:00");
}

TEST(C07_Clock, ThatGoesBackIsFlaggedAndChangesNoOrder) {
  Trial trial;
  const std::string who = trial.enrol();
  trial.clock.advance(std::chrono::hours(-1));
  const std::string next = trial.enrol();
  const auto events = trial.events();
  EXPECT_FALSE(events[events.size() - 2].envelope.clock_back);
  EXPECT_TRUE(events.back().envelope.clock_back);
  EXPECT_EQ(events.back().envelope.sequence, events[events.size() - 2].envelope.sequence + 1);
  EXPECT_EQ(next, "s1-002");
}

TEST(Windows, AVisitOutsideItsOwnIsADeviation) {
  Trial trial;
  const std::string who = trial.randomised();  // 2024-01-18
  trial.clock.advance(std::chrono::hours(24 * 60));
  trial.visit(who, "w4", "2024-02-22");  // day 36: 29 + 7
  EXPECT_EQ(trial.view("monitor", "deviations").size(), 0u);
  trial.visit(who, "w8", "2024-03-07");  // day 50, one too early? 57 - 7 = 50: inside
  EXPECT_EQ(trial.view("monitor", "deviations").size(), 0u);
  trial.done("coordinator_s1", "visit", {{"participant", who}, {"visit", "w8"}, {"date", "2024-03-06"}}, "wrong day");
  ASSERT_EQ(trial.view("monitor", "deviations").size(), 1u);
  EXPECT_NE(trial.view("monitor", "deviations")[0]["what"].get<std::string>().find("day 49"), std::string::npos);
}

TEST(Worklist, SaysWhatIsDue) {
  Trial trial;
  const std::string who = trial.randomised();
  trial.clock.advance(std::chrono::hours(24 * 28));
  const Json list = trial.view("coordinator_s1", "worklist");
  std::map<std::string, std::string> visits;
  for (Json const& task : list)
    if (task["what"] == "visit") visits[task["about"]] = task["state"];
  EXPECT_EQ(visits["baseline"], "overdue");
  EXPECT_EQ(visits["w4"], "due");
  EXPECT_EQ(visits["w8"], "upcoming");
  EXPECT_FALSE(visits.contains("w24"));
  EXPECT_EQ(trial.view("coordinator_s2", "worklist").size(), 0u);
}

}  // namespace
}  // namespace equipoise::conducted

// Users, rights, two people, the lock and the end of concealment; the log itself.

#include "equipoise/conduct/roles.h"
#include "equipoise/core/digest.h"
#include "equipoise/protocol/load.h"
#include "equipoise/server/verify_trial.h"
#include "tests/conduct/trial.h"

namespace equipoise::conducted {
namespace {

// Every role against every command and view: what no line of the table allows is refused, whatever the data say.
TEST(C18_Rights, AreThoseOfTheTableAndNoOthers) {
  Trial trial;
  std::size_t refused = 0, allowed = 0;
  for (conduct::Permission const& line : conduct::permissions())
    for (std::string const& role : conduct::role_words()) {
      const conduct::Role one = conduct::to_role(role).value();
      const std::string user = conduct::works_at_site(one) ? role + "_s1" : role;
      const Json question = Trial::question(user, std::string(line.name), Json::object(), "", line.acts && line.name != "audit" ? "k" + role + std::string(line.name) : "");
      const Json answer = Json::parse(trial.line(question.dump()));
      const bool by_role = codes(answer).contains("refused") && messages(answer).find("may not use") != std::string::npos;
      EXPECT_EQ(by_role, !has(line.roles, one)) << line.name << " as " << role << ": " << answer.dump();
      (by_role ? refused : allowed) += 1;
    }
  EXPECT_EQ(refused + allowed, conduct::permissions().size() * conduct::role_count);
  EXPECT_GT(refused, 200u);
  // At another site than the grant's.
  Json question = Trial::question("coordinator_s1", "enrol", Json::object(), "", "elsewhere");
  question["site"] = "s2";
  EXPECT_EQ(codes(Json::parse(trial.line(question.dump()))), std::set<std::string>{"refused"});
  // In a role that one does not have.
  question["site"] = "s1", question["role"] = "investigator";
  EXPECT_EQ(codes(Json::parse(trial.line(question.dump()))), std::set<std::string>{"refused"});
}

TEST(C18_Rights, OfAnotherSiteEvenTheExistenceIsNotSaid) {
  Trial trial;
  const std::string who = trial.randomised("s1");
  for (std::string const& id : {who, std::string("s1-999")}) {
    const Json answer = trial.view("investigator_s2", "participant", {{"participant", id}});
    EXPECT_EQ(codes(answer), std::set<std::string>{"unresolved"});
    EXPECT_EQ(messages(answer), fmt::format("there is no participant '{}'\n", id));
  }
}

TEST(C13_Accounts, AreNeverGivenToSomebodyElse) {
  Trial trial;
  trial.done("administrator", "end_access", {{"user", "monitor"}}, "left");
  EXPECT_EQ(codes(trial.ask("administrator", "add_user", {{"user", "monitor"}, {"full_name", "Somebody new"}, {"secret", sha256("x")}})),
            std::set<std::string>{"duplicate"});
}

TEST(C20_Access, EndsWithTheNextQuestion) {
  Trial trial;
  EXPECT_TRUE(trial.view("monitor", "status").contains("trial"));
  trial.done("administrator", "end_access", {{"user", "monitor"}}, "left");
  EXPECT_EQ(codes(trial.view("monitor", "status")), std::set<std::string>{"refused"});
}

TEST(C19_Access, CanBeSeenAsItWasAtAnyMoment) {
  Trial trial;
  (void)trial.enrol();  // before the first participant one administrator is enough
  trial.clock.advance(std::chrono::hours(1));
  trial.both("administrator", "administrator_2", "grant_role", {{"user", "monitor"}, {"role", "data_manager"}});
  trial.clock.advance(std::chrono::hours(1));
  trial.done("administrator", "revoke_role", {{"user", "monitor"}, {"role", "data_manager"}}, "no longer");
  const auto roles = [&](std::string const& at) {
    for (Json const& user : trial.view("administrator", "users", {{"at", at}}))
      if (user["user"] == "monitor") return user["roles"].size();
    return std::size_t(0);
  };
  EXPECT_EQ(roles("2024-01-08T01:30:00.000Z"), 1u);
  EXPECT_EQ(roles("2024-01-08T02:30:00.000Z"), 2u);
  EXPECT_EQ(roles("2024-01-08T03:30:00.000Z"), 1u);
}

TEST(C16_Guesses, AreLimitedAndRecorded) {
  Trial trial;
  Json question = Trial::question("monitor", "status", Json::object(), "", "");
  question["secret"] = "a guess";
  for (int i = 0; i < 12; ++i) EXPECT_EQ(codes(Json::parse(trial.line(question.dump()))), std::set<std::string>{"refused"});
  EXPECT_EQ(codes(trial.view("monitor", "status")), std::set<std::string>{"refused"});  // even the right one, for a while
  EXPECT_EQ(trial.count("accessed"), 1u);
  trial.clock.advance(std::chrono::seconds(61));
  EXPECT_TRUE(trial.view("monitor", "status").contains("trial"));
}

TEST(Roles, OnePersonIsNotBlindedAndUnblinded) {
  Trial trial;
  EXPECT_EQ(codes(trial.ask("administrator", "grant_role", {{"user", "coordinator_s1"}, {"role", "preparer"}, {"site", "s1"}})),
            std::set<std::string>{"refused"});
  EXPECT_EQ(codes(trial.ask("administrator", "grant_role", {{"user", "committee"}, {"role", "data_manager"}})), std::set<std::string>{"refused"});
}

TEST(C17_Access, OfExtractsAndTrailsIsRecorded) {
  Trial trial;
  const std::size_t before = trial.count("accessed");
  (void)trial.view("monitor", "audit");
  EXPECT_EQ(trial.count("accessed"), before + 1);
  (void)trial.done("data_manager", "extract");
  EXPECT_EQ(trial.count("accessed"), before + 2);
  (void)trial.done("committee", "extract", {{"arms", "real"}});  // with arms: that they are opened, and what was taken
  EXPECT_EQ(trial.count("accessed"), before + 4);
}

TEST(C34_Arms, AreToldAfterASignedLockAlone) {
  Trial trial;
  const std::string who = trial.randomised();
  for (std::string const user : {"data_manager", "blinded_statistician", "coordinator_s1"})
    EXPECT_EQ(codes(trial.ask(user, "extract", {{"arms", "real"}})), std::set<std::string>{"refused"}) << user;
  EXPECT_EQ(codes(trial.ask("unblinded_statistician", "unblind")), std::set<std::string>{"refused"});
  EXPECT_EQ(codes(trial.ask("data_manager", "lock")), std::set<std::string>{"refused"});  // no snapshot, no signature
  trial.lock();
  EXPECT_EQ(codes(trial.save("coordinator_s1", who, "screening", "vitals", values({{"weight", "60"}}), 1, "late")), std::set<std::string>{"refused"});
  EXPECT_EQ(codes(trial.ask("data_manager", "extract", {{"arms", "real"}})), std::set<std::string>{"refused"});
  trial.both("unblinded_statistician", "unblinded_statistician_2", "unblind");
  ASSERT_TRUE(trial.service->state().unblinded);
  EXPECT_EQ(trial.service->state().unblinded->reveal.allocations.size(), 1u);
  const Json extract = trial.done("data_manager", "extract");
  EXPECT_NE(extract["files"]["data.csv"].get<std::string>().find(trial.service->state().unblinded->reveal.allocations[0].arm), std::string::npos);
  EXPECT_EQ(codes(trial.ask("data_manager", "unlock", Json::object(), "one more")), std::set<std::string>{"refused"});
}

TEST(Lock, IsOfTheDataThatWereSigned) {
  Trial trial;
  const std::string who = trial.randomised();
  trial.done("data_manager", "snapshot");
  const auto revision = trial.service->state().data_changed;
  for (std::string const user : {"data_manager", "blinded_statistician"}) trial.done(user, "sign", {{"meaning", "lock"}, {"revision", revision}});
  ASSERT_TRUE(trial.save("coordinator_s1", who, "screening", "vitals", values({{"weight", "60"}}), 1, "scale")["ok"].get<bool>());
  const std::string told = messages(trial.ask("data_manager", "lock"));
  EXPECT_NE(told.find("snapshot"), std::string::npos);
  EXPECT_NE(told.find("signed"), std::string::npos);
}

TEST(C35_Extract, HasTheSameBytesTwice) {
  Trial trial;
  for (std::string const site : {"s1", "s2"}) (void)trial.randomised(site);
  const Json first = trial.done("data_manager", "extract"), second = trial.done("data_manager_2", "extract");
  EXPECT_EQ(first["files"]["data.csv"], second["files"]["data.csv"]);
  EXPECT_EQ(first["digest"], second["digest"]);
}

TEST(C10_Investigator, HasACopyOfTheOwnSitesDataAlwaysAndOfNoOther) {
  Trial trial;
  const std::string mine = trial.randomised("s1"), other = trial.randomised("s2");
  const auto csv = [&] { return trial.done("investigator_s1", "extract")["files"]["data.csv"].get<std::string>(); };
  EXPECT_NE(csv().find(mine), std::string::npos);
  EXPECT_EQ(csv().find(other), std::string::npos);
  trial.lock();
  EXPECT_NE(csv().find(mine), std::string::npos);
}

// Each event, each byte of it: changed, dropped or swapped, and the fold says which one is the first that does not hold.
TEST(C04_Log, SaysWhichEventWasTouched) {
  Trial trial;
  (void)trial.randomised();
  std::vector<conduct::StoredEvent> log;
  ASSERT_TRUE(trial.store->read(0, [&](conduct::StoredEvent const& event) { return log.push_back(event), true; }));
  const auto first_bad = [](std::vector<conduct::StoredEvent> const& events) -> std::int64_t {
    conduct::State state;
    for (std::size_t i = 0; i < events.size(); ++i) {
      const auto event = conduct::decoded_event(events[i].bytes);
      if (!event || sha256(events[i].bytes) != events[i].digest || !fold(state, *event, events[i].digest)) return std::int64_t(i) + 1;
    }
    return 0;
  };
  ASSERT_EQ(first_bad(log), 0);
  for (std::size_t i = 0; i < log.size(); ++i) {
    for (std::size_t at = 0; at < log[i].bytes.size(); at += 7) {
      auto changed = log;
      changed[i].bytes[at] ^= 1;
      EXPECT_EQ(first_bad(changed), std::int64_t(i) + 1) << "byte " << at;
      changed[i].digest = sha256(changed[i].bytes);  // a forger who mends the digest breaks the next link, or the event itself
      if (i + 1 < log.size()) {
        const std::int64_t bad = first_bad(changed);
        EXPECT_TRUE(bad == std::int64_t(i) + 1 || bad == std::int64_t(i) + 2) << i << " byte " << at << ": " << bad;
      }
    }
    auto dropped = log;
    dropped.erase(dropped.begin() + std::ptrdiff_t(i));
    if (i + 1 < log.size()) { EXPECT_EQ(first_bad(dropped), std::int64_t(i) + 1); }
    auto swapped = log;
    if (i + 1 < log.size()) {
      std::swap(swapped[i], swapped[i + 1]);
      EXPECT_EQ(first_bad(swapped), std::int64_t(i) + 1);
    }
  }
}

TEST(Redaction, DestroysATextAndTheChainHolds) {
  Trial trial;
  const std::string who = trial.randomised();
  const Json answer = trial.save("investigator_s1", who, "", "adverse_event",
                                 values({{"term", "Mr Wang Xiaoming, fever"}, {"onset", trial.today()}, {"grade", "1"}, {"serious", "false"}}));
  ASSERT_TRUE(answer["ok"].get<bool>()) << messages(answer);
  const Json event = answer["events"][0];
  const std::string text = event["data"]["values"][0]["text"];
  EXPECT_EQ(text.size(), 64u);
  trial.both("data_manager", "data_manager_2", "redact", {{"event", event["sequence"]}, {"text", text}}, "a name was typed");
  EXPECT_EQ(trial.view("monitor", "participant", {{"participant", who}}).dump().find("Xiaoming"), std::string::npos);
  EXPECT_EQ(trial.view("monitor", "audit").dump().find("Xiaoming"), std::string::npos);
  EXPECT_NE(trial.view("monitor", "audit").dump().find("(destroyed)"), std::string::npos);
  conduct::State state;
  for (conduct::TrialEvent const& one : trial.events()) ASSERT_TRUE(fold(state, one, sha256(encoded_event(one))));
}

// Nothing that is asked, however wrong, changes the trial or stops the service.
TEST(Questions, OfAnyKindAreAnswered) {
  Trial trial;
  const auto before = trial.service->state().last;
  const std::string good = Trial::question("coordinator_s1", "consent", {{"participant", "s1-001"}, {"date", "2024-01-08"}}, "", "k").dump();
  std::vector<std::string> lines{"", "{", "[]", "null", "{}", "\"x\"", std::string(1 << 16, '['), "{\"user\":1}", std::string("\xff\xfe", 2)};
  for (std::size_t cut = 0; cut < good.size(); cut += 3) lines.push_back(good.substr(0, cut));
  for (std::string_view key : {"user", "secret", "role", "site", "key", "command", "data"})
    for (Json value : {Json(), Json(1), Json("x"), Json::array(), Json::object(), Json(std::string(5000, 'x'))}) {
      Json question = Json::parse(good);
      question[std::string(key)] = value;
      lines.push_back(question.dump());
    }
  for (std::string const& line : lines) {
    const Json answer = Json::parse(trial.line(line));
    EXPECT_FALSE(answer["ok"].get<bool>()) << line.substr(0, 200);
    EXPECT_GT(answer["status"].get<int>(), 0);
  }
  EXPECT_EQ(trial.service->state().last, before);
  EXPECT_TRUE(trial.service->broken().empty());
}

// An answer that got lost on the way is asked for again with the same key: the same files and no second event, or a refusal once the
// data are others.
TEST(C17_Access, AnExtractAskedForAgainIsTheSameOrRefused) {
  Trial trial;
  const std::string who = trial.randomised();
  for (auto const& [user, data] : {std::pair<std::string, Json>("data_manager", Json::object()), {"committee", {{"arms", "real"}}}}) {
    const Json first = trial.ask(user, "extract", data, "", "lost " + user);
    ASSERT_TRUE(first.value("ok", false)) << messages(first);
    const auto events = trial.service->state().last;
    const Json second = trial.ask(user, "extract", data, "", "lost " + user);
    EXPECT_TRUE(second["files"]["data.csv"] == first["files"]["data.csv"]);
    EXPECT_EQ(second.value("digest", ""), first.value("digest", ""));
    EXPECT_EQ(trial.service->state().last, events);
  }
  trial.visit(who, "w4", trial.today());
  const auto shown = trial.vault->disclosures();
  const auto verified = server::verify_trial(*trial.store, nullptr, &shown);
  ASSERT_TRUE(verified);
  EXPECT_TRUE(verified->holds()) << verified->findings.back().sentence;
  for (std::string const user : {"data_manager", "committee"})
    EXPECT_EQ(codes(trial.ask(user, "extract", user == "committee" ? Json{{"arms", "real"}} : Json::object(), "", "lost " + user)),
              std::set<std::string>{"conflict"});
}

// Whatever heads the report of a dry run says that its arms are dummies; and they are not the real ones.
TEST(C21_DryRun, EveryTitleSaysThatTheArmsAreDummies) {
  Trial trial;
  for (int i = 0; i < 12; ++i) (void)trial.randomised(i % 2 ? "s1" : "s2");
  const Json files = trial.done("blinded_statistician", "extract", {{"arms", "dummy"}})["files"];
  const auto loaded = protocol::load(files["protocol.toml"].get<std::string>(), "dry.toml");
  ASSERT_TRUE(loaded);
  for (std::string const language : {"en", "zh"}) {
    EXPECT_TRUE(loaded->trial.title.in(language).starts_with("DRY RUN WITH DUMMY ARMS: ")) << language;
    EXPECT_TRUE(loaded->report.title.in(language).starts_with("DRY RUN WITH DUMMY ARMS: ")) << language;
  }
  EXPECT_NE(loaded->source->note.find("DUMMY ARMS"), std::string::npos);
}

}  // namespace
}  // namespace equipoise::conducted

// A trial on a disk, as people work in it: each command a process of its own, the service started for it and stopped again.

#include "run_binary.h"

namespace equipoise::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string flagship = (source_dir / "examples/msc-inr/protocol.toml").string();

/// A folder with a new trial in TRIAL.
class Trial : public ::testing::Test {
 protected:
  void SetUp() override {
    write(folder.path / "users.toml",
          "[[user]]\nid = \"anna\"\nname = \"Dr Anna Li\"\nroles = [{ role = \"coordinator\", site = \"s1\" }, { role = \"investigator\", site = \"s1\" }]\n"
          "[[user]]\nid = \"root\"\nname = \"Office\"\nroles = [{ role = \"administrator\" }]\n");
    ASSERT_EQ(equipoise({"trial", "vault-key", "vault.key"}, {.folder = folder.path}).status, 0);
    const Ran made = init("TRIAL", "SECRETS");
    ASSERT_EQ(made.status, 0) << made.err;
    commitment = made.answer().at("commitment");
  }
  Ran init(std::string const& trial, std::string const& secrets) {
    return equipoise({"trial", "init", flagship, trial, "--users", "users.toml", "--secrets", secrets, "--environment", "test", "--vault-key",
                      "vault.key", "--json"},
                     {.folder = folder.path});
  }
  Ran ask(std::string const& user, std::string const& role, std::vector<std::string> words, std::vector<std::string> more = {}) {
    words.insert(words.begin(), "trial");
    words.insert(words.begin() + 2, "TRIAL");
    for (std::string const& word : {std::string("--user"), user, std::string("--role"), role, std::string("--secret-file"), "SECRETS/" + user + ".secret",
                                    std::string("--vault-key"), std::string("vault.key"), std::string("--json")})
      words.push_back(word);
    if (role == "coordinator" || role == "investigator") words.insert(words.end(), {"--site", "s1"});
    words.insert(words.end(), more.begin(), more.end());
    return equipoise(words, {.folder = folder.path});
  }
  Folder folder;
  json commitment;
};

TEST_F(Trial, CommitsBeforeItsFirstParticipant) {
  EXPECT_EQ(commitment.at("seed").get<std::string>().size(), 64u);
  EXPECT_EQ(commitment.at("environment"), "test");
  const Ran again = init("TRIAL", "OTHER");
  EXPECT_EQ(again.status, 6);  // a trial is never made over another one
  EXPECT_FALSE(fs::exists(folder.path / "OTHER"));
  const Ran other = init("SECOND", "MORE");
  ASSERT_EQ(other.status, 0);
  EXPECT_NE(other.answer().at("commitment").at("seed"), commitment.at("seed"));
}

TEST_F(Trial, DoesWhatItsPeopleMayAndNothingElse) {
  const Ran enrolled = ask("anna", "coordinator", {"enrol"}, {"--key", "one"});
  ASSERT_EQ(enrolled.status, 0) << enrolled.err;
  EXPECT_EQ(enrolled.answer().at("events").at(0).at("data").at("participant"), "s1-001");
  EXPECT_EQ(ask("anna", "coordinator", {"enrol"}, {"--key", "one"}).out, enrolled.out);  // sent again, not done again
  EXPECT_EQ(ask("anna", "monitor", {"status"}).status, 6);
  EXPECT_EQ(ask("root", "administrator", {"enrol"}).status, 6);
  const Ran not_ready = ask("anna", "investigator", {"do", "randomise"}, {"--data", R"({"participant":"s1-001","confirm":"x"})"});
  EXPECT_EQ(not_ready.status, 6);
  EXPECT_THAT(not_ready.out, HasSubstr("hiv@screening"));
  EXPECT_EQ(ask("anna", "coordinator", {"do", "visit"}, {"--data", R"({"participant":"s1-009","visit":"screening"})"}).status, 3);
  EXPECT_EQ(ask("anna", "coordinator", {"do", "fly"}).status, 3);
  EXPECT_EQ(ask("anna", "coordinator", {"do", "visit"}, {"--data", "{"}).status, 3);
  const Ran status = ask("anna", "coordinator", {"status"});
  EXPECT_EQ(status.answer().at("shown").at("enrolled"), 1);
  const std::string log = contents(folder.path / "TRIAL/conduct.log");
  EXPECT_THAT(log, HasSubstr("\"enrol\""));
  EXPECT_EQ(log.find("s1-001"), std::string::npos) << "the log has no data";
}

TEST_F(Trial, IsVerifiedAndAFlippedByteIsNamed) {
  ASSERT_EQ(ask("anna", "coordinator", {"enrol"}).status, 0);
  ASSERT_EQ(ask("root", "administrator", {"backup", "copy.db"}).status, 0);
  const Ran fine = equipoise({"verify", "TRIAL", "--json"}, {.folder = folder.path});
  EXPECT_EQ(fine.status, 0) << fine.err;
  EXPECT_EQ(equipoise({"verify", "copy.db"}, {.folder = folder.path}).status, 0);
  // A byte of an event's text, in the copy.
  std::string bytes = contents(folder.path / "copy.db");
  const auto at = bytes.rfind("participant_enrolled");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = 'P';
  write(folder.path / "copy.db", bytes);
  const Ran broken = equipoise({"verify", "copy.db", "--json"}, {.folder = folder.path});
  EXPECT_EQ(broken.status, 4);
  EXPECT_THAT(broken.out, HasSubstr("event 7"));
}

TEST_F(Trial, SaysWhatIsWrongWithTheCommandLine) {
  EXPECT_EQ(equipoise({"trial", "status", "NOWHERE", "--user", "a", "--role", "monitor", "--secret-file", "vault.key"}, {.folder = folder.path}).status, 1);
  EXPECT_EQ(equipoise({"trial", "status", "TRIAL"}, {.folder = folder.path}).status, 2);
  EXPECT_EQ(equipoise({"trial", "init", flagship, "T2", "--users", "none.toml", "--secrets", "S2", "--vault-key", "vault.key"}, {.folder = folder.path}).status, 1);
  EXPECT_FALSE(fs::exists(folder.path / "T2"));
  write(folder.path / "other.key", "not a key");
  fs::permissions(folder.path / "other.key", fs::perms::owner_read | fs::perms::owner_write);
  const Ran wrong = equipoise({"trial", "status", "TRIAL", "--user", "anna", "--role", "coordinator", "--site", "s1", "--secret-file",
                               "SECRETS/anna.secret", "--vault-key", "other.key"},
                              {.folder = folder.path});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_FALSE(wrong.err.empty());
}

TEST(ConductedTrial, IsReportedAndProved) {
  const Folder folder;
  ASSERT_EQ(equipoise({"trial", "vault-key", "vault.key"}, {.folder = folder.path}).status, 0);
  const Ran ran = equipoise({"simulate", flagship, "--scenario", "no-effect", "--export", "3", "--through-conduct", "--vault-key", "vault.key", "--output",
                             "o", "--json"},
                            {.folder = folder.path});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.answer().at("participants"), 72);
  EXPECT_EQ(equipoise({"verify", "o/trial"}, {.folder = folder.path}).status, 0);
  const Ran report = equipoise({"report", "o/protocol.toml", "--output", "r"}, {.folder = folder.path});
  EXPECT_EQ(report.status, 0) << report.err;
  EXPECT_THAT(contents(folder.path / "r/report.html"), HasSubstr("imulated"));
}

TEST_F(Trial, C05_GivesItsAuditTrailAsATable) {
  ASSERT_EQ(ask("anna", "coordinator", {"enrol"}).status, 0);
  ASSERT_EQ(ask("anna", "coordinator", {"do", "consent"}, {"--data", R"({"participant":"s1-001","date":"2024-01-08"})", "--reason", "=1+1"}).status, 0);
  const Ran made = ask("anna", "coordinator", {"audit"}, {"--output", "trail.csv", "--participant", "s1-001"});
  ASSERT_EQ(made.status, 0) << made.err;
  const std::string table = contents(folder.path / "trail.csv");
  EXPECT_EQ(table.substr(0, table.find('\n')), "event,at,local,user,role,site,what,participant,visit,form,item,before,after,reason");
  EXPECT_EQ(made.answer().at("rows"), 2);
  EXPECT_THAT(table, AllOf(HasSubstr(",anna,coordinator,s1,"), HasSubstr(",'=1+1\n")));
  EXPECT_EQ(ask("root", "administrator", {"audit"}, {"--output", "no/../trail.csv", "--from", "yesterday"}).status, 3);
}

// A list that somebody else made is sealed for one trial and environment, and serves no other.
TEST_F(Trial, C29_ASealedListServesItsOwnTrialAndEnvironmentAlone) {
  const std::string protocol = (source_dir / "tests/faults/trial.toml").string();
  std::string list = "stream,position,arm\n";
  for (std::string const site : {"s1", "s2", "s3"})
    for (int i = 1; i <= 6; ++i) list += "site=" + site + "," + std::to_string(i) + "," + (i % 3 == 0 ? "high" : i % 3 == 1 ? "low" : "control") + "\n";
  write(folder.path / "list.csv", list);
  ASSERT_EQ(equipoise({"trial", "vault-key", "list.key"}, {.folder = folder.path}).status, 0);
  const auto seal = [&](std::string const& from, std::string const& to, std::string const& environment) {
    return equipoise({"trial", "seal-list", from, to, "--protocol", protocol, "--environment", environment, "--key", "list.key", "--json"}, {.folder = folder.path});
  };
  const auto make = [&](std::string const& trial, std::string const& from, std::string const& environment, std::vector<std::string> more = {"--list-key", "list.key"}) {
    std::vector<std::string> words{"trial", "init", protocol, trial, "--users", "users.toml", "--secrets", trial + ".secrets", "--environment", environment,
                                   "--vault-key", "vault.key", "--list", from, "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return equipoise(words, {.folder = folder.path});
  };
  const Ran sealed = seal("list.csv", "list.sealed", "test");
  ASSERT_EQ(sealed.status, 0) << sealed.err;
  EXPECT_EQ(sealed.answer().at("places"), 18);
  EXPECT_EQ(contents(folder.path / "list.sealed").find("control"), std::string::npos);
  const Ran made = make("LISTED", "list.sealed", "test");
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_EQ(made.answer().at("commitment").at("algorithm"), "equipoise imported list 1");
  EXPECT_EQ(made.answer().at("commitment").at("leaves"), 18);
  const Ran live = make("LIVE", "list.sealed", "live");
  EXPECT_EQ(live.status, 6);
  EXPECT_THAT(live.out, HasSubstr("the list was made for the environment 'test', and this vault is 'live'"));
  const Ran plain = make("PLAIN", "list.csv", "test");
  EXPECT_EQ(plain.status, 6);
  EXPECT_THAT(plain.out, HasSubstr("is not sealed"));
  EXPECT_EQ(make("KEYLESS", "list.sealed", "test", {}).status, 2);
  EXPECT_EQ(make("WRONG", "list.sealed", "test", {"--list-key", "vault.key"}).status, 6);
  for (std::string const none : {"LIVE", "PLAIN", "KEYLESS", "WRONG"}) EXPECT_FALSE(fs::exists(folder.path / none)) << none;
  // Every fault of a list is named with its line.
  write(folder.path / "bad.csv", "stream,position,arm\nsite=s1,1,low\nsite=s1,3,high\nsite=s9,1,low\nsite=s2,1,placebo\n");
  const Ran bad = seal("bad.csv", "bad.sealed", "live");
  EXPECT_NE(bad.status, 0);
  EXPECT_THAT(bad.out, AllOf(HasSubstr("\"line\": 3"), HasSubstr("position 2 of the stream 'site=s1' is expected")));
  write(folder.path / "bad.csv", "stream,position,arm\nsite=s9,1,low\nsite=s2,1,placebo\n");
  const Ran unknown = seal("bad.csv", "bad.sealed", "live");
  EXPECT_THAT(unknown.out, HasSubstr("site=s9"));
  EXPECT_THAT(unknown.out, HasSubstr("placebo"));
  EXPECT_FALSE(fs::exists(folder.path / "bad.sealed"));
}

}  // namespace
}  // namespace equipoise::e2e

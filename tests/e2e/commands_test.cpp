// The commands as a person meets them: check, verify, new, and what a wrong command line gets.

#include "run_binary.h"

namespace equipoise::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string msc_inr = (source_dir / "examples/msc-inr/protocol.toml").string();

/// Method and user of what a protocol needs and this build lacks, in file order.
using Lacks = std::vector<std::pair<std::string, std::string>>;
const Lacks msc_inr_lacks{
    {"fixed", "[design]"},
    {"cd4_homeostasis", "scenario 'mechanistic'"},
};

void expect_check_of_msc_inr(std::string const& protocol) {
  const Ran words = equipoise({"check", protocol});
  ASSERT_EQ(words.status, 0) << words.err;
  EXPECT_EQ(words.err, "");
  const Ran parsed = equipoise({"check", protocol, "--json"});
  ASSERT_EQ(parsed.status, 0);
  const json answer = parsed.answer();
  EXPECT_EQ(answer.at("trial"), "msc-inr");
  EXPECT_TRUE(answer.at("problems").empty());
  const std::string digest = answer.at("digest");
  EXPECT_EQ(digest.size(), 64u);
  EXPECT_TRUE(words.out.ends_with("\nNo problems. Digest " + digest + "\n"));
  Lacks lacks;
  std::string listed;
  for (json const& one : answer.at("not_available")) {
    lacks.emplace_back(one.at("method"), one.at("user"));
    listed += fmt::format("not available in this build: {} ({}, line {})\n", one.at("method").get<std::string>(),
                          one.at("user").get<std::string>(), one.at("line").get<int>());
  }
  EXPECT_EQ(lacks, msc_inr_lacks);
  EXPECT_THAT(words.out, HasSubstr("\n\n" + listed + "\n"));
}

TEST(Check, PassesTheFlagshipAndListsWhatThisBuildLacks) { expect_check_of_msc_inr(msc_inr); }

TEST(Check, PassesTheSharedFlagship) {
  const fs::path shared = shared_dir() / "examples/msc-inr.toml";
  if (!fs::exists(shared)) GTEST_SKIP() << "no msc-inr.toml in the folder that EQUIPOISE_SHARED names";
  expect_check_of_msc_inr(shared.string());
}

TEST(Check, ReportsScenariosWithThePlan) {
  const Folder folder;
  write(folder.path / "p.toml", with(with(contents(msc_inr), "effect = { cd4 = { low = 50, high = 50, onset_weeks = 24 } }",
                                          "effect = { cd4 = { low = 50, hihg = 50, onset_weeks = 24 } }"),
                                     "method = \"log_rank\"", "method = \"log_rank\"\nwieght = 1"));
  const Ran words = equipoise({"check", "p.toml"}, {.folder = folder.path});
  EXPECT_EQ(words.status, 3);
  EXPECT_THAT(words.err, HasSubstr("'wieght'"));
  EXPECT_THAT(words.err,
              testing::ContainsRegex(
                  "p\\.toml:[0-9]+:30: the effect on 'cd4' of scenario 'as-published' names 'hihg', which is not an arm "
                  "of the trial\n *hint: did you mean 'high'\\?"));
}

TEST(Check, WarnsWhenThePrimaryAnalysisIgnoresAFactorOfTheRandomisation) {
  const Folder folder;
  write(folder.path / "p.toml", with(contents(msc_inr), "cd4@baseline + site\"", "cd4@baseline\""));
  const Ran words = equipoise({"check", "p.toml"}, {.folder = folder.path});
  EXPECT_EQ(words.status, 0);
  EXPECT_THAT(words.err, testing::MatchesRegex("p\\.toml:[0-9]+:10: warning: the primary analysis 'a01_cd4' ignores the factor "
                                               "'site' of the randomisation\n  hint: [^\n]+\n"));
  EXPECT_THAT(words.out, HasSubstr("\nNo problems. Digest "));
  const Ran parsed = equipoise({"check", "p.toml", "--json"}, {.folder = folder.path});
  EXPECT_EQ(parsed.status, 0);
  EXPECT_EQ(parsed.err, "");
  ASSERT_EQ(parsed.answer().at("warnings").size(), 1u);
  const json warning = parsed.answer().at("warnings").at(0);
  EXPECT_EQ(fmt::format("p.toml:{}:{}: warning: {}\n  hint: {}\n", warning.at("line").get<int>(), warning.at("column").get<int>(),
                        warning.at("message").get<std::string>(), warning.at("hint").get<std::string>()),
            words.err);
}

TEST(Check, PrintsTheCanonicalFormOfItsDigest) {
  const Folder folder;
  const Ran canonical = equipoise({"check", cgd, "--canonical"});
  ASSERT_EQ(canonical.status, 0);
  // Comments, blank lines and the spelling of a number do not change it; a text does.
  const std::string text = contents(cgd);
  write(folder.path / "same.toml", "# another comment\n\n" + with(text, "alpha = 0.05", "alpha   =   5e-2   # spelt otherwise"));
  write(folder.path / "other.toml", with(text, "label = \"Placebo\"", "label = \"placebo\""));
  EXPECT_EQ(equipoise({"check", (folder.path / "same.toml").string(), "--canonical"}).out, canonical.out);
  EXPECT_NE(equipoise({"check", (folder.path / "other.toml").string(), "--canonical"}).out, canonical.out);
}

TEST(Report, RefusesAMethodThatThisBuildLacks) {
  const Folder folder;
  const std::string protocol = (folder.path / "p.toml").string();
  write(folder.path / "p.toml", with(with(contents(msc_inr), "method = \"miettinen_nurminen\"", "method = \"lab_shift\""),
                                     "method = \"log_rank\"", "method = \"ae_table\""));
  const Ran ran = equipoise(
      {"report", protocol, "--data", (source_dir / "examples/remission/remission.csv").string(), "--analysis", "a12_serious"},
      {.folder = folder.path});
  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(ran.err, HasSubstr(": analysis 'a12_serious' needs the method lab_shift, which this build does not carry\n"));
  EXPECT_EQ(ran.err.find("a05_response_test"), std::string::npos);  // only what was asked for
  EXPECT_EQ(folder.all(), std::vector<std::string>{"p.toml"});
  const Ran all = equipoise({"report", protocol, "--data", "unread.csv"}, {.folder = folder.path});
  EXPECT_EQ(all.status, 3);
  for (const char* method : {"lab_shift", "ae_table"})
    EXPECT_THAT(all.err, HasSubstr(std::string("needs the method ") + method + ", which this build does not carry"));
}

TEST(Report, RunsTheAnalysesAskedFor) {
  const json results = equipoise({"analyse", cgd, "--analysis", "a03_curve", "--analysis", "a01_test", "--json"}).answer();
  ASSERT_EQ(results.at("analyses").size(), 2u);
  EXPECT_EQ(results.at("analyses").at(0).at("id"), "a01_test");  // in the order of the protocol
  const Ran unknown = equipoise({"analyse", cgd, "--analysis", "a01_tset"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_EQ(unknown.err, "the protocol has no analysis 'a01_tset'\n  hint: did you mean 'a01_test'?\n");
}

// P of the high dose is 0.0083 by Kenward and Roger's method and 0.0080 with residual degrees of freedom: a level between them.
TEST(Analyse, WarnsThatAConclusionDependsOnAChoice) {
  const Folder folder;
  const fs::path trial = source_dir / "tests/integration/repeated";
  const std::string protocol = (folder.path / "p.toml").string(), data = (trial / "trial.csv").string();
  write(folder.path / "p.toml", with(with(contents(trial / "protocol.toml"), "method = \"holm\"", "method = \"none\""), "[sites]",
                                     "[conventions]\nalpha = 0.0082\n[sites]"));
  const Ran ran = equipoise({"analyse", protocol, "--data", data, "--output", (folder.path / "r.json").string()});
  EXPECT_EQ(ran.status, 0) << ran.err;  // the answer stands
  EXPECT_THAT(ran.err, HasSubstr("warning: analysis 'primary': Whether 'high' differs from the control depends on the method for "
                                 "degrees of freedom: P = 0.0083 as planned (Kenward and Roger's method), but P = 0.0080 with "
                                 "residual degrees of freedom."));
  const json results = json::parse(contents(folder.path / "r.json"));
  EXPECT_EQ(results.at("analyses").at(0).at("warnings").size(), 2u);  // and on values carried forward
  const Ran page = equipoise({"report", protocol, "--data", data}, {.folder = folder.path});
  EXPECT_EQ(page.status, 0);
  EXPECT_THAT(page.err, HasSubstr("warning: analysis 'primary'"));
}

TEST(Verify, PassesTheKnownAnswersItCarries) {
  const Ran ran = equipoise({"verify"}, {.folder = "/"});
  EXPECT_EQ(ran.status, 0) << ran.out;
  EXPECT_TRUE(ran.out.starts_with("method ")) << ran.out;
  const Ran parsed = equipoise({"verify", "--json"});
  EXPECT_EQ(parsed.status, 0);
  const json answer = parsed.answer();
  int values = 0;
  for (json const& method : answer.at("methods")) {
    EXPECT_EQ(method.at("failed"), 0) << method;
    EXPECT_GT(method.at("passed").get<int>(), 0) << method;
    values += method.at("values").get<int>();
  }
  EXPECT_GE(answer.at("methods").size(), 6u);  // at least what the first slice carries; new methods bring their own
  EXPECT_EQ(std::size_t(values), answer.at("values").size());
  EXPECT_GT(values, 700);
}

// One case made by hand: two of five, so the estimate is 0.4. The format is that of the reference cases.
std::string hand_made_case(const char* expected) {
  return std::string(
             R"({"id": "hand.1", "method": "clopper_pearson", "data": "d.csv", "roles": {"response": "y"}, "options": {"level": 0.95}, )") +
         R"("expect": [{"id": "X-1", "quantity": "estimate", "at": {}, "value": )" + expected + R"(, "rel_tol": 1e-12}]})" + "\n";
}

TEST(Verify, FailsAValueThatIsNotReproduced) {
  const Folder folder;
  write(folder.path / "d.csv", "y\n1\n0\n1\n0\n0\n");
  const auto run = [&](std::string const& cases, bool as_json) {
    write(folder.path / "cases.jsonl", cases);
    std::vector<std::string> arguments{"verify", "--reference", "cases.jsonl"};
    if (as_json) arguments.push_back("--json");
    return equipoise(arguments, {.folder = folder.path});
  };
  const Ran right = run(hand_made_case("0.4"), false);
  EXPECT_EQ(right.status, 0) << right.out << right.err;
  const Ran wrong = run(hand_made_case("0.4") + with(hand_made_case("0.41"), "hand.1", "hand.2"), false);
  EXPECT_EQ(wrong.status, 4) << wrong.out << wrong.err;
  EXPECT_THAT(wrong.out, HasSubstr("hand.2"));
  EXPECT_THAT(wrong.out, Not(HasSubstr("hand.1")));
  const Ran wrong_json = run(hand_made_case("0.41"), true);
  EXPECT_EQ(wrong_json.status, 4);
  EXPECT_EQ(wrong_json.answer().at("values").at(0).at("status"), "failed");

  const Ran malformed = run(hand_made_case("0.4") + "{\"id\": \"hand.2\", \n", false);
  EXPECT_EQ(malformed.status, 3);
  EXPECT_TRUE(malformed.err.starts_with("cases.jsonl:2:")) << malformed.err;
  EXPECT_EQ(malformed.out, "");
}

TEST(New, WritesAProtocolThatPassesCheck) {
  const Folder folder;
  const Ran made = equipoise({"new", "p.toml"}, {.folder = folder.path});
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_EQ(made.out, "p.toml\nNext: read it, change it, then `equipoise check p.toml`\n");
  const Ran checked = equipoise({"check", "p.toml"}, {.folder = folder.path});
  EXPECT_EQ(checked.status, 0) << checked.err;

  write(folder.path / "p.toml", "mine");
  const Ran again = equipoise({"new", "p.toml"}, {.folder = folder.path});
  EXPECT_EQ(again.status, 1);
  EXPECT_EQ(again.err, "'p.toml' exists already\n  hint: give another name, or --force to replace it\n");
  EXPECT_EQ(contents(folder.path / "p.toml"), "mine");
  EXPECT_EQ(equipoise({"new", "p.toml", "--force"}, {.folder = folder.path}).status, 0);
  EXPECT_NE(contents(folder.path / "p.toml"), "mine");
}

TEST(New, FitsTheStarterToADataFileOfItsColumns) {
  const Folder folder;
  ASSERT_EQ(equipoise({"new", "p.toml"}, {.folder = folder.path}).status, 0);
  write(folder.path / "d.csv",
        "id,arm,age,sex,days,died\n1,control,40,F,10,1\n2,active,50,M,20,0\n3,control,60,M,30,1\n4,active,55,F,25,1\n");
  const Ran ran = equipoise({"report", "p.toml", "--data", "d.csv"}, {.folder = folder.path});
  EXPECT_EQ(ran.status, 0) << ran.err;
}

TEST(New, MakesAProtocolOfADataFile) {
  const Folder folder;
  fs::copy(source_dir / "examples/remission/remission.csv", folder.path);
  ASSERT_EQ(equipoise({"new", "p.toml", "--data", "remission.csv"}, {.folder = folder.path}).status, 0);
  EXPECT_EQ(equipoise({"check", "p.toml"}, {.folder = folder.path}).status, 0);
  const Ran ran = equipoise({"report", "p.toml", "--json"}, {.folder = folder.path});
  ASSERT_EQ(ran.status, 0) << ran.err << ran.out;
  // Freireich et al. 1963: all 21 on placebo relapsed, 9 of 21 on 6-MP. Cox, Efron, R 4.2.2, survival 3.5-3: 0.2076035248415374.
  const json answer = ran.answer();
  bool seen = false;
  for (json const& one : answer.at("records"))
    if (one.at("quantity") == "hazard_ratio") {
      EXPECT_NEAR(one.at("value").get<double>(), 0.2076035248415374, 1e-8);
      seen = true;
    }
  EXPECT_TRUE(seen);
}

TEST(New, MakesAProtocolOfTheSharedFiles) {
  int files = 0;
  for (const char* name : {"actg320/actg320.csv", "cgd/cgd.csv", "survival/lung.csv", "survival/ovarian.csv",
                           "survival/veteran.csv", "survival/colon.csv", "survival/mgus2.csv"}) {
    const fs::path data = shared_dir() / "data" / name;
    if (!fs::exists(data)) continue;
    ++files;
    const Folder folder;
    const Ran made = equipoise({"new", "p.toml", "--data", data.string()}, {.folder = folder.path});
    EXPECT_EQ(made.status, 0) << name << made.err;
    const Ran checked = equipoise({"check", "p.toml"}, {.folder = folder.path});
    EXPECT_EQ(checked.status, 0) << name << "\n" << checked.err;
  }
  if (files == 0) GTEST_SKIP() << "the data files are in the folder that EQUIPOISE_SHARED names, and it has none";
}

TEST(New, SaysWhatIsWrongWithTheDataFile) {
  const Folder folder;
  write(folder.path / "d.csv", "id,arm\n1\n");
  const Ran ran = equipoise({"new", "p.toml", "--data", "d.csv"}, {.folder = folder.path});
  EXPECT_EQ(ran.status, 3);
  EXPECT_TRUE(ran.err.starts_with("d.csv:2: row 1 has 1 cell, and the header has 2")) << ran.err;
  EXPECT_EQ(folder.all(), std::vector<std::string>{"d.csv"});
}

TEST(CommandLine, IsExplained) {
  const Ran help = equipoise({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* command : {"new", "check", "analyse", "report", "verify"}) {
    EXPECT_THAT(help.out, HasSubstr(std::string("\n  ") + command)) << command;
    EXPECT_EQ(equipoise({command, "--help"}).status, 0) << command;
  }
  const Ran version = equipoise({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.out, equipoise({"analyse", cgd, "--json"}).answer().at("provenance").at("version").get<std::string>() + "\n");
}

TEST(CommandLine, ThatIsWrongIsRefusedWithStatus2) {
  const std::vector<std::vector<std::string>> wrong{{},
                                                    {"simulat"},
                                                    {"check"},
                                                    {"report"},
                                                    {"check", cgd, "--nosuch"},
                                                    {"check", cgd, "another.toml"},
                                                    {"report", cgd, "--language", "xx"},
                                                    {"report", cgd, "--cutoff"},
                                                    {"report", cgd, "--cutoff", "yesterday"},
                                                    {"report", cgd, "--analysis", "nosuch"},
                                                    {"report", msc_inr, "--analysis", "a08_ever"},
                                                    {"verify", "--data", "."}};
  for (auto const& arguments : wrong) {
    const Folder folder;
    const Ran ran = equipoise(arguments, {.folder = folder.path});
    EXPECT_EQ(ran.status, 2) << ::testing::PrintToString(arguments) << ran.err;
    EXPECT_NE(ran.err, "") << ::testing::PrintToString(arguments);
    EXPECT_EQ(ran.out, "") << ::testing::PrintToString(arguments);
    EXPECT_EQ(folder.all(), std::vector<std::string>{});
  }
}

TEST(Json, IsWhatEveryCommandPrints) {
  const Folder folder;
  write(folder.path / "bad.csv", "id,arm,days,relapse\n1,placebo,x,1\n");
  write(folder.path / "bad.toml", "format = 1\nfromat = 2\n");
  const std::vector<std::pair<std::vector<std::string>, int>> commands{{{"check", cgd}, 0},
                                                                       {{"check", "bad.toml"}, 3},
                                                                       {{"check", "no.toml"}, 1},
                                                                       {{"analyse", cgd}, 0},
                                                                       {{"analyse", cgd, "--output", "a.json"}, 0},
                                                                       {{"report", cgd}, 0},
                                                                       {{"report", remission, "--data", "bad.csv"}, 3},
                                                                       {{"new", "p.toml"}, 0},
                                                                       {{"new", "bad.toml"}, 1},
                                                                       {{"verify"}, 0},
                                                                       {{"check", cgd, "--canonical"}, 0}};
  for (auto const& [command, status] : commands)
    for (const bool first : {true, false}) {  // before or after the command
      std::vector<std::string> arguments = command;
      arguments.insert(first ? arguments.begin() : arguments.end(), "--json");
      if (command.front() == "new" && status == 0) fs::remove(folder.path / "p.toml");
      const Ran ran = equipoise(arguments, {.folder = folder.path});
      EXPECT_EQ(ran.status, status) << ::testing::PrintToString(arguments) << ran.out;
      EXPECT_EQ(ran.err, "") << ::testing::PrintToString(arguments);
      const json answer = ran.answer();
      EXPECT_TRUE(answer.is_object()) << ::testing::PrintToString(arguments);
      if (status != 0) {
        EXPECT_FALSE(answer.at("problems").empty()) << ::testing::PrintToString(arguments);
      }
    }
  const json problem =
      equipoise({"report", remission, "--data", "bad.csv", "--json"}, {.folder = folder.path}).answer().at("problems").at(0);
  EXPECT_EQ(
      problem,
      (json{{"code", "bad_cell"}, {"message", "'x' is not a number"}, {"file", "bad.csv"}, {"line", 2}, {"field", "days"}}));
  EXPECT_EQ(equipoise({"check", cgd, "--quiet"}).out, "");
}

}  // namespace
}  // namespace equipoise::e2e

// Data that are wrong are refused with a sentence that says where; data that are poor are analysed, and say what they cannot
// tell.

#include "run_binary.h"

namespace equipoise::e2e {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

const std::string header = "id,arm,age,stratum,days,died\n";
const std::string eight =
    "1,placebo,40,low,10,1\n2,active,41,low,20,1\n3,placebo,50,high,30,1\n4,active,51,high,40,0\n"
    "5,placebo,60,low,50,0\n6,active,61,low,60,1\n7,placebo,35,high,70,1\n8,active,36,high,80,0\n";

/// tests/data/small/protocol.toml on the bytes of a data file.
class SmallTrial : public ::testing::Test {
 protected:
  Ran report(std::string const& data) {
    write(folder.path / "d.csv", data);
    fs::copy_file(source_dir / "tests/data/small/protocol.toml", folder.path / "p.toml", fs::copy_options::overwrite_existing);
    return equipoise({"report", "p.toml", "--data", "d.csv", "--output", "r"}, {.folder = folder.path});
  }
  /// Refused: this sentence, status 3, and nothing written.
  void refused(std::string const& data, std::string const& message) {
    const Ran ran = report(data);
    EXPECT_EQ(ran.status, 3);
    EXPECT_EQ(ran.err, message);
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(folder.all(), (std::vector<std::string>{"d.csv", "p.toml"}));
  }
  /// Answered: status 0, and both files.
  json answered(std::string const& data) {
    const Ran ran = report(data);
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_EQ(ran.err, "");
    out = ran.out;
    page = contents(folder.path / "r/report.html");
    EXPECT_THAT(page, HasSubstr("</html>"));
    return json::parse(contents(folder.path / "r/results.json"));
  }
  static json value(json const& results, const char* id, const char* quantity, const char* arm) {
    return record(results, id, quantity, arm).at("value");
  }

  Folder folder;
  std::string out, page;
};

TEST_F(SmallTrial, IsAnsweredAsItIs) {
  const json results = answered(header + eight);
  // Worked by hand from the risk sets of the two strata: O - E = 7/6, V = 35/36, chi-square = 7/5.
  EXPECT_NEAR(value(results, "a1_test", "chi_square", "active").get<double>(), 1.4, 1e-14);
}

TEST_F(SmallTrial, MissesAColumn) {
  refused("id,arm,stratum,days,died\n1,placebo,low,10,1\n",
          "d.csv:1: the data have no column 'age' (p.toml:129)\n  hint: columns: id, arm, stratum, days, died\n");
  refused("id,arm,age,stratum,day,died\n1,placebo,40,low,10,1\n",
          "d.csv:1: the data have no column 'days' (p.toml:131)\n  hint: did you mean 'day'?\n");
  refused("ID,Arm\n1,placebo\n",
          "d.csv:1: the data have no column 'id' (p.toml:124)\n  hint: did you mean 'ID'?\n"
          "d.csv:1: the data have no column 'arm' (p.toml:124)\n  hint: did you mean 'Arm'?\n"
          "d.csv:1: the data have no column 'age' (p.toml:129)\n  hint: columns: ID, Arm\n"
          "d.csv:1: the data have no column 'stratum' (p.toml:130)\n  hint: columns: ID, Arm\n"
          "d.csv:1: the data have no column 'days' (p.toml:131)\n  hint: columns: ID, Arm\n"
          "d.csv:1: the data have no column 'died' (p.toml:132)\n  hint: columns: ID, Arm\n");
}

TEST_F(SmallTrial, HasAParticipantTwice) {
  refused(header + eight + "3,placebo,50,high,30,1\n",
          "d.csv:10: column 'id': participant '3' has a second row; the first is line 4\n"
          "  hint: with several rows a participant say rows = \"intervals\" or \"visits\" in [source]\n");
  refused(header + eight + ",active,50,high,30,1\n", "d.csv:10: column 'id': the participant is missing\n");
}

TEST_F(SmallTrial, HasTextInAColumnOfNumbers) {
  refused(header + "1,placebo,sixty,low,10,1\n2,active,41,low,20 d,1\n3,placebo,50,high,3.5,2\n",
          "d.csv:2: column 'age': 'sixty' is not a number\n"
          "d.csv:3: column 'days': '20 d' is not a number\n"
          "d.csv:4: column 'days': 3.5 is not a whole number\n"
          "d.csv:4: column 'died': '2' is neither true nor false\n"
          "  hint: say what it means: codes = { \"...\" = \"true\", \"...\" = \"false\" }\n");
  refused(header + "1,placebo,nan,low,10,1\n2,active,1e999,low,20,1\n3,placebo,17,high,-1,1\n4,Active,50,hi,3,1\n",
          "d.csv:2: column 'age': 'nan' is not a number\n"
          "d.csv:3: column 'age': '1e999' is not a number\n"
          "d.csv:4: column 'age': 17 is outside the hard limits 18 to 99 of 'age'\n"
          "d.csv:4: column 'days': -1 is outside the hard limits 0 to 3650 of 'days'\n"
          "d.csv:5: column 'arm': 'Active' is no arm\n  hint: did you mean 'active'?\n"
          "d.csv:5: column 'stratum': 'hi' is no code of 'stratum'\n  hint: known: low, high\n");
}

TEST_F(SmallTrial, IsCutOff) {
  refused(header + "1,placebo,40,low,10,1\n2,active,41,lo",
          "d.csv:3: row 2 has 4 cells, and the header has 6: this is the last row, the file may be cut off\n");
  refused(header + "1,placebo,40,low,10,1\n2,active,41,\"lo",
          "d.csv:3: the quote opened on this line is never closed: the file may be cut off\n");
  refused(header + "1,placebo,40,low,10,1\n2,active,41\n3,placebo,40,low,10,1\n",
          "d.csv:3: row 2 has 3 cells, and the header has 6\n");
  refused("id,arm,a", "d.csv:1: the file has a header and no rows\n");
}

TEST_F(SmallTrial, HasNothingInIt) {
  refused("", "d.csv: the file is empty\n");
  refused("\xEF\xBB\xBF", "d.csv: the file is empty\n");
  refused(header, "d.csv:1: the file has a header and no rows\n");
  refused("\n", "d.csv:1: the first line is empty, and must name the columns\n");
}

TEST_F(SmallTrial, IsNotText) {
  refused(std::string("id\0arm\n", 7), "d.csv:1: this line has a NUL byte: it is no text, or UTF-16\n");
  refused(header + "1,placebo,40,\xE9t\xE9,10,1\n", "d.csv:2: this line is not UTF-8\n");
}

TEST_F(SmallTrial, HasNoEventInAnArm) {
  const json results =
      answered(header + "1,placebo,40,low,10,1\n2,active,41,low,20,0\n3,placebo,50,high,30,1\n4,active,51,high,40,0\n");
  EXPECT_EQ(value(results, "a2_ratio", "hazard_ratio", "active"), "NE");
  for (const char* limit : {"lower", "upper", "p"})
    EXPECT_EQ(record(results, "a2_ratio", "hazard_ratio", "active").at(limit), "NE") << limit;
  const std::string note = "arm 'active': no events in it, so the hazard ratio is not estimable.";
  EXPECT_THAT(notes(results, "a2_ratio"), Contains(note));
  EXPECT_THAT(record(results, "a2_ratio", "hazard_ratio", "active").at("footnotes"), Contains(note));
  EXPECT_THAT(page, HasSubstr("no events in it, so the hazard ratio is not estimable."));
  EXPECT_THAT(out, HasSubstr("Placebo 2 of 2, Active 0 of 2; hazard ratio NE\n"));
  // The log-rank test needs no event in each arm: two risk sets of one and one, O - E = 2 - 1, V = 1/2.
  EXPECT_NEAR(value(results, "a1_test", "chi_square", "active").get<double>(), 2.0, 1e-14);
  EXPECT_EQ(value(results, "a4_shares", "estimate", "active"), 0);
  EXPECT_NEAR(record(results, "a4_shares", "estimate", "active").at("upper").get<double>(), 1 - std::sqrt(0.025),
              1e-14);  // (alpha/2)^(1/n), n = 2
}

TEST_F(SmallTrial, HasOneParticipant) {
  const json results = answered(header + "1,placebo,40,low,10,1\n");
  EXPECT_EQ(value(results, "a1_test", "chi_square", "active"), "NE");
  EXPECT_EQ(value(results, "a2_ratio", "hazard_ratio", "active"), "NE");
  EXPECT_EQ(value(results, "a5_fisher", "estimate", "active"), "NE");
  EXPECT_EQ(value(results, "a6_age", "estimate", "active"), "NE");
  EXPECT_EQ(value(results, "a4_shares", "estimate", "active"), "NE");
  EXPECT_EQ(value(results, "a4_shares", "estimate", "placebo"), 1);
  EXPECT_NEAR(record(results, "a4_shares", "estimate", "placebo").at("lower").get<double>(), 0.025,
              1e-15);  // (alpha/2)^(1/n), n = 1
  EXPECT_THAT(notes(results, "a1_test"), Contains("Only one group of 'arm' has anybody: the log-rank test is not estimable."));
  EXPECT_THAT(notes(results, "a2_ratio"), Contains("arm 'active': nobody in it, so the hazard ratio is not estimable."));
  EXPECT_THAT(notes(results, "a3_curve"), Contains("Nobody in arm 'active'."));
  EXPECT_THAT(notes(results, "a4_shares"), Contains("Nobody in arm 'active' has a value: not estimable."));
  EXPECT_THAT(notes(results, "a5_fisher"), Contains("Nobody in one of the two groups of 'arm': the test is not estimable."));
  EXPECT_THAT(notes(results, "a6_age"), Contains("0 values of 'active' and 1 of 'placebo' are too few for this t test."));
  EXPECT_EQ(out,
            "a1_test (primary, Log-rank test): Placebo 1 of 1, Active 0 of 0; P NE\n"
            "a2_ratio (supportive, Cox proportional hazards model): Placebo 1 of 1, Active 0 of 0; hazard ratio NE\n"
            "a3_curve (supportive, Kaplan-Meier estimate): Placebo 1 of 1, Active 0 of 0\n"
            "a4_shares (secondary, Clopper-Pearson interval of a proportion): Placebo 1 of 1, Active 0 of 0; "
            "Placebo: Share 1.00 (0.0250 to 1.00); Active: Share NE\n"
            "a5_fisher (secondary, Fisher's exact test): Placebo 1 of 1, Active 0 of 0; "
            "Odds ratio (conditional) NE, P NE\n"
            "a6_age (exploratory, t test): Mean, or difference of means NE, P NE\n"
            "r/report.html\n");
}

TEST_F(SmallTrial, HasEverybodyInOneArm) {
  std::string all = eight;
  for (std::size_t at; (at = all.find("placebo")) != std::string::npos;) all.replace(at, 7, "active");
  const json results = answered(header + all);
  EXPECT_EQ(value(results, "a1_test", "chi_square", "active"), "NE");
  // Nobody in the control: no ratio against it, whatever the others do.
  EXPECT_EQ(value(results, "a2_ratio", "hazard_ratio", "active"), "NE");
  EXPECT_THAT(notes(results, "a2_ratio"),
              Contains("no row has the reference level 'placebo' of 'arm': nothing can be compared with it."));
  EXPECT_EQ(value(results, "a4_shares", "n_subjects", "placebo"), 0);
  EXPECT_EQ(value(results, "a4_shares", "estimate", "placebo"), "NE");
  EXPECT_EQ(value(results, "a4_shares", "estimate", "active"), 0.625);
  EXPECT_EQ(results.at("flow").at(0).at("randomised"), 0);
  EXPECT_EQ(results.at("flow").at(1).at("randomised"), 8);
}

TEST_F(SmallTrial, HasAnEmptyStratum) {
  // Nobody is 'high'. By hand: risk sets (2, 2), (1, 2), (0, 1) at days 10, 20, 60: E(active) = 1/2 + 2/3 + 1, V = 1/4 + 2/9, (2
  // - 13/6)^2 / V = 1/17.
  const std::string low = "1,placebo,40,low,10,1\n2,active,41,low,20,1\n5,placebo,60,low,50,0\n6,active,61,low,60,1\n";
  const json results = answered(header + low);
  EXPECT_NEAR(value(results, "a1_test", "chi_square", "active").get<double>(), 1.0 / 17, 1e-14);
  EXPECT_THAT(notes(results, "a1_test"), Contains("Stratified by 'stratum@baseline': 1 stratum."));
  EXPECT_NEAR(value(results, "a2_ratio", "hazard_ratio", "active").get<double>(), std::sqrt(0.5),
              1e-10);  // L = h / ((1 + h)(1 + 2 h)) is largest at 2 h^2 = 1
  // A stratum with one arm only compares nobody: the test is the same.
  const json half = answered(header + low + "3,placebo,50,high,30,1\n7,placebo,35,high,70,1\n");
  EXPECT_NEAR(value(half, "a1_test", "chi_square", "active").get<double>(), 1.0 / 17, 1e-13);
  EXPECT_THAT(notes(half, "a1_test"), Contains("Stratified by 'stratum@baseline': 2 strata."));
  EXPECT_NEAR(value(half, "a2_ratio", "hazard_ratio", "active").get<double>(), std::sqrt(0.5), 1e-10);
}

TEST_F(SmallTrial, MissesTheStratumOfSome) {
  const json results = answered(header + with(eight, "50,high", "50,"));
  EXPECT_THAT(notes(results, "a1_test"), Contains("1 row with a missing value left out."));
  EXPECT_EQ(value(results, "a1_test", "n_subjects", "placebo"), 3);  // of those whom the test used
}

TEST_F(SmallTrial, HasAllTimesEqual) {
  const json results =
      answered(header +
               "1,placebo,40,low,100,1\n2,active,41,low,100,1\n3,placebo,50,high,100,1\n4,active,51,high,100,0\n"
               "5,placebo,60,low,100,0\n6,active,61,low,100,1\n7,placebo,35,high,100,1\n8,active,36,high,100,0\n");
  // One risk set in each stratum: low 3 of 4 events (2 active), high 2 of 4 (0 active). E = 3/2 + 1, V = 3/12 + 4/12, (2 - 5/2)^2
  // / V = 3/7.
  EXPECT_NEAR(value(results, "a1_test", "chi_square", "active").get<double>(), 3.0 / 7, 1e-14);
  // R 4.2.2, survival 3.5-3, coxph, Efron.
  EXPECT_NEAR(value(results, "a2_ratio", "hazard_ratio", "active").get<double>(), 0.68485545641074663, 1e-9);
}

TEST_F(SmallTrial, HasNoEventAtAll) {
  const json results =
      answered(header + "1,placebo,40,low,10,0\n2,active,41,low,20,0\n3,placebo,50,high,30,0\n4,active,51,high,40,0\n");
  EXPECT_EQ(value(results, "a1_test", "chi_square", "active"), "NE");
  EXPECT_EQ(value(results, "a2_ratio", "hazard_ratio", "active"), "NE");
  EXPECT_EQ(record(results, "a2_ratio", "log_likelihood").at("value"), "NE");
  EXPECT_EQ(record(results, "a5_fisher", "estimate", "active").at("value"), "NE");
  EXPECT_EQ(record(results, "a5_fisher", "estimate", "active").at("p"), 1);
  EXPECT_THAT(notes(results, "a1_test"), Contains("No event: the log-rank test is not estimable."));
  EXPECT_THAT(notes(results, "a2_ratio"), Contains("No event: nothing is estimable."));
  EXPECT_THAT(notes(results, "a5_fisher"),
              Contains("All responses are equal: the odds ratio is not estimable, and no other table is possible (p = 1)."));
  EXPECT_THAT(out, HasSubstr("Placebo 0 of 2, Active 0 of 2; P NE\n"));
}

TEST_F(SmallTrial, HasNoOutcomeYet) {
  // The primary analysis has no answer: what can be said is written, and the status says so.
  const Ran ran = report(header + "1,placebo,40,low,,\n2,active,41,low,,\n3,placebo,50,high,,\n");
  EXPECT_EQ(ran.status, 3);
  EXPECT_EQ(ran.err,
            "the primary analysis 'a1_test' has no answer: analysis 'a1_test' has no rows: each of the 3 rows that meet its "
            "filter misses a value\n");
  const json results = json::parse(contents(folder.path / "r/results.json"));
  const std::string problem = "analysis 'a3_curve' has no rows: each of the 3 rows misses a value";
  EXPECT_EQ(analysis(results, "a1_test").at("problem"),
            "analysis 'a1_test' has no rows: each of the 3 rows that meet its filter misses a value");
  EXPECT_EQ(analysis(results, "a3_curve").at("problem"), problem);
  for (json const& one : results.at("records")) EXPECT_EQ(one.at("analysis"), "a6_age");  // what has a problem has no records
  EXPECT_THAT(contents(folder.path / "r/report.html"), HasSubstr("each of the 3 rows misses a value"));
  EXPECT_THAT(ran.out, HasSubstr("a3_curve (supportive, Kaplan-Meier estimate): " + problem + "\n"));
}

TEST(Files, ThatAreNotThere) {
  const Folder folder;
  const auto run = [&](std::vector<std::string> arguments) { return equipoise(std::move(arguments), {.folder = folder.path}); };
  EXPECT_EQ(run({"check", "no.toml"}).err, "cannot read 'no.toml': No such file or directory\n");
  EXPECT_EQ(run({"check", "no.toml"}).status, 1);
  EXPECT_EQ(run({"report", remission, "--data", "no.csv"}).err, "cannot read 'no.csv': No such file or directory\n");
  EXPECT_EQ(run({"report", remission, "--data", "no.csv"}).status, 1);
  EXPECT_EQ(run({"report", remission, "--data", "."}).err, "cannot read '.': Is a directory\n");
  EXPECT_EQ(run({"report", remission, "--data", "."}).status, 1);
  EXPECT_EQ(run({"check", "."}).err, "cannot read '.': Is a directory\n");
  fs::copy_file(remission, folder.path / "alone.toml");
  EXPECT_EQ(run({"report", "alone.toml"}).err, "cannot read 'remission.csv': No such file or directory\n");
  EXPECT_EQ(folder.all(), std::vector<std::string>{"alone.toml"});
}

TEST(Files, ThatAreNoProtocol) {
  const Folder folder;
  std::string bytes;
  for (int i = 0; i < 4096; ++i) bytes += char(i % 256);
  write(folder.path / "binary.toml", bytes);
  write(folder.path / "empty.toml", "");
  write(folder.path / "data.toml", header + eight);
  const auto run = [&](const char* name) { return equipoise({"check", name}, {.folder = folder.path}); };
  EXPECT_EQ(run("binary.toml").err, "binary.toml: the file is not UTF-8 text\n  hint: save it as UTF-8\n");
  for (const char* name : {"binary.toml", "empty.toml", "data.toml"}) {
    const Ran ran = run(name);
    EXPECT_EQ(ran.status, 3) << name;
    EXPECT_EQ(ran.out, "") << name;
    EXPECT_TRUE(ran.err.starts_with(name)) << ran.err;
  }
}

// check --data: what is wrong as a listing by file, row and column; what stands and should be looked at as queries.
TEST_F(SmallTrial, CheckListsTheIssuesOfTheData) {
  const std::string text = contents(source_dir / "tests/data/small/protocol.toml");
  const std::string limits = "hard = [18, 99]";
  const auto at = text.find(limits);
  ASSERT_NE(at, std::string::npos);
  write(folder.path / "p.toml", text.substr(0, at) + limits + ", soft = [36, 60]" + text.substr(at + limits.size()));
  const auto check = [&](std::string const& data) {
    write(folder.path / "d.csv", data);
    return equipoise({"check", "p.toml", "--data", "d.csv", "--issues", "issues.csv"}, {.folder = folder.path});
  };
  const std::string head = "kind,file,row,column,participant,visit,date,item,code,issue,hint\n";

  Ran ran = check(header + eight);
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("No problems in d.csv: 8 participants, 2 queries"));
  EXPECT_THAT(ran.out, HasSubstr("participant '7', 'age' at 'baseline': 35 is outside the usual range 36 to 60"));
  EXPECT_EQ(contents(folder.path / "issues.csv"), head +
                                                      "query,,,,6,baseline,,age,,61 is outside the usual range 36 to 60,\n"
                                                      "query,,,,7,baseline,,age,,35 is outside the usual range 36 to 60,\n");

  ran = check(header + "1,placebo,17,low,10,1\n2,activ,x,low,20,1\n");
  EXPECT_EQ(ran.status, 3);
  const std::string issues = contents(folder.path / "issues.csv");
  EXPECT_TRUE(issues.starts_with(head)) << issues;
  EXPECT_THAT(issues, HasSubstr("problem,d.csv,2,age,"));
  EXPECT_THAT(issues, HasSubstr("problem,d.csv,3,arm,"));
  EXPECT_THAT(issues, HasSubstr("problem,d.csv,3,age,"));
  EXPECT_EQ(issues.find("query"), std::string::npos);
}

TEST_F(SmallTrial, TheListingOfIssuesIsWholeAndReplacesNothingThatIsRead) {
  fs::copy_file(source_dir / "tests/data/small/protocol.toml", folder.path / "p.toml");
  std::string data = header;
  for (int i = 1; i <= 50; ++i) data += std::to_string(i) + ",placebo,old,low,10,1\n";
  write(folder.path / "d.csv", data);
  const auto check = [&](std::string const& issues) {
    return equipoise({"check", "p.toml", "--data", "d.csv", "--issues", issues}, {.folder = folder.path});
  };
  for (const char* read : {"d.csv", "p.toml", "./d.csv"}) EXPECT_EQ(check(read).status, 2) << read;
  EXPECT_EQ(contents(folder.path / "d.csv"), data);
  const Ran ran = check("issues.csv");
  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(ran.err, HasSubstr("and 30 more: issues.csv lists them"));
  const std::string issues = contents(folder.path / "issues.csv");
  EXPECT_EQ(std::ranges::count(issues, '\n'), 51);
  EXPECT_THAT(issues, HasSubstr("problem,d.csv,51,age,"));
}

}  // namespace
}  // namespace equipoise::e2e
